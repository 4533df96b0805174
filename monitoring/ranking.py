"""
Whom to ask: the healthiest provider, for routers of any kind.

    choice = get_healthiest_provider(kind="data", dataset="market")
    choice.name, choice.reason, choice.alternatives

Healthy before degraded, faster first; whoever was chosen stays until another is clearly better, so
the choice does not flap. What is down, misconfigured, off or in maintenance is never chosen.
The rules themselves are `providers.healthiest`, by which the gateway orders whom it asks, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from monitoring import readings
from monitoring.readings import Reading
from providers import roster
from providers.datasets import DATASETS
from providers.health import Kind
from providers.healthiest import WELL, Candidate, prefer, rank
from providers.resilience import Cell

__all__ = ["Candidate", "Choice", "get_healthiest_provider", "prefer", "rank"]

ALTERNATIVES = 2
KEPT_S = 3600.0


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


def get_healthiest_provider(kind: str = "data", dataset: str | None = None) -> Choice:
    """The provider to ask now, why, and up to two others; ValueError for unknown words."""
    if kind not in Kind.values:
        raise ValueError(f"no kind is called {kind!r}: one of {', '.join(Kind.values)}")
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
    if chosen.status in WELL:
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
