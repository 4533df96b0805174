"""
Is a headline good news for the market it speaks of? By our own words and rules, in English.

docs/sentiment.md tells how this was made and how often it agrees with a reader. Pure, and a
fraction of a millisecond for a headline.
"""

from __future__ import annotations

from math import exp
from typing import Literal, NamedTuple

from aggregator.sentiment import lexicon, rules

METHOD = "lexicon"
MOST = 5000  # characters of a text that are looked at

# From here on a score is a label. Tuned, with the two lines below, on tuning.tsv alone.
CLEAR = 0.2
# Log-odds that a label is right: at the border, and for each step of the score away from it.
SURE_OF_A_SIDE = (1.3, 4.4)
SURE_OF_NONE = (-1.1, 17.6)

Label = Literal["bullish", "neutral", "bearish"]


class Sentiment(NamedTuple):
    """
    `score` is -1 (bearish) to 1 (bullish); `confidence` the share of labels given with it that
    agree with a reader, 0 to 1.
    """

    label: Label
    score: float
    confidence: float
    method: str


def analyze(text: str) -> Sentiment:
    """Of a text without any letter nothing is said, and that with no confidence."""
    if not any(character.isalpha() for character in text[:MOST]):
        return Sentiment("neutral", 0.0, 0.0, METHOD)
    score = rules.score(text[:MOST], lexicon.shipped())
    label: Label = "neutral" if abs(score) <= CLEAR else "bullish" if score > 0 else "bearish"
    at_border, per_step = SURE_OF_NONE if label == "neutral" else SURE_OF_A_SIDE
    log_odds = at_border + per_step * abs(abs(score) - CLEAR)
    return Sentiment(label, round(score, 3), round(1 / (1 + exp(-log_odds)), 3), METHOD)


__all__ = ["METHOD", "Label", "Sentiment", "analyze"]
