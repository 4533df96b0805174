"""
What is used of a quota, when it ends at today's pace, and who steps back so that it lasts. Pure.

A window of an hour or more is a quota: once it is spent, somebody waits for long. A shorter one is
a rate, which comes back before anybody could be warned.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf

from providers.resilience import Window

QUOTA_S = 3600.0
WARNED, CALM = 0.8, 0.7  # warned from this share on, and again only after it was under that
STRAINED = 0.8  # a fifth is kept in hand: a pace is known only after it was kept
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Quota:
    """
    One window of one key or address, in the provider's own unit.

    `pace` is what is used a second nowadays. `resets_in_s` is when the provider says that all of
    it is back; None where it counts any `per_s` seconds, or does not tell.
    """

    limit: float
    per_s: float
    used: float
    pace: float = 0.0
    resets_in_s: float | None = None

    @property
    def left(self) -> float:
        return max(0.0, self.limit - self.used)

    @property
    def share(self) -> float:
        """What is used of it: 0 to 1, or more where others use the same key."""
        return self.used / self.limit

    @property
    def is_warned_of(self) -> bool:
        return self.per_s >= QUOTA_S and self.share >= WARNED

    @property
    def lasts_s(self) -> float:
        """How long what is left has to last."""
        return self.per_s if self.resets_in_s is None else self.resets_in_s

    @property
    def strain(self) -> float:
        """What would be used until there is more, as a share of what there is: 1 just lasts."""
        # What rolls gives back as it goes, so it bears its whole limit in its whole length.
        bears = self.limit if self.resets_in_s is None else self.left
        return self.pace * self.lasts_s / bears if bears else inf

    @property
    def ends_in_s(self) -> float | None:
        """Seconds until nothing is left at this pace; None when it lasts until there is more."""
        if not self.left:
            return 0.0
        return self.left / self.pace if self.strain > 1 else None


def pace_over_s(per_s: float) -> float:
    """Over how many seconds the pace is measured: the last day for months, an hour for days."""
    return min(DAY_S, max(QUOTA_S, per_s / 24))


# -- Who steps back ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Lane:
    """
    Calls of one kind. They step back once a quota would end early, or just about, and `after` of
    it is used; from then on they may use their `share` of what is left, evenly until there is more.
    """

    name: str
    after: float
    share: float  # those of all lanes are one


BACKGROUND = Lane("background", after=0.0, share=1 / 8)
REFRESHES = Lane("refreshes", after=0.5, share=3 / 8)
VISITORS = Lane("visitors", after=WARNED, share=1 / 2)
LANES = (BACKGROUND, REFRESHES, VISITORS)

# By the purpose of a call; what is not here (warming, lists, checks, plans) is background.
_LANE_OF: Mapping[str, Lane] = {"visitor": VISITORS, "refresh": REFRESHES}


def lane_of(purpose: str) -> Lane | None:
    """None for a test, which somebody wants to see now."""
    return None if purpose == "test" else _LANE_OF.get(purpose, BACKGROUND)


def spacing_s(quotas: Iterable[Quota], lane: Lane) -> float:
    """Seconds between calls of this lane for each unit they cost; 0 where none need wait."""
    spacing = 0.0
    for quota in quotas:
        early = quota.per_s >= QUOTA_S and quota.strain > STRAINED and quota.left > 0
        if early and quota.share >= lane.after:
            spacing = max(spacing, quota.lasts_s / (quota.left * lane.share))
    return spacing


def pacing(quotas: Iterable[Quota], purpose: str) -> tuple[Window, ...]:
    """The window that a call of this purpose must pass besides its guard's own, if any."""
    lane = lane_of(purpose)
    spacing = spacing_s(quotas, lane) if lane else 0.0
    return (Window(1, spacing, 1, lane=lane.name),) if lane and spacing else ()


# -- Plans -------------------------------------------------------------------------------------


def with_plan(ours: Sequence[Window], told: Mapping[float, float]) -> list[Window]:
    """
    The windows of a key whose plan is known: seconds -> limit, as its provider told.

    What was told replaces ours of the same length, larger or smaller. Ours that lie between two
    that were told are slices of our own making (a day's part of a month), and go; shorter or
    longer ones say something that was not told, and stay.
    """
    if not told:
        return list(ours)
    kept = [window for window in ours if not min(told) <= window.per_s <= max(told)]
    burst = {window.per_s: window for window in ours}
    new = [Window(limit, per_s, _burst(burst.get(per_s), limit)) for per_s, limit in told.items()]
    return sorted([*kept, *new], key=lambda window: window.per_s)


def _burst(ours: Window | None, limit: float) -> float:
    """What may go out at once: in proportion, where somebody chose it."""
    if ours is None or not ours.burst:
        return 0.0
    return min(limit, max(1.0, ours.burst * limit / ours.limit))
