"""
https://datahelpdesk.worldbank.org/knowledgebase/articles/898581-api-basic-call-structures and
https://datahelpdesk.worldbank.org/knowledgebase/articles/898620-api-error-codes

A series is a country and an indicator: `US/NY.GDP.MKTP.CD`. Its documentation names no search.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from providers.adapters.base import Adapter, Reply, listed, maybe, number, text, whole
from providers.adapters.observations import ascending
from providers.datasets import EconomicQuery, Observation
from providers.errors import Broken, Garbled, Missing, ProviderError, Throttled, Unsupported
from providers.registry import register

MOST = 1000  # rows of a page: 83 years of months
EVERYBODY = "ALL"  # is no country: its rows could not be told apart
PROBE = EconomicQuery(series="US/NY.GDP.MKTP.CD")

_SERIES = re.compile(r"([A-Z0-9]{2,3})/([\w.-]{2,60})", re.ASCII)
# 2024, 2024Q3 or 2024M07
_PERIOD = re.compile(r"(\d{4})(?:(Q)([1-4])|(M)(0[1-9]|1[0-2]))?", re.ASCII)
_UNITS = re.compile(r"\(([^()]+)\)$")

# What its errors mean, all of them inside a 200.
ERRORS: Mapping[str, type[ProviderError]] = {
    "105": Broken,  # service currently unavailable
    "120": Missing,  # a parameter is not valid: ours are the country and the indicator alone
    "175": Missing,  # the indicator was deleted or archived
    "199": Broken,  # unknown error
}


@register
class WorldBank(Adapter):
    """Figures of countries, most of them annual, and months behind the year they tell of."""

    name = "world_bank"
    title = "World Bank"
    base_url = "https://api.worldbank.org/v2"
    docs_url = "https://datahelpdesk.worldbank.org/knowledgebase/articles/889392"
    offers = (EconomicQuery,)

    def economic(self, query: EconomicQuery) -> list[Observation]:
        """A period is named by its first day."""
        country, indicator = _parts(query.series)
        answer = self.http.get(
            f"/country/{country}/indicator/{indicator}", format="json", per_page=MOST
        )
        about, items = listed(answer)
        if whole(about["pages"]) > 1:
            raise Garbled("more rows than a page holds")
        rows = self.rows(items or [], lambda row: _observation(row, country, indicator))
        return ascending(query, rows)

    def ping(self) -> None:
        self.economic(PROBE)

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """A 400 at random is how it throttles: https://github.com/vincentarelbundock/WDI/issues"""
        if reply.status == 400:
            return Throttled("HTTP 400, which the same question is spared a little later")
        answer = reply.json()
        if not isinstance(answer, list) or len(answer) != 1:
            return None
        code = answer[0]["message"][0]["id"]
        return ERRORS.get(code, Garbled)(f"error {text(code)}")


def _parts(series: str) -> tuple[str, str]:
    country, slash, indicator = series.partition("/")
    found = _SERIES.fullmatch(f"{country.upper()}{slash}{indicator}")
    if found is None or found[1] == EVERYBODY:
        raise Unsupported(f"no series {series[:60]!r} here: COUNTRY/INDICATOR was expected")
    return found[1], found[2]


def _observation(row: Any, country: str, indicator: str) -> Observation:
    about = row["indicator"]
    if country not in (row["country"]["id"], row.get("countryiso3code")):
        raise Garbled("another country than was asked for")
    if text(about["id"]).casefold() != indicator.casefold():
        raise Garbled("another indicator than was asked for")
    day, frequency = _period(row["date"])
    units = maybe(text, row.get("unit")) or _units(about.get("value"))
    return Observation(day, maybe(number, row["value"]), units, frequency)


def _period(value: Any) -> tuple[date, str]:
    found = _PERIOD.fullmatch(text(value))
    if found is None:
        raise Garbled("a year, quarter or month was promised")
    year = int(found[1])
    if found[2]:
        return date(year, 3 * int(found[3]) - 2, 1), "quarterly"
    if found[4]:
        return date(year, int(found[5]), 1), "monthly"
    return date(year, 1, 1), "annual"


def _units(title: Any) -> str | None:
    """Of "GDP (current US$)" the part in brackets: its own field for it is empty."""
    found = _UNITS.search(maybe(text, title) or "")
    return found[1] if found else None
