"""
Every route of the API, with every provider that can answer it: what one is shown is what the
provider said, and nothing else.
"""

from __future__ import annotations

import time
from datetime import datetime
from decimal import Decimal
from html import escape
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

from aggregator.api.urls import DATA
from providers import catalogue, registry, roster
from providers.datasets import INTERVALS
from providers.models import Listing, Policy, Provider
from tests.conftest import while_refreshing
from tests.e2e.world import SPOKEN, Said, Witness, World, numbers

ROUTES = {
    "market": "/api/market?limit=5",
    "price": "/api/market/price?symbols=BTC",
    "ohlc": "/api/market/ohlc?symbol=BTC&interval=1d&limit=2",
    "history": "/api/market/history?symbol=BTC&days=1",
    "global": "/api/market/global",
    "coin": "/api/coins/bitcoin",
    "search": "/api/search?q=bitcoin",
    "news": "/api/news",
    "sentiment": "/api/sentiment?days=3",
    "gas": "/api/gas",
    "trending": "/api/market/trending",
    "series": "/api/economic?q=price",
    "economic": "/api/economic/UNRATE",
    "tvl": "/api/defi/tvl",
    "tvl_history": "/api/defi/tvl?chain=ethereum",
}
BITCOIN_FEES = {"mempool_space"}
# What an adapter works out of several numbers that were sent, each of which is tested with it.
WORKED_OUT = {
    ("price", "bitfinex"): {"change_24h_percent"},
    ("price", "bitstamp"): {"volume_24h"},
    ("price", "bybit"): {"change_24h_percent"},
    ("price", "kraken"): {"volume_24h"},
    ("price", "kucoin"): {"change_24h_percent"},
    ("price", "okx"): {"change_24h_percent"},
}
OURS = {"news": {"sentiment"}}  # what we make of what was sent, whoever sent it
# Of these no name of a coin of ours was ever recorded: it has to be learned from their own lists.
UNNAMED = {"gateio"}


class Pair(NamedTuple):
    """One cell of the capability matrix."""

    dataset: str
    provider: str

    def __str__(self) -> str:
        return f"{self.dataset}-{self.provider}"

    @property
    def url(self) -> str:
        if self.provider in BITCOIN_FEES:
            return "/api/gas?chain=bitcoin"
        if self.provider == "world_bank":
            return "/api/economic/US/NY.GDP.MKTP.CD"
        if (self.dataset, self.provider.startswith("coingecko")) == ("ohlc", True):
            return "/api/market/ohlc?symbol=BTC&interval=4h"
        return ROUTES[self.dataset]


def pairs() -> list[Pair]:
    """Every provider that the sandbox speaks for with every dataset that it offers."""
    registry.discover()
    return [
        Pair(query.dataset.name, entry.slug)
        for entry in catalogue.load().providers
        for adapter in [registry.get(entry.adapter)]
        if urlsplit(entry.base_url or adapter.base_url).netloc in SPOKEN
        if entry.slug not in UNNAMED
        for query in adapter.offers
        if query.dataset.name in ROUTES
    ]


def test_every_route_of_data_is_tried_here() -> None:
    asked = {asked.query.dataset for _, asked, _ in DATA}
    assert set(ROUTES) >= {dataset.name for dataset in asked if not dataset.derived}
    assert {pair.dataset for pair in pairs()} == set(ROUTES)


def as_it_was_sent(pair: Pair, said: Said) -> set[Decimal]:
    """The numbers of an answer that its provider must have sent in so many digits."""
    if pair.provider.startswith("eth_"):  # it says all in wei, and tiers are worked out of many
        return {row["base_fee"] * 10**9 for row in said.data}
    worked_out = WORKED_OUT.get(pair, set()) | OURS.get(pair.dataset, set())
    return numbers([{k: v for k, v in row.items() if k not in worked_out} for row in said.data])


@pytest.mark.parametrize("pair", pairs(), ids=str)
def test_what_a_provider_is_asked_alone_is_answered_by_what_it_said(
    world: World, witness: Witness, pair: Pair
) -> None:
    world.only(pair.provider)
    world.give_key(pair.provider, "sandbox-of-mine")
    said = world.get(pair.url)
    assert (said.meta["source"], said.meta["attempts"]) == (pair.provider, [])
    assert said.meta["sandbox"] is True
    assert said.data
    assert as_it_was_sent(pair, said) <= witness.numbers(world.host(pair.provider))
    assert world.calls() == [(pair.provider, "ok")] * len(world.calls())
    assert world.status(pair.provider)["status"] == "healthy"


# -- Nothing that was not said ----------------------------------------------------------------

