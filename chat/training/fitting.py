"""
Training: labelled questions in, a calibrated linear classifier out, the same bytes each time.

TF-IDF of words, characters, skeletons and signs (`chat.features`), a linear support vector machine
over them, and a logistic regression that turns its margins into probabilities. That one learns from
margins of questions the machine had not seen: it is trained five times on four fifths.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from chat import weights
from chat.categories import Category
from chat.features import BLOCKS, features
from chat.masking import mask
from chat.questions import Question
from chat.training.thresholds import thresholds
from chat.weights import Weights

FOLDS = 5
# Found by cross-validation on the training part: docs/learning.md.
SOFTNESS = 0.3  # of the support vector machine: its C
CALIBRATION_SOFTNESS = 1.0  # of the logistic regression: its C
# What only one question has is left out: it may be a stranger's secret, and generalises to nothing.
SEEN_AT_LEAST = 2

Features = Mapping[str, Sequence[str]]
Floats = NDArray[np.float64]
Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Trained:
    """
    A model as bytes, and what cross-validation said: `labels` and `scores` of questions that the
    machine had not seen, in the order of `categories`.
    """

    data: bytes
    categories: tuple[Category, ...]
    labels: tuple[Category, ...]
    scores: Floats

    @property
    def sha256(self) -> str:
        return sha256(self.data).hexdigest()


class TooFew(ValueError):
    """A category has not enough questions to learn and to calibrate from."""


def silent(done: float, doing: str) -> None:
    """Progress that nobody watches."""


def train(
    questions: Sequence[Question],
    about: Mapping[str, Any],
    *,
    seed: int = 0,
    progress: Progress = silent,
) -> Trained:
    """
    A classifier of `questions`; `about` goes into its file. `progress` hears how far it is (0 to 1)
    and what is being done. Raises TooFew.
    """
    categories = tuple(sorted({question.category for question in questions}))
    labels = np.array([categories.index(question.category) for question in questions])
    folds = np.array([fold(question.text, seed) for question in questions])
    _check(categories, labels, folds)
    progress(0.0, "reading the questions")
    found = [features(question.text) for question in questions]
    margins = np.zeros((len(labels), len(categories)))
    for number in range(FOLDS):
        progress(0.1 + 0.15 * number, f"cross-validation, {number + 1} of {FOLDS}")
        seen, unseen = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        reader = Reader([found[at] for at in seen])
        machine = _machine(seed).fit(reader.seen, labels[seen])
        margins[unseen] = machine.decision_function(reader.read([found[at] for at in unseen]))
    progress(0.85, "the whole")
    reader = Reader(found)
    machine = _machine(seed).fit(reader.seen, labels)
    progress(0.95, "calibration")
    scores = _crossed(margins, labels, folds)
    calibration = _calibration().fit(margins, labels)
    model = Weights(
        categories=categories,
        vocabulary=reader.vocabulary,
        idf=_floats(reader.idf),
        weights=_floats(machine.coef_.T),
        bias=_floats(machine.intercept_),
        mixing=_floats(calibration.coef_),
        shift=_floats(calibration.intercept_),
        thresholds=thresholds(categories, labels, scores),
        about={**about, "seed": seed, "questions": len(questions), "sklearn": sklearn.__version__},
    )
    progress(1.0, "done")
    truth = tuple(question.category for question in questions)
    return Trained(weights.write(model), categories, truth, scores)


def fold(text: str, seed: int) -> int:
    """Which fifth a question is in: by its skeleton, so that no two fifths share one."""
    return int.from_bytes(sha256(f"{seed} {mask(text)}".encode()).digest()[:4]) % FOLDS


class Reader:
    """Features as numbers: TF-IDF, each block of length 1."""

    def __init__(self, found: Sequence[Features]) -> None:
        self._parts = [(block, _vectorizer(block)) for block in BLOCKS]
        columns = [part.fit_transform(found) for _, part in self._parts]
        self.seen: Any = csr_matrix(hstack(columns))

    def read(self, found: Sequence[Features]) -> Any:
        return csr_matrix(hstack([part.transform(found) for _, part in self._parts]))

    @property
    def idf(self) -> Floats:
        return np.concatenate([part.idf_ for _, part in self._parts])

    @property
    def vocabulary(self) -> dict[str, dict[str, int]]:
        start, found = 0, {}
        for block, part in self._parts:
            names = part.get_feature_names_out()
            found[block] = {str(name): start + at for at, name in enumerate(names)}
            start += len(names)
        return found


def _vectorizer(block: str) -> TfidfVectorizer:
    def of_block(found: Features) -> Sequence[str]:
        return found[block]

    return TfidfVectorizer(analyzer=of_block, sublinear_tf=True, min_df=SEEN_AT_LEAST)


def _machine(seed: int) -> LinearSVC:
    return LinearSVC(C=SOFTNESS, random_state=seed)


def _calibration() -> LogisticRegression:
    return LogisticRegression(C=CALIBRATION_SOFTNESS, max_iter=1000)


def _crossed(margins: Floats, labels: NDArray[np.int64], folds: NDArray[np.int64]) -> Floats:
    """Probabilities of each fifth, calibrated on the four others."""
    scores = np.zeros_like(margins)
    for number in range(FOLDS):
        seen, unseen = folds != number, folds == number
        calibration = _calibration().fit(margins[seen], labels[seen])
        scores[unseen] = calibration.predict_proba(margins[unseen])
    return scores


def _check(
    categories: Sequence[Category], labels: NDArray[np.int64], folds: NDArray[np.int64]
) -> None:
    if len(categories) < 3:  # two are one margin, and one is none
        raise TooFew("at least three categories are needed")
    for at, category in enumerate(categories):
        if len(set(folds[labels == at])) < FOLDS:
            raise TooFew(f"{category}: too few different questions to cross-validate with")


def _floats(numbers: Any) -> array[float]:
    return array("f", np.asarray(numbers, dtype=np.float32).ravel().tolist())
