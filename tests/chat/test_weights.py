"""The file of a classifier: read only when it is the one expected, and it says what was trained."""

from __future__ import annotations

from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.categories import Category
from chat.features import features
from chat.training import fitting
from chat.weights import MAGIC, BadWeights, read, write
from tests.chat.learners import few, trained, weights


@pytest.mark.slow
def test_what_is_written_is_what_was_read() -> None:
    assert write(weights()) == trained().data


def test_another_hash_is_not_loaded() -> None:
    with pytest.raises(BadWeights, match="SHA-256"):
        read(trained().data, "0" * 64)
    with pytest.raises(BadWeights, match="SHA-256"):
        read(trained().data + b"x", trained().sha256)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01.",  # a pickle
        MAGIC,
        MAGIC + b"{}\n",
        MAGIC + b"[]\n",
        MAGIC + b'{"categories": ["NOBODY"]}\n',
    ],
)
def test_what_is_no_classifier_is_refused_also_with_its_hash(data: bytes) -> None:
    with pytest.raises(BadWeights):
        read(data, sha256(data).hexdigest())


@pytest.mark.parametrize(
    ("end", "more"), [(-4, b""), (-3, b""), (None, b"\0\0\0\0")], ids=["less", "odd", "more"]
)
def test_weights_that_are_too_few_or_too_many_are_refused(end: int | None, more: bytes) -> None:
    data = trained().data[:end] + more
    with pytest.raises(BadWeights):
        read(data, sha256(data).hexdigest())


def test_plain_python_says_what_scikit_learn_says() -> None:
    """Margins of our few lines against those of the libraries, trained on the same."""
    questions = few()
    found = [features(question.text) for question in questions]
    rows = np.arange(len(questions))
    corpus = fitting.Corpus(found)
    reader = fitting.Reader(corpus, rows)
    labels = [question.category for question in questions]
    machine = fitting._machine(0).fit(reader.read(rows), labels)
    theirs = machine.decision_function(reader.read(rows))
    model = weights()
    assert tuple(machine.classes_) == model.categories
    for at in range(0, len(questions), 97):
        assert np.allclose(model.margins(questions[at].text), theirs[at], atol=1e-4)


@given(st.text())
def test_any_text_gets_probabilities(text: str) -> None:
    said = weights().predict(text)
    values = list(said.scores.values())
    assert sum(values) == pytest.approx(1)
    assert values == sorted(values, reverse=True)
    assert set(said.scores) == set(Category)
    assert said.confidence == values[0]
    assert said.margin >= 0
    assert said.out_of_scope == said.scores[Category.OUT_OF_SCOPE]


def test_sure_is_what_reaches_its_threshold() -> None:
    model = weights()
    for question in few(60):
        said = model.predict(question.text)
        assert said.sure == (said.confidence >= model.thresholds[said.category])
