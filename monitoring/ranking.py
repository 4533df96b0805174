"""
Whom to ask: the healthiest provider, for routers of any kind.

    choice = get_healthiest_provider(kind="data", dataset="market")
    choice.name, choice.reason, choice.alternatives

Healthy before degraded, faster first; whoever was chosen stays until another is clearly better, so
the choice does not flap. What is down, misconfigured, off or in maintenance is never chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring import readings
from monitoring.readings import Reading
from providers import roster
from providers.datasets import DATASETS
from providers.resilience import Cell
from providers.standing import Status

CLEARLY = 0.8  # a challenger is chosen when it takes at most this share of the time
ALTERNATIVES = 2
KEPT_S = 3600.0

_TIERS = {Status.HEALTHY: 0, Status.DEGRADED: 1}
# When nobody is left: who may be well, and who at least answers.
_NET = {Status.UNKNOWN: 2, Status.RATE_LIMITED: 3}


@dataclass(frozen=True, slots=True)
class Candidate:
    name: str
    status: Status
    response_time_ms: float | None = None

    @property
    def tier(self) -> int:
        return (_TIERS | _NET)[self.status]


@dataclass(frozen=True)
class Choice:
    """
    `name` is None when nobody can be asked; `reason` says why, in either case. `among` is how many
    there are of the kind that was asked for, however they are.
    """

    name: str | None
    reason: str
    alternatives: tuple[str, ...] = ()
    among: int = 0


def rank(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first, of those that may be chosen at all. Pure."""
    well = [item for item in candidates if item.status in _TIERS]
    eligible = well or [item for item in candidates if item.status in _NET]
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
    """The same, led by who led last time unless the best is clearly better. Pure."""
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


def get_healthiest_provider(kind: str = "data", dataset: str | None = None) -> Choice:
    """The provider to ask now, why, and up to two others; ValueError for an unknown dataset."""
    if dataset is not None and dataset not in DATASETS:
        raise ValueError(f"no dataset is called {dataset!r}")
    found = [
        item
        for item in readings.board().readings.values()
        if item.health.kind == kind and _offers(item, dataset)
    ]
    if not readings.board().readings and (waiting := len(roster.current().providers)):
        return Choice(None, "no checks yet", among=waiting)
    ranked = rank([Candidate(i.name, i.status, i.health.response_time_ms) for i in found])
    if not ranked:
        return Choice(None, _why_nobody(found), among=len(found))
    cell = Cell(f"ranking:{kind}:{dataset or ''}", ttl=KEPT_S)
    incumbent = cell.peek()
    led = prefer(ranked, incumbent)
    if led[0].name != incumbent:
        cell.update(lambda _: (led[0].name, None))
    names = tuple(item.name for item in led[1 : 1 + ALTERNATIVES])
    return Choice(led[0].name, _why(led[0]), names, len(found))


def _offers(item: Reading, dataset: str | None) -> bool:
    if dataset is None:
        return True
    if item.provider is None:
        return False
    return any(query.dataset.name == dataset for query in item.provider.adapter_class.offers)


def _why(chosen: Candidate) -> str:
    took = "" if chosen.response_time_ms is None else f", {chosen.response_time_ms:.0f} ms"
    if chosen.status in _TIERS:
        return f"{chosen.status}{took}"
    word = str(chosen.status).replace("_", " ")
    return f"nobody is known to be well: {word}{took}"


def _why_nobody(found: Sequence[Reading]) -> str:
    if not found:
        return "no such provider is in the catalogue"
    said = [
        f"{item.name} {str(item.status).replace('_', ' ')}" for item in found if item.is_watched
    ]
    return f"nobody can be asked: {', '.join(said[:10])}" if said else "all are switched off"
