"""The matrix tells of every provider and dataset, and measures each pair by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from aggregator import capabilities
from aggregator.api.urls import DATA
from providers import roster
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
