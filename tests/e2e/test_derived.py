"""Answers made of the answers of others, and words that decide who is asked."""

from __future__ import annotations

import time
from statistics import median

import pytest

from aggregator import answers, edge, hot
from providers import registry
from providers.models import Provider
from tests.e2e.world import Witness, World, numbers

CONSENSUS = "/api/market/consensus?symbol=btc"


def test_movers_are_those_of_the_market_and_cost_no_call_of_their_own(world: World) -> None:
    world.only("coingecko_free")
    market = world.get("/api/market?limit=250").data
    for direction, sign in {"gainers": 1, "losers": -1}.items():
        said = world.get(f"/api/market/movers?direction={direction}&limit=5&min_volume=0")
        best = sorted(
            (row for row in market if sign * row["change_24h_percent"] > 0),
            key=lambda row: (-sign * row["change_24h_percent"], row["id"]),
        )
        assert said.data == best[:5]
        assert (said.meta["cache"], said.meta["source"]) == ("hit", "coingecko_free")
    assert world.asked("coingecko_free") == 1


def test_movers_of_a_week_and_of_an_hour_are_others_than_those_of_a_day(world: World) -> None:
    world.only("coingecko_free")
    market = world.get("/api/market?limit=250").data
    for window in ("1h", "7d"):
        field = f"change_{window}_percent"
        said = world.get(f"/api/market/movers?window={window}&limit=5&min_volume=0")
        changes = [row[field] for row in said.data]
        assert changes == sorted((row[field] for row in market if row[field]), reverse=True)[:5]
    assert world.asked("coingecko_free") == 1


def test_a_coin_that_hardly_trades_moves_nobody(world: World) -> None:
    world.only("coingecko_free")
    everybody = world.get("/api/market/movers?limit=100&min_volume=0").data
    floor = int(median(row["volume_24h"] for row in everybody))
    some = world.get(f"/api/market/movers?limit=100&min_volume={floor}").data
    assert some == [row for row in everybody if row["volume_24h"] >= floor]
    assert 0 < len(some) < len(everybody)


def test_movers_of_another_currency_are_another_market(world: World) -> None:
    euros = world.get("/api/market/movers?limit=1&currency=EUR").data
    dollars = world.get("/api/market/movers?limit=1").data
    assert euros[0]["price"] != dollars[0]["price"]
    bitcoins = world.get("/api/market/movers?limit=1&currency=btc").data
    assert bitcoins[0]["volume_24h"] < 1_000_000  # else nobody would trade enough


def test_the_consensus_asks_everybody_who_has_a_price_and_shows_what_each_said(
    world: World, witness: Witness
) -> None:
    for slug in ("coingecko_pro", "coinmarketcap", "coincap", "cryptocompare"):
        world.give_key(slug, "sandbox-of-mine")
    said = world.get(CONSENSUS)
    offer = {a.name for a in registry.all() if "price" in [q.dataset.name for q in a.offers]}
    asked = Provider.objects.filter(enabled=True, adapter_name__in=offer)
    keyless = {"coingecko_demo"}
    sources = {part["source"] for part in said.meta["sources"]}
    assert sources | set(said.outcomes) == set(asked.values_list("slug", flat=True)) - keyless
    assert set(said.outcomes) <= {"gateio"}  # what it calls bitcoin was never recorded
    for row in said.data:
        for quoted in row["prices"]:
            assert quoted["price"] in witness.numbers(world.host(quoted["provider"]))
        assert row["median"] == median(quoted["price"] for quoted in row["prices"])
        assert row["outliers"] == []
    quotes = {row["quote"]: {quoted["provider"] for quoted in row["prices"]} for row in said.data}
    assert set().union(*quotes.values()) == sources
    assert "binance" in quotes["USDT"]
    assert "kraken" in quotes["USD"]
    assert world.get(CONSENSUS).meta["cache"] == "hit"
    assert world.asked("kraken") == 1


def test_the_consensus_is_of_those_who_are_well(world: World) -> None:
    world.spoil("kraken", "status=503")
    world.spoil("bitstamp", "html")
    world.spoil("coinbase", "hang")
    said = world.get(CONSENSUS)
    outcomes = said.outcomes
    assert (outcomes["kraken"], outcomes["bitstamp"], outcomes["coinbase"]) == (
        "broken",
        "garbled",
        "timed_out",
    )
    assert not {"kraken", "bitstamp", "coinbase"} & set(said.meta["source"].split(","))


