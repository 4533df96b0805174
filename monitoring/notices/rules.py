"""When a notice is sent again, reminded of, given up and left out. Pure."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitoring.notices.models import Event

FIRST_S, MOST_S = 30.0, 3600.0
WHILE_OURS_S = 120.0  # at most, while our own network is out: it may be back at any time
MOST_WAIT_S = 6 * 3600.0  # somebody who asks for more is asked again by then
GIVEN_UP_AFTER = timedelta(hours=24)
LEAST_ATTEMPTS = 8  # before a channel is given up: a worker that slept has not tried
TIMES_TOLD = 3  # a 404 may be the receiver's own accident
REMINDED_AFTER = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24))
REMINDED_EVERY = timedelta(hours=24)

# What tells that something goes on, which nobody needs to hear once it is over.
_PASSING = frozenset(
    [Event.OPENED, Event.REOPENED, Event.GREW, Event.FLAPPING, Event.REMINDER, Event.UPDATE]
)


def pause_s(attempts: int, asked_s: float | None = None, rng: random.Random | None = None) -> float:
    """
    Seconds until the next attempt, after so many: 30 s, doubling to an hour, a quarter more or
    less; never sooner than the receiver asked for.
    """
    rng = rng or random.Random()  # noqa: S311 (spreads attempts, guards no secret)
    base = min(MOST_S, FIRST_S * 2.0 ** min(max(attempts - 1, 0), 30))
    wanted = base * rng.uniform(0.75, 1.25)
    return max(wanted, min(asked_s, MOST_WAIT_S)) if asked_s is not None else wanted


def is_hopeless(
    failing_since: datetime | None, attempts: int, now: datetime, *, permanent: bool = False
) -> bool:
    """Has a channel failed for a day, and often; or been told three times that it is no good?"""
    if permanent and attempts >= TIMES_TOLD:
        return True
    if failing_since is None or attempts < LEAST_ATTEMPTS:
        return False
    return now - failing_since >= GIVEN_UP_AFTER


def reminders(told_at: datetime, now: datetime) -> int:
    """How many reminders are due by now of what was told then: after 1, 4 and 24 hours, daily."""
    open_for = now - told_at
    early = sum(open_for >= after for after in REMINDED_AFTER)
    if open_for <= REMINDED_AFTER[-1]:
        return early
    return early + (open_for - REMINDED_AFTER[-1]) // REMINDED_EVERY


@dataclass(frozen=True, slots=True)
class Waiting:
    """A notice that is due: of which subject ("incident 3"), and what it tells."""

    key: int
    subject: str
    event: str
    held: bool = False  # a maintenance window had put it off


@dataclass(frozen=True, slots=True)
class Sifted:
    send: tuple[int, ...]
    merged: tuple[int, ...]  # over before it was told
    silenced: tuple[int, ...]  # began and ended in a maintenance window


def sift(waiting: Sequence[Waiting], told: Iterable[str]) -> Sifted:
    """
    Which of what is due goes out, oldest first. `told`: subjects that this channel has heard of.
    What is over is told in one line; not at all when a maintenance window covered all of it.
    """
    heard = set(told)
    over = {item.subject for item in waiting if item.event == Event.RESOLVED}
    held = {item.subject for item in waiting if item.held}
    begun = {item.subject for item in waiting if item.event in _PASSING}
    spoken: set[str] = set()
    send: list[int] = []
    merged: list[int] = []
    silenced: list[int] = []
    for item in waiting:
        if item.subject in over and item.subject not in heard and item.subject in held:
            silenced.append(item.key)
        elif item.subject in over and item.event in _PASSING:
            merged.append(item.key)
        elif item.event == Event.RESOLVED and item.subject not in heard | begun:
            merged.append(item.key)  # it went where this was told of, and that was not here
        elif (item.event in _PASSING and item.event != Event.FLAPPING) and item.subject in spoken:
            merged.append(item.key)  # one line a subject: the line tells how it is now
        else:
            send.append(item.key)
            spoken.add(item.subject)
    return Sifted(tuple(send), tuple(merged), tuple(silenced))
