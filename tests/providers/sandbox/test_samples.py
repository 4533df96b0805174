"""Every answer that the documentation shows has that shape here, field by field."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples import BINANCE, GECKO, PAPRIKA, SAMPLES, Sample
from tests.providers.sandbox.samples_markets import MARKETS
from tests.providers.sandbox.samples_world import WORLD
from tests.providers.sandbox.shapes import assert_same, kinds, merged

PAPRIKA_COIN = """
    id name symbol parent rank is_new is_active type logo tags team description message open_source
    hardware_wallet started_at development_status proof_type org_structure hash_algorithm contract
    platform contracts links links_extended whitepaper first_data_at last_data_at
"""


@pytest.mark.parametrize(
    "sample", SAMPLES + MARKETS + WORLD, ids=lambda sample: sample.url.split("//")[1][:70]
)
def test_an_answer_has_the_documented_shape(asker: Asker, sample: Sample) -> None:
    ours = asker.get(sample.url)
    if isinstance(sample.document, dict):
        maps = sample.maps
        assert "" in maps or set(ours) == set(sample.document)
    if not sample.document:
        assert ours == sample.document
        return
    theirs = kinds(sample.document, *sample.maps, rows=sample.rows)
    assert_same(kinds(ours, *sample.maps, rows=sample.rows), theirs)


def test_exchange_info_says_what_each_symbol_is_made_of(asker: Asker) -> None:
    info = asker.get(f"{BINANCE}/exchangeInfo")
    assert info["rateLimits"][0] == {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 6000,
    }
    pair = next(row for row in info["symbols"] if row["symbol"] == "ETHBTC")
    expected: dict[str, Any] = {
        "status": "TRADING",
        "baseAsset": "ETH",
        "baseAssetPrecision": 8,
        "quoteAsset": "BTC",
        "quoteAssetPrecision": 8,
        "isSpotTradingAllowed": True,
        "permissionSets": [["SPOT"]],
    }
    assert {name: pair[name] for name in expected} == expected


def test_metadata_of_coinpaprika(asker: Asker) -> None:
    names = set(re.findall(r"\w+", PAPRIKA_COIN))
    ids = [row["id"] for row in asker.get(f"{PAPRIKA}/coins") if row["is_active"]]
    coins = [asker.get(f"{PAPRIKA}/coins/{key}") for key in ids[:12]]
    tokens = [coin for coin in coins if coin["type"] == "token"]
    assert tokens
    assert all(set(coin) == names for coin in tokens)
    assert set(coins[0]) == names - {"parent", "contract", "platform", "contracts"}
    links = merged(*(kinds(coin["links_extended"]) for coin in coins))
    assert links["[].url"] == links["[].type"] == {"text"}


def test_the_height_of_the_chain_is_plain_text(asker: Asker) -> None:
    reply = asker.ask("https://mempool.space/api/blocks/tip/height")
    assert reply.body.isdigit()
    assert reply.content_type.startswith("text/plain")


def test_gas_tiers_as_objects_on_request(asker: Asker) -> None:
    url = "https://eth.blockscout.com/api/v2/stats"
    plain = asker.get(url)["gas_prices"]
    detailed = asker.get(url, updated_gas_oracle="true")["gas_prices"]
    assert set(detailed) == {"slow", "average", "fast"}
    for tier, price in plain.items():
        named = {"price", "time", "base_fee", "priority_fee", "fiat_price", "wei"}
        assert named <= set(detailed[tier])
        assert detailed[tier]["price"] == price
    assert plain["slow"] <= plain["average"] <= plain["fast"]


def test_times_are_of_the_documented_unit(asker: Asker) -> None:
    binance = asker.get(f"{BINANCE}/time")["serverTime"]
    coinbase = asker.get("https://api.exchange.coinbase.com/time")["epoch"]
    okx = asker.get("https://www.okx.com/api/v5/public/time")["data"][0]["ts"]
    gecko = asker.get(
        f"{GECKO}/simple/price?ids=bitcoin&vs_currencies=usd&include_last_updated_at=true"
    )["bitcoin"]["last_updated_at"]
    assert (binance, coinbase, okx) == (int(NOW * 1000), NOW, str(int(NOW * 1000)))
    assert 0 <= NOW - gecko < 60
