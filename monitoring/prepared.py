"""
What windows of roll-ups add up to, and how the days of the past were: one row each, made ready by
whoever rolled up. Else every process would add up thousands of rows again every few seconds.

A row says as of when it is. Where it is missing or too old, as without a worker, its reader adds up
by himself: what is told is the same, and only takes longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from monitoring import pasts, rollups
from monitoring.histograms import Summary, from_json
from monitoring.models import Endpoint, Prepared

WINDOWS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "90d": timedelta(days=90),
}
BRIEF = ("1h",)  # of few rows: they are added up when asked for
# Every minute it is rolled up; by three the smallest roll-ups have not moved on.
FRESH_FOR = timedelta(minutes=3)
DAYS = "days"

Packed = tuple[int, int, int, int, int, float, float | None, float | None, Mapping[str, int]]


def roll_up(moment: datetime) -> int:
    """Bring the roll-ups up to date, and what is made of them; how many were made anew."""
    made = rollups.run(moment)
    prepare(moment)
    return made


def prepare(moment: datetime) -> None:
    rows = [
        Prepared(name=name, at=moment, body=_packed(_added_up(name, moment)))
        for name in WINDOWS
        if name not in BRIEF
    ]
    watched = list(Endpoint.objects.of_providers().select_related("health"))
    rows.append(Prepared(name=DAYS, at=moment, body=pasts.packed(watched, moment)))
    Prepared.objects.bulk_create(
        rows, update_conflicts=True, unique_fields=["name"], update_fields=["at", "body"]
    )


def figures(window: str, moment: datetime) -> dict[int, Summary]:
    """What the checks of a window add up to, by endpoint."""
    row = None if window in BRIEF else Prepared.objects.filter(name=window).first()
    if row is None or abs(moment - row.at) > FRESH_FOR:
        return _added_up(window, moment)
    return {int(pk): _unpacked(packed) for pk, packed in row.body.items()}


def days(endpoints: list[Endpoint], moment: datetime) -> dict[int, pasts.Closed]:
    """How the whole days before today were, by endpoint."""
    row = Prepared.objects.filter(name=DAYS).first()
    known = {} if row is None else pasts.unpacked(row.body, moment)
    missing = [one for one in endpoints if one.pk not in known]
    return known | pasts.closed(missing, moment) if missing else known


def _added_up(window: str, moment: datetime) -> dict[int, Summary]:
    return rollups.figures(rollups.between(moment - WINDOWS[window], moment))


def _packed(found: Mapping[int, Summary]) -> dict[int, Packed]:
    return {
        pk: (
            *(one.ok, one.fault, one.limited, one.other, one.answers, one.sum_ms),
            *(one.min_ms, one.max_ms, {str(n): count for n, count in one.histogram.items()}),
        )
        for pk, one in found.items()
    }


def _unpacked(packed: Any) -> Summary:
    *counted, histogram = packed
    found = Summary(*counted)
    found.histogram = from_json(histogram)
    return found
