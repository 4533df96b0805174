"""
Who is best by what the checks say. Pure: routers of any kind go by it, the gateway's among them.

Two questions, two answers. `rank` chooses one to recommend: what is not well is never chosen while
anybody is. `put` merely orders whom a gateway asks one after the other: nobody is ever
left out, as checks may be wrong, or ask something else than a visitor does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from providers.standing import Status

CLEARLY = 0.8  # a challenger is chosen when it takes at most this share of the time

WELL = {Status.HEALTHY: 0, Status.DEGRADED: 1}
# When nobody is left: who may be well, and who at least answers.
NET = {Status.UNKNOWN: 2, Status.RATE_LIMITED: 3}
# Who probably cannot answer: asked when everybody else has failed.
ILL = frozenset([Status.DOWN, Status.MISCONFIGURED, Status.MAINTENANCE])


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    status: Status
    response_time_ms: float | None = None

    @property
    def tier(self) -> int:
        return (WELL | NET)[self.status]


def rank(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first, of those that may be chosen at all: healthy before degraded, faster first."""
    well = [item for item in candidates if item.status in WELL]
    eligible = well or [item for item in candidates if item.status in NET]
    slowest = float("inf")
    return sorted(
        eligible,
        key=lambda c: (
            c.tier,
            slowest if c.response_time_ms is None else c.response_time_ms,
            c.name,
        ),
    )


def prefer(ranked: Sequence[Candidate], incumbent: str | None) -> list[Candidate]:
    """The same, led by who led last time unless the best is clearly better."""
    last = next((item for item in ranked if item.name == incumbent), None)
    if last is None or not ranked or ranked[0].tier < last.tier or _is_clear(ranked[0], last):
        return list(ranked)
    return [last, *(item for item in ranked if item is not last)]


def _is_clear(best: Candidate, last: Candidate) -> bool:
    if best.response_time_ms is None:
        return False
    if last.response_time_ms is None:
        return True
    return best.response_time_ms <= CLEARLY * last.response_time_ms


class Put(IntEnum):
    """How far the checks put somebody back in the order of asking."""

    FIRST = 0
    BEHIND = 1  # those who are well
    LAST = 2


def put(status: Status) -> Put:
    """
    Where to ask somebody of this status. What is unknown, and what a guard knows better (a rate
    limit), is neither held against anybody nor in favour.
    """
    if status in ILL:
        return Put.LAST
    return Put.BEHIND if status is Status.DEGRADED else Put.FIRST