def test_what_the_consensus_finds_out_stands_in_the_matrix(world: World) -> None:
    world.get(CONSENSUS)
    world.status("kraken")  # the book is written
    rows = {(row["provider"], row["dataset"]): row for row in world.get("/api/capabilities").data}
    binance = rows["binance", "price"]
    assert binance["accuracy_percent"] == 100
    assert binance["freshness_s"] is not None
    assert binance["freshness_s"] < 60
    assert rows["kraken", "price"]["freshness_s"] is None  # its answer has no times
    assert rows["coingecko_pro", "price"]["accuracy_percent"] is None


def test_nobody_answers_for_the_consensus_but_the_shelf(world: World) -> None:
    fresh = world.get(CONSENSUS)
    world.age(40)
    for slug in Provider.objects.values_list("slug", flat=True):
        world.spoil(slug, "status=503")
    old = world.get(CONSENSUS)
    assert (old.meta["stale"], old.data) == (True, fresh.data)
    world.empty_the_shelf()
    gone = world.get(CONSENSUS)
    assert (gone.status, gone.body["code"]) == (503, "unanswered")


def test_chains_of_one_key_have_fees_of_their_own(world: World, witness: Witness) -> None:
    for chain in ("polygon", "gnosis", "linea"):
        said = world.get(f"/api/gas?chain={chain}")
        (fees,) = said.data
        assert (said.meta["source"], fees["chain"]) == ("etherscan_free", chain)
        assert numbers(fees) <= witness.numbers(world.host("etherscan_free"))
    refused = world.get("/api/gas?chain=bnb")  # not without paying
    assert (refused.status, refused.outcomes["etherscan_free"]) == (404, "plan_limit")


def test_a_series_is_found_by_words_and_asked_for_by_its_id(world: World) -> None:
    world.only("fred")
    world.give_key("fred", "sandbox-of-mine")
    found = world.get("/api/economic?q=Unemployment&limit=3").data
    assert "UNRATE" in [row["id"] for row in found]
    said = world.get("/api/economic/unrate?start=2026-01-01&end=2026-06-30")
    assert [row["date"] for row in said.data] == [f"2026-{month:02}-01" for month in range(1, 7)]
    assert {row["frequency"] for row in said.data} == {"monthly"}
    assert world.get("/api/economic/UNRATE?start=2026-01-01&end=2026-06-30").meta["cache"] == "hit"
    assert world.get("/api/economic/NOSUCHSERIES").status == 404


def test_a_series_of_either_keeper_is_asked_for_where_it_is(world: World) -> None:
    assert world.get("/api/economic/UNRATE").meta["source"] == "fredgraph"
    said = world.get("/api/economic/us/NY.GDP.MKTP.CD?start=2020-01-01")
    assert said.meta["source"] == "world_bank"
    assert {row["units"] for row in said.data} == {"current US$"}
    nowhere = world.get("/api/economic?q=gdp")  # only FRED has a search, with a key
    assert (nowhere.status, nowhere.outcomes) == (503, {"fred": "no_key"})


def test_value_locked_is_that_of_all_chains_or_the_past_of_one(world: World) -> None:
    chains = world.get("/api/defi/tvl")
    values = [row["tvl"] for row in chains.data]
    assert values == sorted(values, reverse=True)
    past = world.get("/api/defi/tvl?chain=ETHEREUM").data
    now = next(row["tvl"] for row in chains.data if row["chain"] == "Ethereum")
    assert past[-1]["tvl"] == now
    assert set(past[0]) == {"date", "tvl"}
    assert world.get("/api/defi/tvl?chain=atlantis").status == 404


@pytest.mark.parametrize(
    "url",
    [
        "/api/market/movers?limit=3",
        "/api/market/trending",
        CONSENSUS,
        "/api/economic/UNRATE",
        "/api/economic/US/NY.GDP.MKTP.CD",
        "/api/defi/tvl",
        "/api/defi/tvl?chain=bsc",
        "/api/gas?chain=Polygon",
    ],
)
def test_the_edge_knows_the_question_and_finds_its_answer(world: World, url: str) -> None:
    response = world.client.get(url)
    answer = response.wsgi_request.META[hot.ANSWER]
    route = edge._question(url.partition("?")[0])
    assert route is not None
    asked = edge._view(route).asked
    assert type(answer.query) in (asked.query, *asked.also)
    found = answers.board.get(answer.query.key)
    assert found is not None
    assert found.is_fresh(time.time())
    assert found.data == answer.data


@pytest.mark.parametrize("url", ["/api/market/movers", CONSENSUS, "/api/defi/tvl"])
def test_an_answer_is_shown_in_the_explorer_too(world: World, url: str) -> None:
    world.get(url)
    path, _, query = url.partition("?")
    name = path.rpartition("/")[2]
    page = world.client.get(
        f"/explore?dataset={name}&ask=1&{query}", headers={"Accept": "text/html"}
    ).content.decode()
    assert ">hit</code>" in page
    assert "Quoted(" not in page
    assert "Decimal(" not in page
