"""
How well a model does on questions it never saw: figures with their uncertainty. Pure.

macro-F1 counts every category alike, however rare; its interval is a percentile bootstrap over
questions. The expected calibration error is that of Guo et al. 2017, with 15 bins.
"""

from __future__ import annotations

import time
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from random import Random
from typing import Any

from chat.categories import Category
from chat.questions import Question
from chat.weights import Prediction

BINS = 15
DRAWS = 1000
SPREAD = 0.95  # of the draws lie within the interval


@dataclass(frozen=True, slots=True)
class Scores:
    """Of one category; a rate without anything to count is None."""

    precision: float | None
    recall: float | None
    f1: float
    questions: int


@dataclass(frozen=True)
class Report:
    """
    `confusion[i][j]` counts the questions of category i that were taken for j. `sure` tells, by
    category, how precise the predictions are that reach their threshold, and what share of its
    questions they find. Latencies are of one classification, in milliseconds.
    """

    questions: int
    accuracy: float
    macro_f1: float
    macro_f1_low: float
    macro_f1_high: float
    calibration_error: float
    out_of_scope_auroc: float | None
    by_category: Mapping[Category, Scores]
    sure: Mapping[Category, Scores]
    categories: Sequence[Category]
    confusion: Sequence[Sequence[int]]
    p50_ms: float
    p95_ms: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def evaluate(
    predict: Callable[[str], Prediction],
    questions: Sequence[Question],
    *,
    seed: int = 0,
    clock: Callable[[], float] = time.perf_counter,
) -> Report:
    """Raises ValueError without questions."""
    if not questions:
        raise ValueError("nothing to evaluate on")
    guesses, seconds = [], []
    for question in questions:
        began = clock()
        guesses.append(predict(question.text))
        seconds.append(clock() - began)
    truths = [question.category for question in questions]
    pairs = [(truth, guess.category) for truth, guess in zip(truths, guesses, strict=True)]
    right = [truth == guess for truth, guess in pairs]
    low, high = interval(pairs, Random(seed))  # noqa: S311 (no secret)
    categories = sorted({category for pair in pairs for category in pair})
    counts = Counter(pairs)
    return Report(
        questions=len(questions),
        accuracy=sum(right) / len(right),
        macro_f1=macro_f1(counts),
        macro_f1_low=low,
        macro_f1_high=high,
        calibration_error=calibration_error([guess.confidence for guess in guesses], right),
        out_of_scope_auroc=auroc(
            [guess.out_of_scope for guess in guesses],
            [truth is Category.OUT_OF_SCOPE for truth in truths],
        ),
        by_category={category: scores(counts, category) for category in categories},
        sure=_sure(truths, guesses, categories),
        categories=categories,
        confusion=[[counts[truth, guess] for guess in categories] for truth in categories],
        p50_ms=percentile(seconds, 0.5) * 1000,
        p95_ms=percentile(seconds, 0.95) * 1000,
    )


Pairs = Mapping[tuple[Category, Category], int]


def scores(counts: Pairs, category: Category) -> Scores:
    """Of one category, by how often (truth, guess) was met."""
    hits = counts.get((category, category), 0)
    there = sum(number for (truth, _), number in counts.items() if truth is category)
    said = sum(number for (_, guess), number in counts.items() if guess is category)
    return Scores(
        precision=hits / said if said else None,
        recall=hits / there if there else None,
        f1=2 * hits / (there + said) if there + said else 0.0,
        questions=there,
    )


def macro_f1(counts: Pairs) -> float:
    """The mean F1 of the categories that are there."""
    hits: Counter[Category] = Counter()
    seen: Counter[Category] = Counter()
    there: set[Category] = set()
    for (truth, guess), number in counts.items():
        there.add(truth)
        seen[truth] += number
        seen[guess] += number
        if truth is guess:
            hits[truth] += number
    return sum(2 * hits[category] / seen[category] for category in there) / len(there)


def interval(
    pairs: Sequence[tuple[Category, Category]], rng: Random, draws: int = DRAWS
) -> tuple[float, float]:
    """Between which macro-F1 lies when the questions are drawn anew."""
    drawn = sorted(macro_f1(Counter(rng.choices(pairs, k=len(pairs)))) for _ in range(draws))
    outside = (1 - SPREAD) / 2
    return drawn[round(outside * (draws - 1))], drawn[round((1 - outside) * (draws - 1))]


def calibration_error(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """How far confidence and success are apart, by bins of confidence."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, hit in zip(confidences, right, strict=True):
        bins.setdefault(min(int(confidence * BINS), BINS - 1), []).append((confidence, hit))
    apart = (abs(sum(confidence - hit for confidence, hit in found)) for found in bins.values())
    return sum(apart) / len(confidences)


def auroc(values: Sequence[float], positive: Sequence[bool]) -> float | None:
    """The chance that a positive has the higher value; None when one sort is missing."""
    ups = sorted(value for value, up in zip(values, positive, strict=True) if up)
    downs = sorted(value for value, up in zip(values, positive, strict=True) if not up)
    if not ups or not downs:
        return None
    wins = sum(bisect_left(downs, up) + bisect_right(downs, up) for up in ups) / 2
    return wins / (len(ups) * len(downs))


def percentile(values: Sequence[float], share: float) -> float:
    """By nearest rank."""
    return sorted(values)[max(0, ceil(len(values) * share) - 1)]


def _sure(
    truths: Sequence[Category], guesses: Sequence[Prediction], categories: Sequence[Category]
) -> dict[Category, Scores]:
    found = {}
    for category in categories:
        chosen = [
            truth is category
            for truth, guess in zip(truths, guesses, strict=True)
            if guess.sure and guess.category is category
        ]
        there, hits = truths.count(category), sum(chosen)
        found[category] = Scores(
            precision=hits / len(chosen) if chosen else None,
            recall=hits / there if there else None,
            f1=2 * hits / (len(chosen) + there) if chosen or there else 0.0,
            questions=there,
        )
    return found
