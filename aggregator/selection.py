"""
Whom to ask first. Pure: candidates in, order out; chance is what the turn makes of it.

Whatever the strategy, a provider that would refuse without a call (its circuit is open) comes
last, and before it who is down or misconfigured by the checks, then who is about to run out of
tokens, then who is degraded: each is passed over before it is hit, and still asked when nobody else
is left. A strategy orders those who are equally well.

docs/strategies.md says when to use which.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from math import inf, log
from random import Random
from statistics import median

from aggregator import adaptive
from providers.healthiest import Put, put
from providers.lately import Lately
from providers.standing import Status

CURIOUS_EVERY = 20  # turns: who goes by what was measured must measure those it never asks
RESERVE = 0.1  # the share of a rate budget that is kept for when nobody else can answer


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    priority: int = 50
    failures: int = 0  # consecutive
    latency_s: float | None = None  # None: never asked
    resting: bool = False
    tokens_left: float | None = None  # share of the scarcest window; None: no windows
    weight: int = 1
    cost: float | None = None  # US dollars a call; None: unknown
    lately: Lately | None = None  # with this dataset, as it weighs now; None: never asked
    status: Status = Status.UNKNOWN  # by the checks

    @property
    def speed_s(self) -> float | None:
        """Lately and with this dataset, or else over the day and with all; None: never asked."""
        known = self.lately.latency_s if self.lately else None
        return self.latency_s if known is None else known

    @property
    def data_age_s(self) -> float | None:
        return self.lately.data_age_s if self.lately else None


Ranking = Callable[[Sequence[Candidate], int], list[Candidate]]


def by_priority(candidates: Sequence[Candidate], turn: int = 0) -> list[Candidate]:
    """
    Highest priority first, then fewest consecutive failures, then fastest. An untried one counts
    as fast as the median of its equals, so it is neither first nor last by accident.
    """
    latency = _with_medians(
        candidates, lambda c: c.latency_s, among=lambda c: (c.priority, c.failures)
    )
    return sorted(candidates, key=lambda c: (-c.priority, c.failures, latency[c.name], c.name))


def in_turn(candidates: Sequence[Candidate], turn: int) -> list[Candidate]:
    """Each leads in its turn; the others follow in the same circle."""
    circle = sorted(candidates, key=lambda candidate: candidate.name)
    start = turn % len(circle) if circle else 0
    return circle[start:] + circle[:start]


def by_weight(candidates: Sequence[Candidate], turn: int) -> list[Candidate]:
    """
    Each leads as often as its share of all weights; the others follow as drawn from those left.
    Each draws a time, a heavier one a shorter: with equal luck more weight never comes later.
    """
    chance = Random(turn)  # noqa: S311 (a choice, not a secret)
    luck = {c.name: -log(1 - chance.random()) for c in sorted(candidates, key=lambda c: c.name)}
    return _ordered(candidates, lambda c: luck[c.name] / c.weight if c.weight else inf)


def by_speed(candidates: Sequence[Candidate], turn: int = 0) -> list[Candidate]:
    """Whose answers took least lately, whatever its priority; an untried one as the median."""
    speed = _with_medians(candidates, lambda c: c.speed_s)
    return _curious(_ordered(candidates, lambda c: speed[c.name]), turn)


def by_freshness(candidates: Sequence[Candidate], turn: int = 0) -> list[Candidate]:
    """Whose newest row was youngest on arrival; who does not say how old, as the median."""
    age = _with_medians(candidates, lambda c: c.data_age_s)
    return _curious(_ordered(candidates, lambda c: age[c.name]), turn)


def by_cost(candidates: Sequence[Candidate], turn: int = 0) -> list[Candidate]:
    """The lowest cost a call; one that nobody knows may be any, so it comes after all known."""
    return _ordered(candidates, lambda c: inf if c.cost is None else c.cost)


def by_experience(candidates: Sequence[Candidate], turn: int) -> list[Candidate]:
    """Who probably answers soonest, with a doubt that shrinks as it is asked: see `adaptive`."""
    known = {c.name: c.lately for c in candidates}
    seconds = adaptive.draw(known, Random(turn))  # noqa: S311 (a choice, not a secret)
    return _ordered(candidates, lambda c: seconds[c.name])


STRATEGIES: dict[str, Ranking] = {
    "priority": by_priority,
    "round_robin": in_turn,
    "weighted": by_weight,
    "fastest": by_speed,
    "freshest": by_freshness,
    "cheapest": by_cost,
    "adaptive": by_experience,
}


def rank(strategy: str, candidates: Iterable[Candidate], turn: int = 0) -> list[Candidate]:
    """All candidates, best first."""
    ranked = STRATEGIES[strategy](list(candidates), turn)
    return sorted(ranked, key=_hindrance)


def _hindrance(candidate: Candidate) -> tuple[bool, bool, bool, bool]:
    """What puts it behind others whatever the strategy, the worst first."""
    return (
        candidate.resting,
        put(candidate.status) is Put.LAST,
        is_running_out(candidate),
        put(candidate.status) is Put.BEHIND,
    )


def is_running_out(candidate: Candidate) -> bool:
    return candidate.tokens_left is not None and candidate.tokens_left < RESERVE


def _ordered(
    candidates: Sequence[Candidate], value: Callable[[Candidate], float]
) -> list[Candidate]:
    """The lowest value first; among equals as by priority."""
    return sorted(by_priority(candidates), key=value)


def _curious(ranked: list[Candidate], turn: int) -> list[Candidate]:
    """In one of so many turns, first somebody who was not asked lately, if there is anybody."""
    unknown = sorted(
        c.name
        for c in ranked
        if not (any(_hindrance(c)) or (c.lately and c.lately.success_rate is not None))
    )
    nth, due = divmod(turn + 1, CURIOUS_EVERY)
    if due or not unknown:
        return ranked
    chosen = unknown[nth % len(unknown)]
    return sorted(ranked, key=lambda c: c.name != chosen)


def _with_medians(
    candidates: Sequence[Candidate],
    value: Callable[[Candidate], float | None],
    among: Callable[[Candidate], Hashable] = lambda candidate: None,
) -> dict[str, float]:
    """The value of each by name; the median of its equals where it has none, 0 where none has."""
    known: defaultdict[Hashable, list[float]] = defaultdict(list)
    values = [(candidate, value(candidate)) for candidate in candidates]
    for candidate, found in values:
        if found is not None:
            known[among(candidate)].append(found)
    usual = {equals: median(found) for equals, found in known.items()}
    return {
        candidate.name: usual.get(among(candidate), 0.0) if found is None else found
        for candidate, found in values
    }
