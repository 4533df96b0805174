"""
The World Bank's indicators, version 2: https://datahelpdesk.worldbank.org/knowledgebase/topics/125589

Years, newest first; the latest are still without a value. XML unless asked for JSON. An answer is
a list of two, of which the second is null when there is nothing; an error is a list of one, with
HTTP 200. JSON begins with a byte order mark.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any, ClassVar, NamedTuple
from xml.sax.saxutils import escape

import orjson

from providers.sandbox.economy import BY_ID, Economy
from providers.sandbox.market import number_of, uniform
from providers.sandbox.wire import JSON, Host, Refusal, Reply, Request, route, whole

FIRST_YEAR = 1960
LAG_YEARS = 1  # this year and the one before have no value yet
BOM = b"\xef\xbb\xbf"
DEFAULT_ROWS, MOST_ROWS = 50, 32_500
WORLD_SOURCE = "2"


class Country(NamedTuple):
    """`part`: its economy as a part of the American one; `growth`: in percent a year beside it."""

    iso2: str
    iso3: str
    name: str
    part: float
    growth: float


COUNTRIES = (
    Country("US", "USA", "United States", 1.0, 0.0),
    Country("CN", "CHN", "China", 0.64, 4.0),
    Country("DE", "DEU", "Germany", 0.16, -0.8),
    Country("JP", "JPN", "Japan", 0.14, -1.2),
    Country("IN", "IND", "India", 0.13, 4.5),
    Country("GB", "GBR", "United Kingdom", 0.12, -0.3),
    Country("FR", "FRA", "France", 0.11, -0.6),
    Country("BR", "BRA", "Brazil", 0.07, 0.6),
    Country("CA", "CAN", "Canada", 0.075, 0.1),
    Country("IR", "IRN", "Iran, Islamic Rep.", 0.015, 0.5),
    Country("1W", "WLD", "World", 3.8, 0.7),
    Country("XC", "EMU", "Euro area", 0.55, -0.5),
)


class Indicator(NamedTuple):
    """`decimals` of its values."""

    id: str
    name: str
    decimals: int
    rule: Callable[[Economy, Country, int], float | None]


def _product(economy: Economy, country: Country, year: int) -> float | None:
    quarters = [economy.value(BY_ID["GDP"], date(year, month, 1)) for month in (1, 4, 7, 10)]
    known = [value for value in quarters if value is not None]
    far = country.part * (1 + country.growth / 100) ** (year - 2024)
    return sum(known) / len(known) * 1e9 * far if known else None


def _growth(economy: Economy, country: Country, year: int) -> float | None:
    before, now = (_product(economy, country, y) for y in (year - 1, year))
    # Less what prices rose by.
    return None if before is None or now is None else (now / before - 1) * 100 - 2.2


def _inflation(economy: Economy, country: Country, year: int) -> float | None:
    before, now = (economy.value(BY_ID["CPIAUCSL"], date(y, 7, 1)) for y in (year - 1, year))
    return None if before is None or now is None else (now / before - 1) * 100 + country.growth / 2


def _about(middle: float, height: float) -> Callable[[Economy, Country, int], float | None]:
    def value(economy: Economy, country: Country, year: int) -> float | None:
        lot = uniform(economy.seed, number_of(country.iso3), year)
        return middle + height * (2 * lot - 1) + country.growth / 4

    return value


INDICATORS = {
    row[0]: Indicator(*row)
    for row in (
        ("NY.GDP.MKTP.CD", "GDP (current US$)", 0, _product),
        ("NY.GDP.MKTP.KD.ZG", "GDP growth (annual %)", 6, _growth),
        ("FP.CPI.TOTL.ZG", "Inflation, consumer prices (annual %)", 6, _inflation),
        ("SL.UEM.TOTL.ZS", "Unemployment, total (% of total labor force) (modeled ILO estimate)",
         3, _about(5.5, 1.5)),
        ("FR.INR.RINR", "Real interest rate (%)", 6, _about(3.0, 2.0)),
        ("GC.DOD.TOTL.GD.ZS", "Central government debt, total (% of GDP)", 6, _about(80, 15)),
    )
}  # fmt: skip


class WorldBank(Host):
    names: ClassVar = ("api.worldbank.org",)

    @cached_property
    def economy(self) -> Economy:
        return Economy(self.market)

    @route("/v2/country/{countries}/indicator/{indicators}")
    def observations(self, request: Request, countries: str, indicators: str) -> Any:
        chosen = self._countries(countries)
        names = indicators.split(";")
        if set(names) - set(INDICATORS) or (len(names) > 1 and not request.params.get("source")):
            raise self._invalid(request)
        years = self._years(request)
        rows = [
            row
            for name in names
            for country in chosen
            for row in self._rows(INDICATORS[name], country, years, request)
        ]
        return self._paged(request, rows)

    @route("/v2/indicator")
    def indicators(self, request: Request) -> Any:
        rows = [_described(indicator) for indicator in INDICATORS.values()]
        return self._paged(request, rows)

    @route("/v2/indicator/{name}")
    def indicator(self, request: Request, name: str) -> Any:
        if name not in INDICATORS:
            raise self._invalid(request)
        return self._paged(request, [_described(INDICATORS[name])])

    @route("/v2/country")
    def countries(self, request: Request) -> Any:
        rows = [{"id": c.iso3, "iso2Code": c.iso2, "name": c.name} for c in COUNTRIES]
        return self._paged(request, rows)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        """A throttled caller gets a page with a 400."""
        page = f"<html><head><title>{status}</title></head><body>Request Error</body></html>"
        return Reply(400 if status == 429 else status, page.encode(), "text/html")

    def _countries(self, text: str) -> list[Country]:
        if text.lower() == "all":
            return list(COUNTRIES)
        wanted = {word.upper() for word in re.split("[;,]", text)}
        found = [c for c in COUNTRIES if {c.iso2, c.iso3} & wanted]
        if len(found) < len(wanted):
            raise Refusal(
                _message("120", "Invalid value", "The provided parameter value is not valid")
            )
        return found

    def _years(self, request: Request) -> range:
        """Ascending, by `date` (2015 or 2015:2024), else all there are."""
        newest = datetime.fromtimestamp(request.now, UTC).year - 1
        parts = request.params.get("date", f"{FIRST_YEAR}:{newest}").split(":")
        numbers = [whole(part) for part in parts]
        first, last = numbers[0], numbers[-1]
        if len(parts) > 2 or first is None or last is None:
            raise self._invalid(request)
        return range(max(FIRST_YEAR, first), min(newest, last) + 1)

    def _rows(
        self, indicator: Indicator, country: Country, years: range, request: Request
    ) -> list[dict[str, Any]]:
        newest = datetime.fromtimestamp(request.now, UTC).year - 1 - LAG_YEARS
        rows = []
        for year in reversed(years):
            value = indicator.rule(self.economy, country, year) if year <= newest else None
            rows.append(_row(indicator, country, year, value))
        latest, known = (whole(request.params.get(name) or "0") for name in ("mrv", "mrnev"))
        if latest:
            rows = rows[:latest]
        if known:
            rows = [row for row in rows if row["value"] is not None][:known]
        return rows

    def _paged(self, request: Request, rows: list[dict[str, Any]]) -> Reply:
        page, size = (
            whole(request.params.get(name) or str(default))
            for name, default in (("page", 1), ("per_page", DEFAULT_ROWS))
        )
        if page is None or size is None or page < 1 or not 1 <= size <= MOST_ROWS:
            raise self._invalid(request)
        head = {
            "page": page,
            "pages": -(-len(rows) // size),
            # What was asked for comes back as it was sent.
            "per_page": request.params.get("per_page", size),
            "total": len(rows),
            "sourceid": WORLD_SOURCE,
            "lastupdated": str(datetime.fromtimestamp(request.now, UTC).date().replace(day=1)),
        }
        shown = rows[(page - 1) * size : page * size]
        if request.params.get("format", "xml") != "json":
            return _xml(shown)
        if not rows:
            head |= {"page": 0, "pages": 0, "per_page": 0, "total": 0}
        return _json([head, shown or None])

    def _invalid(self, request: Request) -> Refusal:
        return Refusal(
            _message("120", "Invalid value", "The provided parameter value is not valid")
        )


def _row(indicator: Indicator, country: Country, year: int, value: float | None) -> dict[str, Any]:
    shown = None if value is None else round(value, indicator.decimals or None)
    return {
        "indicator": {"id": indicator.id, "value": indicator.name},
        "country": {"id": country.iso2, "value": country.name},
        "countryiso3code": country.iso3,
        "date": str(year),
        "value": shown,
        "unit": "",
        "obs_status": "",
        "decimal": 0 if indicator.decimals == 0 else 1,
    }


def _described(indicator: Indicator) -> dict[str, Any]:
    return {
        "id": indicator.id,
        "name": indicator.name,
        "unit": "",
        "source": {"id": WORLD_SOURCE, "value": "World Development Indicators"},
        "sourceNote": f"{indicator.name}, as the sandbox invents it.",
        "sourceOrganization": "The sandbox",
        "topics": [],
    }


def _json(value: Any) -> Reply:
    return Reply(200, BOM + orjson.dumps(value), f"{JSON};charset=utf-8")


def _message(code: str, key: str, text: str) -> Reply:
    return _json([{"message": [{"id": code, "key": key, "value": text}]}])


def _xml(rows: list[dict[str, Any]]) -> Reply:
    items = "".join(
        f"<wb:data><wb:date>{row.get('date', '')}</wb:date>"
        f"<wb:value>{escape(str(row.get('value', '')))}</wb:value></wb:data>"
        for row in rows
    )
    text = f'<wb:data xmlns:wb="http://www.worldbank.org">{items}</wb:data>'
    head = '<?xml version="1.0" encoding="utf-8"?>'
    return Reply(200, BOM + (head + text).encode(), "text/xml; charset=utf-8")
