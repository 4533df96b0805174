from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.exceptions import ValidationError

from providers import catalogue, registry
from providers.adapters.base import Adapter
from providers.datasets import (
    INTERVALS,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
    Query,
)
from providers.models import Provider, Resource, Scope
from providers.resilience import Breaker, Window

MINUTE = {"limit": 60, "per_s": 60}


def provider(**fields: Any) -> Provider:
    values = {"slug": "a", "title": "A", "adapter_name": "kraken"} | fields
    return Provider(**values)


def complaints(**fields: Any) -> dict[str, list[str]]:
    try:
        provider(**fields).full_clean(validate_unique=False)
    except ValidationError as error:
        return error.message_dict
    return {}


@pytest.mark.django_db
def test_a_plain_row_is_fine() -> None:
    assert complaints() == {}
    assert complaints(limits=[MINUTE, {**MINUTE, "scope": "key"}, {"limit": 1, "per_s": 1}]) == {}


@pytest.mark.django_db
def test_an_adapter_nobody_knows_is_refused_with_those_there_are() -> None:
    assert "Choose one of:" in complaints(adapter_name="oracle")["adapter_name"][0]


@pytest.mark.parametrize(
    "limits",
    [
        {"limit": 60, "per_s": 60},
        "60/min",
        [60],
        [{"limit": 60}],
        [{"limit": 0, "per_s": 60}],
        [{"limit": True, "per_s": 60}],
        [{"limit": float("nan"), "per_s": 60}],
        [{"limit": float("inf"), "per_s": 60}],
        [{"limit": "60", "per_s": 60}],
        [{**MINUTE, "burst": -1}],
        [{**MINUTE, "burst": 61}],
        [{**MINUTE, "burst": "5"}],
        [{**MINUTE, "scope": "planet"}],
        [MINUTE, {"limit": 30, "per_s": 60}],
    ],
)
@pytest.mark.django_db
def test_limits_that_mean_nothing_are_refused(limits: Any) -> None:
    assert list(complaints(limits=limits)) == ["limits"]


@pytest.mark.parametrize("rests", ["5", [0], [-1], [True], [float("nan")], {"1": 5}])
@pytest.mark.django_db
def test_rests_that_mean_nothing_are_refused(rests: Any) -> None:
    assert list(complaints(rests_s=rests)) == ["rests_s"]
    assert list(complaints(throttle_rests_s=rests)) == ["throttle_rests_s"]


def test_a_row_makes_its_breaker_and_windows() -> None:
    row = provider(
        rests_s=[1, 2],
        rest_ceiling_s=30,
        throttle_rests_s=[120, 240, 600],
        throttle_ceiling_s=600,
        blacklist_after=3,
        block_rest_s=7200,
        timeout_s=40,
        limits=[{"limit": 10, "per_s": 1, "burst": 5}, {**MINUTE, "scope": "key"}],
    )
    assert row.breaker == Breaker((1, 2), 30, (120, 240, 600), 600, 3, 7200, probe_lease=80)
    assert row.windows(Scope.ADDRESS) == [Window(10, 1, 5)]
    assert row.windows(Scope.KEY) == [Window(60, 60)]
    assert row.guard.windows == (Window(10, 1, 5),)


def test_a_row_without_rests_has_the_usual_ones() -> None:
    assert provider(rests_s=[]).breaker.rests == Breaker().rests
    assert provider().breaker.rests == (5, 10, 60)


def test_an_address_of_its_own_goes_before_the_adapter_s() -> None:
    assert provider().address == registry.get("kraken").base_url
    assert provider(base_url="http://127.0.0.1:1").address == "http://127.0.0.1:1"


# -- The catalogue's rows --------------------------------------------------------------------


def dearest(adapter: type[Adapter]) -> int:
    """The cost of the dearest question that is sent in one call."""
    most = adapter.batch.get("price", 1)
    questions: list[Query] = [MarketQuery(), PriceQuery(tuple(map(str, range(min(most, 100)))))]
    for start in (None, datetime(2020, 1, 1, tzinfo=UTC)):
        questions += [OhlcQuery("BTC", interval, 1000, start) for interval in INTERVALS]
    return max(adapter.cost(query) for query in questions if type(query) in adapter.offers)


@pytest.mark.parametrize("entry", catalogue.load().providers, ids=lambda entry: entry.slug)
def test_no_call_costs_more_than_a_window_gives_at_once(entry: catalogue.ProviderEntry) -> None:
    """One that does goes beyond the limit for a moment: give such a window a burst."""
    row = Provider(**entry.row())
    offered = {MarketQuery, PriceQuery, OhlcQuery} & set(row.adapter_class.offers)
    if not offered:
        return
    for scope in Scope:
        for window in row.windows(scope):
            if window.limit > 1:
                assert dearest(row.adapter_class) <= window.capacity


@pytest.mark.parametrize(
    ("fields", "asked"),
    [
        ({"url": "https://a.example/v1"}, "https://a.example/v1"),
        ({"url": "https://a.example/v1", "probe_url": "https://a.example/ping"}, "/ping"),
        ({"url": "https://a.example/{API_KEY}"}, ""),
        ({"url": "wss://a.example"}, ""),
        ({"url": ""}, ""),
        ({"url": "https://a.example", "flags": ["retired"]}, ""),
    ],
)
def test_a_resource_is_looked_at_only_where_that_makes_sense(
    fields: dict[str, Any], asked: str
) -> None:
    probe = Resource(slug="a", title="A", category="market", **fields).probe
    assert probe.endswith(asked) if asked else probe == ""
