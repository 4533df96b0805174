from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.consensus import LEAST, accuracies, agree, count
from providers.datasets import PriceRow


def row(price: str, quote: str = "USD") -> PriceRow:
    return PriceRow("BTC", Decimal(price), quote)


def test_the_median_and_how_far_they_are_apart() -> None:
    (found,) = agree({"a": row("100"), "b": row("101"), "c": row("100.5")})
    assert found.median == Decimal("100.5")
    assert found.spread_bps == Decimal("99.50")
    assert [quoted.provider for quoted in found.prices] == ["a", "c", "b"]
    assert found.outliers == ()


def test_a_tether_is_compared_with_tethers() -> None:
    found = agree({"a": row("100"), "b": row("100"), "c": row("90", "USDT")})
    assert [(one.quote, len(one.prices)) for one in found] == [("USD", 2), ("USDT", 1)]


def test_who_is_off_is_named_and_widens_no_spread() -> None:
    prices = {"a": row("100"), "b": row("100.1"), "c": row("100.2"), "liar": row("140")}
    (found,) = agree(prices)
    assert found.outliers == ("liar",)
    assert found.spread_bps < 30


def test_of_two_who_differ_nobody_is_called_off() -> None:
    (found,) = agree({"a": row("100"), "b": row("200")})
    assert found.outliers == ()


def test_in_a_wild_market_being_apart_is_no_offence() -> None:
    (found,) = agree({"a": row("100"), "b": row("103"), "c": row("106"), "d": row("98")})
    assert found.outliers == ()


prices = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.decimals("0.0001", "1000000", places=4).map(lambda p: PriceRow("BTC", p, "USD")),
    min_size=1,
)


@given(prices)
def test_nobody_is_lost_and_most_are_never_off(known: dict[str, PriceRow]) -> None:
    (found,) = agree(known)
    assert {quoted.provider for quoted in found.prices} == set(known)
    assert len(found.outliers) <= len(known) / 2
    assert min(r.price for r in known.values()) <= found.median
    assert found.median <= max(r.price for r in known.values())


@pytest.mark.django_db
def test_a_providers_accuracy_is_what_was_measured() -> None:
    apart = {"a": row("100"), "b": row("100"), "c": row("100"), "liar": row("150")}
    count(agree(apart), apart)
    again = {"a": row("1"), "b": row("1"), "liar": row("1")}
    count(agree(again), {"a", "liar"})  # b said this before, and was judged for it then
    count(agree({"a": row("1"), "liar": row("9")}), {"a", "liar"})  # fewer than three: no verdict
    assert LEAST == 3
    known = accuracies()
    assert {name: one.compared for name, one in known.items()} == {
        "a": 2,
        "b": 1,
        "c": 1,
        "liar": 2,
    }
    assert (known["a"].percent, known["liar"].percent) == (100.0, 50.0)
    assert "unseen" not in known
