"""
Upstreams for the simulation of strategies: what each would have answered to every question, drawn
beforehand, so that all strategies meet the same luck.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, exp, pi
from pathlib import Path
from random import Random
from statistics import fmean
from typing import NamedTuple

HOUR = 3600.0
TIMEOUT_S = 5.0
MINUTE = 60.0
# Where recorded answers lie, if there are any: a folder beside that of the project.
RECORDED = Path(__file__).parents[3] / "shared" / "recorded"


class Manner(NamedTuple):
    """How an upstream is at one moment: the chance that it answers, and what that takes."""

    share: float
    good_s: float
    bad_s: float = 1.0

    @property
    def until_answer_s(self) -> float:
        """Expected, when it is asked until it answers."""
        return (self.share * self.good_s + (1 - self.share) * self.bad_s) / max(self.share, 1e-6)


class Reply(NamedTuple):
    ok: bool
    seconds: float


@dataclass(frozen=True)
class Upstream:
    manner: Callable[[float], Manner]  # at a second of the hour
    priority: int
    weight: int = 1
    cost: float = 0.0  # US dollars a call
    age_s: float = 5.0  # of its newest row
    per_minute: int = 0  # beyond it, 429; 0: as often as one likes
    times_s: Sequence[float] = ()  # recorded ones, to draw from instead

    def reply(self, at: float, chance: Random) -> Reply:
        manner = self.manner(at)
        ok = chance.random() < manner.share
        if ok and self.times_s:
            return Reply(ok, chance.choice(self.times_s))
        usual = manner.good_s if ok else manner.bad_s
        return Reply(ok, min(TIMEOUT_S, usual * exp(chance.gauss(0, SPREAD) - SPREAD**2 / 2)))


SPREAD = 0.6  # of the logarithm of what a call takes
Trace = dict[str, Upstream]


def steady(share: float, good_s: float, bad_s: float = 1.0) -> Callable[[float], Manner]:
    return lambda at: Manner(share, good_s, bad_s)


def swinging(fast_s: float, slow_s: float, phase: float = 0.0) -> Callable[[float], Manner]:
    """From one latency to the other and back, twice in the hour."""

    def manner(at: float) -> Manner:
        height = (1 - cos(4 * pi * at / HOUR + phase)) / 2
        return Manner(0.99, fast_s + (slow_s - fast_s) * height)

    return manner


def down_between(begin: float, end: float, well: Manner) -> Callable[[float], Manner]:
    """Answers nobody for a while: each try takes the whole time-out."""
    return lambda at: Manner(0.0, 1.0, TIMEOUT_S) if begin <= at < end else well


def slow_between(
    begin: float, end: float, usual: Manner, slow: Manner
) -> Callable[[float], Manner]:
    return lambda at: slow if begin <= at < end else usual


def synthetic() -> dict[str, Trace]:
    """The operator's order (priority) is plausible in each, and best in some."""
    return {
        "stationary": {
            "a": Upstream(steady(0.99, 0.40), 90, weight=3, cost=0.0002, age_s=2),
            "b": Upstream(steady(0.99, 0.25), 80, weight=2, age_s=30),
            "c": Upstream(steady(0.98, 0.15), 70, age_s=120),
            "d": Upstream(steady(0.995, 0.70), 60, cost=0.001, age_s=1),
        },
        "latency drifts": {
            "a": Upstream(swinging(0.15, 0.80), 90, age_s=10),
            "b": Upstream(steady(0.99, 0.45), 80, age_s=20),
            "c": Upstream(swinging(0.15, 0.80, pi), 70, age_s=30),
        },
        "outage and recovery": {
            "a": Upstream(down_between(1200, 2400, Manner(0.995, 0.15)), 90, age_s=20),
            "b": Upstream(steady(0.99, 0.35), 80, age_s=5),
            "c": Upstream(steady(0.99, 0.60), 70, age_s=2),
        },
        "slow for a while": {
            "a": Upstream(
                slow_between(900, 2100, Manner(0.99, 0.2), Manner(0.95, 2.5)), 90, age_s=5
            ),
            "b": Upstream(steady(0.99, 0.40), 80, age_s=20),
            "c": Upstream(steady(0.99, 0.50), 70, age_s=60),
        },
        "throttles": {
            "a": Upstream(steady(0.995, 0.12), 90, age_s=5, per_minute=10),
            "b": Upstream(steady(0.99, 0.35), 80, age_s=20),
            "c": Upstream(steady(0.99, 0.45), 70, age_s=60),
        },
        "flaky fast, steady slow": {
            "a": Upstream(steady(0.6, 0.10, 1.5), 90, age_s=5),
            "b": Upstream(steady(0.995, 0.50), 80, age_s=20),
        },
    }


def recorded(folder: Path | None = None) -> dict[str, Trace]:
    """
    One trace of recorded answers: how long they took by their own headers (without the way there
    and back), and how many of them were errors; nothing without a folder.
    """
    manifest = (folder or Path(os.environ.get("RECORDED", RECORDED))) / "manifest.json"
    if not manifest.exists():
        return {}
    times: defaultdict[str, list[float]] = defaultdict(list)
    answered: defaultdict[str, list[bool]] = defaultdict(list)
    for row in json.loads(manifest.read_text()):
        answered[row["provider"]].append(row["status"] < 400)
        if (seconds := _taken(row["headers"] or {})) is not None and row["status"] < 400:
            times[row["provider"]].append(seconds)
    known = sorted((name, found) for name, found in times.items() if len(found) >= LEAST)
    trace = {
        name: Upstream(
            steady(fmean(answered[name]), fmean(found), max(found)),
            90 - 10 * place,
            times_s=tuple(found),
        )
        for place, (name, found) in enumerate(known)
    }
    return {"recorded": trace} if len(trace) > 1 else {}


LEAST = 10  # timed answers of a provider, to draw from
_HEADERS = {"x-runtime": 1.0, "x-envoy-upstream-service-time": 0.001}


def _taken(headers: dict[str, str]) -> float | None:
    named = {name.lower(): value for name, value in headers.items()}
    found = [float(named[name]) * unit for name, unit in _HEADERS.items() if name in named]
    return found[0] if found else None


def drawn(trace: Trace, seed: int, every_s: float) -> list[dict[str, Reply]]:
    """What each would answer to every question of an hour."""
    chance = Random(seed)
    return [
        {name: upstream.reply(n * every_s, chance) for name, upstream in trace.items()}
        for n in range(int(HOUR / every_s))
    ]
