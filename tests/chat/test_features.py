"""What a model is given of a question."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chat.features import BLOCKS, MOST_CHARACTERS, characters, features, runs


def test_runs_are_tokens_that_follow_each_other() -> None:
    assert list(runs(["a", "b", "c"], 2)) == ["a", "b", "c", "a b", "b c"]


def test_characters_know_where_a_word_ends() -> None:
    assert {" g", "gas", "as ", " gas "} <= set(characters("gas"))
    assert not {"s p", "sp"} & set(characters("gas price"))


@given(st.text())
def test_any_text_has_features_of_every_block(text: str) -> None:
    found = features(text)
    assert tuple(found) == BLOCKS
    # A vocabulary is written one feature a line.
    assert not any("\n" in name or "\r" in name for names in found.values() for name in names)


def test_a_book_costs_no_more_than_a_page() -> None:
    page = "why does bitcoin fall today " * 100
    assert features(page) == features(page[:MOST_CHARACTERS])
