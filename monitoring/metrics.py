"""
What alert rules can measure, by name. An app registers a function; a rule names it.

    @metrics.metric("classification_confidence", "Mean confidence of the classifier", unit="%")
    def confidence(moment: datetime) -> metrics.Figures:
        return {"": 82.5}  # "" is the whole; a name is one endpoint; None: nothing was measured

A rule whose metric nobody has registered says so, and measures nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from math import inf

Figures = Mapping[str, float | None]
Measure = Callable[[datetime], Figures]


@dataclass(frozen=True)
class Metric:
    """
    `scoped`: its figures are of endpoints by name, not of the whole; or of its own `scopes`.
    `predictive`: it tells what will be and not what is, and an alert says so. `flag`: it is 1 or 0,
    so or not so. `remark` says more of a scope, when an alert of it opens.
    """

    name: str
    title: str
    unit: str
    measure: Measure
    scoped: bool = False
    predictive: bool = False
    flag: bool = False
    scopes: tuple[str, ...] = ()
    remark: Callable[[str], str] | None = None

    def spell(self, value: float) -> str:
        if self.flag:
            return "yes" if value else "no"
        if value == inf:
            return "no end in sight"
        number = f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
        return f"{number} {self.unit}".strip()


_known: dict[str, Metric] = {}


def metric(
    name: str,
    title: str,
    *,
    unit: str = "",
    scoped: bool = False,
    predictive: bool = False,
    flag: bool = False,
    scopes: tuple[str, ...] = (),
    remark: Callable[[str], str] | None = None,
) -> Callable[[Measure], Measure]:
    """Register what is decorated; ValueError when the name is taken by something else."""

    def register(measure: Measure) -> Measure:
        known = _known.get(name)
        if known is not None and known.measure.__qualname__ != measure.__qualname__:
            raise ValueError(f"a metric is called {name!r} already")
        found = Metric(name, title, unit, measure, scoped, predictive, flag, scopes, remark)
        _known[name] = found
        return measure

    return register


def get(name: str) -> Metric | None:
    return _known.get(name)


def known() -> list[Metric]:
    return sorted(_known.values(), key=lambda item: item.title)


def forget(name: str) -> None:
    """For tests."""
    _known.pop(name, None)
