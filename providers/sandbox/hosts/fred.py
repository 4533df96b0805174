"""
FRED, the statistics of the St. Louis Fed: https://fred.stlouisfed.org/docs/api/fred/

XML unless `file_type=json` asks for JSON. Values are text, a missing one is a point, and the list
of series is called `seriess`. Wrong keys and unknown series are both a 400, whose content type
says XML. A second host draws the same as CSV without a key.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar
from xml.sax.saxutils import quoteattr

from providers.sandbox.economy import BY_ID, MONTHLY, QUARTERLY, SERIES, SHORT, Economy, Series
from providers.sandbox.limits import Budget
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    fixed,
    json_reply,
    route,
    whole,
)

PER_MINUTE = 120
MOST_ROWS, MOST_FOUND = 100_000, 1000
FIRST_DAY, LAST_DAY = "1600-01-01", "9999-12-31"
KEY_PAGE = "Read https://fred.stlouisfed.org/docs/api/api_key.html for more information."
XML_TYPE = "text/xml; charset=UTF-8"
RELEASES = {
    10: "Consumer Price Index", 50: "Employment Situation", 53: "Gross Domestic Product",
    18: "H.15 Selected Interest Rates", 101: "FOMC Press Release",
}  # fmt: skip
BRIEF = {"Daily": "D", "Daily, 7-Day": "D", "Weekly": "W", "Monthly": "M", "Quarterly": "Q"}
# Rows in a year, by which changes from a year ago and annual rates go.
A_YEAR = {"Daily": 261, "Daily, 7-Day": 365, "Weekly": 52, MONTHLY: 12, QUARTERLY: 4}

Values = Sequence[float | None]


class Fred(Host):
    names: ClassVar = ("api.stlouisfed.org",)

    @cached_property
    def economy(self) -> Economy:
        return Economy(self.market)

    @route("/fred/series")
    def series(self, request: Request) -> Any:
        return self._sent(request, {**_today(request.now), "seriess": [self._described(request)]})

    @route("/fred/series/observations")
    def observations(self, request: Request) -> Any:
        series, units = self._series(request), request.params.get("units", "lin")
        if units not in UNITS:
            raise self._bad("Variable units is not one of the values: " + ", ".join(UNITS))
        start, end = (self._day(request, f"observation_{side}") for side in ("start", "end"))
        # Changes need what came before.
        rows = self.economy.observations(
            series, request.now, None if units != "lin" else start, end
        )
        values = UNITS[units]([value for _, value in rows], A_YEAR.get(series.frequency, 1))
        decimals = series.decimals if units == "lin" else 5
        shown = [
            {**_today(request.now), "date": str(day), "value": _figure(value, decimals)}
            for (day, _), value in zip(rows, values, strict=True)
            if start is None or day >= start
        ]
        return self._sent(request, self._page(request, units, shown))

    @route("/fred/series/search")
    def search(self, request: Request) -> Any:
        words = request.params.get("search_text", "").lower().replace("*", " ").split()
        if not words:
            raise self._bad("Variable search_text is not set.")
        limit, offset = self._whole(request, "limit", MOST_FOUND), self._whole(request, "offset", 0)
        found = [
            _row(series, self.economy, request.now)
            for series in SERIES
            if all(word in f"{series.id} {series.title} {series.units}".lower() for word in words)
        ]
        head = _listed(request.now, "search_rank", "desc", len(found), offset, limit)
        return self._sent(request, {**head, "seriess": found[offset : offset + limit]})

    @route("/fred/releases")
    def releases(self, request: Request) -> Any:
        rows = [
            {
                "id": key,
                **_today(request.now),
                "name": name,
                "press_release": True,
                "link": f"https://release-{key}.example/",
            }
            for key, name in RELEASES.items()
        ]
        head = _listed(request.now, "release_id", "asc", len(rows), 0, MOST_FOUND)
        return self._sent(request, {**head, "releases": rows})

    @route("/fred/releases/dates")
    def release_dates(self, request: Request) -> Any:
        limit = self._whole(request, "limit", MOST_FOUND)
        rows = [
            {"release_id": key, "release_name": name, "date": str(day)}
            for day in _days_back(request.now, 60)
            for key, name in RELEASES.items()
            if day.day % 28 == key % 28
        ]
        head = _listed(request.now, "release_date", "desc", len(rows), 0, limit)
        return self._sent(request, {**head, "release_dates": rows[:limit]})

    def failure(self, status: int, wait: float | None = None) -> Reply:
        texts = {429: "Too Many Requests.  Exceeded Rate Limit", 404: "Not Found."}
        return _refusal(status, texts.get(status, "Internal Server Error"))

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        key = request.params.get("api_key", "")
        if not key:
            raise self._bad(f"Variable api_key is not set.  {KEY_PAGE}")
        if not key.startswith(KEY_PREFIX):
            raise self._bad(f"The value for variable api_key is not registered.  {KEY_PAGE}")
        return (Budget(f"fred {key}", PER_MINUTE, 60),)

    def _described(self, request: Request) -> dict[str, Any]:
        return _row(self._series(request), self.economy, request.now)

    def _page(self, request: Request, units: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
        order = request.params.get("sort_order", "asc")
        limit, offset = self._whole(request, "limit", MOST_ROWS), self._whole(request, "offset", 0)
        if order not in ("asc", "desc"):
            raise self._bad("Variable sort_order is not one of the values: 'asc', 'desc'")
        if not 1 <= limit <= MOST_ROWS:
            raise self._bad(f"Variable limit is not between 1 and {MOST_ROWS}.")
        ordered = rows if order == "asc" else rows[::-1]
        return {
            **_today(request.now),
            "observation_start": request.params.get("observation_start", FIRST_DAY),
            "observation_end": request.params.get("observation_end", LAST_DAY),
            "units": units,
            "output_type": 1,
            "file_type": request.params.get("file_type", "xml"),
            "order_by": "observation_date",
            "sort_order": order,
            "count": len(rows),
            "offset": offset,
            "limit": limit,
            "observations": ordered[offset : offset + limit],
        }

    def _sent(self, request: Request, document: dict[str, Any]) -> Reply:
        kind = request.params.get("file_type", "xml")
        if kind not in ("xml", "json"):
            raise self._bad("Variable file_type is not one of the values: 'xml', 'json'")
        headers = {"cache-control": "max-age=0, no-cache", "pragma": "no-cache"}
        if kind == "xml":
            return Reply(200, _xml(document), XML_TYPE, headers)
        reply = json_reply(document)
        reply.content_type, reply.headers = "application/json; charset=UTF-8", headers
        return reply

    def _series(self, request: Request) -> Series:
        name = request.params.get("series_id", "")
        if not name:
            raise self._bad("Variable series_id is not set.")
        if name not in BY_ID:
            raise self._bad("The series does not exist.")
        return BY_ID[name]

    def _day(self, request: Request, name: str) -> date | None:
        text = request.params.get(name)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            raise self._bad(f"Variable {name} is not a valid date: YYYY-MM-DD.") from None

    def _whole(self, request: Request, name: str, default: int) -> int:
        value = whole(request.params.get(name) or str(default))
        if value is None or value < 0:
            raise self._bad(f"Variable {name} is not a valid integer.")
        return value

    def _bad(self, text: str) -> Refusal:
        return Refusal(_refusal(400, f"Bad Request.  {text}"))


class FredGraph(Host):
    """The chart's download: of several series all days of any, empty where one has none."""

    names: ClassVar = ("fred.stlouisfed.org",)

    @cached_property
    def economy(self) -> Economy:
        return Economy(self.market)

    @route("/graph/fredgraph.csv")
    def csv(self, request: Request) -> Any:
        names = request.list("id")
        if not names or set(names) - set(BY_ID):
            raise Refusal(self.failure(404))
        start, end = (_day_or_none(request.params.get(side, "")) for side in ("cosd", "coed"))
        columns = {
            name: dict(self.economy.observations(BY_ID[name], request.now, start, end))
            for name in names
        }
        lines = [",".join(["observation_date", *names])]
        for day in sorted(set().union(*columns.values())):
            cells = [_figure(columns[n].get(day), BY_ID[n].decimals, "") for n in names]
            lines.append(",".join([str(day), *cells]))
        headers = {"content-disposition": f'attachment; filename="{names[0]}.csv"'}
        return Reply(200, "\n".join([*lines, ""]).encode(), "application/csv", headers)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        page = f"<html><head><title>{status}</title></head><body>Error</body></html>"
        return Reply(status, page.encode(), "text/html; charset=utf-8")


