"""
Gate, public spot data: https://www.gate.com/docs/developers/apiv4/en/#spot

Bare arrays of text; errors are `{"label", "message"}` with a 4xx. A candle is `[time, QUOTE volume,
close, high, low, open, base volume, closed]` in seconds, ascending, and no older than 10,000 of
its kind. `limit` goes with neither `from` nor `to`.
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
INTERVALS = {
    "10s": 10, "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": HOUR_S, "2h": 2 * HOUR_S,
    "4h": 4 * HOUR_S, "8h": 8 * HOUR_S, "1d": DAY_S, "7d": 7 * DAY_S, "30d": candles.MONTH,
}  # fmt: skip
MOST_CANDLES, REACH = 1000, 10_000
SIZE, SIZE_S = 200, 10  # requests, of every endpoint
ERRORS = {
    404: ("NOT_FOUND", "Request URL does not exist"),
    405: ("METHOD_NOT_ALLOWED", "Request method not allowed"),
    429: ("TOO_MANY_REQUESTS", "Request Rate limit Exceeded"),
    503: ("TOO_BUSY", "Server is too busy at the moment"),
}


class GateIo(Host):
    names: ClassVar = ("api.gateio.ws",)

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "gateio", QUOTES)
        return {pair.known_as or f"{pair.base}_{pair.quote}": pair for pair in listed}

    @route("/api/v4/spot/time")
    def time(self, request: Request) -> Any:
        return {"server_time": int(request.now * 1000)}

    @route("/api/v4/spot/currency_pairs")
    def currency_pairs(self, request: Request) -> Any:
        return [_described(name, pair) for name, pair in self.pairs.items()]

    @route("/api/v4/spot/currency_pairs/{name}")
    def currency_pair(self, request: Request, name: str) -> Any:
        return _described(name, self._pair(name))

    @route("/api/v4/spot/tickers")
    def tickers(self, request: Request) -> Any:
        name = request.params.get("currency_pair")
        asked = {name: self._pair(name)} if name else self.pairs
        return [self._row(name, pair, request.now) for name, pair in asked.items()]

    @route("/api/v4/spot/candlesticks")
    def candlesticks(self, request: Request) -> Any:
        if not request.params.get("currency_pair"):
            raise self._wrong("MISSING_REQUIRED_PARAM", "Missing required parameter: currency_pair")
        pair = self._pair(request.params["currency_pair"])
        interval = INTERVALS.get(request.params.get("interval", "30m"))
        if interval is None:
            raise self._wrong("INVALID_PARAM_VALUE", "Invalid interval")
        spans = self._spans(request, interval)
        return [self._candle(pair, *span, request.now) for span in spans]

    def failure(self, status: int, wait: float | None = None) -> Reply:
        label, text = ERRORS.get(status, ("INTERNAL", "Internal server error"))
        return json_reply({"label": label, "message": text}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        return (Budget(f"gateio {request.path.rstrip('/')}", SIZE, SIZE_S),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            now = self.meter.clock()
            exceeded = usage.used[0] > SIZE
            reset = now - now % SIZE_S + SIZE_S if exceeded else now
            reply.headers["x-gate-ratelimit-limit"] = str(SIZE)
            reply.headers["x-gate-ratelimit-requests-remain"] = str(max(0, SIZE - usage.used[0]))
            reply.headers["x-gate-ratelimit-reset-timestamp"] = str(int(reset))
        return reply

    def _spans(self, request: Request, interval: int) -> list[tuple[int, int]]:
        limit, start, end = (self._whole(request, name) for name in ("limit", "from", "to"))
        length = 30 * DAY_S if interval == candles.MONTH else interval
        if limit is not None and (start is not None or end is not None):
            raise self._wrong("INVALID_PARAM_VALUE", "limit conflicts with from and to")
        if limit is not None and not 1 <= limit <= MOST_CANDLES:
            raise self._wrong("INVALID_PARAM_VALUE", f"limit must be in [1, {MOST_CANDLES}]")
        if start is None and end is None:
            return candles.window(interval, request.now, limit=limit or 100)
        end = int(request.now) if end is None else end
        start = end - 99 * length if start is None else start
        if start < request.now - REACH * length:
            text = f"Candlestick too long ago. Maximum {REACH} points ago are allowed"
            raise self._wrong("INVALID_PARAM_VALUE", text)
        if (end - start) / length > MOST_CANDLES:
            text = f"Candlestick range too broad. Maximum {MOST_CANDLES} data points are allowed"
            raise self._wrong("INVALID_PARAM_VALUE", text)
        return candles.window(interval, request.now, limit=MOST_CANDLES, start=start, end=end)

    def _row(self, name: str, pair: Pair, now: float) -> dict[str, str]:
        day = self._bar(pair, now - DAY_S, now)
        digits = pair.precision
        return {
            "currency_pair": name,
            "last": fixed(day.close, digits),
            "lowest_ask": fixed(day.close, digits),
            "highest_bid": fixed(day.close - 10.0**-digits, digits),
            "change_percentage": fixed((day.close / day.open - 1) * 100, 2),
            "base_volume": fixed(day.volume, 8),
            "quote_volume": fixed(day.volume * (day.high + day.low) / 2, 8),
            "high_24h": fixed(day.high, digits),
            "low_24h": fixed(day.low, digits),
        }

    def _candle(self, pair: Pair, start: int, end: int, now: float) -> list[str]:
        bar = self._bar(pair, start, min(end, now))
        prices = (bar.close, bar.high, bar.low, bar.open)
        worth = fixed(bar.volume * (bar.open + bar.close) / 2, 8)
        shown = [fixed(price, pair.precision) for price in prices]
        closed = "true" if end <= now else "false"
        return [str(start), worth, *shown, fixed(bar.volume, 8), closed]

    def _bar(self, pair: Pair, start: float, end: float) -> Bar:
        return self.market.bar(pair.coin, start, end, pair.quote.lower(), "gateio")

    def _pair(self, name: str) -> Pair:
        if name not in self.pairs:
            raise self._wrong("INVALID_CURRENCY_PAIR", f"Invalid currency pair {name}")
        return self.pairs[name]

    def _whole(self, request: Request, name: str) -> int | None:
        text = request.params.get(name)
        value = whole(text) if text is not None else None
        if text is not None and value is None:
            raise self._wrong("INVALID_PARAM_VALUE", f"Invalid request parameter `{name}` value")
        return value

    def _wrong(self, label: str, text: str) -> Refusal:
        return self.refuse({"label": label, "message": text}, 400)


def _described(name: str, pair: Pair) -> dict[str, Any]:
    return {
        "id": name,
        "base": pair.base,
        "base_name": pair.coin.name,
        "quote": pair.quote,
        "quote_name": pair.quote,
        "fee": "0.2",
        "min_base_amount": "0.00001",
        "min_quote_amount": "3",
        "max_quote_amount": "5000000",
        "amount_precision": 8,
        "precision": pair.precision,
        "trade_status": "tradable",
        "sell_start": 0,
        "buy_start": 0,
        "type": "normal",
        "trade_url": f"https://www.gate.com/trade/{name}",
    }
