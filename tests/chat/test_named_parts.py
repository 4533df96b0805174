"""Nothing that was asked is passed over in silence: strangers, targets, both sides."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from chat.categories import Category
from chat.models import Interaction
from chat.skills import market
from providers.datasets import EconomicQuery, FearGreed, Observation, SentimentQuery
from tests.chat import shelved
from tests.chat.test_answering import classifying, reply

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = "Not answered: {} of zzz (no asset is called that here)."


@pytest.fixture(autouse=True)
def _shelved() -> None:
    shelved.coins()
    shelved.everything()


def ask(query: str, category: Category, **more: Any) -> Interaction:
    return reply(query, classify=classifying(category, 0.9, **{"sure": True} | more))


def test_a_name_that_is_none_of_ours_is_named_beside_what_is_answered() -> None:
    found = ask("price of btc and zzz", Category.PRICE_QUERY)
    assert "Bitcoin costs 86,011.36" in found.answer
    assert STRANGER.format("the price") in found.answer
    assert found.entities["unknown"] == ["zzz"]
    figures = ask("volume of btc and zzz", Category.MARKET_DATA).answer
    assert STRANGER.format("figures") in figures
    both = ask("compare btc, eth and zzz", Category.COMPARISON).answer
    assert STRANGER.format("figures") in both


def test_a_name_that_is_none_of_ours_is_why_we_ask_back() -> None:
    found = ask("price of foobarcoin", Category.PRICE_QUERY, sure=False)
    assert found.route == "clarify"
    assert found.answer.startswith("I know no asset called \u201cfoobarcoin\u201d. Did you mean")


def test_an_amount_is_turned_into_all_that_is_named() -> None:
    found = ask("how much is 2 btc in usd and eur", Category.CONVERSION)
    worth = {row["unit"]: row["value"] for row in found.data if row["label"] == "is worth"}
    assert worth.keys() == {"USD", "EUR"}
    assert float(worth["USD"]) == 2 * 86011.36


def test_a_price_in_money_that_nobody_quotes_is_converted() -> None:
    year = datetime.now(UTC).year - 1
    rate = Observation(date(year, 12, 31), Decimal(80), None, None)
    shelved.shelve(EconomicQuery(series="DEXINUS", start=date(year, 1, 1)), [rate], "fred")
    found = ask("what is the price of btc in indian rupees", Category.PRICE_QUERY)
    worth = [row["value"] for row in found.data if row["label"] == "is worth"]
    assert worth == [Decimal("86011.36") * 80]
    assert {source["provider"] for source in found.sources} == {"kraken", "fred"}
    lira = ask("price of btc in turkish lira", Category.PRICE_QUERY)
    assert lira.answer == "Not answered: BTC in TRY (no exchange rate of TRY is known here)."


def test_no_amount_is_too_large_to_be_turned() -> None:
    nines = "9" * 60
    found = ask(f"{nines} btc in usd", Category.CONVERSION)
    [worth] = [row["value"] for row in found.data if row["label"] == "is worth"]
    assert round(worth / Decimal(nines), 9) == Decimal("86011.36")


def test_a_part_is_of_what_was_named_before_it() -> None:
    found = ask("btc and eth price, market cap and eth gas", Category.PRICE_QUERY)
    caps = {row["subject"] for row in found.data if row.get("label") == "market capitalisation"}
    assert caps == {"Bitcoin", "Ethereum"}


def test_which_costs_less_is_a_question_of_prices_and_not_of_fees() -> None:
    prices = ask("is eth cheaper than btc", Category.COMPARISON)
    assert {row["subject"] for row in prices.data} == {"Bitcoin", "Ethereum"}
    assert {row["dataset"] for row in prices.data} == {"market"}


def test_what_is_set_side_by_side_is_each_explained() -> None:
    for query in (
        "explain proof of stake vs proof of work",
        "difference between proof of work and proof of stake",
    ):
        titles = {row["title"] for row in ask(query, Category.EDUCATIONAL).data}
        assert titles == {"Proof of stake", "Proof of work"}
    [one] = ask("what is gas and why is it high", Category.EDUCATIONAL).data
    assert one["title"] == "Gas"


def test_advice_does_not_excuse_its_figures() -> None:
    answer = ask("would it be clever to buy btc now", Category.ADVICE).answer
    assert "and no advice" in answer
    assert market.USUAL_ONLY not in answer


def test_a_part_that_is_none_of_ours_is_left_out_and_named() -> None:
    found = ask("price of btc and who wins the election", Category.OUT_OF_SCOPE)
    assert "Bitcoin costs 86,011.36" in found.answer
    assert (
        "Not answered: \u201cwho wins the election\u201d (that is nothing I can answer)."
        in found.answer
    )
    assert found.category == Category.PRICE_QUERY


def test_where_nobody_is_sure_of_a_part_the_others_are_answered() -> None:
    found = ask("price of btc and sing me a song", Category.NEWS, sure=False)
    assert "Bitcoin costs 86,011.36" in found.answer
    assert "\u201csing me a song\u201d (I am not sure what that asks for)" in found.answer


def test_the_mood_of_then_is_not_that_of_now() -> None:
    now = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    rows = [FearGreed(now - timedelta(days=back), 40 + back, "Fear") for back in range(5)]
    shelved.shelve(SentimentQuery(days=4), rows, "alternative_me")
    then = (now - timedelta(days=3)).date()
    [found] = ask(f"fear and greed on {then}", Category.SENTIMENT).data
    assert (found["value"], found["at"][:10]) == (43, then.isoformat())
    shelved.shelve(SentimentQuery(days=4), rows[:2], "alternative_me")
    none = ask(f"fear and greed on {then}", Category.SENTIMENT)
    assert none.data == []
    assert "alternative_me has none of that time" in none.answer


def test_news_of_a_stranger_are_named_as_missing() -> None:
    assert STRANGER.format("news") in ask("news about btc and zzz", Category.NEWS).answer
