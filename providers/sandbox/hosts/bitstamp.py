"""
Bitstamp, public market data: https://www.bitstamp.net/api/#tag/Tickers

Everything is text, times too. Pairs are lower-case without a separator in paths, with a slash in
answers. Candles are ascending and want both a step and a limit.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, Bar
from providers.sandbox.wire import Host, Refusal, Reply, Request, fixed, json_reply, route, whole

QUOTES = ("USD", "EUR", "USDT", "BTC")
STEPS = (60, 180, 300, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 259200)
MOST_CANDLES = 1000
IN_A_SECOND, IN_TEN_MINUTES = 400, 10_000


class Bitstamp(Host):
    names: ClassVar = ("www.bitstamp.net",)

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "bitstamp", QUOTES)
        return {pair.known_as or (pair.base + pair.quote).lower(): pair for pair in listed}

    @route("/api/v2/ticker")
    def tickers(self, request: Request) -> Any:
        return [
            {**self._ticker(pair, request.now), "pair": _shown(pair), "market": _shown(pair)}
            for pair in self.pairs.values()
        ]

    @route("/api/v2/ticker/{name}")
    def ticker(self, request: Request, name: str) -> Any:
        return self._ticker(self._pair(name), request.now)

    @route("/api/v2/markets")
    def markets(self, request: Request) -> Any:
        return [
            {
                "name": _shown(pair),
                "market_symbol": name,
                "base_currency": pair.base,
                "base_decimals": 8,
                "counter_currency": pair.quote,
                "counter_decimals": pair.precision,
                "minimum_order_value": "10",
                "trading": "Enabled",
                "instant_order_counter_decimals": pair.precision,
                "instant_and_market_orders": "Enabled",
                "description": f"{pair.coin.name} / {pair.quote}",
                "market_type": "SPOT",
            }
            for name, pair in self.pairs.items()
        ]

    @route("/api/v2/trading-pairs-info")
    def trading_pairs(self, request: Request) -> Any:
        """The older list of the same."""
        return [
            {
                "name": _shown(pair),
                "url_symbol": name,
                "base_decimals": 8,
                "counter_decimals": pair.precision,
                "instant_order_counter_decimals": pair.precision,
                "minimum_order": f"10.0 {pair.quote}",
                "trading": "Enabled",
                "instant_and_market_orders": "Enabled",
                "description": f"{pair.coin.name} / {pair.quote}",
            }
            for name, pair in self.pairs.items()
        ]

    @route("/api/v2/ohlc/{name}")
    def ohlc(self, request: Request, name: str) -> Any:
        pair = self._pair(name)
        if not (request.params.get("step") and request.params.get("limit")):
            raise self.refuse({"code": "Missing step and/or limit parameters", "errors": []}, 400)
        step, limit = (self._whole(request, field) for field in ("step", "limit"))
        if step not in STEPS:
            raise self._wrong("step")
        if limit is None or not 1 <= limit <= MOST_CANDLES:
            raise self._wrong("limit")
        start, end = (self._whole(request, field) for field in ("start", "end"))
        spans = candles.window(step, request.now, limit=limit, start=start, end=end)
        if request.flag("exclude_current_candle"):
            spans = [span for span in spans if span[1] <= request.now]
        rows = [self._candle(pair, *span, request.now) for span in spans]
        return {"data": {"pair": _shown(pair), "ohlc": rows}}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 404:
            return json_reply({"message": "Not found."}, 404)
        if status == 429:
            text = "Request rejected due to exceeded rate limit."
            document = {"status": "error", "reason": text, "response_code": "400.002"}
            return json_reply(document, 429)
        return json_reply({"status": "error", "reason": "Service unavailable."}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        return (Budget("bitstamp", IN_A_SECOND, 1), Budget("bitstamp", IN_TEN_MINUTES, 600))

    def _ticker(self, pair: Pair, now: float) -> dict[str, str]:
        day = self._bar(pair, now - DAY_S, now)
        midnight = self._bar(pair, now - now % DAY_S, now).open
        digits = pair.precision
        return {
            "timestamp": str(int(now)),
            "open": fixed(midnight, digits),
            "high": fixed(day.high, digits),
            "low": fixed(day.low, digits),
            "last": fixed(day.close, digits),
            "volume": fixed(day.volume, 8),
            "vwap": fixed((day.high + day.low) / 2, digits),
            "bid": fixed(day.close - 10.0**-digits, digits),
            "ask": fixed(day.close, digits),
            "side": "0",
            "open_24": fixed(day.open, digits),
            "percent_change_24": fixed((day.close / day.open - 1) * 100, 2),
            "market_type": "SPOT",
        }

    def _candle(self, pair: Pair, start: int, end: int, now: float) -> dict[str, str]:
        bar = self._bar(pair, start, min(end, now))
        prices = {n: fixed(getattr(bar, n), pair.precision) for n in ("open", "high", "low")}
        close = fixed(bar.close, pair.precision)
        return {"timestamp": str(start), **prices, "close": close, "volume": fixed(bar.volume, 8)}

    def _bar(self, pair: Pair, start: float, end: float) -> Bar:
        return self.market.bar(pair.coin, start, end, pair.quote.lower(), "bitstamp")

    def _pair(self, name: str) -> Pair:
        if name not in self.pairs:
            raise Refusal(self.failure(404))
        return self.pairs[name]

    def _whole(self, request: Request, name: str) -> int | None:
        text = request.params.get(name, "")
        value = whole(text)
        if text and value is None:
            raise self._wrong(name)
        return value

    def _wrong(self, field: str) -> Refusal:
        error = {"field": field, "message": "Invalid parameter value", "code": "400.007"}
        return self.refuse({"code": "validation-error", "errors": [error]}, 400)


def _shown(pair: Pair) -> str:
    return f"{pair.base}/{pair.quote}"