def _unchanged(values: Values, year: int) -> Values:
    return values


def _against(
    back: Callable[[int], int], measure: Callable[[float, float, int], float]
) -> Callable[[Values, int], Values]:
    """Every value measured against the one so many rows before."""

    def change(values: Values, year: int) -> Values:
        steps = back(year)
        found: list[float | None] = [None] * min(steps, len(values))
        for before, now in zip(values, values[steps:], strict=False):
            if before is None or now is None or before <= 0:
                found.append(None)
            else:
                found.append(measure(before, now, year))
        return found

    return change


def _logarithm(values: Values, year: int) -> Values:
    return [math.log(value) if value and value > 0 else None for value in values]


UNITS: dict[str, Callable[[Values, int], Values]] = {
    "lin": _unchanged,
    "chg": _against(lambda year: 1, lambda a, b, year: b - a),
    "ch1": _against(lambda year: year, lambda a, b, year: b - a),
    "pch": _against(lambda year: 1, lambda a, b, year: (b / a - 1) * 100),
    "pc1": _against(lambda year: year, lambda a, b, year: (b / a - 1) * 100),
    "pca": _against(lambda year: 1, lambda a, b, year: ((b / a) ** year - 1) * 100),
    "cch": _against(lambda year: 1, lambda a, b, year: math.log(b / a) * 100),
    "cca": _against(lambda year: 1, lambda a, b, year: math.log(b / a) * 100 * year),
    "log": _logarithm,
}


