"""Sentences for people: every code of an error has words, and a policy says what it does."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.datasets import DATASETS
from providers.errors import ProviderError
from providers.wording import OUTCOMES, effect, outcome, span


def codes(kind: type[ProviderError]) -> Iterator[str]:
    yield kind.code
    for below in kind.__subclasses__():
        yield from codes(below)


@pytest.mark.parametrize("code", sorted({*codes(ProviderError), "ok"}))
def test_every_outcome_has_words(code: str) -> None:
    assert code in OUTCOMES


def test_a_code_of_tomorrow_is_shown_as_it_is() -> None:
    assert outcome("moved_away") == "moved away"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.4, "0.4 s"),
        (9.99, "10 s"),
        (45, "45 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (5400, "1 h 30 min"),
        (86400, "1 day"),
        (7 * 86400 + 3600, "7 days 1 h"),
        (86400 + 30, "1 day"),
    ],
)
def test_a_span_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert span(seconds) == text


@given(st.floats(0, 1e9))
def test_every_span_can_be_said(seconds: float) -> None:
    assert span(seconds).split(" ")[0].replace(".", "").isdigit()


def test_a_policy_is_explained_by_what_becomes_of_an_answer() -> None:
    assert effect("market", 60, 86400) == (
        "An answer is served for 1 min without asking again; after that while a newer one is "
        "fetched, and for up to 1 day when nobody answers."
    )


@pytest.mark.parametrize("dataset", DATASETS)
def test_a_policy_without_times_goes_by_the_dataset(dataset: str) -> None:
    kept = DATASETS[dataset].fresh_s or DATASETS[dataset].stale_s
    said = "without asking again" if kept else "Every question is asked anew"
    assert said in effect(dataset, None, None)


def test_a_policy_of_a_dataset_that_is_gone_says_so() -> None:
    assert "no dataset" in effect("weather", 1, 1)
