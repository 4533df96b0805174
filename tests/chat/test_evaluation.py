"""Figures of a model, against scikit-learn's and by hand."""

from __future__ import annotations

import itertools
from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from chat.categories import Category
from chat.training.evaluation import (
    auroc,
    calibration_error,
    evaluate,
    interval,
    macro_f1,
    percentile,
    scores,
)
from tests.chat.learners import few, weights

SOME = st.sampled_from([Category.NEWS, Category.GAS, Category.ADVICE])
PAIRS = st.lists(st.tuples(SOME, SOME), min_size=1, max_size=60)


@given(PAIRS)
def test_macro_f1_is_that_of_scikit_learn(pairs: list[tuple[Category, Category]]) -> None:
    truths, guesses = zip(*pairs, strict=True)
    theirs = f1_score(truths, guesses, average="macro", labels=sorted(set(truths)), zero_division=0)
    assert macro_f1(Counter(pairs)) == pytest.approx(theirs)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1))
def test_auroc_is_that_of_scikit_learn(said: list[tuple[int, bool]]) -> None:
    values, positive = [float(value) for value, _ in said], [up for _, up in said]
    ours = auroc(values, positive)
    if len(set(positive)) == 1:
        assert ours is None
    else:
        assert ours == pytest.approx(roc_auc_score(positive, values))


def test_a_rate_without_anything_to_count_is_none() -> None:
    counts = Counter([(Category.NEWS, Category.GAS)])
    assert scores(counts, Category.NEWS).precision is None
    assert scores(counts, Category.GAS).recall is None
    assert scores(counts, Category.NEWS).f1 == 0


def test_calibration_error() -> None:
    assert calibration_error([1.0, 1.0], [True, True]) == 0
    assert calibration_error([0.75] * 4, [True, True, True, False]) == 0
    assert calibration_error([0.9, 0.9], [False, False]) == pytest.approx(0.9)


@given(PAIRS)
def test_the_interval_holds_the_middle(pairs: list[tuple[Category, Category]]) -> None:
    low, high = interval(pairs, Random(0), draws=50)
    assert 0 <= low <= high <= 1


def test_the_interval_is_the_same_each_time() -> None:
    pairs = [(Category.NEWS, Category.NEWS), (Category.GAS, Category.NEWS)] * 20
    assert interval(pairs, Random(1)) == interval(pairs, Random(1))


def test_percentiles_are_values_that_were_measured() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile(list(range(1, 101)), 0.95) == 95
    assert percentile([7], 0.95) == 7


def test_a_report_counts_every_question() -> None:
    ticks = itertools.count(0, 0.001)
    questions = few(30)
    report = evaluate(weights().predict, questions, clock=lambda: next(ticks))
    assert report.p95_ms == pytest.approx(1)
    assert sum(map(sum, report.confusion)) == report.questions == len(questions)
    assert sum(said.questions for said in report.by_category.values()) == len(questions)
    assert report.macro_f1_low <= report.macro_f1 <= report.macro_f1_high


def test_nothing_is_not_evaluated() -> None:
    with pytest.raises(ValueError, match="nothing"):
        evaluate(weights().predict, [])
