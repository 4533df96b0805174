"""https://fred.stlouisfed.org/docs/api/fred/ (errors: /docs/api/fred/errors.html)"""

from __future__ import annotations

from typing import Any

from providers.adapters.base import Adapter, Auth, Reply, maybe, only, text
from providers.adapters.observations import ascending, day, figure, fred_id, stamp
from providers.datasets import EconomicQuery, Observation, Query, Series, SeriesQuery
from providers.errors import BadKey, Garbled, Missing, ProviderError
from providers.registry import register

MOST = 100_000  # observations in one answer; a day of every year since 1750 are fewer
PROBE = "GDP"


@register
class Fred(Adapter):
    """Some 800,000 series, most of them American. A value is the text its source published."""

    name = "fred"
    title = "FRED (St. Louis Fed)"
    base_url = "https://api.stlouisfed.org/fred"
    docs_url = "https://fred.stlouisfed.org/docs/api/fred/"
    offers = (EconomicQuery, SeriesQuery)
    auth = Auth(param="api_key")

    def economic(self, query: EconomicQuery) -> list[Observation]:
        """Two calls: observations do not say what they are counted in."""
        own = fred_id(query.series)
        about = self._about(own)
        units = maybe(text, about.get("units"))
        frequency = _frequency(about)
        found = self._ask(
            "/series/observations",
            series_id=own,
            observation_start=query.start,
            observation_end=query.end,
            sort_order="asc",
            limit=MOST,
        )
        rows = self.rows(
            found["observations"],
            lambda row: Observation(day(row["date"]), figure(row["value"]), units, frequency),
        )
        return ascending(query, rows)

    def series(self, query: SeriesQuery) -> list[Series]:
        """The best match first, by its own ranking of words."""
        found = self._ask("/series/search", search_text=query.q, limit=query.limit)
        return self.rows(found["seriess"], _series)[: query.limit]

    def ping(self) -> None:
        self._about(PROBE)

    def _about(self, own: str) -> Any:
        about = only(self._ask("/series", series_id=own)["seriess"])
        if text(about["id"]) != own:
            raise Garbled("another series than was asked for")
        return about

    def _ask(self, path: str, **params: Any) -> Any:
        return self.http.get(path, file_type="json", **params)

    @classmethod
    def cost(cls, query: Query) -> int:
        return 2 if isinstance(query, EconomicQuery) else 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Everything is a 400, in JSON or in XML: its words tell a bad key from a bad series."""
        if reply.status != 400:
            return None
        if b"does not exist" in reply.body:
            return Missing("no such series")
        return BadKey("its key is not accepted") if b"api_key" in reply.body else None


def _frequency(about: Any) -> str | None:
    """Of "Weekly, Ending Friday" only "weekly"."""
    found = maybe(text, about.get("frequency"))
    return found.partition(",")[0].lower() if found else None


def _series(row: Any) -> Series:
    return Series(
        id=text(row["id"]),
        title=text(row["title"]),
        units=maybe(text, row.get("units")),
        frequency=_frequency(row),
        seasonal_adjustment=maybe(text, row.get("seasonal_adjustment")),
        start=maybe(day, row.get("observation_start")),
        end=maybe(day, row.get("observation_end")),
        last_updated=maybe(stamp, row.get("last_updated")),
    )
