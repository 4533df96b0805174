"""
How providers did lately, for each dataset by itself: sums over calls that fade. Pure.

A call counts half after `HALF_LIFE_S`, a quarter after twice that, and so on: what happened this
minute outweighs the morning, and who was not asked for long is slowly unknown again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

HALF_LIFE_S = 300.0
FORGOTTEN = 0.05  # of a call: with less than this left, nothing is known any more

# Outcomes that say nothing of what it is worth to ask: it knew no such symbol, our key was at
# fault, or we called it off. A 429 is not among them: it is no downtime, and still no answer.
SILENT = frozenset(
    {"missing", "unserved", "bad_key", "cancelled", "rejected", "declined", "model_gone"}
)


class Told(NamedTuple):
    """What one call tells. `at` in seconds since the epoch; `age_s` None when it was not dated."""

    at: float
    outcome: str
    seconds: float
    age_s: float | None = None


@dataclass(frozen=True, slots=True)
class Lately:
    """Sums over the calls of one provider and dataset, as they weigh at `at`."""

    at: float
    good: float = 0.0  # calls that answered
    bad: float = 0.0
    seconds: float = 0.0  # that all of them took
    good_s: float = 0.0  # that the good ones took
    dated: float = 0.0  # calls whose newest row said of when it is
    age_s: float = 0.0  # of those rows, added up

    def faded(self, now: float) -> Lately:
        """The same calls as they weigh at `now`; an earlier `now` makes them no heavier."""
        if now <= self.at:
            return self
        left = _left(now - self.at)
        return Lately(
            now,
            self.good * left,
            self.bad * left,
            self.seconds * left,
            self.good_s * left,
            self.dated * left,
            self.age_s * left,
        )

    def heard(self, told: Told) -> Lately:
        """With one more call. In which order calls are told does not matter."""
        if told.outcome in SILENT:
            return self
        known = self.faded(told.at)
        weight = _left(known.at - told.at)
        good = weight if told.outcome == "ok" else 0.0
        dated = good if told.age_s is not None else 0.0
        return Lately(
            known.at,
            known.good + good,
            known.bad + weight - good,
            known.seconds + weight * told.seconds,
            known.good_s + good * told.seconds,
            known.dated + dated,
            known.age_s + dated * (told.age_s or 0.0),
        )

    @property
    def latency_s(self) -> float | None:
        """How long an answer takes; None when nobody knows."""
        return _mean(self.good_s, self.good)

    @property
    def data_age_s(self) -> float | None:
        """How old its newest row is when it answers; None when it does not say, or nobody knows."""
        return _mean(self.age_s, self.dated)

    @property
    def success_rate(self) -> float | None:
        """0 to 1; None when nobody knows."""
        return _mean(self.good, self.good + self.bad)


@dataclass(frozen=True)
class Book:
    """Of every provider (by its primary key) and dataset; `last` is the last call read."""

    last: int = 0
    pages: Mapping[tuple[int, str], Lately] = field(default_factory=dict)

    def of(self, provider: int, dataset: str, now: float) -> Lately | None:
        """None where nothing was ever told."""
        page = self.pages.get((provider, dataset))
        return page and page.faded(now)

    def read(self, calls: Iterable[tuple[int, int, str, Told]]) -> Book:
        """With further calls: (primary key, provider, dataset, what it tells)."""
        last, pages = self.last, dict(self.pages)
        for number, provider, dataset, told in calls:
            known = pages.get((provider, dataset)) or Lately(told.at)
            pages[provider, dataset] = known.heard(told)
            last = max(last, number)
        return Book(last, pages)


def _mean(total: float, calls: float) -> float | None:
    """To a millionth, as sums that faded differently are never quite equal; None: forgotten."""
    return round(total / calls, 6) if calls > FORGOTTEN else None


def _left(seconds: float) -> float:
    """Of the weight of a call, after so long."""
    return float(0.5 ** (max(0.0, seconds) / HALF_LIFE_S))
