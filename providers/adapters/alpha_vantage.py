"""
https://www.alphavantage.co/documentation/#economic-indicators

Its economic functions repeat series of FRED, and its documentation says which by their titles. The
ids below are those of FRED with that title, interval and seasonal adjustment: its CPI of 2023-09 is
307.789, which is CPIAUCNS and not CPIAUCSL. A function whose series is not certain is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from providers.adapters.base import Adapter, Auth, Reply, known, maybe, said, text
from providers.adapters.observations import ascending, day, figure
from providers.datasets import EconomicQuery, Observation
from providers.errors import BadKey, Garbled, PlanLimit, ProviderError, Throttled
from providers.registry import register

A_SECOND = 1.0  # between two calls of a free key


class Function(NamedTuple):
    """What is asked for a series, and the interval its answer names."""

    name: str
    interval: str
    maturity: str | None = None


# Maturity: daily, weekly, monthly.
TREASURIES: Mapping[str, tuple[str, str, str]] = {
    "3month": ("DGS3MO", "WGS3MO", "GS3M"),
    "2year": ("DGS2", "WGS2YR", "GS2"),
    "5year": ("DGS5", "WGS5YR", "GS5"),
    "7year": ("DGS7", "WGS7YR", "GS7"),
    "10year": ("DGS10", "WGS10YR", "GS10"),
    "30year": ("DGS30", "WGS30YR", "GS30"),
}

SERIES: Mapping[str, Function] = {
    "A939RX0Q048SBEA": Function("REAL_GDP_PER_CAPITA", "quarterly"),
    "CPIAUCNS": Function("CPI", "monthly"),
    "DFF": Function("FEDERAL_FUNDS_RATE", "daily"),
    "FEDFUNDS": Function("FEDERAL_FUNDS_RATE", "monthly"),
    "FF": Function("FEDERAL_FUNDS_RATE", "weekly"),
    "FPCPITOTLZGUSA": Function("INFLATION", "annual"),
    "GDPCA": Function("REAL_GDP", "annual"),
    "PAYNSA": Function("NONFARM_PAYROLL", "monthly"),
    "RSXFSN": Function("RETAIL_SALES", "monthly"),
    "UMDMNO": Function("DURABLES", "monthly"),
    "UNRATE": Function("UNEMPLOYMENT", "monthly"),
    **{
        own: Function("TREASURY_YIELD", interval, maturity)
        for maturity, ids in TREASURIES.items()
        for interval, own in zip(("daily", "weekly", "monthly"), ids, strict=True)
    },
}
HAVE_INTERVALS = {"CPI", "FEDERAL_FUNDS_RATE", "REAL_GDP", "TREASURY_YIELD"}


@register
class AlphaVantage(Adapter):
    """25 calls a day: the last resort for the series that everybody asks for."""

    name = "alpha_vantage"
    title = "Alpha Vantage"
    base_url = "https://www.alphavantage.co"
    docs_url = "https://www.alphavantage.co/documentation/#economic-indicators"
    offers = (EconomicQuery,)
    auth = Auth(param="apikey")

    def economic(self, query: EconomicQuery) -> list[Observation]:
        """All of a series always comes; the span is cut out of it."""
        function = known(SERIES, query.series.upper(), "series")
        found = self.http.get(
            "/query",
            function=function.name,
            interval=function.interval if function.name in HAVE_INTERVALS else None,
            maturity=function.maturity,
        )
        if found["interval"] != function.interval:
            raise Garbled("another interval than was asked for")
        units = maybe(text, found.get("unit"))
        rows = self.rows(
            found["data"],
            lambda row: Observation(
                day(row["date"]), figure(row["value"]), units, function.interval
            ),
        )
        return ascending(query, rows)

    def ping(self) -> None:
        """One of the day's calls, as is every other question."""
        self.economic(EconomicQuery(series="UNRATE"))

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """
        Everything is a 200, so the words decide. They are never passed on: some quote the key.
        The notice of a limit advertises the premium plan, so limits are looked for first.
        """
        found = said(reply)
        notices = (found.get(key) for key in ("Error Message", "Information", "Note"))
        words = next((notice.lower() for notice in notices if isinstance(notice, str)), "")
        if not words:
            return None
        if "apikey is invalid" in words:
            return BadKey("its key is not accepted")
        if "demo" in words:
            return BadKey("the demo key answers the examples of the documentation alone")
        if "more sparingly" in words:
            return Throttled("more than a call a second", wait=A_SECOND)
        if "rate limit" in words or "requests per" in words or "call frequency" in words:
            return Throttled("its calls of the day are spent")
        if "premium" in words:
            return PlanLimit("not in the free plan")
        return Garbled("it does not understand the question")
