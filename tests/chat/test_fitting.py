"""Training: the same bytes each time, and what it leaves out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.categories import Category
from chat.masking import mask
from chat.questions import Question
from chat.training.fitting import FOLDS, TooFew, fold, train
from chat.training.shares import ASKED, weights_of
from chat.training.thresholds import least
from tests.chat.learners import few, trained, weights


@pytest.mark.slow
def test_the_same_questions_and_seed_give_the_same_bytes() -> None:
    assert train(few(), {"dataset": 0}, seed=0).data == trained().data
    assert trained(1).data != trained().data


def test_it_learns() -> None:
    made = trained()
    guesses = [made.categories[at] for at in made.scores.argmax(axis=1)]
    right = sum(a is b for a, b in zip(guesses, made.labels, strict=True))
    assert right / len(guesses) > 0.75  # of questions it had not seen; by chance it were 0.17


def test_what_one_question_alone_has_is_not_learned() -> None:
    """It may be a stranger's secret."""
    secret = Question("what is btc worth to zanzibarquux", Category.PRICE_QUERY)
    made = train([*few(), secret], {})
    assert b"zanzibarquux" not in made.data


def test_progress_is_told_and_only_grows() -> None:
    told: list[float] = []
    train(few(12), {}, progress=lambda done, doing: told.append(done))
    assert told == sorted(told)
    assert (told[0], told[-1]) == (0.0, 1.0)


def test_too_few_questions_are_refused_by_name() -> None:
    lonely = Question("how is the crowd", Category.SENTIMENT)
    some = [question for question in few() if question.category is not Category.SENTIMENT]
    with pytest.raises(TooFew, match="SENTIMENT"):
        train([*some, lonely], {})


@given(st.text(), st.integers(0, 3))
def test_questions_with_one_skeleton_are_in_one_fold(text: str, seed: int) -> None:
    assert fold(text, seed) == fold(mask(text), seed)
    assert 0 <= fold(text, seed) < FOLDS


@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), max_size=60),
    st.floats(0.5, 1),
)
def test_a_threshold_keeps_its_promise(said: list[tuple[float, bool]], precision: float) -> None:
    confidences = np.array([confidence for confidence, _ in said])
    right = np.array([hit for _, hit in said], dtype=bool)
    kept = right[confidences >= (bound := least(confidences, right, precision))]
    assert bound == 1.0 or np.mean(kept) >= precision


def test_a_threshold_is_where_precision_is_reached() -> None:
    confidences = np.array([0.99, 0.9, 0.8, 0.7, 0.6])
    right = np.array([True, True, True, False, True])
    assert least(confidences, right, 1.0) == 0.8
    assert least(confidences, right, 0.8) == 0.6
    assert least(confidences, ~right, 1.0) == 1.0


def test_asking_needs_no_library() -> None:
    """The web process stays small: it classifies without numpy and scikit-learn."""
    code = (
        "import sys; from chat import weights, features; features.features('price of btc'); "
        "sys.exit(bool({'numpy', 'sklearn', 'scipy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_price_has_to_be_surer_than_anything_else() -> None:
    bounds = weights().thresholds
    assert bounds[Category.PRICE_QUERY] == max(bounds.values())


def test_a_category_weighs_as_much_as_it_is_asked() -> None:
    """However many were written of it: four news here, and one that is out of scope."""
    categories = (Category.NEWS, Category.OUT_OF_SCOPE)
    found = weights_of(categories, np.array([0, 0, 0, 0, 1]))
    assert found.mean() == pytest.approx(1)
    assert found[:4].sum() / found[4] == pytest.approx(
        ASKED[Category.NEWS] / ASKED[Category.OUT_OF_SCOPE]
    )
    assert len(set(found[:4])) == 1


def test_every_category_is_asked() -> None:
    assert set(ASKED) == set(Category)
    assert sum(ASKED.values()) == 100