SPOILED = ("types", "malformed", "truncate", "html", "bomb=32")


def one_of_each() -> list[Pair]:
    """Of the providers that share an adapter, or its tiers, the last."""
    adapters = {entry.slug: registry.get(entry.adapter) for entry in catalogue.load().providers}
    kinds = {(p.dataset, (a := adapters[p.provider]).listed_as or a.name): p for p in pairs()}
    return list(kinds.values())


@pytest.mark.parametrize("pair", one_of_each(), ids=str)
def test_a_spoiled_body_is_never_passed_on(world: World, witness: Witness, pair: Pair) -> None:
    world.only(pair.provider)
    world.give_key(pair.provider, "sandbox-of-mine")
    for fault in SPOILED:
        world.begin_again()
        world.spoil(pair.provider, fault)
        said = world.get(pair.url)
        assert said.status in (200, 503), said.body
        if said.status == 200:  # what was spoiled is none of what is shown
            assert said.data
            assert as_it_was_sent(pair, said) <= witness.numbers(world.host(pair.provider))
        else:
            assert said.outcomes == {pair.provider: "garbled"}


FIRST_AND_SECOND = {
    "market": ("coingecko_free", "coinpaprika"),
    "price": ("kraken", "binance"),
    "ohlc": ("kraken", "okx"),
    "history": ("coinpaprika", "coingecko_free"),
    "coin": ("coingecko_free", "coinpaprika"),
    "search": ("coinpaprika", "coingecko_free"),
    "gas": ("eth_publicnode", "eth_drpc"),
    "trending": ("coingecko_free", "crypto_api_clean"),
    "economic": ("fred", "fredgraph"),
}


@pytest.mark.parametrize("dataset", FIRST_AND_SECOND)
@pytest.mark.parametrize(
    ("fault", "outcome"),
    [("status=503", "broken"), ("status=429", "throttled"), ("html", "garbled")],
)
def test_every_dataset_fails_over(world: World, dataset: str, fault: str, outcome: str) -> None:
    first, second = FIRST_AND_SECOND[dataset]
    world.only(first, second)
    world.give_key(first, "sandbox-of-mine")
    Policy.objects.update(strategy="priority")
    world.spoil(first, fault)
    said = world.get(ROUTES[dataset])
    assert (said.meta["source"], said.outcomes) == (second, {first: outcome})
    assert said.data


@pytest.mark.slow
@pytest.mark.parametrize(
    "fault",
    [
        *SPOILED,
        "status=500",
        "status=404",
        "status=429",
        "status=451",
        "status=401",
        "reset",
        "hang",
        "drip=1",
        "redirect=/",
    ],
)
def test_no_fault_of_everybody_makes_a_500(world: World, fault: str) -> None:
    for slug in Provider.objects.values_list("slug", flat=True):
        world.spoil(slug, fault)
    for url in [*ROUTES.values(), "/api/gas?chain=bitcoin"]:
        said = world.get(url)
        assert said.status in (200, 404, 503)
        assert said.status == 200 or said.attempts
    for url in ("/api/status", "/api/capabilities", "/healthz", "/readyz"):
        assert world.get(url).status == 200


# -- One route after the other ----------------------------------------------------------------


@pytest.mark.parametrize("provider", ["kraken", "binance", "okx", "coinbase"])
def test_candles_of_every_length(world: World, witness: Witness, provider: str) -> None:
    world.only(provider)
    lacking = {"30m", "4h", "1w"} if provider == "coinbase" else set()
    for interval, seconds in INTERVALS.items():
        before = time.time()
        said = world.get(f"/api/market/ohlc?symbol=BTC&interval={interval}&limit=4")
        if interval in lacking:
            assert (said.status, said.outcomes) == (404, {provider: "unsupported"})
            continue
        times = [datetime.fromisoformat(row["time"]).timestamp() for row in said.data]
        steps = {later - earlier for earlier, later in pairwise(times)}
        assert (len(times), steps) == (4, {seconds})
        assert [row["complete"] for row in said.data] == [True] * 3 + [False]
        assert before - seconds < times[-1] <= time.time()
        assert numbers(said.data) <= witness.numbers(world.host(provider))


