"""
Training: labelled questions in, a calibrated linear classifier out, the same bytes each time.

TF-IDF of words, characters, skeletons and signs (`chat.features`), a linear support vector machine
over them, and a logistic regression that turns its margins into probabilities. That one learns from
margins of questions the machine had not seen: it is trained five times on four fifths. There each
category weighs as much as it is asked (`chat.training.shares`), however many were written of it.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from typing import Any

import numpy as np
import sklearn
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from threadpoolctl import threadpool_limits

from chat import weights
from chat.categories import Category
from chat.features import BLOCKS, features
from chat.masking import mask
from chat.questions import Question
from chat.training.shares import weights_of
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
Rows = NDArray[np.int64]
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
    # These matrices are small: threads would wait for each other, and add up in another order.
    with threadpool_limits(limits=1):
        return _train(questions, about, seed, progress)


def _train(
    questions: Sequence[Question], about: Mapping[str, Any], seed: int, progress: Progress
) -> Trained:
    categories = tuple(sorted({question.category for question in questions}))
    labels = np.array([categories.index(question.category) for question in questions])
    folds = np.array([fold(question.text, seed) for question in questions])
    _check(categories, labels, folds)
    progress(0.0, "reading the questions")
    corpus = Corpus([features(question.text) for question in questions])
    margins = np.zeros((len(labels), len(categories)))
    for number in range(FOLDS):
        progress(0.1 + 0.15 * number, f"cross-validation, {number + 1} of {FOLDS}")
        seen, unseen = np.flatnonzero(folds != number), np.flatnonzero(folds == number)
        reader = Reader(corpus, seen)
        machine = _machine(seed).fit(reader.read(seen), labels[seen])
        margins[unseen] = machine.decision_function(reader.read(unseen))
    progress(0.85, "the whole")
    everything = np.arange(len(labels))
    reader = Reader(corpus, everything)
    machine = _machine(seed).fit(reader.read(everything), labels)
    progress(0.95, "calibration")
    weighing = weights_of(categories, labels)
    scores = _crossed(margins, labels, folds, weighing)
    calibration = _calibration().fit(margins, labels, weighing)
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


class Corpus:
    """All questions, counted once: by block a matrix (question x feature) and the names."""

    def __init__(self, found: Sequence[Features]) -> None:
        self.counts: dict[str, Any] = {}
        self.names: dict[str, NDArray[np.object_]] = {}
        for block in BLOCKS:
            counter = CountVectorizer(analyzer=itemgetter(block), dtype=np.float64)
            self.counts[block] = csr_matrix(counter.fit_transform(found))
            self.names[block] = counter.get_feature_names_out()


class Reader:
    """
    What TF-IDF learns of the questions at `rows`: which features they have often enough, and how
    rare each is. Each block of a question has length 1.
    """

    def __init__(self, corpus: Corpus, rows: Rows) -> None:
        self._corpus = corpus
        self._columns: dict[str, Rows] = {}
        self._weighing: dict[str, TfidfTransformer] = {}
        for block, counts in corpus.counts.items():
            seen = counts[rows]
            questions_with = np.bincount(seen.indices, minlength=seen.shape[1])
            columns = np.flatnonzero(questions_with >= SEEN_AT_LEAST)
            self._columns[block] = columns
            self._weighing[block] = TfidfTransformer(sublinear_tf=True).fit(seen[:, columns])

    def read(self, rows: Rows) -> Any:
        """The questions at `rows` as a matrix."""
        parts = [
            self._weighing[block].transform(counts[rows][:, self._columns[block]])
            for block, counts in self._corpus.counts.items()
        ]
        return csr_matrix(hstack(parts))

    @property
    def idf(self) -> Floats:
        return np.concatenate([weighing.idf_ for weighing in self._weighing.values()])

    @property
    def vocabulary(self) -> dict[str, dict[str, int]]:
        start, found = 0, {}
        for block, columns in self._columns.items():
            names = self._corpus.names[block][columns]
            found[block] = {str(name): start + at for at, name in enumerate(names)}
            start += len(names)
        return found


def _machine(seed: int) -> LinearSVC:
    return LinearSVC(C=SOFTNESS, random_state=seed)


def _calibration() -> LogisticRegression:
    return LogisticRegression(C=CALIBRATION_SOFTNESS, solver="newton-cholesky")


def _crossed(margins: Floats, labels: Rows, folds: Rows, weighing: Floats) -> Floats:
    """Probabilities of each fifth, calibrated on the four others."""
    scores = np.zeros_like(margins)
    for number in range(FOLDS):
        seen, unseen = folds != number, folds == number
        calibration = _calibration().fit(margins[seen], labels[seen], weighing[seen])
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
