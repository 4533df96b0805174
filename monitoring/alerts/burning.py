"""
How fast an error budget burns: 1 spends it in just the time it is for. Pure, but for `counts`.

Two windows each: the long one says that it matters, the short one that it still goes on
(https://sre.google/workbook/alerting-on-slos/).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q

from monitoring.alerts.models import Slo
from monitoring.health import FAULTS, codes
from providers.models import Call

WINDOWS = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "3d": timedelta(days=3),
}
LEAST = 20  # questions in a window, under which it says nothing

FAULT_CODES = codes(FAULTS)


@dataclass(frozen=True, slots=True)
class Tally:
    """Questions that were to be answered, and those that were, in time."""

    good: int = 0
    total: int = 0

    @property
    def percent(self) -> float | None:
        return 100 * self.good / self.total if self.total else None


def burn(tally: Tally, objective_percent: float, least: int = LEAST) -> float | None:
    """Of one window: bad questions by those that are allowed. None with too few of them."""
    if tally.total < least:
        return None
    bad = (tally.total - tally.good) / tally.total
    return bad / (1 - objective_percent / 100)


def both(one: float | None, other: float | None) -> float | None:
    """What two windows say together: the lesser."""
    return None if one is None or other is None else min(one, other)


def budget_left(tally: Tally, objective_percent: float) -> float | None:
    """In percent of what was allowed; below 0 when more than that was spent."""
    if not tally.total:
        return None
    allowed = tally.total * (1 - objective_percent / 100)
    return 100 * (1 - (tally.total - tally.good) / allowed)


def counts(slo: Slo, moment: datetime) -> dict[str, Tally]:
    """
    By window, and "all" for the whole of it: visitors' questions that had to go out, of those that
    say something about a provider. Answers off the shelf are faster still, and not in it.
    """
    spans = {**WINDOWS, "all": timedelta(days=slo.window_days)}
    start = moment - max(spans.values())
    rows = Call.objects.filter(at__gt=start, at__lte=moment, purpose="visitor")
    rows = rows.filter(outcome__in=["ok", *FAULT_CODES])
    if slo.dataset:
        rows = rows.filter(dataset=slo.dataset)
    good = Q(outcome="ok", seconds__lte=slo.within_ms / 1000)
    wanted = {}
    for name, length in spans.items():
        inside = Q(at__gt=moment - length)
        wanted[f"good_{name}"] = Count("pk", filter=inside & good)
        wanted[f"total_{name}"] = Count("pk", filter=inside)
    found: Mapping[str, int] = rows.aggregate(**wanted)
    return {name: Tally(found[f"good_{name}"], found[f"total_{name}"]) for name in spans}
