"""
How a provider did over the last day, hour by hour, as a picture: what succeeded, and how long it
took. The drawing is pure; hours without a call stay empty, as nothing is known of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, Q
from django.db.models.functions import TruncHour

from providers.models import Call, Provider

HOURS = 24
STEP, WIDTH, HEIGHT = 12, 10, 40  # of a column, in the drawing's own units


@dataclass(frozen=True)
class Hour:
    """The calls of one hour; `latency_ms` is the mean of those that succeeded."""

    start: datetime
    calls: int = 0
    good: int = 0
    latency_ms: float | None = None

    @property
    def said(self) -> str:
        """In words: for who points at the column."""
        if not self.calls:
            return f"{self.start:%H}:00 UTC: not asked"
        took = "" if self.latency_ms is None else f", {self.latency_ms:,.0f} ms on average"
        return f"{self.start:%H}:00 UTC: {self.good} of {self.calls} succeeded{took}"


@dataclass(frozen=True)
class Column:
    """One hour as boxes from `top` down: of what succeeded, what failed, and the latency."""

    x: int
    said: str
    good: float
    bad: float
    latency: float

    @property
    def good_top(self) -> float:
        return HEIGHT - self.good

    @property
    def latency_top(self) -> float:
        return HEIGHT - self.latency


@dataclass(frozen=True)
class Picture:
    columns: Sequence[Column]
    calls: int
    good: int
    slowest_ms: float | None
    width: int = HOURS * STEP
    height: int = HEIGHT
    column: int = WIDTH

    @property
    def success_percent(self) -> float | None:
        return 100 * self.good / self.calls if self.calls else None


def of_day(provider: Provider, moment: datetime) -> Picture:
    """The last 24 hours of a provider, the running one last."""
    last = moment.replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=HOURS - 1)
    fine = Q(outcome="ok")
    rows = (
        Call.objects.filter(provider=provider, at__gte=first)
        .order_by()
        .annotate(hour=TruncHour("at"))
        .values("hour")
        .annotate(calls=Count("pk"), good=Count("pk", filter=fine))
        .annotate(mean=Avg("seconds", filter=fine))
    )
    known = {
        row["hour"]: Hour(
            row["hour"],
            row["calls"],
            row["good"],
            None if row["mean"] is None else row["mean"] * 1000,
        )
        for row in rows
    }
    hours = (first + timedelta(hours=n) for n in range(HOURS))
    return draw(known.get(hour, Hour(hour)) for hour in hours)


def draw(hours: Iterable[Hour]) -> Picture:
    """Latencies are drawn against the slowest hour."""
    shown = list(hours)
    slowest = max((h.latency_ms for h in shown if h.latency_ms is not None), default=None)
    return Picture(
        [_column(place, hour, slowest or 0.0) for place, hour in enumerate(shown)],
        sum(hour.calls for hour in shown),
        sum(hour.good for hour in shown),
        slowest,
    )


def _column(place: int, hour: Hour, slowest_ms: float) -> Column:
    good = HEIGHT * hour.good / hour.calls if hour.calls else 0.0
    bad = HEIGHT - good if hour.calls else 0.0
    latency = HEIGHT * (hour.latency_ms or 0.0) / slowest_ms if slowest_ms else 0.0
    return Column(place * STEP, hour.said, round(good, 1), round(bad, 1), round(latency, 1))
