"""Figures of the market: what is asked for is answered, or named as not answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chat.categories import Category
from chat.models import Interaction
from providers.datasets import (
    EconomicQuery,
    GlobalQuery,
    GlobalStats,
    HistoryPoint,
    HistoryQuery,
    MarketQuery,
    Observation,
    TrendingCoin,
    TrendingQuery,
)
from tests.chat import shelved
from tests.chat.test_answering import classifying, reply

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _shelved() -> None:
    shelved.coins()
    shelved.everything()
    stats = GlobalStats(Decimal(300), None, Decimal(57), Decimal(12), None, None, None, None)
    shelved.shelve(GlobalQuery(), [stats], "coingecko")
    points = [
        HistoryPoint(NOW - timedelta(days=days), Decimal(days), Decimal(100 * days), None)
        for days in (7, 3, 1)
    ]
    shelved.shelve(HistoryQuery(symbol="BTC", days=7), points)


def ask(query: str, category: Category = Category.MARKET_DATA) -> Interaction:
    return reply(query, classify=classifying(category, 0.9, sure=True))


def told(found: Interaction) -> set[tuple[str, str, Decimal]]:
    return {
        (row["subject"], row["label"], Decimal(row["value"]))
        for row in found.data
        if row["kind"] == "figure"
    }


def test_the_market_as_a_whole_is_not_a_coin_that_is_named_beside_it() -> None:
    assert told(ask("total market cap and btc dominance")) >= {
        ("the whole market", "capitalisation", Decimal(300)),
        ("the whole market", "share of Bitcoin", Decimal(57)),
    }
    both = told(ask("total market cap and the market cap of sol"))
    assert ("Solana", "market capitalisation", Decimal(88000000000)) in both
    assert ("the whole market", "capitalisation", Decimal(300)) in both
    other = ask("solana dominance")
    assert "Not answered: the share of Solana (no provider here offers it)." in other.answer


def test_what_a_provider_did_not_send_is_named() -> None:
    found = ask("market cap and supply of eth")
    assert ("Ethereum", "market capitalisation", Decimal(267000000000)) in told(found)
    rank = ask("circulating supply of btc")
    assert told(rank) == {("Bitcoin", "circulating supply", Decimal(20000000))}
    lacking = shelved.market(1, *shelved.COINS[0])._replace(circulating_supply=None)
    shelved.shelve(MarketQuery(), [lacking], "coinpaprika")
    found = ask("circulating supply of btc")
    said = "Not answered: circulating supply of Bitcoin (coinpaprika did not send it)."
    assert found.answer == said


def test_what_nobody_offers_is_called_by_its_name() -> None:
    assert "Not answered: ETF flows (no provider here offers it)." in ask("btc etf flows").answer


def test_a_price_of_the_past_is_no_price_of_now() -> None:
    found = ask("price of btc in the last 7 days", Category.PRICE_QUERY)
    assert ("Bitcoin", "price", Decimal(1)) in told(found)
    assert Decimal("86011.36") not in {value for _, _, value in told(found)}


def test_capitalisation_of_the_past_is_not_its_price() -> None:
    found = told(ask("market cap of btc in the past 7 days"))
    assert ("Bitcoin", "highest market capitalisation between", Decimal(300)) in found
    value = told(ask("value of btc in the past 7 days"))
    assert ("Bitcoin", "highest price between", Decimal(3)) in value
    volume = ask("volume of btc in the past 7 days").answer
    assert volume == "Not answered: volume in 24 h of Bitcoin in that time (kraken sent none)."


def test_a_coin_without_figures_is_searched_for_all_the_same() -> None:
    coin = TrendingCoin("pepe", "PEPE", "Pepe", None, None, None)
    shelved.shelve(TrendingQuery(), [coin], "someone")
    assert "Pepe (someone)" in ask("trending coins").answer


def test_a_coin_beside_an_index_is_both() -> None:
    year = NOW.year - 2
    rows = [Observation(NOW.date(), Decimal(17000), None, None)]
    shelved.shelve(EconomicQuery(series="NASDAQCOM", start=NOW.date().replace(year, 1, 1)), rows)
    assert {subject for subject, _, _ in told(ask("btc vs nasdaq", Category.COMPARISON))} == {
        "Bitcoin",
        "Nasdaq Composite",
    }


def test_a_value_of_a_month_is_of_that_month_and_not_of_its_first_day() -> None:
    assert "value 321 Index in October 2026" in reply("us inflation").answer.replace("\xa0", " ")


def movers() -> None:
    coins = [shelved.market(n, *coin) for n, coin in enumerate(shelved.COINS, 1)]
    changes = ((1, -5, 2), (-1, 6, 9), (3, -7, -8))  # of an hour, a day, a week
    rows = [
        coin._replace(
            change_1h_percent=Decimal(hour),
            change_24h_percent=Decimal(day),
            change_7d_percent=Decimal(week),
        )
        for coin, (hour, day, week) in zip(coins, changes, strict=True)
    ]
    shelved.shelve(MarketQuery(), rows, "coingecko")


@pytest.mark.parametrize(
    ("query", "label", "expected"),
    [
        ("top gainers today", "change in 24 h", [("Ethereum", 6)]),
        ("top gainers this week", "change in 7 days", [("Ethereum", 9), ("Bitcoin", 2)]),
        ("weekly losers", "change in 7 days", [("Solana", -8)]),
        ("verlierer der woche", "change in 7 days", [("Solana", -8)]),
        ("gewinner heute", "change in 24 h", [("Ethereum", 6)]),
        ("top gainers 7d", "change in 7 days", [("Ethereum", 9), ("Bitcoin", 2)]),
        ("top losers last hour", "change in 1 h", [("Ethereum", -1)]),
        ("biggest gainers in the past 24 hours", "change in 24 h", [("Ethereum", 6)]),
    ],
)
def test_movers_are_those_of_the_window_that_is_asked_for(
    query: str, label: str, expected: list[tuple[str, int]]
) -> None:
    movers()
    found = [row for row in ask(query).data if row["label"] != "price"]
    assert [(row["subject"], row["value"]) for row in found] == expected
    assert {row["label"] for row in found} == {label}


@pytest.mark.parametrize(
    "query",
    [
        "top gainers this month",
        "biggest losers of the year",
        "gainers yesterday",
        "best performing coins in the last 3 days",
        "top gainers in the last 4 hours",
    ],
)
def test_movers_of_a_window_that_nobody_tells_are_not_those_of_another(query: str) -> None:
    movers()
    found = ask(query)
    assert found.data == []
    assert "(of all coins, changes in 1 h, 24 h and 7 days are known)" in found.answer


def test_the_change_of_an_hour_is_not_that_of_a_day() -> None:
    assert told(ask("how much has eth changed in 1 hour")) == {
        ("Ethereum", "change in 1 h", Decimal("0.1"))
    }
    few_hours = [HistoryPoint(NOW - timedelta(hours=h), Decimal(h), None, None) for h in (9, 3, 1)]
    shelved.shelve(HistoryQuery(symbol="BTC", days=1), few_hours)
    assert ("Bitcoin", "change between them", Decimal("-66.67")) in told(
        ask("btc change in the last 4 hours")
    )


@pytest.mark.parametrize(
    "query",
    ["btc dominance in 2021", "market cap of the whole market last month", "defi tvl last year"],
)
def test_the_market_of_then_is_not_that_of_now(query: str) -> None:
    found = ask(query)
    assert found.data == []
    assert "the whole market of that time (its figures of now are all" in found.answer


def test_raw_materials_and_chains_that_nobody_knows_are_named_beside_others() -> None:
    year = NOW.year - 2
    rows = [Observation(NOW.date(), Decimal(6000), None, None)]
    shelved.shelve(EconomicQuery(series="SP500", start=NOW.date().replace(year, 1, 1)), rows)
    answer = ask("compare btc and gold and sp500", Category.COMPARISON).answer
    assert "S&P 500: value 6,000" in answer
    assert "Not answered: the price of gold" in answer
    gas = ask("gas on ethereum and solana", Category.GAS).answer
    assert "Ethereum fees: slow 1.5" in gas
    assert "Not answered: fees of Solana (the chains known here are" in gas


def test_figures_of_our_own_country_are_not_passed_off_as_those_of_another() -> None:
    assert (
        "Not answered: narnia (no country is called that here)."
        in ask("inflation in narnia", Category.ECONOMIC_INDICATOR).answer
    )
    told = ask("interest rate turkey", Category.ECONOMIC_INDICATOR).answer
    assert "US federal funds rate of another country (it is known of one alone)" in told
    for query in ("inflation in 2025", "inflation in the us"):
        assert "no country" not in ask(query, Category.ECONOMIC_INDICATOR).answer


def test_of_one_value_nobody_tells_the_highest_and_lowest() -> None:
    start = NOW.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)
    query = HistoryQuery(symbol="BTC", start=start, end=start + timedelta(days=1))
    shelved.shelve(query, [HistoryPoint(start, Decimal(5), None, None)])
    answer = ask("btc high and low of yesterday").answer
    assert "highest and lowest price of Bitcoin (kraken sent one value of that time)" in answer
    assert "one coin" in ask("what were 2 btc worth yesterday").answer
    assert "one coin" not in ask("was btc up 5% yesterday").answer
