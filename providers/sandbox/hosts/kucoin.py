"""
KuCoin, public spot data: https://www.kucoin.com/docs-new/rest/spot-trading/market-data

The envelope is `{"code", "data"}`; code "200000" is success. Values are text. A candle is
`[time, open, CLOSE, HIGH, LOW, volume, turnover]` in seconds, newest first. An unknown pair has
statistics of nulls. Requests have weights; every answer tells what is left of the half minute.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.market import DAY_S, HOUR_S, Bar
from providers.sandbox.wire import Host, Refusal, Reply, Request, fixed, json_reply, route, whole

QUOTES = ("USDT", "USDC", "EUR", "BTC")
TYPES = {
    "1min": 60, "3min": 180, "5min": 300, "15min": 900, "30min": 1800, "1hour": HOUR_S,
    "2hour": 2 * HOUR_S, "4hour": 4 * HOUR_S, "6hour": 6 * HOUR_S, "8hour": 8 * HOUR_S,
    "12hour": 12 * HOUR_S, "1day": DAY_S, "1week": 7 * DAY_S, "1month": candles.MONTH,
}  # fmt: skip
MOST_CANDLES = 1500
QUOTA, QUOTA_S = 2000, 30
WEIGHTS = {"allTickers": 15, "stats": 15, "symbols": 4, "candles": 3, "level1": 2}
FIGURES = (
    "buy", "sell", "changeRate", "changePrice", "high", "low", "vol", "volValue", "last",
    "averagePrice", "takerFeeRate", "makerFeeRate", "takerCoefficient", "makerCoefficient",
)  # fmt: skip
ERRORS = {
    404: ("404000", "Url not found"),
    429: ("429000", "Too many requests in a short period of time, please retry later"),
    503: ("503000", "Service unavailable"),
}


class KuCoin(Host):
    names: ClassVar = ("api.kucoin.com",)

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "kucoin", QUOTES)
        return {pair.known_as or f"{pair.base}-{pair.quote}": pair for pair in listed}

    @route("/api/v1/timestamp")
    def timestamp(self, request: Request) -> Any:
        return _data(int(request.now * 1000))

    @route("/api/v1/status")
    def status(self, request: Request) -> Any:
        return _data({"status": "open", "msg": ""})

    @route("/api/v1/symbols")
    @route("/api/v2/symbols")
    def symbols(self, request: Request) -> Any:
        return _data([_described(name, pair) for name, pair in self.pairs.items()])

    @route("/api/v1/market/allTickers")
    def all_tickers(self, request: Request) -> Any:
        rows = [
            {"symbol": name, "symbolName": name, **self._figures(pair, request.now)}
            for name, pair in self.pairs.items()
        ]
        return _data({"time": int(request.now * 1000), "ticker": rows})

    @route("/api/v1/market/stats")
    def stats(self, request: Request) -> Any:
        name = self._required(request, "symbol")
        pair = self.pairs.get(name)
        figures = self._figures(pair, request.now) if pair else dict.fromkeys(FIGURES)
        return _data({"time": int(request.now * 1000), "symbol": name, **figures})

    @route("/api/v1/market/orderbook/level1")
    def level1(self, request: Request) -> Any:
        pair = self.pairs.get(self._required(request, "symbol"))
        if pair is None:
            return _data(None)
        figures, size = self._figures(pair, request.now), fixed(pair.coin.supply / 1e8, 8)
        return _data(
            {
                "time": int(request.now * 1000),
                "sequence": str(int(request.now * 20)),
                "price": figures["last"],
                "size": size,
                "bestBid": figures["buy"],
                "bestBidSize": size,
                "bestAsk": figures["sell"],
                "bestAskSize": size,
            }
        )

    @route("/api/v1/market/candles")
    def candles(self, request: Request) -> Any:
        name = self._required(request, "symbol")
        interval = TYPES.get(self._required(request, "type"))
        if interval is None:
            raise self._wrong("Incorrect candlestick type.")
        if name not in self.pairs:
            raise self._wrong("Unsupported trading pair.")
        start, end = (self._moment(request, field) for field in ("startAt", "endAt"))
        # The end is not part of the answer.
        last = end - 1 if end else None
        spans = candles.window(interval, request.now, limit=MOST_CANDLES, end=last)
        asked = [span for span in reversed(spans) if span[0] >= (start or 0)]
        return _data([self._candle(name, *span, request.now) for span in asked])

    def failure(self, status: int, wait: float | None = None) -> Reply:
        code, text = ERRORS.get(status, ("500000", "Internal Server Error"))
        return json_reply({"code": code, "msg": text}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        weight = WEIGHTS.get(request.path.rstrip("/").rpartition("/")[2], 3)
        return (Budget("kucoin", QUOTA, QUOTA_S, weight),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            now = self.meter.clock()
            reply.headers["gw-ratelimit-limit"] = str(QUOTA)
            reply.headers["gw-ratelimit-remaining"] = str(max(0, QUOTA - usage.used[0]))
            reply.headers["gw-ratelimit-reset"] = str(int((QUOTA_S - now % QUOTA_S) * 1000))
        return reply

    def _figures(self, pair: Pair, now: float) -> dict[str, Any]:
        day = self._bar(pair, now - DAY_S, now)
        digits, mean = pair.precision, (day.high + day.low) / 2
        values = (
            fixed(day.close - 10.0**-digits, digits), fixed(day.close, digits),
            fixed(day.close / day.open - 1, 4), fixed(day.close - day.open, digits),
            fixed(day.high, digits), fixed(day.low, digits), fixed(day.volume, 8),
            fixed(day.volume * mean, 8), fixed(day.close, digits), fixed(mean, 8),
            "0.001", "0.001", "1", "1",
        )  # fmt: skip
        return dict(zip(FIGURES, values, strict=True))

    def _candle(self, name: str, start: int, end: int, now: float) -> list[str]:
        pair = self.pairs[name]
        bar = self._bar(pair, start, min(end, now))
        prices = (bar.open, bar.close, bar.high, bar.low)
        turnover = fixed(bar.volume * (bar.open + bar.close) / 2, 8)
        shown = [fixed(price, pair.precision) for price in prices]
        return [str(start), *shown, fixed(bar.volume, 8), turnover]

    def _bar(self, pair: Pair, start: float, end: float) -> Bar:
        return self.market.bar(pair.coin, start, end, pair.quote.lower(), "kucoin")

    def _required(self, request: Request, name: str) -> str:
        if not request.params.get(name):
            raise self._wrong(f"{name} can not be empty")
        return request.params[name]

    def _moment(self, request: Request, name: str) -> int:
        value = whole(request.params.get(name) or "0")
        if value is None:
            raise self._wrong(f"{name} is invalid")
        return value

    def _wrong(self, text: str) -> Refusal:
        return self.refuse({"code": "400100", "msg": text}, 400)


def _data(value: Any) -> dict[str, Any]:
    return {"code": "200000", "data": value}


def _described(name: str, pair: Pair) -> dict[str, Any]:
    tick = fixed(10.0**-pair.precision, pair.precision)
    return {
        "symbol": name,
        "name": name,
        "baseCurrency": pair.base,
        "quoteCurrency": pair.quote,
        "feeCurrency": pair.quote,
        "market": "BTC" if pair.quote == "BTC" else "USDS",
        "baseMinSize": "0.00001",
        "quoteMinSize": "0.1",
        "baseMaxSize": "10000000000",
        "quoteMaxSize": "99999999",
        "baseIncrement": "0.00000001",
        "quoteIncrement": tick,
        "priceIncrement": tick,
        "priceLimitRate": "0.1",
        "isMarginEnabled": False,
        "enableTrading": True,
    }
