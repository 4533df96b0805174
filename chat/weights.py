"""
A trained classifier as plain numbers: how it is written, how it is read, and what it says.

A file is a line that names the format, a line of JSON, the features (one a line), and arrays of
float32, little-endian. Nothing in it can run, so reading one is safe; it is read only when its
SHA-256 is the one expected. No library is needed: a question has some hundred features, and
adding up their weights takes less than a millisecond.
"""

from __future__ import annotations

import json
import math
import sys
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate
from types import MappingProxyType
from typing import Any

from chat.categories import Category
from chat.features import BLOCKS, features

MAGIC = b"aggregator classifier 1\n"


class BadWeights(ValueError):
    """The bytes are not a classifier, or not the one that was expected; the message says how."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """
    What a question asks for.

    `scores` are calibrated probabilities that add up to 1, the likeliest first; `confidence` is
    the first of them. `sure`: it reaches what its category needs to be answered without asking
    back. `model` is the first 12 hex digits of the model's SHA-256.
    """

    category: Category
    confidence: float
    scores: Mapping[Category, float]
    sure: bool
    model: str

    @property
    def out_of_scope(self) -> float:
        return self.scores.get(Category.OUT_OF_SCOPE, 0.0)

    @property
    def margin(self) -> float:
        """How far the likeliest category is ahead of the next."""
        return self.confidence - (list(self.scores.values()) + [0.0])[1]


@dataclass(frozen=True)
class Weights:
    """
    `vocabulary` holds the features of each block with their row, counted over all blocks; row r of
    `weights` is `weights[r * K : (r + 1) * K]` for K categories. `mixing` (K x K) and `shift` (K)
    turn what the rows add up to into logits. `thresholds` is what makes a prediction `sure`.
    `about` says what it was made of.
    """

    categories: tuple[Category, ...]
    vocabulary: Mapping[str, Mapping[str, int]]
    idf: array[float]
    weights: array[float]
    bias: array[float]
    mixing: array[float]
    shift: array[float]
    thresholds: Mapping[Category, float]
    about: Mapping[str, Any]
    sha256: str = ""

    def predict(self, text: str) -> Prediction:
        scores = self.scores(text)
        order = sorted(range(len(scores)), key=lambda k: -scores[k])
        best = self.categories[order[0]]
        return Prediction(
            category=best,
            confidence=scores[order[0]],
            scores=MappingProxyType({self.categories[k]: scores[k] for k in order}),
            sure=scores[order[0]] >= self.thresholds[best],
            model=self.sha256[:12],
        )

    def scores(self, text: str) -> list[float]:
        """Probabilities in the order of `categories`."""
        margins = self.margins(text)
        size = len(self.categories)
        logits = [
            self.shift[k] + math.fsum(self.mixing[k * size + j] * margins[j] for j in range(size))
            for k in range(size)
        ]
        top = max(logits)
        powers = [math.exp(logit - top) for logit in logits]
        total = math.fsum(powers)
        return [power / total for power in powers]

    def margins(self, text: str) -> list[float]:
        """What the linear model says, before calibration."""
        size = len(self.categories)
        found = list(self.bias)
        for block, names in features(text).items():
            for row, value in self._normal(block, names):
                weights = self.weights[row * size : (row + 1) * size]
                found = [a + value * b for a, b in zip(found, weights, strict=True)]
        return found

    def _normal(self, block: str, names: Sequence[str]) -> list[tuple[int, float]]:
        """Known features of a block as rows with TF-IDF values of length 1."""
        rows = self.vocabulary[block]
        values = [
            (rows[name], (1 + math.log(count)) * self.idf[rows[name]])
            for name, count in Counter(names).items()
            if name in rows
        ]
        length = math.sqrt(math.fsum(value * value for _, value in values))
        return [(row, value / length) for row, value in values]


def write(model: Weights) -> bytes:
    """The file of a classifier: the same bytes for the same numbers."""
    names = [name for block in BLOCKS for name in model.vocabulary[block]]
    said = "\n".join(names).encode()
    head = {
        "categories": model.categories,
        "features": {block: len(model.vocabulary[block]) for block in BLOCKS},
        "names_bytes": len(said),
        "thresholds": model.thresholds,
        "about": model.about,
    }
    line = json.dumps(head, sort_keys=True, ensure_ascii=False).encode()
    arrays = (model.idf, model.weights, model.bias, model.mixing, model.shift)
    return b"".join((MAGIC, line, b"\n", said, *(_bytes(numbers) for numbers in arrays)))


def read(data: bytes, expected: str) -> Weights:
    """The classifier in a file whose SHA-256 is `expected`. Raises BadWeights."""
    digest = sha256(data).hexdigest()
    if digest != expected:
        raise BadWeights(f"its SHA-256 is {digest[:12]}..., not {expected[:12]}...")
    if not data.startswith(MAGIC):
        raise BadWeights("it does not begin like a classifier of this version")
    try:
        return _read(data, digest)
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadWeights(f"it cannot be read: {type(error).__name__}: {error}") from None


def _read(data: bytes, digest: str) -> Weights:
    line, _, rest = data.removeprefix(MAGIC).partition(b"\n")
    head = json.loads(line)
    categories = tuple(Category(name) for name in head["categories"])
    length = int(head["names_bytes"])
    names = rest[:length].decode().split("\n")
    numbers = _numbers(rest[length:])
    size, count = len(categories), sum(head["features"].values())
    sizes = (count, count * size, size, size * size, size)
    if len(names) != count or len(numbers) != sum(sizes):
        raise ValueError("its parts do not fit together")
    vocabulary: dict[str, Mapping[str, int]] = {}
    row = 0
    for block in BLOCKS:
        end = row + head["features"][block]
        vocabulary[block] = {name: at for at, name in enumerate(names[row:end], row)}
        row = end
    ends = list(accumulate(sizes))
    parts = [numbers[end - part : end] for part, end in zip(sizes, ends, strict=True)]
    return Weights(
        categories,
        vocabulary,
        idf=parts[0],
        weights=parts[1],
        bias=parts[2],
        mixing=parts[3],
        shift=parts[4],
        thresholds={category: float(head["thresholds"][category]) for category in categories},
        about=head["about"],
        sha256=digest,
    )


def _bytes(numbers: array[float]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _numbers(data: bytes) -> array[float]:
    numbers = array("f")
    numbers.frombytes(data)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
