"""The matrix tells of every provider and dataset, and measures each pair by itself."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils.timezone import now

from aggregator import capabilities, consensus
from aggregator.api.urls import DATA
from providers import registry, roster
from providers.datasets import PriceRow
from providers.models import Call, Credential, Policy, Provider

pytestmark = pytest.mark.django_db


def provider(slug: str, adapter: str = "coingecko", **fields: Any) -> Provider:
    return Provider.objects.create(slug=slug, title=slug, adapter_name=adapter, **fields)


def called(by: Provider, dataset: str, *outcomes: str, hours: float = 1, s: float = 0.2) -> None:
    at = now() - timedelta(hours=hours)
    Call.objects.bulk_create(
        Call(provider=by, dataset=dataset, outcome=outcome, seconds=s, at=at)
        for outcome in outcomes
    )


def cell(slug: str, dataset: str) -> dict[str, Any]:
    roster.forget()
    (found,) = (
        row for row in capabilities.matrix() if (row["provider"], row["dataset"]) == (slug, dataset)
    )
    return found


def test_there_is_a_row_for_each_provider_and_each_route_that_providers_answer() -> None:
    provider("one")
    provider("two", "kraken", enabled=False)
    rows = capabilities.matrix()
    asked = {query.query.dataset for _, query, _ in DATA}
    wanted = {dataset.name for dataset in asked if not dataset.derived}
    for slug in ("one", "two"):
        assert wanted <= {row["dataset"] for row in rows if row["provider"] == slug}
    assert len({(row["provider"], row["dataset"]) for row in rows}) == len(rows)


def test_what_an_adapter_offers_is_supported_and_nothing_else() -> None:
    provider("one", "kraken")
    supported = {row["dataset"] for row in capabilities.matrix() if row["supported"]}
    assert supported == {"price", "ohlc"}
    assert cell("one", "price")["batch"] == 1000
    assert cell("one", "ohlc")["batch"] == 1
    assert cell("one", "news")["batch"] == 0


def test_what_is_off_or_lacks_a_key_is_listed_and_marked() -> None:
    provider("off", enabled=False)
    keyed = provider("keyed", "coingecko_pro")
    assert cell("off", "market")["enabled"] is False
    assert (cell("keyed", "market")["key_needed"], cell("keyed", "market")["has_key"]) == (
        True,
        False,
    )
    credential = Credential(provider=keyed, label="mine")
    credential.set_key("sandbox-of-mine")
    credential.save()
    assert cell("keyed", "market")["has_key"] is True


def test_every_dataset_is_measured_by_its_own_calls() -> None:
    one, two = provider("one"), provider("two")
    called(one, "market", "ok", "ok", "broken", "ok", s=0.25)
    called(one, "price", "timed_out")
    called(two, "market", "ok", s=0.1)
    market, price, search = (cell("one", name) for name in ("market", "price", "search"))
    assert (market["calls_24h"], market["success_rate_percent"], market["latency_ms"]) == (
        4,
        75.0,
        250.0,
    )
    assert (price["calls_24h"], price["success_rate_percent"], price["latency_ms"]) == (
        1,
        0.0,
        None,
    )
    assert (search["calls_24h"], search["success_rate_percent"]) == (0, None)
    assert cell("two", "market")["latency_ms"] == 100.0


def test_what_was_not_measured_is_null_and_not_a_hundred_percent() -> None:
    one = provider("one", "kraken")
    called(one, "price", "throttled", "missing", "bad_key")  # which say nothing of how well it does
    called(one, "ohlc", "broken", hours=25)
    assert cell("one", "price")["calls_24h"] == 3
    assert cell("one", "price")["success_rate_percent"] is None
    assert cell("one", "ohlc")["calls_24h"] == 0
    unsupported = cell("one", "market")
    assert {unsupported[n] for n in ("calls_24h", "success_rate_percent", "latency_ms")} == {None}


def test_an_answer_is_kept_as_long_as_policy_and_provider_say() -> None:
    provider("quick")
    provider("slow", min_fresh_s=300)
    assert (cell("quick", "market")["fresh_s"], cell("slow", "market")["fresh_s"]) == (60, 300)
    Policy.objects.create(dataset="market", fresh_s=120)
    assert (cell("quick", "market")["fresh_s"], cell("slow", "market")["fresh_s"]) == (120, 300)


def test_limits_are_those_of_the_row() -> None:
    provider("one", limits=[{"limit": 30, "per_s": 60, "burst": 5, "scope": "key"}])
    assert cell("one", "market")["limits"] == [{"limit": 30, "per_s": 60}]


def test_what_is_said_of_the_past_is_what_an_adapter_holds_itself_to() -> None:
    provider("gecko", "coingecko")
    provider("kraken", "kraken")
    history, ohlc, price = (cell("gecko", name) for name in ("history", "ohlc", "price"))
    assert (history["history"], history["history_days"]) == (True, 365)
    assert (ohlc["history"], ohlc["history_days"]) == (True, 30)
    assert (price["history"], price["history_days"]) == (False, None)
    assert (cell("kraken", "ohlc")["history"], cell("kraken", "ohlc")["history_days"]) == (
        True,
        None,
    )
    assert cell("kraken", "history")["history"] is False  # it does not offer it


def test_how_often_values_change_is_what_a_provider_says_itself() -> None:
    provider("gecko", "coingecko")
    provider("kraken", "kraken")
    provider("llama", "defillama_tvl")
    assert cell("gecko", "market")["updates_every_s"] == 60
    assert cell("kraken", "price")["updates_every_s"] == 0
    assert cell("llama", "tvl")["updates_every_s"] is None
    assert cell("kraken", "market")["updates_every_s"] is None


def test_a_question_costs_what_its_adapter_counts() -> None:
    provider("fred", "fred")
    provider("binance", "binance")
    assert (cell("fred", "economic")["cost"], cell("fred", "series")["cost"]) == (2, 1)
    assert cell("binance", "price")["cost"] > 1
    assert cell("binance", "news")["cost"] is None
    assert cell("binance", "price")["cost_usd"] is None
    Provider.objects.filter(slug="binance").update(cost_per_call=0.002)
    assert cell("binance", "price")["cost_usd"] == 0.002


def test_freshness_is_how_old_values_were_when_they_came() -> None:
    one = provider("one")
    called(one, "market", "ok", "ok", "broken")
    assert cell("one", "market")["freshness_s"] is None
    Call.objects.filter(outcome="ok").update(age_s=30)
    Call.objects.filter(pk=Call.objects.filter(outcome="ok")[0].pk).update(age_s=60)
    Call.objects.filter(outcome="broken").update(age_s=9000)
    assert cell("one", "market")["freshness_s"] == 45.0
    assert cell("one", "price")["freshness_s"] is None


def test_accuracy_is_counted_by_the_consensus_and_is_of_prices() -> None:
    for slug in ("a", "b", "c", "liar", "unseen"):
        provider(slug, "kraken")
    prices = {slug: PriceRow("BTC", Decimal(100), "USD") for slug in "abc"}
    prices["liar"] = PriceRow("BTC", Decimal(150), "USD")
    consensus.count(consensus.agree(prices), prices)
    found = {slug: cell(slug, "price")["accuracy_percent"] for slug in ("a", "liar", "unseen")}
    assert found == {"a": 100.0, "liar": 0.0, "unseen": None}
    assert cell("a", "ohlc")["accuracy_percent"] is None


def test_every_adapter_speaks_of_datasets_it_offers_and_every_offer_has_a_cost() -> None:
    for adapter in registry.all():
        offered = {query.dataset.name: query for query in adapter.offers}
        assert {*adapter.updates, *adapter.reach, *adapter.batch} <= set(offered), adapter
        assert all(offered[name].dataset.past for name in adapter.reach), adapter
        assert all(adapter.cost(query()) >= 1 for query in offered.values()), adapter
