"""
How every endpoint is now: from the hot rows, the guards' cells and roll-ups. Asks no upstream, and
costs a handful of queries whatever the history.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.utils.timezone import now as current_time

from monitoring import numbers, prepared
from monitoring.health import Finding
from monitoring.histograms import Summary
from monitoring.models import STALE_INTERVALS, Endpoint, Plan
from monitoring.probing import excused
from providers import roster
from providers.health import Health
from providers.models import Provider
from providers.overview import JustRead
from providers.resilience import Standing, standings
from providers.roster import Remembered
from providers.standing import Status

# Hundreds may poll: they share what was read within a second, and nobody waits for the next reading
# unless it is older than that.
READ_S = GRACE_S = 0.5
FIGURES_S, FIGURES_GRACE_S = 5.0, 15.0


@dataclass(frozen=True)
class Reading:
    """One endpoint. Percentages are 0 to 100; None where nothing was measured."""

    endpoint: Endpoint
    health: Health
    provider: Provider | None
    status: Status
    reason: str
    rate_limit_percent: float | None  # of the scarcest rate limit, how much is used up
    standing: Standing | None = None  # of the provider's guard

    @property
    def name(self) -> str:
        return self.health.name

    @property
    def is_watched(self) -> bool:
        """Does it count when the whole is judged? What is switched off does not."""
        return self.status is not Status.DISABLED


@dataclass(frozen=True)
class Board:
    """Everything at one moment."""

    at: datetime
    readings: Mapping[str, Reading]
    plan: Plan
    standings: Mapping[str, Standing]  # of the guards of providers, and of the keys tried first

    @property
    def just_read(self) -> JustRead:
        """For who tells of providers besides."""
        rows = (reading.health for reading in self.readings.values())
        healths = {row.provider_id: row for row in rows if row.provider_id is not None}
        return JustRead(self.standings, healths)

    @property
    def newest(self) -> datetime | None:
        """When anything was checked last; None before the first check."""
        times = (r.health.checked_at for r in self.readings.values() if r.health.checked_at)
        return max(times, default=None)

    @property
    def stale_after(self) -> timedelta:
        return timedelta(seconds=STALE_INTERVALS * self.plan.interval_s)

    @property
    def is_stale(self) -> bool:
        """Has nothing been checked for three intervals?"""
        return self.newest is None or self.at - self.newest > self.stale_after


def board() -> Board:
    """How everything is, read at most a second ago."""
    return _board.get()


def resources() -> Board:
    """
    The same of what is only known of, and asked for no answers. It is a board of its own, as it
    counts in nothing that is said of the whole.
    """
    return _resources.get()


def named(name: str) -> Reading | None:
    """The endpoint of this name, on either board."""
    return board_with(name).readings.get(name)


def board_with(name: str) -> Board:
    """The board on which this name stands: that of providers where it stands on none."""
    found = board()
    return found if name in found.readings or name not in resources().readings else resources()


def figures(window: str) -> dict[int, Summary]:
    """What the checks of a window add up to, by endpoint; read at most five seconds ago."""
    return _figures(window).get()


def forget() -> None:
    numbers.forget()
    _board.forget()
    _resources.forget()
    _figures.cache_clear()


def _read() -> Board:
    moment = current_time()
    known_now = roster.current()
    catalogue = {row.pk: row for row in known_now.providers}
    first_keys = [
        key.guard_name for row in catalogue.values() for key in known_now.keys_of(row)[:1]
    ]
    rows = Endpoint.objects.of_providers().select_related("health").order_by("health__name")
    known = standings([*(row.slug for row in catalogue.values()), *first_keys])
    return Board(
        moment,
        {
            row.health.name: _reading(
                row, catalogue.get(row.health.provider_id or 0), known, moment
            )
            for row in rows
        },
        Plan.current(),
        known,
    )


def _read_resources() -> Board:
    moment = current_time()
    rows = Endpoint.objects.of_resources().select_related("health").order_by("health__name")
    found = {row.health.name: _reading(row, None, {}, moment) for row in rows}
    return Board(moment, found, Plan.current(), {})


def _reading(
    row: Endpoint, provider: Provider | None, known: Mapping[str, Standing], moment: datetime
) -> Reading:
    health = row.health
    status, reason = _status(health, provider, moment)
    standing = None if provider is None else known[provider.slug]
    left = None
    if provider is not None and standing is not None:
        left = provider.guard.tokens_left(standing)
    used = None if left is None else round(100 * (1 - left), 1)
    return Reading(row, health, provider, status, reason, used, standing)


def _status(health: Health, provider: Provider | None, moment: datetime) -> tuple[Status, str]:
    """A switch or a key that was just changed is obeyed before the next check says so."""
    idle = excused(provider, moment) if provider is not None else None
    if idle is not None:
        off = idle.finding is Finding.OFF
        return (Status.DISABLED if off else Status.MISCONFIGURED), idle.reason
    if health.is_stale(moment):
        return Status.UNKNOWN, "no result for three intervals"
    status = Status(health.status)
    if provider is not None and status is Status.DISABLED:
        return Status.UNKNOWN, "just switched on, not checked yet"
    if status is Status.UNKNOWN and not health.reason:
        return status, "not checked yet"
    return status, health.reason


def _read_figures(window: str) -> dict[int, Summary]:
    return prepared.figures(window, current_time())


_board = Remembered(_read, READ_S, grace=GRACE_S)
_resources = Remembered(_read_resources, READ_S, grace=GRACE_S)


@cache
def _figures(window: str) -> Remembered[dict[int, Summary]]:
    return Remembered(lambda: _read_figures(window), FIGURES_S, grace=FIGURES_GRACE_S)


def quota_exhausted_at(
    provider: Provider,
    used_per_s: float,
    moment: datetime,
    known: Mapping[str, Standing] | None = None,
) -> datetime | None:
    """
    When the scarcest rate limit would be spent if asking went on like this: where more goes out
    than comes back. None when that does not happen.
    """
    found: list[float] = []
    keys = roster.current().keys_of(provider)[:1]
    for guard in (provider.guard, *(key.guard for key in keys)):
        standing = (known or {}).get(guard.name) or guard.standing()
        tokens = standing.tokens
        for window in guard.windows:
            narrowed = window.learned(tokens.get(window.name))
            level = narrowed.refill(tokens.get(window.name), moment.timestamp()).level
            net = used_per_s - narrowed.per_second
            if net > 0:
                found.append(max(0.0, level) / net)
    return moment + timedelta(seconds=min(found)) if found else None
