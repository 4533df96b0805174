from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.labels import classified
from providers.errors import Garbled

NAMES = [
    ("positive", "neutral", "negative"),
    ("Bullish", "Neutral", "Bearish"),
    ("POS", "NEU", "NEG"),
]


def pairs(**labels: str) -> list[tuple[str, Any]]:
    return [(name.replace("_", " "), Decimal(chance)) for name, chance in labels.items()]


@pytest.mark.parametrize("names", NAMES)
def test_a_label_means_the_same_however_it_is_spelled(names: tuple[str, str, str]) -> None:
    found = classified(zip(names, map(Decimal, ("0.7", "0.2", "0.1")), strict=True), "a/b")
    assert found == ("bullish", Decimal("0.6"), Decimal("0.7"), "a/b")


def test_numbered_labels_mean_what_the_card_of_their_model_says_and_else_nothing() -> None:
    numbered = [("LABEL_0", Decimal("0.9")), ("LABEL_1", Decimal("0.1"))]
    assert classified(numbered, "kk08/CryptoBERT").label == "bearish"
    with pytest.raises(Garbled, match="means nothing"):
        classified(numbered, "somebody/else")


def test_stars_are_weighed() -> None:
    chances = ("0.05", "0.05", "0.1", "0.2", "0.6")
    stars = [(f"{n} star{'s' * (n > 1)}", Decimal(p)) for n, p in enumerate(chances, 1)]
    assert classified(stars, "m") == ("bullish", Decimal("0.625"), Decimal("0.8"), "m")


@pytest.mark.parametrize(
    ("up", "down", "label", "confidence"),
    [("0.55", "0.45", "neutral", "0.9"), ("0.7", "0.3", "bullish", "0.7")],
)
def test_two_sides_that_are_about_as_likely_are_neither(
    up: str, down: str, label: str, confidence: str
) -> None:
    found = classified(pairs(POSITIVE=up, NEGATIVE=down), "m")
    assert (found.label, found.confidence) == (label, Decimal(confidence))


@pytest.mark.parametrize(
    "labels",
    [
        [],
        pairs(positive="1"),
        pairs(positive="0.5", neutral="0.5"),
        pairs(positive="0.5", negative="0.4"),
        pairs(positive="1.5", negative="-0.5"),
        pairs(positive="0.5", negative="0.3", joy="0.2"),
        [("positive", Decimal("0.5")), ("POSITIVE", Decimal("0.5"))],
        [("positive", True), ("negative", 0)],
        [("positive", None), ("negative", 1)],
        [(7, Decimal("0.5")), ("negative", Decimal("0.5"))],
        [(f"{n}", Decimal("0.01")) for n in range(100)],
    ],
)
def test_what_adds_up_to_nothing_is_refused(labels: Any) -> None:
    with pytest.raises(Garbled):
        classified(labels, "m")


@given(st.lists(st.integers(1, 10**6), min_size=3, max_size=3))
def test_scores_and_confidence_stay_within_their_bounds(weights: list[int]) -> None:
    total = sum(weights)
    chances = [Decimal(weight) / total for weight in weights]
    found = classified(zip(NAMES[0], chances, strict=True), "m")
    up, neither, down = chances
    assert -1 <= found.score <= 1
    assert 0 <= found.confidence <= 1
    of_label = {"bullish": up, "neutral": neither, "bearish": down}[found.label]
    assert found.confidence == pytest.approx(of_label, abs=Decimal("0.0001"))
    if found.label == "neutral":
        assert neither >= max(up, down) or up == down
    else:
        assert of_label == max(chances)
        assert (found.label == "bullish") == (found.score > 0) or abs(up - down) < Decimal("0.0001")
