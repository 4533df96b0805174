"""The vocabulary of checks: filters that read aloud. Reads only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db.models import Q, QuerySet

from monitoring import lookups  # noqa: F401 (it registers `among`)
from providers.health import Kind

if TYPE_CHECKING:
    from monitoring.models import Endpoint, StateChange  # noqa: F401


# A lease is shorter, and clocks of one installation agree better: what is farther ahead was written
# by a clock that has been put back since.
FAR = timedelta(minutes=5)


def is_due(moment: datetime) -> Q:
    """Whose turn it is; also who was checked in what is now the future, so its turn is wrong."""
    was_put_back = Q(health__checked_at__gt=moment + FAR)
    return Q(next_due=None) | Q(next_due__lte=moment) | was_put_back


class EndpointQuerySet(QuerySet["Endpoint"]):
    def free(self, moment: datetime) -> Self:
        """Nobody is checking them, or whoever was has not been heard of for too long."""
        is_over = Q(lease_until__lte=moment) | Q(lease_until__gt=moment + FAR)
        return self.filter(Q(lease_until=None) | is_over)

    def of_resources(self) -> Self:
        return self.filter(health__kind=Kind.RESOURCE)

    def of_providers(self) -> Self:
        """Whatever we ask for answers; what is only known of is no part of it."""
        return self.exclude(health__kind=Kind.RESOURCE)

    def due(self, moment: datetime) -> Self:
        """Those whose turn it is, the longest overdue first."""
        return self.free(moment).filter(is_due(moment), paused=False).order_by("next_due", "pk")


class StateChangeQuerySet(QuerySet["StateChange"]):
    def between(self, start: datetime, end: datetime) -> Self:
        """Intervals that have a part in the span, oldest first."""
        still = Q(ended_at=None) | Q(ended_at__gt=start)
        return self.filter(still, began_at__lt=end).order_by("began_at", "pk")
