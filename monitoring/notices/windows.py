"""Maintenance windows: whom they cover, and until when."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime, timedelta

from monitoring.notices.models import MaintenanceWindow


def _active(moment: datetime) -> list[tuple[datetime, frozenset[int]]]:
    rows = MaintenanceWindow.objects.filter(starts_at__lte=moment, ends_at__gt=moment)
    return [
        (row.ends_at, frozenset(provider.pk for provider in row.providers.all()))
        for row in rows.prefetch_related("providers")
    ]


def covered(moment: datetime) -> Callable[[int | None], bool]:
    """Whether a provider is in a window now; a window without providers covers everything."""
    active = _active(moment)

    def is_covered(provider: int | None) -> bool:
        return any(not scope or provider in scope for _, scope in active)

    return is_covered


def silent_until(moment: datetime) -> Callable[[Collection[int]], datetime | None]:
    """
    Until when nothing is said of these providers together: all of them have to be covered. What is
    of no provider is covered by a window of everything alone.
    """
    active = _active(moment)

    def until(providers: Collection[int]) -> datetime | None:
        ends = [end for end, scope in active if not scope]
        for_each = [
            [end for end, scope in active if not scope or one in scope] for one in providers
        ]
        if providers and all(for_each):
            return min(max(mine) for mine in for_each)
        return max(ends, default=None)

    return until


SHOWN_AHEAD = timedelta(days=14)


def ahead(moment: datetime) -> list[MaintenanceWindow]:
    """Those that are on, or begin within two weeks, the next first."""
    rows = MaintenanceWindow.objects.filter(ends_at__gt=moment)
    rows = rows.filter(starts_at__lte=moment + SHOWN_AHEAD).prefetch_related("providers")
    return list(rows.order_by("starts_at", "pk")[:20])
