"""
Bitfinex, public data: https://docs.bitfinex.com/reference/rest-public-tickers

Everything is arrays of numbers. Tether is UST; a symbol longer than six letters has a colon
(tDOGE:USD). A candle is `[time, OPEN, CLOSE, HIGH, LOW, volume]`, newest first. Errors are
`["error", code, text]`, often with a 500.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, HOUR_S, Bar
from providers.sandbox.wire import (
    Host,
    Refusal,
    Reply,
    Request,
    json_reply,
    number,
    route,
    whole,
)

QUOTES = ("USD", "USDT", "EUR", "BTC")
# What it calls some coins.
OWN = {
    "USDT": "UST", "USDC": "UDC", "ALGO": "ALG", "ATOM": "ATO", "BCH": "BCHN", "DASH": "DSH",
    "IOTA": "IOT", "XEC": "BCHABC",
}  # fmt: skip
FRAMES = {
    "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": HOUR_S, "3h": 3 * HOUR_S, "6h": 6 * HOUR_S,
    "12h": 12 * HOUR_S, "1D": DAY_S, "7D": 7 * DAY_S, "1W": 7 * DAY_S, "14D": 14 * DAY_S,
    "1M": candles.MONTH,
}  # fmt: skip
MOST_CANDLES = 10_000
PER_MINUTE = 90
PER_MINUTE_CANDLES = 30
LENDABLE = ("USD", "BTC")


class Bitfinex(Host):
    names: ClassVar = ("api-pub.bitfinex.com",)

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "bitfinex", QUOTES)
        return {pair.known_as or f"t{_spelled(pair)}": pair for pair in listed}

    @route("/v2/platform/status")
    def status(self, request: Request) -> Any:
        return [1]

    @route("/v2/conf/{label}")
    def configuration(self, request: Request, label: str) -> Any:
        names = [name[1:] for name in self.pairs]
        found = {
            "pub:list:pair:exchange": names,
            "pub:list:currency": sorted({OWN.get(p.base, p.base) for p in self.pairs.values()}),
            "pub:info:pair": [
                [name, [None, None, None, "0.02", "5000.0", *[None] * 7]] for name in names
            ],
        }
        return [found.get(part, []) for part in label.split(",")]

    @route("/v2/tickers")
    def tickers(self, request: Request) -> Any:
        asked = request.list("symbols")
        if not asked:
            raise self._error(10020, "symbols: required")
        everything = asked == ["ALL"]
        lent = [f"f{name}" for name in LENDABLE if everything or f"f{name}" in asked]
        chosen = self.pairs if everything else [name for name in self.pairs if name in asked]
        rows: list[list[Any]] = [[name, *self._row(name, request.now)] for name in chosen]
        return rows + [[name, *_funding()] for name in lent]

    @route("/v2/ticker/{name}")
    def ticker(self, request: Request, name: str) -> Any:
        if name.startswith("f") and name[1:] in LENDABLE:
            return _funding()
        return self._row(self._symbol(name), request.now)

    @route("/v2/candles/{key}/{section}")
    def candles(self, request: Request, key: str, section: str) -> Any:
        kind, _, rest = key.partition(":")
        frame, _, name = rest.partition(":")
        if kind != "trade" or frame not in FRAMES:
            raise self._error(10020, "time_interval: invalid")
        pair, interval = self.pairs[self._symbol(name)], FRAMES[frame]
        if section == "last":
            ((start, end),) = candles.window(interval, request.now, limit=1)
            return self._candle(pair, start, end, request.now)
        if section != "hist":
            raise self._error(10020, "section: invalid")
        return [self._candle(pair, *span, request.now) for span in self._spans(request, interval)]

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 429:
            return json_reply({"error": "ERR_RATE_LIMIT"}, 429)
        code, text = (10000, "unknown") if status < 500 else (20060, "maintenance")
        return json_reply(["error", code, text], status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        endpoint = "/".join(request.path.split("/")[:3])
        size = PER_MINUTE_CANDLES if endpoint == "/v2/candles" else PER_MINUTE
        return (Budget(f"bitfinex {endpoint}", size, 60),)

    def _spans(self, request: Request, interval: int) -> list[tuple[int, int]]:
        limit, start, end, sort = (
            self._whole(request, name, default)
            for name, default in (("limit", 100), ("start", None), ("end", None), ("sort", -1))
        )
        if limit is None or not 1 <= limit <= MOST_CANDLES:
            raise self._error(10020, "limit: invalid")
        upwards = sort == 1
        first = start / 1000 if start is not None else None
        last = end / 1000 if end is not None else None
        if upwards and first is not None:
            return candles.window(interval, request.now, limit=limit, start=first, end=last)
        spans = candles.window(interval, request.now, limit=limit, end=last)
        spans = [span for span in spans if first is None or span[0] >= first]
        return spans if upwards else spans[::-1]

    def _row(self, name: str, now: float) -> list[float | int]:
        pair = self.pairs[name]
        day = self._bar(pair, now - DAY_S, now)
        tick, digits = 10.0**-pair.precision, pair.precision
        return [
            number(day.close - tick, digits),
            number(day.volume / 300, 8),
            number(day.close, digits),
            number(day.volume / 400, 8),
            number(day.close - day.open, digits),
            number(day.close / day.open - 1, 8),
            number(day.close, digits),
            number(day.volume, 8),
            number(day.high, digits),
            number(day.low, digits),
        ]

    def _candle(self, pair: Pair, start: int, end: int, now: float) -> list[float | int]:
        bar = self._bar(pair, start, min(end, now))
        prices = (bar.open, bar.close, bar.high, bar.low)
        shown = [number(price, pair.precision) for price in prices]
        return [start * 1000, *shown, number(bar.volume, 8)]

    def _bar(self, pair: Pair, start: float, end: float) -> Bar:
        return self.market.bar(pair.coin, start, end, pair.quote.lower(), "bitfinex")

    def _symbol(self, name: str) -> str:
        if name not in self.pairs:
            raise self._error(10020, "symbol: invalid")
        return name

    def _whole(self, request: Request, name: str, default: int | None) -> int | None:
        text = request.params.get(name)
        if text is None:
            return default
        value = whole(text)
        if value is None:
            raise self._error(10020, f"{name}: invalid")
        return value

    def _error(self, code: int, text: str) -> Refusal:
        return self.refuse(["error", code, text], 500)


def _spelled(pair: Pair) -> str:
    base, quote = (OWN.get(word, word) for word in (pair.base, pair.quote))
    return f"{base}{quote}" if len(base) == len(quote) == 3 else f"{base}:{quote}"


def _funding() -> list[float | int | None]:
    """A ticker of lending has other columns, and more of them."""
    return [
        0.0003, 0.00028, 30, 15_000_000.5, 0.00031, 2, 3_200_000.25, -1.2e-05, -0.0372, 0.00031,
        88_000_000.125, 0.0009, 1e-05, None, None, 12_000_000.75,
    ]  # fmt: skip
