"""
How calls ended, by the hour: what status pages and counters go by, so that none of them has to
read a week of `Call` rows.

Hours that are over for long are folded into one row of each provider and outcome, so that what all
rows add up to never falls: a counter (https://prometheus.io/docs/concepts/metric_types/#counter).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from django.db import models, transaction
from django.db.models import F, Max, Sum

if TYPE_CHECKING:
    from providers.models import Call

KEPT = timedelta(days=8)  # by the hour
BEFORE = datetime(1970, 1, 1, tzinfo=UTC)  # the "hour" of what came before them


class Outcome(models.Model):
    """Calls of one provider in one hour that ended alike."""

    provider = models.ForeignKey("providers.Provider", models.CASCADE, related_name="outcomes")
    outcome = models.CharField(max_length=20, help_text="'ok' or a code of providers.errors.")
    hour = models.DateTimeField()
    calls = models.PositiveBigIntegerField(default=0)
    seconds = models.FloatField(default=0, help_text="All of them together.")
    # Of the last one. Two processes that write at once may leave the last but one here.
    last_at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["provider", "outcome", "hour"], name="one_outcome_hour")
        ]
        indexes = [models.Index(fields=["hour"], name="outcomes_by_hour")]

    def __str__(self) -> str:
        return f"{self.provider_id} {self.outcome} {self.hour:%Y-%m-%d %H}h: {self.calls}"


def add(calls: Iterable[Call]) -> None:
    """Count how calls ended; in the transaction that writes them, or some count twice."""
    found: defaultdict[tuple[int, str, datetime], list[Call]] = defaultdict(list)
    for call in calls:
        hour = call.at.replace(minute=0, second=0, microsecond=0)
        found[call.provider_id, call.outcome, hour].append(call)
    # In one order, or two processes that count the same hours wait for each other for ever.
    places = sorted(found)
    Outcome.objects.bulk_create(
        [
            Outcome(provider_id=provider, outcome=outcome, hour=hour, last_at=hour)
            for provider, outcome, hour in places
        ],
        ignore_conflicts=True,
    )
    for provider, outcome, hour in places:
        ended = found[provider, outcome, hour]
        last = max(ended, key=lambda call: call.at)
        Outcome.objects.filter(provider_id=provider, outcome=outcome, hour=hour).update(
            calls=F("calls") + len(ended),
            seconds=F("seconds") + sum(call.seconds for call in ended),
            last_at=last.at,
            detail=last.detail,
        )


@transaction.atomic
def fold(moment: datetime) -> int:
    """Fold hours that are over for long; how many rows that were."""
    old = Outcome.objects.filter(hour__gt=BEFORE, hour__lt=moment - KEPT)
    summed = (
        old.values("provider_id", "outcome")
        .order_by("provider_id", "outcome")
        .annotate(calls=Sum("calls"), seconds=Sum("seconds"), last_at=Max("last_at"))
    )
    for row in list(summed):
        place = {"provider_id": row["provider_id"], "outcome": row["outcome"], "hour": BEFORE}
        Outcome.objects.get_or_create(**place, defaults={"last_at": row["last_at"]})
        Outcome.objects.filter(**place).update(
            calls=F("calls") + row["calls"],
            seconds=F("seconds") + row["seconds"],
            last_at=row["last_at"],
        )
    return old.delete()[0]
