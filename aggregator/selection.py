"""
Whom to ask first. Pure: candidates in, order out.

Whatever the strategy, a provider that would refuse without a call (its circuit is open) comes
last, and one that is about to run out of tokens comes after those that are not: it is passed over
before it is hit, and still asked when nobody else is left.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

RESERVE = 0.1  # the share of a rate budget that is kept for when nobody else can answer


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    priority: int = 50
    failures: int = 0  # consecutive
    latency_s: float | None = None  # None: never asked
    resting: bool = False
    tokens_left: float | None = None  # share of the scarcest window; None: no windows


Ranking = Callable[[Sequence[Candidate], int], list[Candidate]]


def by_priority(candidates: Sequence[Candidate], turn: int = 0) -> list[Candidate]:
    """
    Highest priority first, then fewest consecutive failures, then fastest. An untried one counts
    as fast as the median of its equals, so it is neither first nor last by accident.
    """
    tried: defaultdict[tuple[int, int], list[float]] = defaultdict(list)
    for candidate in candidates:
        if candidate.latency_s is not None:
            tried[candidate.priority, candidate.failures].append(candidate.latency_s)
    usual = {equals: median(seconds) for equals, seconds in tried.items()}

    def order(candidate: Candidate) -> tuple[int, int, float, str]:
        latency = candidate.latency_s
        if latency is None:
            latency = usual.get((candidate.priority, candidate.failures), 0.0)
        return (-candidate.priority, candidate.failures, latency, candidate.name)

    return sorted(candidates, key=order)


def in_turn(candidates: Sequence[Candidate], turn: int) -> list[Candidate]:
    """Each leads in its turn; the others follow in the same circle."""
    circle = sorted(candidates, key=lambda candidate: candidate.name)
    start = turn % len(circle) if circle else 0
    return circle[start:] + circle[:start]


STRATEGIES: dict[str, Ranking] = {"priority": by_priority, "round_robin": in_turn}


def rank(strategy: str, candidates: Iterable[Candidate], turn: int = 0) -> list[Candidate]:
    """All candidates, best first."""
    ranked = STRATEGIES[strategy](list(candidates), turn)
    return sorted(ranked, key=lambda c: (c.resting, is_running_out(c)))


def is_running_out(candidate: Candidate) -> bool:
    return candidate.tokens_left is not None and candidate.tokens_left < RESERVE
