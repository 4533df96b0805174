"""Response times of one endpoint as numbers, for the chart that staff zoom into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from monitoring.models import STALE_INTERVALS, Endpoint, Plan, Rollup, Size
from monitoring.rollups import summary

# What is looked at, and in steps of what: five minutes are kept for a week, hours for longer.
SPANS: Mapping[str, tuple[timedelta, Size]] = {
    "24h": (timedelta(hours=24), Size.MINUTES),
    "7d": (timedelta(days=7), Size.MINUTES),
    "90d": (timedelta(days=90), Size.HOUR),
}


@dataclass
class Series:
    """
    Columns of one length: Unix times, and ms. None where nothing was measured, so that a line
    breaks there.
    """

    at: list[float] = field(default_factory=list)
    p50: list[float | None] = field(default_factory=list)
    p95: list[float | None] = field(default_factory=list)
    most: list[float | None] = field(default_factory=list)
    failed: list[int | None] = field(default_factory=list)

    def add(
        self,
        at: float,
        p50: float | None = None,
        p95: float | None = None,
        most: float | None = None,
        failed: int | None = None,
    ) -> None:
        self.at.append(at)
        self.failed.append(failed)
        for column, value in ((self.p50, p50), (self.p95, p95), (self.most, most)):
            column.append(None if value is None else round(value, 1))


def series(endpoint: Endpoint, span: str, moment: datetime) -> Series:
    length, size = SPANS[span]
    rows = Rollup.objects.filter(endpoint=endpoint, size=size, start__gte=moment - length)
    interval_s = endpoint.interval_s or Plan.current().interval_s
    apart_s = max(2.0 * size, STALE_INTERVALS * interval_s)  # as long as a status lasts
    found, last = Series(), None
    for row in rows.order_by("start"):
        at = row.start.timestamp()
        if last is not None and at - last > apart_s:
            found.add(last + size)  # a gap
        last = at
        summed = summary(row)
        half, most = summed.percentile(0.5), summed.percentile(0.95)
        found.add(at, half, most, summed.max_ms, summed.fault)
    return found
