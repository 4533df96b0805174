"""
Yahoo Finance's chart, version 8, which is not documented: coins, shares, indices, currencies and
commodities. Facts as https://github.com/ranaroussi/yfinance states them.

Columns stand apart from their times. Some rows are nulls, the last one may be of this moment and
on no interval, and without rows there is no `timestamp`. Library agents are refused in plain text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

from providers.sandbox.instruments import CURRENCY, FUTURE, INDEX, Instrument, Instruments
from providers.sandbox.market import DAY_S, HOUR_S, MINUTE_S, Bar, number_of, uniform
from providers.sandbox.wire import Host, Refusal, Reply, Request, json_reply, route, whole

RANGES = ("1d", "5d", "1mo", "3mo", "6mo", "1y", "2y", "5y", "10y", "ytd", "max")
DAYS = {
    "5d": 5, "1mo": 30, "3mo": 91, "6mo": 182, "1y": 365, "2y": 731, "5y": 1826, "10y": 3652,
}  # fmt: skip
# Interval: seconds, and how many days back it can be asked for.
MINUTES = {
    "1m": (MINUTE_S, 8), "2m": (2 * MINUTE_S, 60), "5m": (5 * MINUTE_S, 60),
    "15m": (15 * MINUTE_S, 60), "30m": (30 * MINUTE_S, 60), "60m": (HOUR_S, 730),
    "90m": (90 * MINUTE_S, 60), "1h": (HOUR_S, 730),
}  # fmt: skip
# What days are gathered by.
GATHERED: dict[str, Callable[[date], Any]] = {
    "1d": lambda day: day,
    "5d": lambda day: day.toordinal() // 5,
    "1wk": lambda day: day.isocalendar()[:2],
    "1mo": lambda day: (day.year, day.month),
    "3mo": lambda day: (day.year, (day.month - 1) // 3),
}
AGENTS = ("", "python", "urllib", "curl", "wget", "go-http", "java", "okhttp", "axios", "node")
NULL_EACH = 37  # one row in so many has no figures
EARLIEST_DAY = 10 * 365  # days of history that `max` and early starts reach back to


class Point(NamedTuple):
    """A row: its time, and no bar where Yahoo has lost it."""

    at: int
    bar: Bar | None


class Yahoo(Host):
    names: ClassVar = ("query1.finance.yahoo.com", "query2.finance.yahoo.com")

    @cached_property
    def instruments(self) -> Instruments:
        return Instruments(self.market)

    @route("/v8/finance/chart/{symbol}")
    def chart(self, request: Request, symbol: str) -> Any:
        found = self.instruments.find(symbol)
        if found is None:
            raise self._error(404, "Not Found", "No data found, symbol may be delisted")
        interval = request.params.get("interval", "1d")
        if interval not in (*MINUTES, *GATHERED):
            text = f"Invalid input - interval={interval} is not supported. Valid intervals: "
            raise self._error(400, "Bad Request", text + f"[{', '.join((*MINUTES, *GATHERED))}]")
        start, end = self._span(request, found)
        if interval in MINUTES:
            points = self._within_days(found, interval, start, end, request.now)
        else:
            points = list(_gathered(found, interval, start, end, request.now))
        meta = self._meta(found, request, interval, points[0].at if points else start)
        return {"chart": {"result": [_result(meta, points, interval)], "error": None}}

    @route("/v7/finance/quote")
    def quote(self, request: Request) -> Any:
        """Wants a cookie and its crumb."""
        error = {"code": "Unauthorized", "description": "Invalid Crumb"}
        return json_reply({"finance": {"result": None, "error": error}}, 401)

    def serve(self, request: Request) -> Reply:
        agent = request.headers.get("user-agent", "").lower()
        if not agent or agent.startswith(AGENTS[1:]):
            return self.failure(429)
        return super().serve(request)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 429:
            return Reply(429, b"Too Many Requests\r\n", "text/plain; charset=utf-8")
        if status >= 500:
            page = b"<html><body><h1>Will be right back...</h1></body></html>"
            return Reply(status, page, "text/html; charset=utf-8")
        return self._error(status, "Not Found", "HTTP 404 Not Found").reply

    def _span(self, request: Request, found: Instrument) -> tuple[float, float]:
        """From `period1` and `period2`, else from `range`."""
        first, last = (request.params.get(name) for name in ("period1", "period2"))
        if first is not None or last is not None:
            start, end = whole(first or "0"), whole(last or str(int(request.now)))
            if start is None or end is None or end < start:
                raise self._error(400, "Bad Request", "Invalid input - start date cannot be after")
            return max(start, request.now - EARLIEST_DAY * DAY_S), min(end, request.now)
        name = request.params.get("range", "1d")
        if name not in RANGES:
            text = f"Invalid input - range={name} is not supported. Valid ranges: "
            raise self._error(422, "Unprocessable Entity", text + f"[{', '.join(RANGES)}]")
        if name == "1d":
            return found.latest(request.now).opens, request.now
        if name == "ytd":
            return found.midnight(found.day_of(request.now).replace(month=1, day=1)), request.now
        days = DAYS.get(name, EARLIEST_DAY)
        return found.midnight(found.day_of(request.now - days * DAY_S)), request.now

    def _within_days(
        self, found: Instrument, interval: str, start: float, end: float, now: float
    ) -> list[Point]:
        seconds, reach = MINUTES[interval]
        if start < now - reach * DAY_S - DAY_S:
            text = (
                f"{interval} data not available for startTime={int(start)} and "
                f"endTime={int(end)}. The requested range must be within the last {reach} days."
            )
            raise self._error(422, "Unprocessable Entity", text)
        # Shares come by the hour when half hours are asked for.
        seconds = HOUR_S if interval == "30m" and not found.coin else seconds
        return list(_intraday(found, seconds, start, end, now))

    def _meta(
        self, found: Instrument, request: Request, interval: str, first: int | float
    ) -> dict[str, Any]:
        now, day = request.now, found.latest(request.now)
        today = found.day_bar(day, now)
        year = [found.day_bar(s, now) for s in found.sessions(now - 365 * DAY_S, now)]
        decimals, previous = found.decimals, found.price(first - 1)
        meta: dict[str, Any] = {
            "currency": found.currency,
            "symbol": found.symbol,
            "exchangeName": found.floor.code,
            "fullExchangeName": found.floor.name,
            "instrumentType": found.kind,
            "firstTradeDate": found.first_trade,
            "regularMarketTime": int(min(now, day.closes)),
            "hasPrePostMarketData": found.kind in ("EQUITY", "ETF"),
            **_clock(found, now),
            "regularMarketPrice": round(today.close, decimals),
            "fiftyTwoWeekHigh": round(max(bar.high for bar in year), decimals),
            "fiftyTwoWeekLow": round(min(bar.low for bar in year), decimals),
            "regularMarketDayHigh": round(today.high, decimals),
            "regularMarketDayLow": round(today.low, decimals),
            "regularMarketVolume": int(today.volume),
            "longName": found.name,
            "shortName": found.name,
            "chartPreviousClose": round(previous, decimals + 1),
        }
        if interval in MINUTES:
            meta |= {"previousClose": round(found.price(day.opens - 1), decimals), "scale": 3}
        return meta | {
            "priceHint": decimals,
            "currentTradingPeriod": _periods(found, day.opens, day.closes, now),
            "dataGranularity": interval,
            "range": request.params.get("range", "" if "period1" in request.params else "1d"),
            "validRanges": list(RANGES),
        }

    def _error(self, status: int, code: str, text: str) -> Refusal:
        error = {"code": code, "description": text}
        return self.refuse({"chart": {"result": None, "error": error}}, status)


def _intraday(
    found: Instrument, seconds: int, start: float, end: float, now: float
) -> Iterator[Point]:
    for session in found.sessions(start - DAY_S, end):
        for at in range(session.opens, min(session.closes, int(end) + 1), seconds):
            if at < start:
                continue
            until = min(at + seconds, session.closes)
            if until > now:
                # The one that runs bears the time of its last trade.
                yield Point(int(now), found.bar(session, at, now))
            elif _lost(found, at, seconds):
                yield Point(at, None)
            else:
                yield Point(at, found.bar(session, at, until))


def _gathered(
    found: Instrument, interval: str, start: float, end: float, now: float
) -> Iterator[Point]:
    """Days, or what they add up to; the day that runs has a row of its own, of this moment."""
    group = GATHERED[interval]
    at, key, bar = 0, None, None
    for session in found.sessions(start, end):
        running = session.closes > now
        day = found.day_bar(session, now)
        if running and interval == "1d":
            yield from [Point(at, bar)] if at else []
            at, key, bar = int(now), "now", day
            continue
        if bar is not None and group(session.day) == key:
            bar = bar.then(day)
            continue
        yield from [Point(at, bar)] if at else []
        lost = interval == "1d" and _lost(found, session.opens, DAY_S)
        at, key, bar = session.opens, group(session.day), None if lost else day
    yield from [Point(at, bar)] if at else []


def _lost(found: Instrument, at: int, seconds: int) -> bool:
    return uniform(number_of(found.symbol), at, seconds) < 1 / NULL_EACH


def _result(meta: dict[str, Any], points: list[Point], interval: str) -> dict[str, Any]:
    if not points:
        adjusted: dict[str, Any] = {} if interval in MINUTES else {"adjclose": [{}]}
        return {"meta": meta, "indicators": {"quote": [{}], **adjusted}}
    bars = [point.bar for point in points]
    columns: dict[str, list[Any]] = {
        name: [getattr(bar, name) if bar else None for bar in bars]
        for name in ("open", "high", "low", "close")
    }
    columns["volume"] = [int(bar.volume) if bar else None for bar in bars]
    adjusted = {} if interval in MINUTES else {"adjclose": [{"adjclose": columns["close"]}]}
    return {
        "meta": meta,
        "timestamp": [point.at for point in points],
        "indicators": {"quote": [columns], **adjusted},
    }


def _clock(found: Instrument, now: float) -> dict[str, Any]:
    local = found.local(now)
    offset = local.utcoffset()
    return {
        "gmtoffset": int(offset.total_seconds()) if offset else 0,
        "timezone": local.tzname(),
        "exchangeTimezoneName": found.floor.zone,
    }


def _periods(found: Instrument, opens: int, closes: int, now: float) -> dict[str, Any]:
    """Before, in and after the session; only shares have a before and an after."""
    clock = _clock(found, now)
    early, late = (0, 0) if found.kind in (CURRENCY, FUTURE, INDEX) or found.coin else (330, 240)
    bounds = {
        "pre": (opens - early * MINUTE_S, opens),
        "regular": (opens, closes),
        "post": (closes, closes + late * MINUTE_S),
    }
    return {
        name: {
            "timezone": clock["timezone"],
            "start": start,
            "end": end,
            "gmtoffset": clock["gmtoffset"],
        }
        for name, (start, end) in bounds.items()
    }
