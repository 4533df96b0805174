"""
Which question a request line stands for.

Whoever validates a request puts its answer into the request's environment under `ANSWER`. The edge
learns from it what was asked, so that it can answer the same line again without parsing it:
`/api/market?limit=10` -> `MarketQuery(limit=10)`. Event loop only, but for `settle`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

from aggregator import demand
from aggregator.answers import Cached
from providers.datasets import Query

ANSWER = "aggregator.answer"

MOST = 5_000
LONGEST = 1_500  # bytes of a line worth remembering: a hundred symbols fit

Line = tuple[str, bytes]  # path and query string


@dataclass(slots=True)
class Known:
    """A line's question, and what we found when we last looked beyond this process's board."""

    query: Query
    key: str
    looked_at: float = 0.0
    cached: Cached = Cached.STALE
    asked: int = field(default=0)  # answered at the edge since the last `settle`


_lines: OrderedDict[Line, Known] = OrderedDict()


def find(line: Line) -> Known | None:
    return _lines.get(line)


def remember(line: Line, query: Query) -> Known:
    known = _lines.pop(line, None)
    if known is None or known.query != query:
        known = Known(query, query.key)
    if len(line[0]) + len(line[1]) <= LONGEST:
        _lines[line] = known
        while len(_lines) > MOST:
            _lines.popitem(last=False)
    return known


def settle() -> None:
    """Tell `demand` what was asked at the edge."""
    for known in list(_lines.values()):
        if asked := known.asked:
            known.asked -= asked
            demand.note(known.query, asked)


def forget() -> None:
    _lines.clear()
