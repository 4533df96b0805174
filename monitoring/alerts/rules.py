"""
From a figure to an alert: above or below a threshold for long enough, and over when it is back on
the right side of a second threshold for long enough. Pure.

Nothing measured is no proof of anything: it raises nothing, and it ends nothing for an hour.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

# Looks that are further apart than this do not say what was between them.
MOST_GAP = timedelta(minutes=5)
LOST_AFTER = timedelta(hours=1)  # an alert on what is measured no more is over by then
SLACK = 0.1  # without a second threshold: over at nine tenths of the way


class Change(StrEnum):
    OPENED = "opened"
    CLOSED = "closed"
    LOST = "lost"  # closed, as it is measured no more


@dataclass(frozen=True, slots=True)
class Rule:
    threshold: float
    above: bool = True
    clear_at: float | None = None
    for_s: float = 0.0
    clear_for_s: float = 120.0

    @property
    def clear(self) -> float:
        if self.clear_at is not None:
            return self.clear_at
        step = SLACK * abs(self.threshold)
        return self.threshold - step if self.above else self.threshold + step

    def is_over(self, value: float) -> bool:
        return value > self.threshold if self.above else value < self.threshold

    def is_calm(self, value: float) -> bool:
        if self.is_over(value):  # whatever was typed as the second threshold
            return False
        return value <= self.clear if self.above else value >= self.clear

    def worse(self, one: float, other: float) -> float:
        return max(one, other) if self.above else min(one, other)


@dataclass(frozen=True, slots=True)
class State:
    firing: bool = False
    at: datetime | None = None  # of the last figure
    over_since: datetime | None = None
    calm_since: datetime | None = None


def step(
    state: State, value: float | None, now: datetime, rule: Rule
) -> tuple[State, Change | None]:
    """The state after one more look, and what changed by it."""
    if value is None:
        return _unmeasured(state, now)
    gap = state.at is not None and now - state.at > MOST_GAP
    over_since = None if gap else state.over_since
    calm_since = None if gap else state.calm_since
    over_since = (over_since or now) if rule.is_over(value) else None
    calm_since = (calm_since or now) if rule.is_calm(value) else None
    after = State(state.firing, now, over_since, calm_since)
    if not state.firing and over_since and now - over_since >= timedelta(seconds=rule.for_s):
        return replace(after, firing=True), Change.OPENED
    if state.firing and calm_since and now - calm_since >= timedelta(seconds=rule.clear_for_s):
        return replace(after, firing=False), Change.CLOSED
    return after, None


def _unmeasured(state: State, now: datetime) -> tuple[State, Change | None]:
    if not state.firing:
        return State(at=state.at), None
    if state.at is not None and now - state.at < LOST_AFTER:
        return replace(state, over_since=None, calm_since=None), None
    return State(at=state.at), Change.LOST
