"""The consensus by its public door: everybody is asked, at once, and who fails is named."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from aggregator import fanout, flights, gateway
from aggregator.consensus import accuracies
from providers.datasets import DATASETS, ConsensusQuery, PriceRow
from providers.models import Policy
from tests.aggregator.visitors import age, get
from tests.conftest import while_refreshing
from tests.upstreams import Behaviour, Upstreams, assets, rows, slowly, status

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/market/consensus?symbol=BTC"


def quotes(price: str, quote: str = "USD") -> Behaviour:
    return lambda asked: rows(PriceRow(s, Decimal(price), quote) for s in asked.symbols)


@pytest.fixture
def market(upstreams: Upstreams) -> Upstreams:
    assets("BTC")
    for slug, price in {"a": "100", "b": "100.10", "c": "100.20"}.items():
        upstreams.provider(slug)
        upstreams.play[slug] = quotes(price)
    return upstreams


def asked(upstreams: Upstreams) -> Counter[str]:
    return Counter(one.slug for one in upstreams.asked)


def test_everybody_s_price_is_in_the_answer_with_all_its_digits(market: Upstreams) -> None:
    found = get(URL)
    (row,) = found.body["data"]
    assert (row["symbol"], row["quote"], row["median"], row["outliers"]) == (
        "BTC",
        "USD",
        100.1,
        [],
    )
    assert [(one["provider"], one["price"]) for one in row["prices"]] == [
        ("a", 100),
        ("b", 100.1),
        ("c", 100.2),
    ]
    assert found.meta["source"] == "a,b,c"
    assert [(one["source"], one["rows"]) for one in found.meta["sources"]] == [
        ("a", 1),
        ("b", 1),
        ("c", 1),
    ]


def test_it_lies_on_the_shelf_for_its_time(market: Upstreams) -> None:
    miss, hit = get(URL), get(URL)
    assert (miss.meta["cache"], hit.meta["cache"]) == ("miss", "hit")
    assert 29 < miss.meta["fresh_for_s"] <= 30
    assert miss.body["data"] == hit.body["data"]
    assert asked(market) == {"a": 1, "b": 1, "c": 1}
    age(31)
    assert get(URL).meta["cache"] == "refreshing"
    while_refreshing()
    assert asked(market) == {"a": 2, "b": 2, "c": 2}


def test_its_time_is_a_policy_s(market: Upstreams) -> None:
    Policy.objects.create(dataset="consensus", fresh_s=90)
    assert 89 < get(URL).meta["fresh_for_s"] <= 90


def test_they_are_asked_at_once(market: Upstreams) -> None:
    for slug in "abc":
        market.play[slug] = slowly(0.4, market.play[slug])
    began = time.monotonic()
    assert len(get(URL).meta["sources"]) == 3
    assert time.monotonic() - began < 0.8


def test_who_fails_is_named_and_the_others_agree_without_it(market: Upstreams) -> None:
    market.play["b"] = status(503)
    found = get(URL)
    assert found.meta["source"] == "a,c"
    assert found.attempts == [("b", "broken")]


def test_a_provider_that_tells_of_another_coin_has_said_nothing(market: Upstreams) -> None:
    market.play["b"] = lambda asked: rows([PriceRow("ETH", Decimal(2), "USD")])
    assert get(URL).attempts == [("b", "missing")]


def test_quotes_in_another_currency_are_not_mixed_in(market: Upstreams) -> None:
    market.play["c"] = quotes("90", "USDT")
    dollars, tethers = get(URL).body["data"]
    assert (dollars["quote"], len(dollars["prices"])) == ("USD", 2)
    assert (tethers["quote"], tethers["median"]) == ("USDT", 90)


def test_a_liar_is_named_and_it_is_remembered(market: Upstreams) -> None:
    market.provider("liar")
    market.play["liar"] = quotes("150")
    (row,) = get(URL).body["data"]
    assert row["outliers"] == ["liar"]
    assert {one["provider"]: one["outlier"] for one in row["prices"]}["liar"] is True
    known = accuracies()
    assert (known["liar"].percent, known["a"].percent) == (0.0, 100.0)


def test_who_is_not_to_be_asked_often_is_asked_once_and_judged_once(market: Upstreams) -> None:
    market.provider("rare", min_fresh_s=300)
    market.play["rare"] = quotes("100.05")
    first = get(URL)
    age(31)
    get(URL)
    while_refreshing()
    again = get(URL)
    assert asked(market) == {"a": 2, "b": 2, "c": 2, "rare": 1}
    assert len(again.body["data"][0]["prices"]) == 4
    times: list[dict[str, str]] = [
        {part["source"]: part["fetched_at"] for part in found.meta["sources"]}
        for found in (first, again)
    ]
    assert times[0]["a"] < times[1]["a"]
    assert times[1]["rare"] < times[1]["a"]
    assert again.meta["age_s"] >= 31  # as old as its oldest part
    assert (accuracies()["a"].compared, accuracies()["rare"].compared) == (2, 1)


@pytest.mark.parametrize(
    ("plays", "expected"),
    [([status(503), status(404), status(404)], 503), ([status(404)] * 3, 404)],
)
def test_with_nobody_s_price_it_says_why(
    market: Upstreams, plays: Sequence[Behaviour], expected: int
) -> None:
    market.play.update(zip("abc", plays, strict=True))
    found = get(URL)
    assert found.status == expected
    assert {slug for slug, _ in found.attempts} == {"a", "b", "c"}


@pytest.fixture
def two_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(fanout, "WORKERS", 2)
    fanout.pool.cache_clear()
    yield
    fanout.pool().shutdown()
    fanout.pool.cache_clear()


def test_more_questions_than_threads_do_not_wait_for_each_other_for_ever(
    market: Upstreams, two_threads: None
) -> None:
    for symbol in ("S1", "S2", "S3"):
        assert gateway.refresh_behind(ConsensusQuery(symbol))
    while_refreshing()
    assert not flights._behind
    assert asked(market) == {"a": 3, "b": 3, "c": 3}


def test_every_dataset_that_all_answer_has_somebody_who_asks_them() -> None:
    merged: set[Any] = {name for name, dataset in DATASETS.items() if dataset.merged}
    assert set(gateway.MERGED) == merged
