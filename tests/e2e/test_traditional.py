"""What is no coin, through the public door: Yahoo, once an operator has enabled it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from providers import learning, ranking
from providers.models import Asset, Contract, Provider
from tests.e2e.world import Witness, World

HOST = "query1.finance.yahoo.com"
OTHERS = [
    ("AAPL", "USD"),
    ("bmw", "EUR"),
    ("^GSPC", "USD"),
    ("s-and-p-500", "USD"),
    ("AORD", "AUD"),
    ("EURUSD", "USD"),
    ("gold", "USD"),
]


def said_by(world: World) -> set[Decimal]:
    assert isinstance(world.sandbox, Witness)
    return world.sandbox.numbers(HOST)


def test_while_it_is_off_the_error_says_who_could(world: World) -> None:
    said = world.get("/api/market/price?symbols=AAPL")
    assert said.status == 404
    assert "yahoo could, but it is switched off." in said.body["detail"]
    assert set(said.outcomes.values()) <= {"unsupported", "no_key"}


@pytest.mark.parametrize(("word", "quote"), OTHERS)
def test_a_price_is_in_its_own_currency(world: World, word: str, quote: str) -> None:
    world.only("kraken", "yahoo")
    (row,) = world.get(f"/api/market/price?symbols={word}").data
    assert row["quote"] == quote
    assert row["price"] in said_by(world)


@pytest.mark.parametrize("word", [word for word, _ in OTHERS])
def test_candles_and_history_are_too(world: World, word: str) -> None:
    world.only("kraken", "yahoo")
    candles = world.get(f"/api/market/ohlc?symbol={word}&interval=1d&limit=5").data
    points = world.get(f"/api/market/history?symbol={word}&days=30").data
    assert candles
    assert points
    said = said_by(world)
    assert {row[name] for row in candles for name in ("open", "high", "low", "close")} <= said
    assert {row["price"] for row in points} <= said


def test_points_of_an_index_are_no_money_of_another_country(world: World) -> None:
    world.only("yahoo")
    assert world.get("/api/market/ohlc?symbol=AORD&currency=aud&interval=1d&limit=5").data
    assert world.get("/api/market/ohlc?symbol=AORD&currency=usd&interval=1d").status == 404


def test_a_list_of_coins_and_shares_is_answered_by_those_who_know_them(world: World) -> None:
    world.only("kraken", "yahoo")
    said = world.get("/api/market/price?symbols=BTC,AAPL,^GSPC")
    assert [row["symbol"] for row in said.data] == ["BTC", "AAPL", "GSPC"]
    assert {part["source"] for part in said.meta["sources"]} == {"kraken", "yahoo"}


def test_contracts_and_sizes_are_learned_from_a_list_and_a_ranking(world: World) -> None:
    world.only("coingecko_free")
    provider = Provider.objects.get(slug="coingecko_free")
    assert learning.learn(provider).contracts > 10
    provider.guard.reset()
    assert ranking.refresh()[0] == "coingecko_free"
    contract = Contract.objects.select_related("asset").first()
    assert contract
    provider.guard.reset()
    (row,) = world.get(f"/api/market/price?symbols={contract.address}").data
    assert row["symbol"] == contract.asset.symbol
    bitcoin = Asset.objects.get(slug="bitcoin")
    assert bitcoin.market_cap
    assert bitcoin.market_cap > 10**9


def test_the_consensus_about_a_share_is_what_those_say_who_know_it(world: World) -> None:
    world.only("kraken", "yahoo")
    said = world.get("/api/market/consensus?symbol=bmw&kind=equity")
    (row,) = said.data
    assert (row["symbol"], row["quote"]) == ("BMW", "EUR")
    assert row["median"] in said_by(world)
    assert said.outcomes == {"kraken": "unsupported"}
    assert world.get("/api/market/consensus?symbol=bmw&currency=usd").status == 404


def test_the_search_finds_a_share_beside_the_coins(world: World) -> None:
    world.only("coingecko_free")
    said = world.get("/api/search?q=apple")
    assert said.data[0]["symbol"] == "AAPL"
    assert said.meta["source"] == "catalogue,coingecko_free"
