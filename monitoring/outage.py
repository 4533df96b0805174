"""
Checks while the database is away: by the timetable that this process knew last. What they find is
kept on disk, and no lease can be had, so one process of a machine does it at a time.

A run is numbered by the turn it is of, below nought: should two machines check the same turn, the
database takes one result of it.
"""

from __future__ import annotations

import fcntl
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from datetime import datetime

from django.conf import settings
from django.utils.timezone import now as current_time

from monitoring import cycle, late
from monitoring.cycle import BATCH, Clock
from monitoring.models import Endpoint, Plan

logger = logging.getLogger("monitoring.checks")


class Timetable:
    """Whose turn is when, as far as this process knows."""

    def __init__(self, plan: Plan, rows: list[Endpoint]) -> None:
        self.plan = plan
        self.rows = rows

    @classmethod
    def current(cls) -> Timetable:
        """As it is now; raises the database's error when it is away."""
        return cls(
            Plan.current(), list(Endpoint.objects.of_providers().select_related("health__provider"))
        )

    def due(self, moment: datetime) -> list[Endpoint]:
        if self.plan.paused:
            return []
        return [row for row in self.rows if not row.paused and _turn(row, moment) <= moment][:BATCH]

    def run(self, clock: Clock = current_time) -> int:
        """Check what is due and keep what is found; how many."""
        moment = clock()
        with _alone() as is_ours:
            rows = self.due(moment) if is_ours else []
            if not rows:
                return 0
            logger.info("checking %d endpoints without the database", len(rows))
            batch = cycle.look([_numbered(row, moment) for row in rows], self.plan, clock)
            late.keep(batch)
            for row, item in zip(rows, batch, strict=True):
                row.next_due = item.next_due
                row.health.checked_at = item.found.at
        return len(rows)


def _turn(row: Endpoint, moment: datetime) -> datetime:
    """Its turn, or the end of the run that may still be under way somewhere."""
    return max(filter(None, [row.next_due or moment, row.lease_until]))


def _numbered(row: Endpoint, moment: datetime) -> Endpoint:
    numbered = copy(row)
    numbered.lease_token = -int((row.next_due or moment).timestamp())
    return numbered


@contextmanager
def _alone() -> Iterator[bool]:
    folder = settings.DATA_DIR / "unwritten"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "checking.lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
