"""
Binance spot, market data: https://developers.binance.com/docs/binance-spot-api-docs/rest-api

Prices are text, times are milliseconds, errors are `{"code", "msg"}`. One unknown symbol in
`symbols` fails the whole request.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar

import orjson

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import DAY_S, Bar, uniform
from providers.sandbox.wire import Host, Refusal, Reply, Request, fixed, json_reply, route, whole

QUOTES = ("USDT", "USDC", "EUR", "BTC")
SYMBOL = re.compile(r"[A-Z0-9\-_.]{1,50}")
WEIGHT_A_MINUTE, REQUESTS_IN_FIVE = 6000, 61_000
# Who goes on for this many requests after a 429 is banned.
PATIENCE = 50
BAN_S = 120
TRADE = 0.011  # units of an average trade, in lots of the sandbox's volumes

INTERVALS = {
    "1s": 1, "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600, "2h": 7200,
    "4h": 14400, "6h": 21600, "8h": 28800, "12h": 43200, "1d": DAY_S, "3d": 3 * DAY_S,
    "1w": 7 * DAY_S, "1M": candles.MONTH,
}  # fmt: skip
PARAMETERS = {
    "/api/v3/ping": (),
    "/api/v3/time": (),
    "/api/v3/exchangeInfo": (
        "symbol", "symbols", "permissions", "showPermissionSets", "symbolStatus",
    ),
    "/api/v3/klines": ("symbol", "interval", "startTime", "endTime", "timeZone", "limit"),
    "/api/v3/uiKlines": ("symbol", "interval", "startTime", "endTime", "timeZone", "limit"),
    "/api/v3/ticker/24hr": ("symbol", "symbols", "type", "symbolStatus"),
    "/api/v3/ticker/price": ("symbol", "symbols", "symbolStatus"),
    "/api/v3/ticker/bookTicker": ("symbol", "symbols", "symbolStatus"),
    "/api/v3/avgPrice": ("symbol",),
}  # fmt: skip
MESSAGES = {
    403: (0, "Request blocked."),
    418: (-1003, "Way too many requests; IP banned."),
    429: (-1003, "Too many requests; current limit is 6000 request weight per 1 MINUTE."),
    451: (
        0,
        "Service unavailable from a restricted location according to 'b. Eligibility' in "
        "https://www.binance.com/en/terms. Please contact customer service if you believe you "
        "received this message in error.",
    ),
    500: (-1000, "An unknown error occurred while processing the request."),
    503: (-1007, "Timeout waiting for response from backend server."),
}


class Binance(Host):
    names: ClassVar = (
        "data-api.binance.vision",
        "api.binance.com",
        "api-gcp.binance.com",
        *(f"api{n}.binance.com" for n in range(1, 5)),
    )

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "binance", QUOTES)
        return {pair.known_as or pair.base + pair.quote: pair for pair in listed}

    @route("/api/v3/ping")
    def ping(self, request: Request) -> Any:
        return {}

    @route("/api/v3/time")
    def time(self, request: Request) -> Any:
        return {"serverTime": int(request.now * 1000)}

    @route("/api/v3/exchangeInfo")
    def exchange_info(self, request: Request) -> Any:
        return {
            "timezone": "UTC",
            "serverTime": int(request.now * 1000),
            "rateLimits": [
                _limit("REQUEST_WEIGHT", 1, WEIGHT_A_MINUTE),
                _limit("RAW_REQUESTS", 5, REQUESTS_IN_FIVE),
            ],
            "exchangeFilters": [],
            "symbols": [_described(symbol, pair) for symbol, pair in self._asked(request)],
        }

    @route("/api/v3/ticker/price")
    def ticker_price(self, request: Request) -> Any:
        rows = [
            {"symbol": symbol, "price": self._text(pair, self._price(pair, request.now))}
            for symbol, pair in self._asked(request)
        ]
        return self._one_or_all(request, rows)

    @route("/api/v3/ticker/bookTicker")
    def book_ticker(self, request: Request) -> Any:
        rows = [
            {"symbol": symbol, **self._book(pair, self._price(pair, request.now))}
            for symbol, pair in self._asked(request)
        ]
        return self._one_or_all(request, rows)

    @route("/api/v3/ticker/24hr")
    def ticker_24hr(self, request: Request) -> Any:
        kind = request.params.get("type", "FULL")
        if kind not in ("FULL", "MINI"):
            raise self._illegal("type", "FULL, MINI")
        rows = [self._day(symbol, pair, request.now) for symbol, pair in self._asked(request)]
        if kind == "MINI":
            rows = [{name: row[name] for name in _MINI} for row in rows]
        return self._one_or_all(request, rows)

    @route("/api/v3/avgPrice")
    def average(self, request: Request) -> Any:
        ((_, pair),) = self._named(request, [self._required(request, "symbol")])
        close = request.now - request.now % 1
        bar = self.market.bar(pair.coin, close - 300, close, pair.quote.lower(), "binance")
        price = self._text(pair, (bar.high + bar.low) / 2)
        return {"mins": 5, "price": price, "closeTime": int(close * 1000)}

    @route("/api/v3/klines")
    @route("/api/v3/uiKlines")
    def klines(self, request: Request) -> Any:
        ((_, pair),) = self._named(request, [self._required(request, "symbol")])
        interval = INTERVALS.get(self._required(request, "interval"))
        if interval is None:
            raise self._wrong(-1120, "Invalid interval.")
        window = candles.window(
            interval,
            request.now,
            limit=min(self._whole(request, "limit", 500, least=1), 1000),
            start=self._moment(request, "startTime"),
            end=self._moment(request, "endTime"),
        )
        return [self._kline(pair, start, end, request.now) for start, end in window]

    def failure(self, status: int, wait: float | None = None) -> Reply:
        code, text = MESSAGES.get(status, (-1000, "An unknown error occurred."))
        headers = {} if wait is None else {"retry_after": str(int(wait) + 1)}
        return json_reply({"code": code, "msg": text}, status, **headers)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        path = request.path.rstrip("/")
        if path in PARAMETERS and set(request.params) - set(PARAMETERS[path]):
            read = len(set(request.params) & set(PARAMETERS[path]))
            raise self._wrong(
                -1104,
                f"Not all sent parameters were read; read '{read}' parameter(s) "
                f"but was sent '{len(request.params)}'.",
            )
        return (
            Budget("binance", WEIGHT_A_MINUTE, 60, _weight(path, request.params)),
            Budget("binance", REQUESTS_IN_FIVE, 300),
        )

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            reply.headers["x-mbx-used-weight"] = str(usage.used[0])
            reply.headers["x-mbx-used-weight-1m"] = str(usage.used[0])
            if reply.status == 429 and usage.used[0] > WEIGHT_A_MINUTE + PATIENCE:
                reply = self.failure(418, BAN_S)
        reply.content_type = "application/json;charset=UTF-8"
        return reply

    def _day(self, symbol: str, pair: Pair, now: float) -> dict[str, Any]:
        end = now - now % 1
        bar = self.market.bar(pair.coin, end - DAY_S, end, pair.quote.lower(), "binance")
        mean = (bar.high + bar.low + bar.open + bar.close) / 4
        trades = max(1, int(bar.volume * mean / 900))
        last_id = int(now) * 40
        return {
            "symbol": symbol,
            "priceChange": self._text(pair, bar.close - bar.open),
            "priceChangePercent": fixed((bar.close / bar.open - 1) * 100, 3),
            "weightedAvgPrice": self._text(pair, mean),
            "prevClosePrice": self._text(pair, bar.open),
            "lastPrice": self._text(pair, bar.close),
            "lastQty": fixed(bar.volume / DAY_S, 8),
            **self._book(pair, bar.close),
            "openPrice": self._text(pair, bar.open),
            "highPrice": self._text(pair, bar.high),
            "lowPrice": self._text(pair, bar.low),
            "volume": fixed(bar.volume, 8),
            "quoteVolume": fixed(bar.volume * mean, 8),
            "openTime": int((end - DAY_S) * 1000),
            "closeTime": int(end * 1000),
            "firstId": last_id - trades + 1,
            "lastId": last_id,
            "count": trades,
        }

    def _kline(self, pair: Pair, start: int, end: int, now: float) -> list[Any]:
        until = min(end, int(now))
        bar: Bar = self.market.bar(pair.coin, start, until, pair.quote.lower(), "binance")
        mean = (bar.high + bar.low + bar.open + bar.close) / 4
        bought = bar.volume * (0.42 + 0.16 * uniform(pair.coin.order, start))
        return [
            start * 1000,
            *(self._text(pair, value) for value in bar[:4]),
            fixed(bar.volume, 8),
            end * 1000 - 1,
            fixed(bar.volume * mean, 8),
            int(bar.volume * mean / 900) + 1,
            fixed(bought, 8),
            fixed(bought * mean, 8),
            "0",
        ]

    def _book(self, pair: Pair, price: float) -> dict[str, str]:
        tick = 10.0**-pair.precision
        size = self.market.courses[pair.coin.id].turnover / 1e6
        return {
            "bidPrice": self._text(pair, price - tick),
            "bidQty": fixed(size * 1.2, 8),
            "askPrice": self._text(pair, price),
            "askQty": fixed(size * 0.8, 8),
        }

    def _price(self, pair: Pair, now: float) -> float:
        return self.market.price(pair.coin, now, pair.quote.lower(), "binance")

    def _text(self, pair: Pair, value: float) -> str:
        """Rounded to the pair's tick, then padded to eight decimals."""
        digits = fixed(value, pair.precision)
        return digits + "0" * max(0, 8 - pair.precision)

    def _asked(self, request: Request) -> list[tuple[str, Pair]]:
        """The pairs that `symbol` or `symbols` name, all without either."""
        if "symbol" in request.params and "symbols" in request.params:
            raise self._wrong(-1128, "Combination of optional parameters invalid.")
        if "symbol" in request.params:
            return self._named(request, [request.params["symbol"]])
        if "symbols" not in request.params:
            return list(self.pairs.items())
        try:
            names = orjson.loads(request.params["symbols"])
        except orjson.JSONDecodeError:
            names = None
        if not isinstance(names, list) or not names or " " in request.params["symbols"]:
            raise self._illegal("symbols", r'^\["[A-Z0-9-_.]{1,50}"(,"[A-Z0-9-_.]{1,50}"){0,}\]$')
        return self._named(request, names)

    def _named(self, request: Request, names: Sequence[Any]) -> list[tuple[str, Pair]]:
        for name in names:
            if not isinstance(name, str) or not SYMBOL.fullmatch(name):
                raise self._illegal("symbol", "^[A-Z0-9-_.]{1,20}$")
        if set(names) - set(self.pairs):
            raise self._wrong(-1121, "Invalid symbol.")
        return [(symbol, pair) for symbol, pair in self.pairs.items() if symbol in names]

    def _one_or_all(self, request: Request, rows: list[dict[str, Any]]) -> Any:
        return rows[0] if "symbol" in request.params else rows

    def _required(self, request: Request, name: str) -> str:
        if not request.params.get(name):
            raise self._wrong(
                -1102,
                f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.",
            )
        return request.params[name]

    def _whole(self, request: Request, name: str, default: int, least: int) -> int:
        value = whole(request.params.get(name, str(default)))
        if value is None:
            raise self._illegal(name, "^[0-9]{1,20}$")
        if value < least:
            raise self._wrong(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value

    def _moment(self, request: Request, name: str) -> float | None:
        if name not in request.params:
            return None
        return self._whole(request, name, 0, least=0) / 1000

    def _illegal(self, name: str, legal: str) -> Refusal:
        return self._wrong(
            -1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'."
        )

    def _wrong(self, code: int, text: str) -> Refusal:
        return self.refuse({"code": code, "msg": text}, 400)


_MINI = (
    "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume",
    "openTime", "closeTime", "firstId", "lastId", "count",
)  # fmt: skip


def _weight(path: str, params: dict[str, str]) -> int:
    """What the documentation charges for a request."""
    asked = params["symbols"].count(",") + 1 if "symbols" in params else None
    if path.endswith("/exchangeInfo"):
        return 20
    if path.endswith("/ticker/24hr"):
        if "symbol" in params or (asked and asked <= 20):
            return 2
        return 40 if asked and asked <= 100 else 80
    if path.endswith(("/ticker/price", "/ticker/bookTicker")):
        return 2 if "symbol" in params else 4
    return 2 if path.endswith(("lines", "/avgPrice")) else 1


def _limit(kind: str, minutes: int, size: int) -> dict[str, Any]:
    return {"rateLimitType": kind, "interval": "MINUTE", "intervalNum": minutes, "limit": size}


def _described(symbol: str, pair: Pair) -> dict[str, Any]:
    tick = fixed(10.0**-pair.precision, max(8, pair.precision))
    return {
        "symbol": symbol,
        "status": "TRADING",
        "baseAsset": pair.base,
        "baseAssetPrecision": 8,
        "quoteAsset": pair.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET"],
        "icebergAllowed": True,
        "ocoAllowed": True,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": [
            {
                "filterType": "PRICE_FILTER",
                "minPrice": tick,
                "maxPrice": "1000000.00000000",
                "tickSize": tick,
            }
        ],
        "permissions": [],
        "permissionSets": [["SPOT"]],
    }
