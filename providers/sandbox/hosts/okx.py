"""
OKX, public spot data: https://www.okx.com/docs-v5/en/#order-book-trading-market-data

The envelope is `{"code", "msg", "data"}`; code "0" is success. All values are text, candles are
newest first, and bars of six hours and more open by UTC+8 unless their name ends in `utc`.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, ClassVar

from providers.sandbox import candles
from providers.sandbox.coins import Pair, pairs
from providers.sandbox.hosts.announcements import okx_announcements
from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, HOUR_S
from providers.sandbox.wire import Host, Refusal, Reply, Request, fixed, json_reply, route, whole

QUOTES = ("USDT", "USDC", "EUR", "BTC")
BARS = {
    "1m": 60, "3m": 180, "5m": 300, "15m": 900, "30m": 1800, "1H": HOUR_S, "2H": 2 * HOUR_S,
    "4H": 4 * HOUR_S, "6H": 6 * HOUR_S, "12H": 12 * HOUR_S, "1D": DAY_S, "2D": 2 * DAY_S,
    "3D": 3 * DAY_S, "1W": 7 * DAY_S, "1M": candles.MONTH,
}  # fmt: skip
HONG_KONG_S = 8 * HOUR_S
RECENT_BARS = 1440  # as far back as /candles goes
LISTED_MS = "1548133413000"
ERRORS = {
    404: ("404", "Not Found"),
    429: ("50011", "Too Many Requests"),
    503: ("50001", "Service temporarily unavailable. Try again later."),
}


class Okx(Host):
    names: ClassVar = ("www.okx.com",)

    @cached_property
    def pairs(self) -> dict[str, Pair]:
        listed = pairs(self.market.coins, "okx", QUOTES)
        return {pair.known_as or f"{pair.base}-{pair.quote}": pair for pair in listed}

    @route("/api/v5/public/time")
    def time(self, request: Request) -> Any:
        return _data([{"ts": _ms(request.now)}])

    @route("/api/v5/public/instruments")
    def instruments(self, request: Request) -> Any:
        self._spot(request)
        asked = request.params.get("instId")
        rows = [_described(n, pair) for n, pair in self.pairs.items() if asked in (None, n)]
        return _data(rows) if rows else self._unknown().reply

    @route("/api/v5/market/tickers")
    def tickers(self, request: Request) -> Any:
        self._spot(request)
        return _data([self._row(name, request.now) for name in self.pairs])

    @route("/api/v5/market/ticker")
    def ticker(self, request: Request) -> Any:
        return _data([self._row(self._instrument(request), request.now)])

    @route("/api/v5/market/candles")
    def candles(self, request: Request) -> Any:
        return self._candles(request, most=300, reach=RECENT_BARS)

    @route("/api/v5/market/history-candles")
    def history_candles(self, request: Request) -> Any:
        return self._candles(request, most=100, reach=None)

    @route("/api/v5/support/announcements")
    def announcements(self, request: Request) -> Any:
        page = whole(request.params.get("page", "1"))
        kind = request.params.get("annType")
        found = okx_announcements(self.market, request.now, page or 0, kind)
        if found is None:
            raise self._wrong("annType" if page else "page")
        return _data([found])

    def failure(self, status: int, wait: float | None = None) -> Reply:
        code, text = ERRORS.get(status, ("50026", "System error."))
        return json_reply({"code": code, "msg": text, "data": []}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        size = 40 if request.path.rstrip("/").endswith("/candles") else 20
        return (Budget(f"okx {request.path}", size, 2),)

    def _candles(self, request: Request, most: int, reach: int | None) -> Any:
        name = self._instrument(request)
        word = request.params.get("bar", "1m")
        bar = BARS.get(word.removesuffix("utc"))
        limit, after, before = (
            whole(request.params.get(field, default))
            for field, default in (("limit", "100"), ("after", "0"), ("before", "0"))
        )
        if bar is None or (word.endswith("utc") and 0 < bar < 6 * HOUR_S):
            raise self._wrong("bar")
        if limit is None or not 1 <= limit <= most:
            raise self._wrong("limit")
        if after is None or before is None:
            raise self._wrong("after")
        spans = _window(bar, word, request.now, after / 1000, before / 1000, limit)
        if reach is not None and bar > 0:
            spans = [span for span in spans if span[0] > request.now - reach * bar]
        return _data([self._candle(name, *span, request.now) for span in reversed(spans)])

    def _candle(self, name: str, start: int, end: int, now: float) -> list[str]:
        pair = self.pairs[name]
        bar = self.market.bar(pair.coin, start, min(end, now), pair.quote.lower(), "okx")
        prices = [fixed(value, pair.precision) for value in bar[:4]]
        worth = fixed(bar.volume * (bar.open + bar.close) / 2, 8)
        done = "1" if end <= now else "0"
        return [_ms(start), *prices, fixed(bar.volume, 8), worth, worth, done]

    def _row(self, name: str, now: float) -> dict[str, str]:
        pair = self.pairs[name]
        quote = pair.quote.lower()
        day = self.market.bar(pair.coin, now - DAY_S, now, quote, "okx")
        midnight = now - now % DAY_S
        hong_kong = now - (now + HONG_KONG_S) % DAY_S
        digits = pair.precision
        price = {
            "last": day.close,
            "askPx": day.close + 10.0**-digits,
            "bidPx": day.close,
            "open24h": day.open,
            "high24h": day.high,
            "low24h": day.low,
            "sodUtc0": self.market.price(pair.coin, midnight, quote, "okx"),
            "sodUtc8": self.market.price(pair.coin, hong_kong, quote, "okx"),
        }
        size = fixed(day.volume / DAY_S, 6)
        texts = {key: fixed(value, digits) for key, value in price.items()} | {
            "instType": "SPOT",
            "instId": name,
            "lastSz": size,
            "askSz": size,
            "bidSz": size,
            "volCcy24h": fixed(day.volume * (day.high + day.low) / 2, 6),
            "vol24h": fixed(day.volume, 6),
            "ts": _ms(now),
        }
        return {key: texts[key] for key in _ROW}

    def _spot(self, request: Request) -> None:
        kind = request.params.get("instType")
        if not kind:
            raise self.refuse(
                {"code": "50014", "msg": "Parameter instType can not be empty.", "data": []}, 400
            )
        if kind != "SPOT":
            raise self._wrong("instType")

    def _instrument(self, request: Request) -> str:
        name = request.params.get("instId", "")
        if not name:
            raise self.refuse(
                {"code": "50014", "msg": "Parameter instId can not be empty.", "data": []}, 400
            )
        if name not in self.pairs:
            raise self._unknown()
        return name

    def _unknown(self) -> Refusal:
        text = "Instrument ID, Instrument ID code, or Spread ID doesn't exist."
        return self.refuse({"code": "51001", "msg": text, "data": []}, 200)

    def _wrong(self, name: str) -> Refusal:
        return self.refuse({"code": "51000", "msg": f"Parameter {name} error", "data": []}, 400)


_ROW = (
    "instType", "instId", "last", "lastSz", "askPx", "askSz", "bidPx", "bidSz", "open24h",
    "high24h", "low24h", "volCcy24h", "vol24h", "sodUtc0", "sodUtc8", "ts",
)  # fmt: skip
_INSTRUMENT = {
    "alias": "", "baseCcy": "", "category": "1", "ctMult": "", "ctType": "", "ctVal": "",
    "ctValCcy": "", "expTime": "", "instId": "", "instType": "SPOT", "lever": "10",
    "listTime": LISTED_MS, "lotSz": "0.00000001", "maxIcebergSz": "9999999999",
    "maxLmtSz": "9999999999", "maxMktSz": "1000000", "maxStopSz": "1000000",
    "maxTriggerSz": "9999999999", "maxTwapSz": "9999999999", "minSz": "0.00001", "optType": "",
    "quoteCcy": "", "settleCcy": "", "state": "live", "stk": "", "tickSz": "", "uly": "",
}  # fmt: skip


def _data(rows: list[Any]) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": rows}


def _ms(moment: float) -> str:
    return str(int(moment * 1000))


def _described(name: str, pair: Pair) -> dict[str, str]:
    tick = fixed(10.0**-pair.precision, pair.precision)
    own = {"instId": name, "baseCcy": pair.base, "quoteCcy": pair.quote, "tickSz": tick}
    return {**_INSTRUMENT, **own}


def _window(
    bar: int, word: str, now: float, after: float, before: float, limit: int
) -> list[tuple[int, int]]:
    """Bars older than `after` and newer than `before` (Unix seconds, 0: not asked)."""
    shifted = HONG_KONG_S if bar >= 6 * HOUR_S and not word.endswith("utc") else 0
    offset = (candles.MONDAY if bar == candles.WEEK_S else 0) - shifted
    end = min(after - 0.001, now) if after else now
    spans = candles.window(bar, now, limit=limit, end=end, offset=offset)
    return [span for span in spans if span[0] > before]
