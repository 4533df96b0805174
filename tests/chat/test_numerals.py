"""Numbers in texts, however people write them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import numerals

D = Decimal


def values(text: str) -> list[Decimal]:
    return [found.value for found in numerals.read(numerals.folded(text))]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2.5 btc", D("2.5")),
        ("1k usd", D(1000)),
        ("1.2 million", D(1200000)),
        ("1.7T", D("1.7e12")),
        ("86,011.36", D("86011.36")),
        ("86.011,36", D("86011.36")),
        ("86'011", D(86011)),
        ("1.234.567", D(1234567)),
        ("86\N{NARROW NO-BREAK SPACE}011", D(86011)),
        ("1,5", D("1.5")),
        (".5 eth", D("0.5")),
        ("-3 %", D(-3)),
        ("\N{MINUS SIGN}3 %", D(-3)),
        ("+3", D(3)),
        ("1.5e3", D(1500)),
        ("forty-two", D(42)),
        ("two hundred and five thousand", D(205000)),
        ("a hundred", D(100)),
        ("half a bitcoin", D("0.5")),
        ("it doubled", D(2)),
        ("\N{VULGAR FRACTION ONE HALF} eth", D("0.5")),
        ("\N{FULLWIDTH DIGIT TWO}\N{FULLWIDTH DIGIT FIVE}", D(25)),
        ("\N{ARABIC-INDIC DIGIT SEVEN}", D(7)),
        ("ten grand", D(10000)),
        ("one and a half eth", D("1.5")),
        ("2 and a half", D("2.5")),
        ("3/4 btc", D("0.75")),
        ("three quarters", D("0.75")),
        ("1e400", D("1e400")),
        ("-" + "9" * 40, D("-" + "9" * 40)),
        ("9" * 40 + "k", D("9" * 40 + "000")),
    ],
)
def test_a_number_is_read(text: str, value: Decimal) -> None:
    assert values(text) == [value]


def test_a_dash_between_words_is_no_sign() -> None:
    assert values("RSI-14") == [D(14)]
    assert values("2-3") == [D(2), D(3)]
    assert values("24/7") == [D(24), D(7)]
    assert values("2\N{SUPERSCRIPT TWO}") == [D(2), D(2)]


def test_words_that_only_begin_like_numbers_are_none() -> None:
    assert values("someone often weighs tone, and a minute is second to none") == []


@given(st.decimals(0, 10**15, allow_nan=False, allow_infinity=False, places=4))
def test_what_is_written_with_thousands_marks_is_read_back(value: Decimal) -> None:
    assert values(f"{value:,f}") == [value]
    assert values(f"\N{MINUS SIGN}{value:f}") == [-value]


@given(st.text(max_size=80))
def test_every_ascii_digit_of_any_text_is_in_a_number(text: str) -> None:
    folded = numerals.folded(text)
    covered = {p for found in numerals.read(folded) for p in range(found.start, found.end)}
    assert all(p in covered for p, c in enumerate(folded) if c in "0123456789")
