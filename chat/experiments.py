"""
Comparing two models on visitors: who gets which, when a guard rail ends it, and who won.

A conversation is the unit: it meets one arm and stays with it. Rates are of questions, but their
spread is taken between conversations, as questions of one person resemble each other. The verdict
is given once, at a fixed horizon; only guard rails look before, and they ask for more certainty
as they look often. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Literal

Arm = Literal["champion", "challenger"]

BUCKETS = 10_000
SURE_Z = 1.96  # of the verdict at the horizon: wrong in one of twenty
# Of a guard rail, which looks every minute: about one A/A test in a hundred crosses it by chance.
GUARD_Z = 4.0
FEWEST = 50  # conversations of each arm before a guard rail may judge
WORSE_RATE = 0.05  # a rate has to be worse by this much, also when it is certain
SLOWER_MS = 25.0  # so much later an answer may come


def arm_of(salt: str, unit: str, share_percent: int) -> Arm:
    """The arm of a unit: the same each time, and independent of other experiments."""
    bucket = int.from_bytes(sha256(f"{salt}|{unit}".encode()).digest()[:8]) % BUCKETS
    return "challenger" if bucket < share_percent * BUCKETS // 100 else "champion"


@dataclass(frozen=True, slots=True)
class Unit:
    """What one conversation adds: counts of its questions, and milliseconds in all."""

    questions: int
    up: int = 0
    down: int = 0
    clarified: int = 0
    latency_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Rate:
    """A ratio over units with the variance of its estimate; `value` is None without any."""

    value: float | None
    variance: float
    of: int


@dataclass(frozen=True, slots=True)
class Figures:
    """An arm. `helpful` is of the thumbs that were given, the others of questions."""

    units: int
    questions: int
    helpful: Rate
    negative: Rate
    clarified: Rate
    latency_ms: Rate


@dataclass(frozen=True, slots=True)
class Verdict:
    """`better`, `worse` or `no difference`, of the challenger; `z` of the helpful rates."""

    outcome: str
    z: float | None


def figures(units: Sequence[Unit]) -> Figures:
    return Figures(
        units=len(units),
        questions=sum(unit.questions for unit in units),
        helpful=ratio((unit.up, unit.up + unit.down) for unit in units),
        negative=ratio((unit.down, unit.questions) for unit in units),
        clarified=ratio((unit.clarified, unit.questions) for unit in units),
        latency_ms=ratio((unit.latency_ms, unit.questions) for unit in units),
    )


def ratio(pairs: Iterable[tuple[float, int]]) -> Rate:
    """Sum over sum, with the variance of a ratio of means (the delta method)."""
    counted = [(part, whole) for part, whole in pairs if whole]
    total = sum(whole for _, whole in counted)
    if not total:
        return Rate(None, 0.0, 0)
    value = math.fsum(part for part, _ in counted) / total
    spread = math.fsum((part - value * whole) ** 2 for part, whole in counted)
    # One unit tells nothing of the spread between units.
    variance = spread / total**2 * len(counted) / (len(counted) - 1) if len(counted) > 1 else 0.0
    return Rate(value, variance, total)


def distance(champion: Rate, challenger: Rate) -> float | None:
    """How many standard errors the challenger is above the champion; None when nobody can say."""
    if champion.value is None or challenger.value is None:
        return None
    error = math.sqrt(champion.variance + challenger.variance)
    return (challenger.value - champion.value) / error if error else None


def alarms(champion: Figures, challenger: Figures) -> list[str]:
    """The guard rails that the challenger ran into: reasons to roll it back at once."""
    if min(champion.units, challenger.units) < FEWEST:
        return []
    rails = (
        ("negative feedback", champion.negative, challenger.negative, WORSE_RATE),
        ("questions asked back", champion.clarified, challenger.clarified, WORSE_RATE),
        ("latency in ms", champion.latency_ms, challenger.latency_ms, SLOWER_MS),
    )
    return [
        f"{name}: {challenging.value:.3g} instead of {reigning.value:.3g}"
        for name, reigning, challenging, most in rails
        if _is_above(reigning, challenging, most)
    ]


def _is_above(reigning: Rate, challenging: Rate, most: float) -> bool:
    if reigning.value is None or challenging.value is None:
        return False
    if challenging.value - reigning.value < most:
        return False
    z = distance(reigning, challenging)
    return z is None or z > GUARD_Z  # without any spread it is as certain as can be


def verdict(champion: Figures, challenger: Figures, horizon: int) -> Verdict | None:
    """Who was more helpful; None before both arms have had `horizon` conversations."""
    if min(champion.units, challenger.units) < horizon:
        return None
    z = distance(champion.helpful, challenger.helpful)
    if z is None or abs(z) < SURE_Z:
        return Verdict("no difference", z)
    return Verdict("better" if z > 0 else "worse", z)
