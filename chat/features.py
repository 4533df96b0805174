"""
A question as the features a model weighs: words, characters, skeleton, and signs.

Training and answering read a question here and nowhere else, so they cannot disagree about it.
Pure, and without any library: the web process needs no more than this to classify.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chat.masking import marked, words
from chat.signs import signs

BLOCKS = ("words", "characters", "skeleton", "signs")

MOST_CHARACTERS = 600  # of a question that are looked at; what is asked stands well before
SHORTEST, LONGEST = 2, 5  # characters that are looked at together


def features(text: str) -> dict[str, list[str]]:
    """The features of each of `BLOCKS`, as often as they occur."""
    text = text[:MOST_CHARACTERS]
    return {
        "words": list(runs(words(text).split(), 2)),
        "characters": list(characters(words(text))),
        "skeleton": list(runs(["^", *marked(text), "$"], 3)),
        "signs": list(signs(text)),
    }


def runs(tokens: Sequence[str], most: int) -> Iterator[str]:
    """One to `most` tokens that follow each other, from everywhere."""
    for length in range(1, most + 1):
        for start in range(len(tokens) - length + 1):
            yield " ".join(tokens[start : start + length])


def characters(said: str) -> Iterator[str]:
    """Pieces of words, with a space for a border: "gas" has " g", "gas", "as " and others."""
    for word in said.split():
        padded = f" {word} "
        for length in range(SHORTEST, LONGEST + 1):
            for start in range(max(len(padded) - length + 1, 1)):
                yield padded[start : start + length]
