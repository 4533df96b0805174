"""
How sure a model must be of a category for its question to be answered without asking back.

Chosen on what cross-validation said of questions the model had not seen. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chat.categories import Category

# A price that nobody asked for looks like an answer, so it needs more certainty than others.
# A little above what is promised (0.97), as a threshold is at its best where it was chosen.
PRECISION: Mapping[Category, float] = MappingProxyType({Category.PRICE_QUERY: 0.98})
USUAL = 0.5  # of the others: likelier than all else together


def thresholds(
    categories: Sequence[Category], labels: NDArray[np.int64], scores: NDArray[np.float64]
) -> dict[Category, float]:
    """The least confidence of each category."""
    guesses = scores.argmax(axis=1)
    found = {}
    for at, category in enumerate(categories):
        wanted = PRECISION.get(category)
        chosen = guesses == at
        found[category] = (
            USUAL
            if wanted is None
            else max(USUAL, least(scores[chosen, at], labels[chosen] == at, wanted))
        )
    return found


def least(confidences: NDArray[np.float64], right: NDArray[np.bool_], precision: float) -> float:
    """The least confidence from which on `precision` of those that reach it are right; else 1."""
    order = np.argsort(-confidences, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    # Where several are equally confident, they come together or not at all.
    ends = np.append(np.diff(confidences[order]) != 0, True) if len(order) else np.array([], bool)
    good = np.flatnonzero((share >= precision) & ends)
    return float(confidences[order][good[-1]]) if len(good) else 1.0
