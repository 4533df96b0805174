"""
What was used of each key and each provider, by the hour: what `Call` rows, which are kept for a
week, cannot tell of a month.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F

if TYPE_CHECKING:
    from providers.models import Call

KEPT = timedelta(days=62)


class Tally(models.Model):
    """Calls of one hour, and what they cost in the provider's own unit."""

    provider = models.ForeignKey("providers.Provider", models.CASCADE, related_name="tallies")
    key = models.BigIntegerField(default=0)  # the credential; 0: without one
    hour = models.DateTimeField()
    calls = models.PositiveIntegerField(default=0)
    cost = models.FloatField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "key", "hour"], name="one_tally_an_hour")
        ]
        indexes = [models.Index(fields=["hour"], name="tallies_by_hour")]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.key} {self.hour:%Y-%m-%d %H}h: {self.calls}"


def add(calls: Iterable[Call]) -> None:
    """Count what was called; in the transaction that writes the calls, or some count twice."""
    costs: defaultdict[tuple[int, int, datetime], list[float]] = defaultdict(list)
    for call in calls:
        costs[call.provider_id, call.credential_id or 0, hour_of(call.at)].append(call.cost)
    # In one order, or two processes that count the same hours wait for each other for ever.
    places = sorted(costs)
    Tally.objects.bulk_create(
        [Tally(provider_id=provider, key=key, hour=hour) for provider, key, hour in places],
        ignore_conflicts=True,
    )
    for provider, key, hour in places:
        new = costs[provider, key, hour]
        Tally.objects.filter(provider_id=provider, key=key, hour=hour).update(
            calls=F("calls") + len(new), cost=F("cost") + sum(new)
        )


def hour_of(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
