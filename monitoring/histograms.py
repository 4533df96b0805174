"""
Response times as counts in buckets that grow by a tenth: histograms of two spans add up to that of
both, and any percentile comes out within 5 %. https://arxiv.org/abs/1908.10693 (DDSketch). Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import ceil, log

GROWTH = 1.1  # of one bucket to the next
LEAST_MS = 0.01  # what is faster counts as this
_LOG = log(GROWTH)


def bucket(ms: float) -> int:
    """The bucket i holds what is above GROWTH ** (i - 1) and up to GROWTH ** i."""
    return ceil(log(max(ms, LEAST_MS)) / _LOG)


def middle(index: int) -> float:
    """What stands for all of a bucket: the value that is off by the least share at either end."""
    return float(2 * GROWTH**index / (GROWTH + 1))


@dataclass
class Summary:
    """What the results of a span add up to. Times in ms; None where nothing was measured."""

    ok: int = 0
    fault: int = 0
    limited: int = 0
    other: int = 0
    answers: int = 0
    sum_ms: float = 0.0
    min_ms: float | None = None
    max_ms: float | None = None
    histogram: dict[int, int] = field(default_factory=dict)

    def count(self, kind: str, ms: float | None) -> None:
        """One result: `kind` is the name of one of the four counts."""
        setattr(self, kind, getattr(self, kind) + 1)
        if ms is not None:
            self.answers += 1
            self.sum_ms += ms
            self.min_ms = ms if self.min_ms is None else min(ms, self.min_ms)
            self.max_ms = ms if self.max_ms is None else max(ms, self.max_ms)
            index = bucket(ms)
            self.histogram[index] = self.histogram.get(index, 0) + 1

    def merge(self, other: Summary) -> None:
        for name in ("ok", "fault", "limited", "other", "answers", "sum_ms"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.min_ms = min(_there(self.min_ms, other.min_ms), default=None)
        self.max_ms = max(_there(self.max_ms, other.max_ms), default=None)
        for index, number in other.histogram.items():
            self.histogram[index] = self.histogram.get(index, 0) + number

    @property
    def checks(self) -> int:
        return self.ok + self.fault + self.limited + self.other

    @property
    def uptime_percent(self) -> float | None:
        """Of ok and fault alone: a 429 is not downtime, and neither is a failure of our own."""
        counted = self.ok + self.fault
        return round(100 * self.ok / counted, 3) if counted else None

    @property
    def avg_ms(self) -> float | None:
        return self.sum_ms / self.answers if self.answers else None

    def percentile(self, share: float) -> float | None:
        """Nearest rank, within 5 %, and never outside of what was measured."""
        if self.min_ms is None or self.max_ms is None:
            return None
        left = max(1, ceil(self.answers * share))
        for index in sorted(self.histogram):
            left -= self.histogram[index]
            if left <= 0:
                return min(max(middle(index), self.min_ms), self.max_ms)
        return self.max_ms


def _there(*values: float | None) -> Iterable[float]:
    return [value for value in values if value is not None]


def from_json(stored: Mapping[str, int]) -> dict[int, int]:
    """A histogram as a database keeps it: names of JSON are texts."""
    return {int(index): number for index, number in stored.items()}
