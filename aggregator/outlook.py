"""
Who would be asked next for a dataset, and why: under its own strategy, and under each other one.
Looks only: nobody's turn is used up by it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aggregator import adaptive, asking
from aggregator.selection import Candidate, is_running_out, rank
from providers import roster
from providers.datasets import Dataset
from providers.healthiest import Put, put
from providers.models import Strategy
from providers.resilience import standings
from providers.wording import STRATEGY_EFFECTS, span

TURNS = 100


class Prospect(NamedTuple):
    """One provider, as a strategy sees it now."""

    name: str
    leads_percent: float  # of the questions that come next
    why: str


@dataclass(frozen=True)
class Outlook:
    """One strategy and the order it would ask in, best first."""

    strategy: Strategy
    chosen: bool
    effect: str
    prospects: Sequence[Prospect]

    @property
    def title(self) -> str:
        return self.strategy.label.partition(":")[0]


def outlooks(dataset: Dataset) -> list[Outlook]:
    """Of every strategy; the one that the dataset's policy has chosen comes first."""
    catalogue = roster.current()
    policy = catalogue.policies.get(dataset.name)
    chosen = policy.strategy if policy else Strategy.PRIORITY
    rows = {row.slug: row for row in catalogue.offering(dataset)}
    found = asking.judged(dataset, rows, standings(rows))
    seen = [
        Outlook(name, name == chosen, STRATEGY_EFFECTS[name], prospects(name, found))
        for name in Strategy
    ]
    return sorted(seen, key=lambda outlook: not outlook.chosen)


# -- Pure ------------------------------------------------------------------------------------


def prospects(strategy: str, found: Sequence[Candidate]) -> list[Prospect]:
    """Every candidate, in the order of its mean place over the turns that come."""
    leads: Counter[str] = Counter()
    places: defaultdict[str, int] = defaultdict(int)
    for turn in range(TURNS if found else 0):
        ranked = rank(strategy, found, turn)
        leads[ranked[0].name] += 1
        for place, candidate in enumerate(ranked):
            places[candidate.name] += place
    why = _reasons(strategy, found)
    return [
        Prospect(c.name, 100 * leads[c.name] / TURNS, why[c.name] + _hindrance(c))
        for c in sorted(found, key=lambda c: (places[c.name], c.name))
    ]


def _reasons(strategy: str, found: Sequence[Candidate]) -> dict[str, str]:
    """Why each stands where it stands, by name."""
    if strategy == Strategy.ADAPTIVE:
        usual = adaptive.typical_s({c.name: c.lately for c in found})
        return {c.name: _experience(c, usual) for c in found}
    if strategy == Strategy.WEIGHTED:
        total = sum(c.weight for c in found)
        return {c.name: f"weight {c.weight} of {total}" for c in found}
    if strategy == Strategy.ROUND_ROBIN:
        return {c.name: f"one of {len(found)} in the circle" for c in found}
    return {c.name: _OF_ITSELF[strategy](c) for c in found}


def _priority(candidate: Candidate) -> str:
    took = "not asked for a day" if candidate.latency_s is None else _ms(candidate.latency_s)
    failures = f"{candidate.failures} failures in a row, " if candidate.failures else ""
    return f"priority {candidate.priority}, {failures}{took}"


def _speed(candidate: Candidate) -> str:
    if candidate.speed_s is None:
        return "not asked for a day: counts as the median"
    lately = candidate.lately and candidate.lately.latency_s is not None
    return f"{_ms(candidate.speed_s)} {'lately' if lately else 'over the day, with all datasets'}"


def _freshness(candidate: Candidate) -> str:
    if candidate.data_age_s is None:
        return "nobody knows how old its data is: counts as the median"
    return f"its newest row was {span(candidate.data_age_s)} old on arrival"


def _cost(candidate: Candidate) -> str:
    if candidate.cost is None:
        return "nobody entered what a call costs: counts as dearest"
    return f"{candidate.cost:.10f}".rstrip("0").rstrip(".") + " US dollars a call"


_OF_ITSELF: Mapping[str, Callable[[Candidate], str]] = {
    Strategy.PRIORITY: _priority,
    Strategy.FASTEST: _speed,
    Strategy.FRESHEST: _freshness,
    Strategy.CHEAPEST: _cost,
}


def _experience(candidate: Candidate, usual: float) -> str:
    lately = candidate.lately
    expected = _ms(adaptive.expected(lately, usual))
    share = lately.success_rate if lately else None
    if lately is None or share is None:
        return f"not asked lately: {expected} until an answer is a guess"
    weigh = f"which weigh as much as {lately.good + lately.bad:.1f}"
    return f"{expected} until an answer: {100 * share:.0f} % of recent calls answered, {weigh}"


def _hindrance(candidate: Candidate) -> str:
    if candidate.resting:
        return "; rests, so it comes last"
    if put(candidate.status):
        place = "late" if put(candidate.status) is Put.BEHIND else "last"
        return f"; {candidate.status} by the checks, so it comes {place}"
    return "; saves the last of its budget, so it comes late" if is_running_out(candidate) else ""


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"
