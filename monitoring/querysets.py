"""The vocabulary of checks: filters that read aloud. Reads only."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Self

from django.db.models import Q, QuerySet

if TYPE_CHECKING:
    from monitoring.models import Endpoint, StateChange  # noqa: F401


class EndpointQuerySet(QuerySet["Endpoint"]):
    def free(self, moment: datetime) -> Self:
        """Nobody is checking them, or whoever was has not been heard of for too long."""
        return self.filter(Q(lease_until=None) | Q(lease_until__lte=moment))

    def due(self, moment: datetime) -> Self:
        """Those whose turn it is, the longest overdue first."""
        is_due = Q(next_due=None) | Q(next_due__lte=moment)
        return self.free(moment).filter(is_due, paused=False).order_by("next_due", "pk")


class StateChangeQuerySet(QuerySet["StateChange"]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Intervals that have a part in the span, oldest first."""
        still = Q(ended_at=None) | Q(ended_at__gt=start)
        return self.filter(still, began_at__lt=end).order_by("began_at", "pk")
