"""How numbers and times look to people: never wrong, and never longer than one can read."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import figures
from providers.datasets import Quoted

DECIMALS = st.decimals(-(10**15), 10**15, allow_nan=False, allow_infinity=False)
NBSP = "\N{NO-BREAK SPACE}"


def read(text: str) -> Decimal:
    return Decimal(text.replace(",", "").replace(figures.MINUS, "-"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("63120.5", "63,120.50"),
        ("1701940399776", "1,701,940,399,776"),
        ("0.99999", "1.00"),
        ("0.1", "0.10"),
        ("0.000012345", "0.00001234"),
        ("1e-12", "0.000000000001"),
        ("0", "0.00"),
        ("-2.5", "\N{MINUS SIGN}2.50"),
    ],
)
def test_a_number_keeps_the_digits_that_tell(value: str, text: str) -> None:
    assert figures.number(Decimal(value)) == text


@given(DECIMALS)
def test_a_number_is_what_it_was_but_for_rounding(value: Decimal) -> None:
    shown = read(figures.number(value))
    assert abs(shown - value) <= max(abs(value) * Decimal("0.006"), Decimal("1e-20"))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1272345678901", f"1.27{NBSP}T"),
        ("845100000000", f"845.10{NBSP}B"),
        ("-2500000", f"\N{MINUS SIGN}2.50{NBSP}M"),
        ("999999", "999,999.00"),
    ],
)
def test_a_large_sum_is_said_in_its_scale(value: str, text: str) -> None:
    assert figures.large(Decimal(value)) == text


def test_a_change_always_shows_its_direction_and_zero_has_none() -> None:
    assert figures.percent(Decimal("1.236")) == f"+1.24{NBSP}%"
    assert figures.percent(Decimal("-3.4")) == f"\N{MINUS SIGN}3.40{NBSP}%"
    assert figures.percent(Decimal("-0.001")) == f"0.00{NBSP}%"


def test_a_share_has_no_sign() -> None:
    assert figures.share(Decimal("57.314")) == f"57.31{NBSP}%"


def test_a_fee_of_many_digits_is_shown_with_three() -> None:
    assert figures.fee(Decimal("1.103578452")) == "1.104"
    assert figures.fee(Decimal("0.0421377")) == "0.04214"
    assert figures.fee(9) == "9"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s ago"),
        (59.9, "59 s ago"),
        (61, "1 min ago"),
        (7300, "2 h ago"),
        (90000, "1 day ago"),
    ],
)
def test_an_age_is_said_in_its_largest_unit(seconds: float, text: str) -> None:
    assert figures.ago(seconds) == text


def test_what_no_provider_sent_is_a_dash_and_never_a_zero() -> None:
    for value in (None, "", (), dict[str, str]()):
        assert figures.cell("anything", value) == figures.NOTHING
    assert figures.cell("market_cap", Decimal(0)) == "0.00"
    assert figures.cell("complete", False) == "no"


def test_a_time_is_told_in_utc() -> None:
    assert (
        figures.cell("time", datetime(2026, 11, 21, 3, 12, 9, tzinfo=UTC)) == "2026-11-21 03:12:09"
    )


def test_a_record_inside_a_record_tells_what_it_has() -> None:
    quoted = Quoted("kraken", Decimal("84703.39"), Decimal("0.12"), False, None)
    assert figures.cell("prices", (quoted,)) == "kraken, price 84,703.39, deviation_bps 0.12"
    off = quoted._replace(provider="liar", outlier=True)
    assert figures.cell("prices", (quoted, off)).endswith(
        "; liar, price 84,703.39, deviation_bps 0.12, outlier yes"
    )
    assert figures.cell("prices", ()) == figures.NOTHING
    assert figures.cell("outliers", ("a", "b")) == "a, b"
