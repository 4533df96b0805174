"""
Forecasts beside what one would do without: false alarms, recall and lead time, on synthetic series
and on ones drawn from recorded answers, in simulated time. `python -m tests.bench alerts`
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, log, pi, sin
from random import Random
from statistics import fmean, median, pstdev

from monitoring.alerts.forecasting import LEAST_BASELINE, drift, exhausted_in_s
from tests.bench.table import Row
from tests.bench.traces import recorded

SERIES = 80  # of each kind
HOURS, KEPT = 240, 72  # ten days, of which a detector sees the last three
ONSET, RAMP, FACTOR = 150, 24, 3.0  # from its usual to three times that within a day
WRONG = 2.0  # times its usual: somebody would call it slow
CHECKS = 12  # an hour
FOUND_WITHIN = 48
CALM = 0.7  # an alarm is over below it

Draw = Callable[[Random], float]
Detector = Callable[[Sequence[float]], float | None]


# -- Drift -------------------------------------------------------------------------------------


def hourly(draw: Draw, chance: Random, kind: str) -> list[float]:
    """Medians by the hour: with a daily swing, and what the kind brings."""
    spikes = {chance.randrange(KEPT, HOURS) for _ in range(4)} if kind == "spikes" else set()
    found = []
    for hour in range(HOURS):
        usual = 1 + 0.15 * sin(2 * pi * hour / 24)
        if kind == "drift":
            usual *= 1 + (FACTOR - 1) * min(max((hour - ONSET) / RAMP, 0.0), 1.0)
        if hour in spikes:
            usual *= 6
        found.append(usual * median(draw(chance) for _ in range(CHECKS)))
    return found


def twice_the_median(points: Sequence[float]) -> float | None:
    if len(points) < LEAST_BASELINE + 1:
        return None
    return points[-1] / (WRONG * median(points[:-1]))


def three_sigmas(points: Sequence[float]) -> float | None:
    """An exponential mean of the last points, by three deviations of those before."""
    if len(points) < LEAST_BASELINE + 8:
        return None
    base = [log(point) for point in points[:-8]]
    mean = fmean(base)
    smooth = mean
    for point in points[-8:]:
        smooth += 0.3 * (log(point) - smooth)
    return float((smooth - mean) / (3 * pstdev(base) * (0.3 / 1.7) ** 0.5))


DETECTORS: dict[str, Detector] = {
    "CUSUM (shipped)": drift,
    "twice the median": twice_the_median,
    "smoothed, 3 sigmas": three_sigmas,
}


@dataclass
class Score:
    false: int = 0
    hours: int = 0
    found: int = 0
    there: int = 0
    leads: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        monthly = 720 * self.false / self.hours if self.hours else 0.0
        recall = 100 * self.found / self.there if self.there else 0.0
        lead = median(self.leads) if self.leads else float("nan")
        return f"{monthly:5.2f} false a month, {recall:3.0f} %, {lead:+5.1f} h"


def alarms(points: Sequence[float], detector: Detector) -> list[int]:
    """The hours in which an alarm begins."""
    begun, is_on = [], False
    for hour in range(KEPT, len(points)):
        ratio = detector(points[hour + 1 - KEPT : hour + 1])
        if ratio is None:
            continue
        if ratio > 1 and not is_on:
            begun.append(hour)
        is_on = ratio > 1 or (is_on and ratio > CALM)
    return begun


def judge(draw: Draw, detector: Detector) -> Score:
    score, chance = Score(), Random(7)
    wrong_at = ONSET + RAMP * (WRONG - 1) / (FACTOR - 1)
    for kind in ("quiet", "spikes", "drift"):
        for _ in range(SERIES):
            begun = alarms(hourly(draw, chance, kind), detector)
            if kind != "drift":
                score.false += len(begun)
                score.hours += HOURS - KEPT
                continue
            score.there += 1
            hits = [hour for hour in begun if ONSET <= hour < ONSET + FOUND_WITHIN]
            if hits:
                score.found += 1
                score.leads.append(wrong_at - hits[0])
    return score


# -- Exhaustion --------------------------------------------------------------------------------

LIMIT, DAY = 1000.0, 24
WARNED_H = 6.0
DAYS = 400
Used = Sequence[tuple[float, float]]


def day(chance: Random, kind: str) -> list[float]:
    """What is used in each quarter of an hour."""
    mean = {"quiet": 5.0, "hungry": 14.0, "bursty": 6.0, "growing": 4.0}[kind]
    found = []
    for quarter in range(4 * DAY):
        rate = mean * (1 + quarter / 24) if kind == "growing" else mean
        if kind == "bursty" and chance.random() < 0.06:
            rate *= 8
        found.append(rate * exp(chance.gauss(0, 0.5)))
    return found


def pace_of_an_hour(used: Used) -> float | None:
    """As quotas are forecast for whoever spends them: by the mean of the last hour."""
    if len(used) < 5:
        return None
    (begin, before), (end, now) = used[-5], used[-1]
    return (LIMIT - now) / ((now - before) / (end - begin)) if now > before else None


def mean_of_the_day(used: Used) -> float | None:
    end, now = used[-1]
    return (LIMIT - now) / (now / end) if now else None


@dataclass(frozen=True)
class Forecast:
    """`held`: quarters of an hour for which it has to say so."""

    left: Callable[[Used], float | None]
    held: int = 1


FORECASTS = {
    "Theil-Sen (shipped)": Forecast(lambda used: exhausted_in_s(used[-13:], LIMIT)),
    "pace of an hour": Forecast(pace_of_an_hour),
    "the same, half an hour long": Forecast(pace_of_an_hour, 3),
    "mean of the day": Forecast(mean_of_the_day),
}


def foretell(forecast: Forecast) -> Score:
    """An alarm: spent within six hours, and before the day is over."""
    score, chance = Score(), Random(7)
    for number in range(DAYS):
        spent = day(chance, ("quiet", "hungry", "bursty", "growing")[number % 4])
        used, total, first, gone, said = [], 0.0, None, None, 0
        for quarter, amount in enumerate(spent):
            total += amount
            hour = (quarter + 1) / 4
            used.append((hour, total))
            if total >= LIMIT:
                gone = hour
                break
            left = forecast.left(used)
            soon = left is not None and left < min(WARNED_H, DAY - hour)
            said = said + 1 if soon and hour >= 1 else 0
            if said >= forecast.held and first is None:
                first = hour
        score.hours += DAY
        if gone is None:
            score.false += first is not None
        else:
            score.there += 1
            if first is not None:
                score.found += 1
                score.leads.append(gone - first)
    return score


def main() -> list[Row]:
    draws: dict[str, Draw] = {"synthetic": lambda chance: 0.2 * exp(chance.gauss(0, 0.6))}
    for trace in recorded().values():
        for name, upstream in trace.items():
            times = upstream.times_s
            draws[name] = lambda chance, times=times: chance.choice(times)  # type: ignore[misc]
    rows = [
        Row(f"drift, {which}: {name}", str(judge(draw, detector)))
        for which, draw in draws.items()
        for name, detector in DETECTORS.items()
    ]
    rows += [Row(f"exhaustion: {name}", str(foretell(one))) for name, one in FORECASTS.items()]
    return rows


if __name__ == "__main__":
    for row in main():
        print(row)
