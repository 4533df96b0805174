"""
How endpoints were in ninety days, as it is drawn. The whole days before today are over, and are
made ready beforehand (`monitoring.prepared`); today is read when it is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from monitoring import drawing
from monitoring.drawing import Bars
from monitoring.models import Endpoint, StateChange
from monitoring.timeline import Interval, Span, day_edges, spans
from providers.standing import Status

DAYS = 90
# How a stored day looks: a letter each, as there are many.
LETTERS = {
    "healthy": "h",
    "degraded": "d",
    "down": "x",
    "rate_limited": "r",
    "misconfigured": "m",
    "maintenance": "w",
    "unknown": "u",
}
_SHAPES = {letter: shape for shape, letter in LETTERS.items()}


class Closed(NamedTuple):
    """The days before today: how each looks, oldest first, and the seconds in each state."""

    shapes: str
    seconds: Mapping[Status, float]


class Past(NamedTuple):
    """How one endpoint was, as it is drawn."""

    shapes: str
    availability: str | None
    coverage: str

    def bars(self, name: str) -> Bars:
        counts = sorted(Counter(self.shapes).items(), key=lambda item: _SHAPES[item[0]])
        said = [f"{number} {_SHAPES[letter].replace('_', ' ')}" for letter, number in counts]
        known = self.availability
        share = "nothing is known of it" if known is None else f"available {known} %"
        label = f"{name}, the last {len(self.shapes)} days: {share}; days: {', '.join(said)}."
        return replace(_bars(self.shapes), label=label)


@lru_cache(maxsize=2000)
def _bars(shapes: str) -> Bars:
    return drawing.bars([_SHAPES[letter] for letter in shapes], "")


def closed(endpoints: Sequence[Endpoint], moment: datetime) -> dict[int, Closed]:
    """Added up of all their intervals."""
    edges = day_edges(moment, DAYS)
    found = intervals(endpoints, edges[0], moment)
    return {one.pk: _closed(spans(found[one.pk], edges[:-1])) for one in endpoints}


def of(
    endpoints: Sequence[Endpoint], before: Mapping[int, Closed], moment: datetime
) -> dict[int, Past]:
    """With today, which goes on."""
    edges = day_edges(moment, DAYS)
    midnight = edges[-2]
    found = intervals(endpoints, midnight, moment)
    return {
        one.pk: _past(before[one.pk], spans(found[one.pk], [midnight, moment]), edges[0], moment)
        for one in endpoints
    }


def past(days: Sequence[Span]) -> Past:
    """The same of one whose days are at hand."""
    whole = drawing.gathered(days)
    return Past(_letters(days), drawing.two_decimals(whole.availability_percent), coverage(whole))


def coverage(span: Span) -> str:
    percent = span.coverage_percent
    return "under 1" if 0 < percent < 1 else f"{percent:.0f}"


def _past(before: Closed, today: Sequence[Span], start: datetime, moment: datetime) -> Past:
    whole = drawing.gathered([Span(start, moment, dict(before.seconds)), *today])
    return Past(
        before.shapes + _letters(today),
        drawing.two_decimals(whole.availability_percent),
        coverage(whole),
    )


def _letters(days: Iterable[Span]) -> str:
    return "".join(LETTERS[drawing.shape(day)] for day in days)


def _closed(days: Sequence[Span]) -> Closed:
    return Closed(_letters(days), drawing.gathered(days).seconds)


def intervals(
    endpoints: Sequence[Endpoint], start: datetime, end: datetime
) -> dict[int, list[Interval]]:
    """The states of each; an open one lasts until now, or as long as it was fresh."""
    until = {one.pk: _known_until(one, end) for one in endpoints}
    found: dict[int, list[Interval]] = {endpoint: [] for endpoint in until}
    rows = StateChange.objects.between(start, end).filter(endpoint__among=until)
    for endpoint, status, began, ended in rows.values_list(
        "endpoint_id", "status", "began_at", "ended_at"
    ):
        found[endpoint].append(Interval(Status(status), began, ended or until[endpoint]))
    return found


def _known_until(one: Endpoint, end: datetime) -> datetime:
    if one.health.is_stale(end) and one.health.fresh_until:
        return one.health.fresh_until
    return end


# -- As a row --------------------------------------------------------------------------------------


def packed(endpoints: Sequence[Endpoint], moment: datetime) -> dict[str, Any]:
    found = closed(endpoints, moment).items()
    return {
        "until": day_edges(moment, DAYS)[-2].isoformat(),
        "of": {str(pk): [one.shapes, dict(one.seconds)] for pk, one in found},
    }


def unpacked(body: Mapping[str, Any], moment: datetime) -> dict[int, Closed]:
    """Nothing when a day has ended since."""
    if body["until"] != day_edges(moment, DAYS)[-2].isoformat():
        return {}
    return {
        int(pk): Closed(shapes, {Status(name): seconds for name, seconds in told.items()})
        for pk, (shapes, told) in body["of"].items()
    }
