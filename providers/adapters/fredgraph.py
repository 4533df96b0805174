"""
The table behind each chart of https://fred.stlouisfed.org, as anybody may download it.

No documentation promises it, which is why it comes last. It was seen to keep a client that pretends
to be a browser waiting, and to answer a plain agent, such as ours, at once.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from providers.adapters.base import Adapter
from providers.adapters.observations import ascending, day, figure, fred_id
from providers.datasets import EconomicQuery, Observation
from providers.errors import Garbled
from providers.registry import register

DATES = {"observation_date", "DATE"}  # the head of the first column, now and formerly
GAPS = ("", ".")
PROBE, PROBED = "FEDFUNDS", timedelta(days=120)


@register
class FredGraph(Adapter):
    """Every series of FRED without a key, but without units: those stand on the chart alone."""

    name = "fredgraph"
    title = "FRED charts (no key)"
    base_url = "https://fred.stlouisfed.org/graph"
    docs_url = "https://fredhelp.stlouisfed.org"
    offers = (EconomicQuery,)
    headers = {"Accept": "text/csv"}

    def economic(self, query: EconomicQuery) -> list[Observation]:
        own = fred_id(query.series)
        return ascending(query, self.rows(self._table(own, query.start, query.end), _observation))

    def ping(self) -> None:
        self._table(PROBE, self.now().date() - PROBED, None)

    def _table(self, own: str, start: Any, end: Any) -> list[str]:
        """The lines below the head. What ends without a line break was cut off, and is dropped."""
        body = self.http.fetch("/fredgraph.csv", id=own, cosd=start, coed=end).body
        try:
            *whole, cut = body.decode("utf-8-sig").replace("\r", "").split("\n")
        except UnicodeDecodeError:
            raise Garbled("a table was promised, not these bytes") from None
        dates, _, name = "".join(whole[:1]).partition(",")
        if dates not in DATES or name != own:
            raise Garbled("a table of this series was promised")
        self.dropped += bool(cut)
        return whole[1:]


def _observation(line: str) -> Observation:
    date, value = line.split(",")
    return Observation(day(date), figure(value, GAPS), units=None, frequency=None)
