"""A conversation: what a question leaves out is what the questions before it were about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from chat import answering
from chat.answering import Means
from chat.categories import Category
from chat.models import Conversation, Interaction
from providers.datasets import EconomicQuery, MarketQuery, Observation, PriceQuery, PriceRow
from tests.chat import shelved
from tests.chat.test_answering import classifying, reply

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _shelved() -> None:
    shelved.coins()
    shelved.everything()


def talk(*questions: str, category: Category = Category.MARKET_DATA) -> Interaction:
    """The last answer of a conversation; its rules fail, the classifier names a category."""
    means = Means(classify=classifying(category, 0.9, sure=True))
    first, *others = questions
    found = answering.reply(first, Conversation(), means, is_new=True)
    for question in others:
        found = answering.reply(question, found.conversation, means)
    return found


def told(found: Interaction) -> set[tuple[str, str]]:
    return {(row["subject"], row["label"]) for row in found.data if row["kind"] == "figure"}


def test_a_bare_follow_up_asks_the_same_of_something_else_however_many_there_are() -> None:
    cap = {("Solana", "market capitalisation")}
    assert told(talk("market cap of btc", "and eth?", "and sol?")) == cap
    rows = [shelved.market(n, *coin) for n, coin in enumerate(shelved.COINS, 1)]
    shelved.shelve(MarketQuery(currency="eur"), rows, "coingecko")
    euros = talk("market cap of btc", "and sol?", "in euros?")
    assert [(row["label"], row["unit"]) for row in euros.data] == [("market capitalisation", "EUR")]


def test_a_time_by_itself_is_of_the_question_before() -> None:
    losers = talk("top losers today", "this week?")
    assert {label for _, label in told(losers)} <= {"change in 7 days", "price"}
    assert "whole market" not in losers.answer
    assert "Not answered: losers last month" in talk("top losers today", "last month?").answer
    assert "change in 24 h" in talk("top gainers today", "and losers?").answer


def test_a_comparison_grows() -> None:
    names = {subject for subject, _ in told(talk("compare btc and eth", "and sol?"))}
    assert names == {"Bitcoin", "Ethereum", "Solana"}
    volumes = told(talk("compare btc and eth", "by volume"))
    assert volumes == {("Bitcoin", "volume in 24 h"), ("Ethereum", "volume in 24 h")}


def test_a_number_by_itself_is_of_what_was_counted_before() -> None:
    found = talk("100 usd in btc", "and 200?", category=Category.CONVERSION)
    assert [row["subject"] for row in found.data if row["label"] == "is worth"] == ["200 USD"]
    rsi = talk("rsi 14 of btc", "and 21?", category=Category.TECHNICAL)
    assert ("Bitcoin", "RSI 21 of 1d candles") in told(rsi)


def test_a_term_follows_a_term_that_was_explained() -> None:
    found = talk("what is staking", "and mining?", category=Category.MARKET_DATA)
    assert found.category == Category.EDUCATIONAL
    assert [row["title"] for row in found.data] == ["Mining"]


def test_a_study_or_a_country_by_itself_is_of_the_question_before() -> None:
    sma = talk("rsi of btc", "sma 50?", category=Category.TECHNICAL)
    assert ("Bitcoin", "SMA 50 of 1d candles") in told(sma)
    year = datetime.now(UTC).year
    rows = [Observation(date(year - 2, 1, 1), Decimal(3), None, None)]
    abroad = EconomicQuery(series="DE/FP.CPI.TOTL.ZG", start=date(year - 10, 1, 1))
    shelved.shelve(abroad, rows, "world_bank")
    german = {("inflation (Germany)", "value")}
    assert told(talk("us inflation", "in germany?", category=Category.NEWS)) == german


def test_small_talk_follows_nothing_and_nothing_follows_it() -> None:
    assert told(talk("market cap of btc", "thanks", "and sol?")) == {
        ("Solana", "market capitalisation")
    }
    assert talk("price of btc", "ok").category == Category.SMALLTALK
    assert talk("price of btc", "thanks").category == Category.SMALLTALK


def ask(query: str, category: Category) -> Interaction:
    return reply(query, classify=classifying(category, 0.9, sure=True))


def test_a_price_is_told_in_each_currency_that_is_named() -> None:
    for currency in ("aud", "cad"):
        shelved.shelve(
            PriceQuery(("ETH",), currency), [PriceRow("ETH", Decimal(3), currency.upper(), None)]
        )
    found = ask("eth price in aud and cad", Category.PRICE_QUERY)
    assert [row["unit"] for row in found.data] == ["AUD", "CAD"]


def test_a_pair_is_the_price_of_one_in_the_other() -> None:
    row = PriceRow("ETH", Decimal("0.025"), "BTC", None)
    shelved.shelve(PriceQuery(("ETH",), "btc"), [row], "binance")
    for query in ("eth/btc", "price of eth in btc"):
        [figure] = ask(query, Category.NEWS).data
        assert (figure["subject"], figure["value"], figure["unit"]) == (
            "Ethereum",
            row.price,
            "BTC",
        )


def test_figures_in_money_they_are_not_told_in_say_so() -> None:
    told = ask("market cap of btc in inr", Category.MARKET_DATA).answer
    assert "Not answered: these figures in INR (nobody tells them in it)." in told
    told = ask("market cap of btc in usd and eur", Category.MARKET_DATA).answer
    assert "Not answered: these figures in EUR (I tell them in one currency)." in told


def test_coins_are_ranked_by_what_is_asked_for() -> None:
    rows = [shelved.market(n, *coin) for n, coin in enumerate(shelved.COINS, 1)]
    volumes = (Decimal(1), Decimal(3), Decimal(2))
    ranked = [row._replace(volume_24h=v) for row, v in zip(rows, volumes, strict=True)]
    shelved.shelve(MarketQuery(), ranked, "coingecko")

    def first(query: str) -> str:
        name: str = ask(query, Category.MARKET_DATA).data[0]["subject"]
        return name

    assert first("which coin has the highest volume") == "Ethereum"
    assert first("which coin has the highest market cap") == "Bitcoin"
    assert first("cheapest coins") == "Solana"
    many = ask("top 20 coins", Category.MARKET_DATA).answer
    assert "Not answered: all 20 of them (I tell 10 at once)." in many


def test_a_country_beside_ours_is_both() -> None:
    year = datetime.now(UTC).year
    rows = [Observation(date(year - 2, 1, 1), Decimal(3), None, None)]
    home = EconomicQuery(series="UNRATE", start=date(year - 2, 1, 1))
    abroad = EconomicQuery(series="JP/SL.UEM.TOTL.ZS", start=date(year - 10, 1, 1))
    for query in (home, abroad):
        shelved.shelve(query, rows, "fred")
    found = ask("unemployment in japan vs us", Category.COMPARISON)
    subjects = {subject for subject, _ in told(found)}
    assert subjects == {"US unemployment rate", "unemployment rate (Japan)"}