@pytest.mark.parametrize(
    ("provider", "interval", "most"),
    [("coingecko_free", "30m", 48), ("coingecko_free", "4h", 180), ("coinpaprika", "1d", 2)],
)
def test_who_keeps_few_candles_answers_who_wants_no_more(
    world: World, provider: str, interval: str, most: int
) -> None:
    world.only(provider)
    path = f"/api/market/ohlc?symbol=BTC&interval={interval}&limit="
    said = world.get(f"{path}{most}")
    assert (said.status, said.meta["source"]) == (200, provider)
    assert most - 1 <= len(said.data) <= most, "the newest has perhaps not begun there"
    assert world.get(f"{path}1").meta["cache"] == "hit"
    beyond = world.get(f"{path}{most + 1}")
    assert (beyond.status, beyond.outcomes) == (404, {provider: "unsupported"})


def test_a_price_that_nobody_has_is_missing_and_the_others_are_there(world: World) -> None:
    world.only("coinbase")
    Listing.objects.filter(adapter_name="coinbase", asset__symbol="LTC").delete()
    roster.forget()
    said = world.get("/api/market/price?symbols=LTC,ETH,NOPE,btc")
    assert [row["symbol"] for row in said.data] == ["ETH", "BTC"]
    missing = {entry["symbol"]: entry["reason"] for entry in said.meta["missing"]}
    assert missing == {"NOPE": "unknown", "LTC": "unsupported"}
    assert world.get("/api/market/price?symbols=LTC").status == 404
    assert world.get("/api/market/price?symbols=NOPE").status == 404


def test_a_provider_of_one_coin_a_call_is_not_asked_for_all_of_them(world: World) -> None:
    world.only("coinbase")
    symbols = ["BTC", "ETH", "XRP", "SOL", "DOGE", "ADA", "LTC"]
    said = world.get(f"/api/market/price?symbols={','.join(symbols)}")
    assert [row["symbol"] for row in said.data] == symbols[:5]
    missing = {entry["symbol"]: entry["reason"] for entry in said.meta["missing"]}
    assert missing == {"ADA": "out_of_tokens", "LTC": "out_of_tokens"}
    assert world.asked("coinbase") == 5
    rest = world.get("/api/market/price?symbols=ADA,LTC")
    assert [row["symbol"] for row in rest.data] == ["ADA", "LTC"]


def test_what_one_provider_cannot_price_another_does(world: World, witness: Witness) -> None:
    world.only("coinbase", "kraken")
    Listing.objects.filter(adapter_name="coinbase", asset__symbol="LTC").delete()
    roster.forget()
    said = world.get("/api/market/price?symbols=BTC,LTC")
    assert said.meta["source"] == "coinbase,kraken"
    assert [(part["source"], part["rows"]) for part in said.meta["sources"]] == [
        ("coinbase", 1),
        ("kraken", 1),
    ]
    bitcoin, litecoin = (row["price"] for row in said.data)
    assert bitcoin in witness.numbers(world.host("coinbase"))
    assert litecoin in witness.numbers(world.host("kraken"))
    assert litecoin not in witness.numbers(world.host("coinbase"))


def test_a_hundred_prices_are_one_call(world: World) -> None:
    world.only("kraken")
    symbols = list(
        Listing.objects.filter(adapter_name="kraken", quote="USD")
        .values_list("asset__symbol", flat=True)
        .distinct()
    )[:100]
    said = world.get(f"/api/market/price?symbols={','.join(symbols)}")
    assert len(said.data) > 50
    assert len(said.data) + len(said.meta.get("missing", ())) == len(symbols)
    assert world.asked("kraken") == 1


FEEDS = ("coindesk_rss", "cointelegraph_rss", "decrypt_rss", "theblock_rss")


def test_news_are_those_of_every_feed_that_answers(world: World, witness: Witness) -> None:
    world.spoil("decrypt_rss", "status=503")
    said = world.get("/api/news?limit=250")
    assert said.outcomes == {"decrypt_rss": "broken"}
    counted = {part["source"]: part["rows"] for part in said.meta["sources"]}
    assert set(counted) == set(FEEDS) - {"decrypt_rss"}
    sources = {row["source"] for row in said.data}
    assert sources == {"coindesk.com", "cointelegraph.com", "theblock.co"}
    sent = b" ".join(body for slug in counted for body in witness.said(world.host(slug)))
    for row in said.data:
        assert row["url"].encode() in sent
        assert escape(row["title"], quote=False).encode() in sent or row["title"].encode() in sent
    times = [row["published_at"] for row in said.data]
    assert times == sorted(times, reverse=True)


