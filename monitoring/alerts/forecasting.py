"""
What a series does before it is wrong: whether it drifts from its baseline, and when it runs out.
Pure. A forecast says so wherever it is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from statistics import median

LEAST_BASELINE = 24  # points, under which there is none
MAD_TO_SIGMA = 1.4826  # of a normal distribution
LEAST_SIGMA = 0.05  # 5 %: what is steadier than this is not judged by its own steadiness


@dataclass(frozen=True, slots=True)
class Drifting:
    """
    CUSUM over logarithms (Page, 1954): sums up by how much more than `slack` sigmas each point lies
    above the baseline. A single spike adds at most `most` sigmas, so it raises nothing by itself.
    """

    slack: float = 0.75
    limit: float = 7.0
    most: float = 3.0
    recent: int = 8  # points that are judged; those before them are the baseline


def drift(points: Sequence[float], how: Drifting = Drifting()) -> float | None:
    """
    How far the last points went above the baseline, as a share of what is called a drift: over 1
    is one. None without a baseline. Points are positive, evenly spaced, oldest first.
    """
    positive = [log(point) for point in points if point > 0]
    if len(positive) < LEAST_BASELINE + how.recent:
        return None
    base, lately = positive[: -how.recent], positive[-how.recent :]
    middle = median(base)
    sigma = max(LEAST_SIGMA, MAD_TO_SIGMA * median(abs(point - middle) for point in base))
    total = 0.0
    for point in lately:
        step = min((point - middle) / sigma, how.most) - how.slack
        total = max(0.0, total + step)
    return total / how.limit


def exhausted_in_s(used: Sequence[tuple[float, float]], limit: float) -> float | None:
    """
    Seconds after the last point until `used`, pairs of second and amount, reaches the limit, on the
    median slope between its points (Theil and Sen): a burst a moment ago does not turn it. None
    when it does not grow, or with fewer than four points.
    """
    if len(used) < 4:
        return None
    slopes = [
        (b[1] - a[1]) / (b[0] - a[0])
        for i, a in enumerate(used)
        for b in used[i + 1 :]
        if b[0] > a[0]
    ]
    if not slopes or (slope := median(slopes)) <= 0:
        return None
    return max(0.0, (limit - used[-1][1]) / slope)
