"""
Bybit, public spot data: https://bybit-exchange.github.io/docs/v5/intro

The envelope is `{"retCode", "retMsg", "result", "retExtInfo", "time"}`, HTTP 200 on errors too.
Candles are newest first. Who exceeds the limit gets a 403 for ten minutes; so does, from a CDN,
whoever asks from a country that Bybit does not serve.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.limits import Budget, Meter, Usage
from providers.sandbox.market import DAY_S, MINUTE_S, Market
from providers.sandbox.wire import Host, Refusal, Reply, Request, fixed, json_reply, route, whole

QUOTES = ("USDT", "USDC", "EUR", "BTC")
CATEGORIES = ("spot", "linear", "inverse", "option")
INTERVALS = {
    **{str(n): n * MINUTE_S for n in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)},
    "D": DAY_S, "W": 7 * DAY_S, "M": candles.MONTH,
}  # fmt: skip
IN_FIVE_SECONDS = 600
BAN_S = 600
GEO_PAGE = (
    b"<HTML><HEAD><TITLE>ERROR: The request could not be satisfied</TITLE></HEAD><BODY>"
    b"<H1>403 ERROR</H1>The Amazon CloudFront distribution is configured to block access from "
    b"your country.</BODY></HTML>"
)
MESSAGES = {
    404: (10001, "Request path not found"),
    429: (10006, "Too many visits. Exceeded the API Rate Limit."),
}


class Bybit(Host):
    names: ClassVar = ("api.bybit.com", "api.bytick.com")

    def __init__(self, market: Market, meter: Meter | None = None) -> None:
        super().__init__(market, meter)
        self._banned_until = 0.0

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "bybit", QUOTES)
        return {pair.known_as or pair.base + pair.quote: pair for pair in listed}

    @route("/v5/market/time")
    def time(self, request: Request) -> Any:
        nanoseconds = str(int(request.now * 1000)) + "000000"
        return _envelope(
            {"timeSecond": str(int(request.now)), "timeNano": nanoseconds}, request.now
        )

    @route("/v5/market/instruments-info")
    def instruments(self, request: Request) -> Any:
        rows = [_described(name, pair) for name, pair in self._asked(request)]
        return _envelope({"category": request.params["category"], "list": rows}, request.now)

    @route("/v5/market/tickers")
    def tickers(self, request: Request) -> Any:
        rows = [self._row(name, pair, request.now) for name, pair in self._asked(request)]
        return _envelope({"category": request.params["category"], "list": rows}, request.now)

    @route("/v5/market/kline")
    def kline(self, request: Request) -> Any:
        if request.params.get("category", "linear") not in CATEGORIES[:3]:
            raise self._wrong("Category is invalid", request)
        name = request.params.get("symbol", "")
        if name not in self.pairs or request.params.get("category") != "spot":
            raise self._wrong("Not supported symbols", request)
        interval = INTERVALS.get(request.params.get("interval", ""))
        if interval is None:
            raise self._wrong("Invalid period!", request)
        rows = [
            self._candle(name, *span, request.now)
            for span in reversed(self._window(interval, request))
        ]
        return _envelope({"symbol": name, "category": "spot", "list": rows}, request.now)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 403:
            return Reply(403, GEO_PAGE, "text/html")
        code, text = MESSAGES.get(status, (10016, "Server error."))
        return json_reply(_envelope({}, self.meter.clock(), code, text), status)

    def throttled(self, request: Request, wait: float) -> Reply:
        self._banned_until = self.meter.clock() + BAN_S
        return Reply(403, b"access too frequent", "text/plain; charset=utf-8")

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        if self.meter.clock() < self._banned_until:
            raise Refusal(Reply(403, b"access too frequent", "text/plain; charset=utf-8"))
        return (Budget("bybit", IN_FIVE_SECONDS, 5),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            now = self.meter.clock()
            reply.headers["x-bapi-limit"] = str(IN_FIVE_SECONDS)
            reply.headers["x-bapi-limit-status"] = str(max(0, IN_FIVE_SECONDS - usage.used[0]))
            reply.headers["x-bapi-limit-reset-timestamp"] = str(int((now - now % 5 + 5) * 1000))
        return reply

    def _asked(self, request: Request) -> list[tuple[str, Pair]]:
        """All pairs, or the one that is named; other categories have none here."""
        if request.params.get("category") not in CATEGORIES:
            raise self._wrong("params error: Category is invalid", request)
        name = request.params.get("symbol")
        spot = request.params["category"] == "spot"
        if name and not (spot and name in self.pairs):
            raise self._wrong("Not supported symbols", request)
        return [found for found in self.pairs.items() if spot and name in (None, "", found[0])]

    def _window(self, interval: int, request: Request) -> list[tuple[int, int]]:
        """The newest up to the end, or without an end the oldest from the start on."""
        limit = self._whole(request, "limit", 200)
        start, end = (self._whole(request, name, 0) / 1000 for name in ("start", "end"))
        if not 1 <= limit <= 1000:
            raise self._wrong("params error: limit is invalid", request)
        first = candles.opening(start, interval) if start else None
        if end:
            spans = candles.window(interval, request.now, limit=limit, end=end)
            return [span for span in spans if span[0] >= (first or 0)]
        return candles.window(interval, request.now, limit=limit, start=first)

    def _whole(self, request: Request, name: str, default: int) -> int:
        value = whole(request.params.get(name) or str(default))
        if value is None or value < 0:
            raise self._wrong(f"params error: {name} is invalid", request)
        return value

    def _row(self, name: str, pair: Pair, now: float) -> dict[str, str]:
        day = self.market.bar(pair.coin, now - DAY_S, now, pair.quote.lower(), "bybit")
        index = self.market.price(pair.coin, now)
        digits, size = pair.precision, fixed(day.volume / DAY_S, 6)
        return {
            "symbol": name,
            "bid1Price": fixed(day.close - 10.0**-digits, digits),
            "bid1Size": size,
            "ask1Price": fixed(day.close, digits),
            "ask1Size": size,
            "lastPrice": fixed(day.close, digits),
            "prevPrice24h": fixed(day.open, digits),
            "price24hPcnt": fixed(day.close / day.open - 1, 4),
            "highPrice24h": fixed(day.high, digits),
            "lowPrice24h": fixed(day.low, digits),
            "turnover24h": fixed(day.volume * (day.high + day.low) / 2, 8),
            "volume24h": fixed(day.volume, 6),
            "usdIndexPrice": fixed(index, 6),
        }

    def _candle(self, name: str, start: int, end: int, now: float) -> list[str]:
        pair = self.pairs[name]
        bar = self.market.bar(pair.coin, start, min(end, now), pair.quote.lower(), "bybit")
        prices = [fixed(value, pair.precision) for value in bar[:4]]
        turnover = fixed(bar.volume * (bar.open + bar.close) / 2, 8)
        return [str(start * 1000), *prices, fixed(bar.volume, 6), turnover]

    def _wrong(self, text: str, request: Request) -> Refusal:
        return self.refuse(_envelope({}, request.now, 10001, text), 200)


def _envelope(result: Any, now: float, code: int = 0, text: str = "OK") -> dict[str, Any]:
    return {
        "retCode": code,
        "retMsg": text,
        "result": result,
        "retExtInfo": {},
        "time": int(now * 1000),
    }


def _described(name: str, pair: Pair) -> dict[str, Any]:
    return {
        "symbol": name,
        "baseCoin": pair.base,
        "quoteCoin": pair.quote,
        "innovation": "0",
        "status": "Trading",
        "marginTrading": "none",
        "lotSizeFilter": {
            "basePrecision": "0.000001",
            "quotePrecision": "0.00000001",
            "minOrderQty": "0.000001",
            "maxOrderQty": "1000000",
            "minOrderAmt": "1",
            "maxOrderAmt": "1000000",
        },
        "priceFilter": {"tickSize": fixed(10.0**-pair.precision, pair.precision)},
    }
