"""Economic series and the search for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from providers.datasets.base import DAY, HOUR, Dataset, Query

ECONOMIC = Dataset(
    "economic", "Economic series", fresh_s=6 * HOUR, stale_s=90 * DAY, durable=True, past=True
)

SERIES = Dataset("series", "Search for economic series", fresh_s=DAY, stale_s=30 * DAY)


class Observation(NamedTuple):
    """One value of an economic series; None where the source says there is none."""

    date: date
    value: Decimal | None
    units: str | None
    frequency: str | None  # "daily", "monthly", "quarterly", "annual", ...


class Series(NamedTuple):
    """An economic series that can be asked for by its id."""

    id: str
    title: str
    units: str | None
    frequency: str | None
    seasonal_adjustment: str | None
    start: date | None
    end: date | None
    last_updated: datetime | None


@dataclass(frozen=True)
class EconomicQuery(Query):
    """
    Observations of one series, ascending. `series` is an id of FRED (`CPIAUCSL`) or of the World
    Bank with its country (`US/NY.GDP.MKTP.CD`): whoever does not know it says so.
    """

    dataset = ECONOMIC
    record = Observation

    series: str = ""
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class SeriesQuery(Query):
    dataset = SERIES
    record = Series

    q: str = ""
    limit: int = 20

    def upstream(self) -> SeriesQuery:
        return replace(self, limit=100)

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows[: self.limit]