def _row(series: Series, economy: Economy, now: float) -> dict[str, Any]:
    newest = economy.newest(series, now)
    return {
        "id": series.id,
        **_today(now),
        "title": series.title,
        "observation_start": str(series.start),
        "observation_end": str(newest),
        "frequency": series.frequency,
        "frequency_short": BRIEF[series.frequency],
        "units": series.units,
        "units_short": series.units_short,
        "seasonal_adjustment": series.adjustment,
        "seasonal_adjustment_short": SHORT[series.adjustment],
        "last_updated": f"{_date(now)} 07:54:01-05",
        "popularity": 93 - SERIES.index(series),
        "notes": f"{series.title}, as the sandbox invents it.\n\nIts figures mean nothing.",
    }


def _listed(now: float, by: str, order: str, count: int, offset: int, limit: int) -> dict[str, Any]:
    page = {"count": count, "offset": offset, "limit": limit}
    return {**_today(now), "order_by": by, "sort_order": order, **page}


def _today(now: float) -> dict[str, str]:
    return {"realtime_start": _date(now), "realtime_end": _date(now)}


def _date(now: float) -> str:
    return str(datetime.fromtimestamp(now, UTC).date())


def _days_back(now: float, count: int) -> list[date]:
    today = datetime.fromtimestamp(now, UTC).date()
    return [today - timedelta(days) for days in range(count)]


def _day_or_none(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _figure(value: float | None, decimals: int, missing: str = ".") -> str:
    return missing if value is None else fixed(value, decimals)


def _refusal(status: int, text: str) -> Reply:
    """JSON, whatever its type says."""
    reply = json_reply({"error_code": status, "error_message": text}, status)
    reply.content_type = XML_TYPE
    return reply


def _xml(document: Mapping[str, Any]) -> bytes:
    """One element for the answer, one for each row of its only list."""
    name, rows = next((k, v) for k, v in document.items() if isinstance(v, list))
    outer = {key: value for key, value in document.items() if key != name}
    inner = "".join(f"<{name[:-1]} {_attributes(row)}/>" for row in rows)
    text = f'<?xml version="1.0" encoding="utf-8" ?><{name} {_attributes(outer)}>{inner}</{name}>'
    return text.encode()


def _attributes(row: Mapping[str, Any]) -> str:
    return " ".join(f"{key}={quoteattr(str(value))}" for key, value in row.items())
