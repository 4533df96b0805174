"""
How often each category is asked, so that how many were written of it does not count.

Questions were added where the model was weak, and half of what lies outside our subjects was: a
model that took the questions for the world would find it twice as often as it is met. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from chat.categories import Category

# Per cent, of the questions that were written first and weighted as people ask (docs/questions.md).
ASKED: Mapping[Category, int] = MappingProxyType(
    {
        Category.EDUCATIONAL: 19,
        Category.MARKET_DATA: 14,
        Category.NEWS: 14,
        Category.ADVICE: 12,
        Category.PRICE_QUERY: 6,
        Category.ECONOMIC_INDICATOR: 5,
        Category.OUT_OF_SCOPE: 5,
        Category.COMPARISON: 4,
        Category.GAS: 4,
        Category.SMALLTALK: 4,
        Category.TECHNICAL: 4,
        Category.CONVERSION: 3,
        Category.SENTIMENT: 3,
        Category.SYSTEM_STATUS: 3,
    }
)


def weights_of(categories: Sequence[Category], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """What each question counts: with it each category has its share, and the mean is 1."""
    asked = np.array([ASKED[category] for category in categories], dtype=np.float64)
    counts = np.bincount(labels, minlength=len(categories))
    each: NDArray[np.float64] = asked / asked.sum() * len(labels) / counts
    return each[labels]
