"""What every adapter must do, whichever it is, and what the free plans hold."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from providers import registry
from providers.adapters.base import Adapter
from providers.datasets import DATASETS, GasQuery, ListingQuery
from providers.errors import Unsupported
from tests.providers.adapters.conftest import Case, adapt, cases

ALL = cases()
NAMES = sorted({case.adapter.name for case in ALL})

EXCHANGES = {"binance", "bitfinex", "bitstamp", "bybit", "coinbase"}
EXCHANGES |= {"gateio", "kraken", "kucoin", "okx"}

# Who answers a dataset without a key and without paying. Tiers of CoinGecko offer what it offers.
FREE: Mapping[str, set[str]] = {
    "price": EXCHANGES
    | {"coingecko", "coinlore", "coinpaprika", "crypto_dt_source", "defillama_prices", "yahoo"},
    "market": {"coingecko", "coinlore", "coinpaprika", "crypto_api_clean"},
    "ohlc": EXCHANGES | {"coingecko", "coinpaprika", "crypto_dt_source", "yahoo"},
    "history": {"coingecko", "coinpaprika", "defillama_prices", "yahoo"},
    "coin": {"coingecko", "coinpaprika"},
    "global": {"coingecko", "coinlore", "coinpaprika", "crypto_api_clean"},
    "search": {"coingecko", "coinpaprika"},
    "trending": {"coingecko", "crypto_api_clean"},
    "news": {"gdelt", "rss"},
    "sentiment": {"alternative_me", "crypto_api_clean", "crypto_dt_source"},
    "classification": set(),
    "completion": set(),  # each wants a key, but a model of one's own machine
    "gas": {"blockscout", "etherscan", "ethereum_rpc", "mempool_space"},
    "economic": {"fredgraph", "world_bank"},
    "series": set(),
    "tvl": {"defillama_tvl"},
    "tvl_history": {"defillama_tvl"},
    "listing": EXCHANGES | {"coingecko", "coinlore", "coinpaprika"},
}
TIERS = {
    "coingecko_demo": "coingecko",
    "coingecko_pro": "coingecko",
    "etherscan_key": "etherscan",
}
# Who wants a key of everybody, be it free or paid.
KEYED: Mapping[str, set[str]] = {
    "alpha_vantage": {"economic"},
    "anthropic": {"completion"},
    "coincap": {"market", "price", "history", "search", "listing"},
    "cohere": {"completion"},
    "coindesk_data": {"ohlc", "history"},
    "coindesk_news": {"news"},
    "coinmarketcap": {"market", "price", "coin", "global", "sentiment", "listing"},
    "cryptocompare": {"market", "price", "ohlc", "history", "listing"},
    "cryptocompare_news": {"news"},
    "cryptopanic": {"news"},
    "fred": {"economic", "series"},
    "gemini": {"completion"},
    "huggingface": {"classification"},
    "newsapi": {"news"},
    "openai_compatible": {"completion"},
}
# Of these the world has one, or one that needs no key.
ALONE = {"classification", "completion", "news", "series", "tvl", "tvl_history"}
ONE_SYMBOL_A_CALL = {"coinbase", "yahoo"}
WITHOUT_A_LIST = {"yahoo"}  # whose names stand in our listings alone

known = sorted({name for names in FREE.values() for name in names} | set(TIERS))


def adapter(name: str) -> type[Adapter]:
    registry.discover()
    return registry.get(name)


@pytest.mark.parametrize("case", ALL, ids=str)
def test_every_offer_has_a_payload_that_it_reads(case: Case) -> None:
    assert case.files, f"no payload {case.folder.name}/{case.dataset}.json"
    translator, rows = case.run()
    assert rows
    assert {type(row) for row in rows} == {case.query_class.record}
    assert translator.dropped == 0


@pytest.mark.parametrize("case", ALL, ids=str)
def test_a_cost_is_a_whole_number_above_zero(case: Case) -> None:
    assert case.adapter.cost(case.query) >= 1


def test_the_table_is_about_datasets_that_exist() -> None:
    assert set(FREE) == {name for name, dataset in DATASETS.items() if not dataset.derived}


def test_the_tables_are_about_every_adapter() -> None:
    asked = {adapter.name for adapter in registry.all() if adapter.offers}  # by visitors
    assert asked == {*known, *KEYED}
    assert not set(KEYED) & set(known)


@pytest.mark.parametrize("name", known)
def test_an_adapter_offers_all_that_is_free(name: str) -> None:
    free = {dataset for dataset, names in FREE.items() if TIERS.get(name, name) in names}
    assert {query.dataset.name for query in adapter(name).offers} == free


@pytest.mark.parametrize("name", sorted(FREE["price"]))
def test_prices_come_in_batches_where_the_provider_has_them(name: str) -> None:
    assert (adapter(name).batch["price"] == 1) == (name in ONE_SYMBOL_A_CALL)


@pytest.mark.parametrize("name", sorted(KEYED))
def test_an_adapter_with_a_key_offers_all_that_the_key_opens(name: str) -> None:
    assert {query.dataset.name for query in adapter(name).offers} == KEYED[name]
    auth = adapter(name).auth
    assert auth is not None
    assert auth.required


@pytest.mark.parametrize("dataset", sorted(set(FREE) - ALONE))
def test_a_dataset_has_two_providers_where_the_world_has_two(dataset: str) -> None:
    assert len(FREE[dataset]) >= 2


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_says_who_it_is(name: str) -> None:
    found = adapter(name)
    assert found.title
    assert found.docs_url.startswith("https://")
    assert found.base_url.startswith("https://") or name == "rss"  # each feed has its own
    assert not found.base_url.endswith("/")


@pytest.mark.parametrize("name", NAMES)
def test_an_adapter_that_needs_names_can_learn_them(name: str) -> None:
    found = adapter(name)
    needs_names = {"price", "ohlc", "history", "coin"} & {q.dataset.name for q in found.offers}
    teacher = adapter(found.listed_as or name)
    assert not needs_names or ListingQuery in teacher.offers or name in WITHOUT_A_LIST


GAS = [case for case in ALL if case.dataset == "gas"]


@pytest.mark.parametrize("case", GAS, ids=str)
def test_the_chains_an_adapter_names_are_those_it_answers(case: Case) -> None:
    answered = set()
    for chain in [*registry.chains(), "dogechain"]:
        translator, _ = adapt(case.adapter, *case.bodies)
        try:
            (fees,) = translator.gas(GasQuery(chain))
        except Unsupported:
            continue
        assert fees.chain == chain
        answered.add(chain)
    assert answered == set(case.adapter.chains) != set()


def test_only_who_tells_fees_names_chains() -> None:
    assert {a.name for a in registry.all() if a.chains} == {case.adapter.name for case in GAS}
