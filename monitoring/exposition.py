"""
Metrics as Prometheus reads them: its text format, version 0.0.4. Pure.
https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format

By hand, and not by prometheus_client: that counts within a process, and adds processes up through
files of one machine. What we tell comes from rows and cells that all processes share.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isinf, isnan

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass
class Family:
    """One metric: `kind` is counter, gauge or histogram."""

    name: str
    kind: str
    help: str
    lines: list[str] = field(default_factory=list)

    def add(self, value: float | None, **labels: str) -> None:
        """One sample; none where nothing was measured."""
        if value is not None:
            self._add(self.name, labels, value)

    def states(self, current: str, every: Iterable[str], name: str, **labels: str) -> None:
        """A sample for each state, 1 for the current one."""
        for state in every:
            self.add(float(state == current), **labels, **{name: state})

    def distribution(
        self, bounds: Sequence[float], counts: Sequence[float], total: float, **labels: str
    ) -> None:
        """A histogram; `counts` are of each stretch up to a bound, and one beyond the last."""
        seen = 0.0
        for bound, count in zip([*bounds, inf], counts, strict=True):
            seen += count
            self._add(f"{self.name}_bucket", {**labels, "le": number(bound)}, seen)
        self._add(f"{self.name}_sum", labels, total)
        self._add(f"{self.name}_count", labels, seen)

    def _add(self, name: str, labels: Mapping[str, str], value: float) -> None:
        told = ",".join(f'{label}="{escaped(text)}"' for label, text in labels.items())
        self.lines.append(
            f"{name}{{{told}}} {number(value)}" if told else f"{name} {number(value)}"
        )


def number(value: float) -> str:
    if isnan(value):
        return "NaN"
    if isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) else repr(float(value))


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def page(families: Iterable[Family]) -> str:
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {family.kind}"
    yield from family.lines
