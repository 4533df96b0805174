"""
When an incident opens, grows, opens again and closes. Pure.

    down ---------------> in the open incident that began a moment ago, or in the one of it that
                          ended a moment ago, or in a new one with all others that fail now
    up for five minutes -> closed; after having been down three times in an hour: for half an hour

What is unknown neither opens nor closes anything: nobody saw it work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.severities import ORDER, Severity, gravest
from providers.standing import Status


@dataclass(frozen=True, slots=True)
class Policy:
    together: timedelta = timedelta(minutes=5)  # what fails within it is one incident
    close_after: timedelta = timedelta(minutes=5)  # of being well
    calm_after: timedelta = timedelta(minutes=30)  # of being well, for what flaps
    reopen_within: timedelta = timedelta(minutes=30)
    flapping_downs: int = 3
    flap_window: timedelta = timedelta(hours=1)
    poor_after: timedelta = timedelta(minutes=30)  # being degraded is an incident by then
    ours_share: float = 0.5  # of what is watched, down together: rather our own trouble
    ours_least: int = 4
    major_share: float = 0.1


POLICY = Policy()


@dataclass(frozen=True, slots=True)
class Seen:
    """One endpoint now. `downs`: how often it went down within the flap window."""

    key: int
    name: str
    status: Status
    since: datetime
    downs: int = 0
    excused: bool = False  # paused, switched off or in maintenance


@dataclass(frozen=True, slots=True)
class Known:
    """An incident that opened by itself, as it stands."""

    key: int
    began_at: datetime
    members: frozenset[int]
    severity: str = Severity.MINOR.value
    ended_at: datetime | None = None
    flapping: bool = False
    of_ours: bool = False


@dataclass(frozen=True, slots=True)
class Open:
    members: tuple[int, ...]
    severity: str
    of_ours: bool = False


@dataclass(frozen=True, slots=True)
class Grow:
    """More endpoints, or a graver state of those in it."""

    incident: int
    members: tuple[int, ...]
    severity: str
    of_ours: bool = False


@dataclass(frozen=True, slots=True)
class Reopen:
    incident: int
    members: tuple[int, ...]
    severity: str


@dataclass(frozen=True, slots=True)
class Flap:
    incident: int


@dataclass(frozen=True, slots=True)
class Close:
    incident: int


Step = Open | Grow | Reopen | Flap | Close


def is_ill(item: Seen, now: datetime, policy: Policy = POLICY) -> bool:
    if item.excused:
        return False
    if item.status is Status.DOWN:
        return True
    return item.status is Status.DEGRADED and now - item.since >= policy.poor_after


def plan(
    seen: Sequence[Seen], known: Sequence[Known], now: datetime, policy: Policy = POLICY
) -> list[Step]:
    """What is to be done; nothing, when it is asked again at the same moment after doing it."""
    ill = [item for item in seen if is_ill(item, now, policy)]
    ours = _of_ours(seen, ill, policy)
    steps = [
        step
        for incident in known
        if incident.ended_at is None
        for step in _of_open(incident, seen, now, policy)
    ]
    taken = {key for incident in known if incident.ended_at is None for key in incident.members}
    fresh = [item for item in ill if item.key not in taken]
    back = _again(fresh, known, seen, now, policy)
    fresh = [item for item in fresh if not any(item.key in step.members for step in back)]
    return [*steps, *back, *_placed(fresh, known, seen, ours, now, policy)]


# -- What is new -------------------------------------------------------------------------------


def _again(
    fresh: Sequence[Seen],
    known: Sequence[Known],
    seen: Sequence[Seen],
    now: datetime,
    policy: Policy,
) -> list[Reopen]:
    """Those whose incident ended a moment ago: it goes on."""
    found: dict[int, list[Seen]] = {}
    ended = sorted(
        (row for row in known if row.ended_at and now - row.ended_at <= policy.reopen_within),
        key=lambda row: (row.ended_at or now, row.key),
        reverse=True,
    )
    for item in fresh:
        old = next((row for row in ended if item.key in row.members), None)
        if old is not None:
            found.setdefault(old.key, []).append(item)
    return [
        Reopen(key, tuple(item.key for item in items), severity(items, seen, policy))
        for key, items in found.items()
    ]


def _placed(
    fresh: Sequence[Seen],
    known: Sequence[Known],
    seen: Sequence[Seen],
    ours: bool,
    now: datetime,
    policy: Policy,
) -> Iterator[Step]:
    if not fresh:
        return
    keys = tuple(item.key for item in fresh)
    young = [row for row in known if row.ended_at is None and now - row.began_at <= policy.together]
    if not young:
        yield Open(keys, severity(fresh, seen, policy), ours)
        return
    latest = max(young, key=lambda row: (row.began_at, row.key))
    inside = [item for item in seen if item.key in latest.members or item.key in keys]
    worst = gravest(latest.severity, severity(inside, seen, policy))
    yield Grow(latest.key, keys, worst, latest.of_ours or ours)


def _of_ours(seen: Sequence[Seen], ill: Sequence[Seen], policy: Policy) -> bool:
    """Did most of what is watched go down within one span?"""
    watched = sum(not item.excused for item in seen)
    down = sorted(item.since for item in ill if item.status is Status.DOWN)
    least = max(policy.ours_least, policy.ours_share * watched)
    # Sorted, so whoever fell together stands together.
    return any(
        sum(first <= other <= first + policy.together for other in down) >= least for first in down
    )


def severity(items: Iterable[Seen], seen: Sequence[Seen], policy: Policy = POLICY) -> str:
    """Critical when half (and two) or all of what is watched is down, major from a tenth."""
    watched = sum(not item.excused for item in seen)
    down = sum(item.status is Status.DOWN and not item.excused for item in items)
    if down and down >= min(watched, max(2, policy.ours_share * watched)):
        return Severity.CRITICAL.value
    if down >= max(2, policy.major_share * watched):
        return Severity.MAJOR.value
    return Severity.MINOR.value


# -- What is open ------------------------------------------------------------------------------


def _of_open(
    incident: Known, seen: Sequence[Seen], now: datetime, policy: Policy
) -> Iterator[Step]:
    mine = [item for item in seen if item.key in incident.members]
    flaps = incident.flapping or any(item.downs >= policy.flapping_downs for item in mine)
    if flaps and not incident.flapping:
        yield Flap(incident.key)
    calm = policy.calm_after if flaps else policy.close_after
    if all(_is_well(item, now, calm, policy) for item in mine):
        yield Close(incident.key)
        return
    worst = severity(mine, seen, policy)
    if ORDER.index(worst) > ORDER.index(incident.severity):
        yield Grow(incident.key, (), worst, incident.of_ours)


def _is_well(item: Seen, now: datetime, calm: timedelta, policy: Policy) -> bool:
    if item.excused:
        return True
    if item.status in (Status.UNKNOWN, Status.DOWN) or is_ill(item, now, policy):
        return False
    return now - item.since >= calm
