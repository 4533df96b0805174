"""
What came of the calls of seven days, by provider, whoever made them. Read from sums of hours: it
costs the same whatever was asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Sum
from django.utils.timezone import now as current_time

from providers.models import Call, Outcome
from providers.querysets import NO_VERDICT
from providers.roster import Remembered

KEPT = timedelta(days=7)
LATELY = timedelta(minutes=15)  # whose pace tells when a quota ends
READ_S = 5.0


@dataclass
class Numbers:
    """Of one provider. `verdicts` leaves out calls that say nothing of how well it works."""

    total: int = 0
    ok: int = 0
    verdicts: int = 0
    limited: int = 0
    last_ok: datetime | None = None
    last_failure: datetime | None = None
    cost_lately: float = 0.0

    @property
    def success_rate(self) -> float | None:
        """In percent; None without a verdict."""
        return round(100 * self.ok / self.verdicts, 2) if self.verdicts else None

    @property
    def used_per_s(self) -> float:
        return self.cost_lately / LATELY.total_seconds()

    def count(self, outcome: str, calls: int, last_at: datetime) -> None:
        self.total += calls
        self.limited += calls if outcome == "throttled" else 0
        if outcome in NO_VERDICT:
            return
        self.verdicts += calls
        if outcome == "ok":
            self.ok, self.last_ok = self.ok + calls, last_at
        else:
            self.last_failure = max(filter(None, (self.last_failure, last_at)))


NOTHING = Numbers()


def by_provider() -> Mapping[int, Numbers]:
    """By the provider's primary key, at most some seconds old; those never asked are absent."""
    return _numbers.get()


def forget() -> None:
    _numbers.forget()


def read(moment: datetime) -> dict[int, Numbers]:
    found: dict[int, Numbers] = {}
    ended = Outcome.objects.filter(hour__gte=moment - KEPT).order_by()
    for provider, outcome, calls, last_at in ended.values_list("provider_id", "outcome").annotate(
        Sum("calls"), Max("last_at")
    ):
        found.setdefault(provider, Numbers()).count(outcome, calls, last_at)
    lately = Call.objects.since(moment - LATELY).order_by()
    for provider, cost in lately.values_list("provider_id").annotate(Sum("cost")):
        found.setdefault(provider, Numbers()).cost_lately = cost
    return found


_numbers = Remembered(lambda: read(current_time()), READ_S)
