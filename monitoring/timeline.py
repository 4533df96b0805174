"""
How long an endpoint was in which state: days for bars, and availability. Pure.

Availability counts the time in which we know that it was up or down; how much of the time that is
stands beside it as coverage. What we did not see is neither.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Container, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from providers.standing import Status

UP = frozenset([Status.HEALTHY, Status.DEGRADED, Status.RATE_LIMITED])  # a 429 is not downtime
DOWN = frozenset([Status.DOWN])
# What a span is called after, when it had several: the gravest.
GRAVEST = (
    Status.DOWN,
    Status.DEGRADED,
    Status.MISCONFIGURED,
    Status.RATE_LIMITED,
    Status.MAINTENANCE,
    Status.HEALTHY,
    Status.DISABLED,
    Status.UNKNOWN,
)


class Interval(NamedTuple):
    status: Status
    began_at: datetime
    ended_at: datetime


@dataclass
class Span:
    """A stretch of time, and how many seconds of it an endpoint was in each state."""

    start: datetime
    end: datetime
    seconds: dict[Status, float] = field(default_factory=dict)

    @property
    def gravest(self) -> Status | None:
        """None where nothing is known of it at all."""
        return next((status for status in GRAVEST if self.seconds.get(status)), None)

    def of(self, statuses: Container[Status]) -> float:
        return sum([seconds for status, seconds in self.seconds.items() if status in statuses])

    @property
    def down_s(self) -> float:
        return self.of(DOWN)

    @property
    def availability_percent(self) -> float | None:
        up = self.of(UP)
        known = up + self.of(DOWN)
        return 100 * (up / known) if known else None  # 100 * x / x may be under 100

    @property
    def coverage_percent(self) -> float:
        whole = (self.end - self.start).total_seconds()
        return min(100.0, 100 * (self.of(UP) + self.of(DOWN)) / whole) if whole > 0 else 0.0


def spans(intervals: Sequence[Interval], edges: Sequence[datetime]) -> list[Span]:
    """The spans between neighbouring `edges` (ascending), with what the intervals say of each."""
    found = [Span(start, end) for start, end in pairwise(edges)]
    for status, began_at, ended_at in intervals:
        # From the span in which it began to the one in which it ended.
        first = max(0, bisect_right(edges, began_at) - 1)
        for span in found[first : bisect_left(edges, ended_at)]:
            both = min(span.end, ended_at) - max(span.start, began_at)
            if both > timedelta(0):
                span.seconds[status] = span.seconds.get(status, 0.0) + both.total_seconds()
    return found


def day_edges(now: datetime, days: int) -> list[datetime]:
    """The midnights (UTC) of the last so many days, today's included, and now."""
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [today - timedelta(days=n) for n in range(days - 1, -1, -1)] + [now]
