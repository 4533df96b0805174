"""What was: results of single checks for a short while, roll-ups for longer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from monitoring.models import CheckResult, Rollup, Size
from monitoring.readings import Reading
from providers.standing import Status

MOST_ROWS = 5000  # of an answer: the longer the span and the more endpoints, the coarser it is
WORDS = {Size.MINUTES: "5m", Size.HOUR: "1h", Size.DAY: "1d"}


def history(
    readings: Sequence[Reading], start: datetime, end: datetime, interval_s: float
) -> dict[str, list[dict[str, Any]]]:
    """By name, oldest first: status and response time; None where there was none."""
    names = {item.endpoint.pk: item.name for item in readings}
    most_s = len(names) * (end - start).total_seconds() / MOST_ROWS  # between two rows
    if interval_s >= most_s and _are_few(names, start, end):
        rows = _raw(names, start, end)
    else:
        size = Size.MINUTES if most_s <= Size.MINUTES else Size.HOUR
        rows = _summed(size, names, start, end)
    found: dict[str, list[dict[str, Any]]] = {item.name: [] for item in readings}
    for row in rows:
        found[row["provider_name"]].append(row)
    return found


def _raw(names: dict[int, str], start: datetime, end: datetime) -> Iterable[dict[str, Any]]:
    rows = CheckResult.objects.filter(endpoint__in=names, at__gte=start, at__lt=end).order_by("at")
    for endpoint, status, ms, at in rows.values_list(
        "endpoint_id", "status", "response_time_ms", "at"
    ):
        yield _row(names[endpoint], status, ms, at, "raw")


def _are_few(names: dict[int, str], start: datetime, end: datetime) -> bool:
    """Some may be checked oftener than the plan says, and visitors' answers count as checks."""
    rows = CheckResult.objects.filter(endpoint__in=names, at__gte=start, at__lt=end).order_by()
    return rows[: MOST_ROWS + 1].count() <= MOST_ROWS


def _summed(
    size: Size, names: dict[int, str], start: datetime, end: datetime
) -> Iterable[dict[str, Any]]:
    rows = Rollup.objects.filter(endpoint__in=names, size=size, start__gte=start, start__lt=end)
    for row in rows.order_by("start").defer("histogram"):
        ms = row.sum_ms / row.answers if row.answers else None
        yield _row(names[row.endpoint_id], summed_status(row), ms, row.start, WORDS[size])


def _row(name: str, status: str, ms: float | None, at: datetime, resolution: str) -> dict[str, Any]:
    return {
        "provider_name": name,
        "status": status,
        "response_time_ms": None if ms is None else round(ms, 1),
        "timestamp": at,
        "resolution": resolution,
    }


def summed_status(row: Rollup) -> str:
    """What several results come to, by what they found."""
    if row.ok:
        return (Status.DEGRADED if row.fault else Status.HEALTHY).value
    if row.fault:
        return Status.DOWN.value
    return (Status.RATE_LIMITED if row.limited else Status.UNKNOWN).value
