"""The nearest name, within so many slips."""

from __future__ import annotations

import time

from hypothesis import given
from hypothesis import strategies as st

from chat.spelling import Spellings, distance, slips_allowed

NAMES = Spellings(["bitcoin", "ethereum", "solana", "cardano", "dogecoin", "chainlink", "pepe"])


def test_a_slip_is_forgiven() -> None:
    assert NAMES.nearest("bitcion") == "bitcoin"
    assert NAMES.nearest("solona") == "solana"
    assert NAMES.nearest("cardno") == "cardano"
    assert NAMES.nearest("etherum") == "ethereum"


def test_another_name_is_not_taken_for_ours() -> None:
    assert NAMES.nearest("nopecoin") is None
    assert NAMES.nearest("solar") is None
    assert NAMES.nearest("peep") is None, "short words are near to too many"


def test_distance_counts_letters_that_changed_places_once() -> None:
    assert distance("bticoin", "bitcoin", 3) == 1
    assert distance("kitten", "sitting", 5) == 3
    assert distance("kitten", "sitting", 1) == 2


WORDS = st.text("abcde", min_size=5, max_size=11)


@given(WORDS, WORDS)
def test_what_is_found_is_near_and_what_is_near_is_found(name: str, word: str) -> None:
    most = min(slips_allowed(word), slips_allowed(name))
    is_near = distance(word, name, most) <= most
    assert (Spellings([name]).nearest(word) == name) == is_near


def test_a_word_without_end_costs_nothing() -> None:
    """Its letters are not dropped two by two: a thousand of them would take a minute."""
    began = time.process_time()
    assert NAMES.nearest("abcdefgh" * 50) is None
    assert time.process_time() - began < 0.5
