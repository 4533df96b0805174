"""What is turned into something is what was asked, and numbers that are not are named."""

from __future__ import annotations

from decimal import Decimal

import pytest

from chat.categories import Category
from chat.entities import Amount
from chat.models import Interaction
from tests.chat import shelved
from tests.chat.finding import find
from tests.chat.test_answering import classifying, reply

pytestmark = pytest.mark.django_db(transaction=True)

BTC = Decimal("86011.36")


@pytest.fixture(autouse=True)
def _shelved() -> None:
    shelved.coins()
    shelved.everything()


def ask(query: str) -> Interaction:
    return reply(query, classify=classifying(Category.CONVERSION, 0.9, sure=True))


def worth(found: Interaction) -> list[Decimal]:
    return [row["value"] for row in found.data if row.get("label") == "is worth"]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("half a bitcoin in usd", Amount(Decimal("0.5"), "bitcoin")),
        ("a quarter of a bitcoin in usd", Amount(Decimal("0.25"), "bitcoin")),
        ("one and a half btc in usd", Amount(Decimal("1.5"), "bitcoin")),
        ("three quarters of a btc", Amount(Decimal("0.75"), "bitcoin")),
        ("\N{VULGAR FRACTION ONE HALF} btc", Amount(Decimal("0.5"), "bitcoin")),
        ("two dozen btc in usd", Amount(Decimal(24), "bitcoin")),
        ("1 000 usd in btc", Amount(Decimal(1000), "usd")),
        ("1/2 btc in usd", Amount(Decimal("0.5"), "bitcoin")),
        ("2.5btc in eur", Amount(Decimal("2.5"), "bitcoin")),
        ("usd100 in btc", Amount(Decimal(100), "usd")),
        ("3 \N{BITCOIN SIGN} in usd", Amount(Decimal(3), "bitcoin")),
        ("minus five btc", Amount(Decimal(-5), "bitcoin")),
        ("\N{MINUS SIGN}5 btc in eur", Amount(Decimal(-5), "bitcoin")),
        ("-$5 in btc", Amount(Decimal(-5), "usd")),
        ("50% of btc", Amount(Decimal(50), "%")),
    ],
)
def test_amounts_are_read_as_they_are_said(text: str, amount: Amount) -> None:
    assert find(text).amounts == (amount,)


@pytest.mark.parametrize(
    "text", ["1e9999 btc in usd", "1.2.3.4 btc in usd", "x5 btc in usd", "a third of a btc in usd"]
)
def test_what_is_no_number_is_not_turned_into_anything(text: str) -> None:
    assert find(text).amounts in ((), (Amount(Decimal(1), ""),))
    assert worth(ask(text)) == []


@pytest.mark.parametrize(
    "text", ["minus five btc in usd", "-5 btc in usd", "negative 5 btc to usd", "-5 btc"]
)
def test_an_amount_below_zero_is_refused(text: str) -> None:
    found = ask(text)
    assert found.answer == "Not answered: \N{MINUS SIGN}5 BTC (an amount is not below zero)."
    assert found.data == []


def test_a_coin_that_is_named_twice_is_counted_where_its_number_stands() -> None:
    found = ask("if btc was 100k how much would 3 btc be in usd")
    assert worth(found) == [3 * BTC]
    assert "Not answered: 100,000 (I cannot tell what it counts)." in found.answer


def test_a_share_is_no_amount() -> None:
    found = ask("100% of btc in usd")
    assert worth(found) == []
    assert "Not answered: 100 % (a share is no amount)." in found.answer


def test_what_is_none_of_ours_is_not_taken_for_dollars() -> None:
    found = ask("2 btc in silver")
    assert found.data == []
    assert "(that is no money and no coin known here)" in found.answer
    assert ask("price of 1 oz of gold in btc").data == []
    stones = ask("2 btc in stones")
    assert stones.data == []
    assert "Not answered: in stones (that is no money and no coin known" in stones.answer
    assert worth(ask("2 btc in cash")) == [2 * BTC]


def test_parts_are_targets_too() -> None:
    assert worth(ask("0.1 eth in gwei")) == [Decimal(100_000_000)]


def test_rates_of_now_are_not_those_of_then() -> None:
    told = ask("how much was 2 btc in usd yesterday").answer
    assert "Not answered: the conversion yesterday (rates of now are all that is used" in told


def test_every_digit_of_an_amount_counts() -> None:
    nines = "9" * 60
    [given] = [row for row in ask(f"{nines} btc in usd").data if row["label"] == "amount"]
    assert given["value"] == Decimal(nines)


def test_parts_and_money_are_targets_at_once() -> None:
    assert worth(ask("1 btc to sats and usd")) == [Decimal(100_000_000), BTC]


def test_what_cannot_be_turned_is_not_blamed_on_its_target() -> None:
    found = ask("5 zzz in usd")
    assert found.data == []
    assert "in usd" not in found.answer
