"""What a question may be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.inputs import LONGEST_QUERY, Unreadable, text_of


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (None, "A text was expected"),
        (5, "A text was expected"),
        ("", "no word"),
        ("  \n\t", "no word"),
        ("\u200b\u202e", "no word"),
        ("a" * (LONGEST_QUERY + 1), "At most 1,000 characters, not 1,001"),
        ("a\x00b", "U+0000"),
        ("a\x1bb", "U+001B"),
        ("a\ud800b", "U+D800"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(said: object, why: str) -> None:
    with pytest.raises(Unreadable, match=why.replace("+", r"\+")):
        text_of(said)


def test_what_cannot_be_seen_is_left_out() -> None:
    assert text_of(" price\tof \u202ebtc\u200b ") == "price of btc"
    assert text_of("<b>btc</b>\r\nnow") == "<b>btc</b>\nnow"


@given(st.text(max_size=200))
def test_what_is_taken_has_no_control_characters(said: str) -> None:
    try:
        found = text_of(said)
    except Unreadable:
        return
    assert found == found.strip()
    assert found
    assert all(unicodedata.category(c) not in ("Cc", "Cs") or c == "\n" for c in found)
    assert text_of(found) == found