def test_a_feed_that_fails_is_stood_in_for_by_what_it_last_said(world: World) -> None:
    before = world.get("/api/news?limit=250")
    world.age(3600)
    world.spoil("decrypt_rss", "hang")
    assert world.get("/api/news?limit=250").meta["cache"] == "refreshing"
    while_refreshing()
    after = world.get("/api/news?limit=250")
    assert after.meta["cache"] == "hit"
    assert after.outcomes == {"decrypt_rss": "timed_out"}
    ages = {part["source"]: part["fetched_at"] for part in after.meta["sources"]}
    assert ages["decrypt_rss"] < ages["coindesk_rss"]
    of_decrypt = [row for row in before.data if row["source"] == "decrypt.co"]
    assert of_decrypt
    assert of_decrypt == [row for row in after.data if row["source"] == "decrypt.co"]


def test_news_can_be_narrowed(world: World) -> None:
    everything = world.get("/api/news?limit=250").data
    half = everything[len(everything) // 2]["published_at"]
    symbol = next(row["symbols"][0] for row in everything if row["symbols"])
    for narrowed, keeps in {
        "source=decrypt.co": lambda row: row["source"] == "decrypt.co",
        f"since={half}": lambda row: row["published_at"] >= half,
        f"symbol={symbol}": lambda row: symbol in row["symbols"],
    }.items():
        expected = list(filter(keeps, everything))
        assert 0 < len(expected) < len(everything)
        assert world.get(f"/api/news?limit=250&{narrowed}").data == expected
    assert world.get("/api/news?limit=3").data == everything[:3]
    assert all(world.asked(feed) == 1 for feed in FEEDS)


def test_fees_of_either_chain_come_from_who_knows_it(world: World) -> None:
    for chain, unit in (("ethereum", "gwei"), ("bitcoin", "sat/vB")):
        (fees,) = world.get(f"/api/gas?chain={chain}").data
        assert (fees["chain"], fees["unit"]) == (chain, unit)
        assert 0 < fees["slow"] <= fees["average"] <= fees["fast"]
    world.only("eth_drpc")
    assert world.get("/api/gas?chain=bitcoin").meta["source"] == "mempool_space"  # on the shelf
    world.empty_the_shelf()
    assert world.get("/api/gas?chain=bitcoin").outcomes == {"eth_drpc": "unsupported"}


def test_smaller_questions_are_answered_from_a_larger_answer(world: World) -> None:
    ten = world.get("/api/market?limit=10")
    three = world.get("/api/market?limit=3")
    assert three.data == ten.data[:3]
    assert three.meta["cache"] == "hit"
    assert world.asked("coingecko_free") == 1


def test_another_page_and_another_currency_are_other_questions(world: World) -> None:
    world.only("coingecko_free")
    first, second = (world.get(f"/api/market?limit=10&page={page}").data for page in (1, 2))
    assert [row["rank"] for row in first + second] == list(range(1, 21))
    euros = world.get("/api/market?limit=10&currency=eur").data
    assert euros[0]["id"] == first[0]["id"]
    assert euros[0]["price"] < first[0]["price"]


def test_the_matrix_names_everybody_also_who_is_off_or_lacks_a_key(world: World) -> None:
    world.only("kraken")
    world.get(ROUTES["price"])
    world.status("kraken")  # the book is written
    rows = {(row["provider"], row["dataset"]): row for row in world.get("/api/capabilities").data}
    assert {provider for provider, _ in rows} == set(
        Provider.objects.values_list("slug", flat=True)
    )
    kraken = rows["kraken", "price"]
    assert (kraken["supported"], kraken["enabled"], kraken["calls_24h"]) == (True, True, 1)
    assert kraken["success_rate_percent"] == 100
    assert rows["kraken", "news"]["supported"] is False
    assert rows["binance", "price"]["enabled"] is False
    pro = rows["coingecko_pro", "market"]
    assert (pro["key_needed"], pro["has_key"]) == (True, False)


def test_the_status_is_the_truth_of_rows_and_cells(world: World) -> None:
    world.spoil("kraken", "status=451")
    world.get(ROUTES["price"])
    assert world.status("kraken")["status"] == "down"
    said = world.get("/api/status").body
    assert said["sandbox"] is True
    assert said["health"] == "degraded"
    assert said["providers"]["binance"]["status"] == "healthy"
    assert said["providers"]["coinbase"]["status"] == "unknown"  # nobody had to ask it
    assert said["providers"]["coingecko_pro"]["status"] == "disabled"  # it has no key
    assert (said["rotation"]["binance"]["served"], said["rotation"]["binance"]["share"]) == (1, 100)
    assert sum(said["counts"].values()) == len(said["providers"])


def test_it_is_alive_and_ready(world: World) -> None:
    assert world.get("/healthz").body == {"status": "ok"}
    ready = world.get("/readyz").body
    assert (ready["ready"], ready["database"], ready["store"]) == (True, "online", "online")
    assert (ready["worker"], ready["sandbox"]) == ("silent", True)
