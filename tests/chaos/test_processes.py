"""Web processes side by side: they ask once, and hear of each other's edits and purges."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from aggregator import answers, gateway
from providers.datasets import GasQuery, MarketQuery, PriceQuery, from_spec, spec
from providers.models import Policy, Provider
from tests.aggregator.visitors import age
from tests.chaos import jobs
from tests.conftest import forget_everything
from tests.crew import Hand, crew, each
from tests.upstreams import Upstreams, slowly, status

pytestmark = pytest.mark.django_db(transaction=True)

GAS = spec(GasQuery())


@pytest.fixture
def hands() -> Iterator[list[Hand]]:
    with crew(2) as found:
        yield found


def anew(hands: list[Hand], upstreams: Upstreams) -> None:
    """The next claim of a test begins with nothing on any board."""
    answers.purge()
    forget_everything()
    each(hands, jobs.forget)
    upstreams.asked.clear()
    upstreams.play.clear()


def test_two_processes_are_one_gateway(hands: list[Hand], upstreams: Upstreams) -> None:
    """One crew for all of it: to start processes takes longer than what they prove."""
    upstreams.provider("a")
    for claim in (
        identical_misses_cost_one_call,
        what_one_has_fetched_the_other_serves,
        a_stale_answer_is_refreshed_by_one,
        stale_prices_are_refreshed_by_one,
        a_failure_is_not_asked_for_twice,
    ):
        claim(hands, upstreams)
        anew(hands, upstreams)


def identical_misses_cost_one_call(hands: list[Hand], upstreams: Upstreams) -> None:
    upstreams.play["a"] = slowly(0.4)
    question = spec(MarketQuery(limit=5))
    found: list[dict[str, Any]] = sum(each(hands, jobs.ask_in_threads, question, 20), [])
    assert len(upstreams.asked) == 1
    assert Counter(said["rows"] for said in found) == {5: 40}
    assert len({said["fetched_at"] for said in found}) == 1


def what_one_has_fetched_the_other_serves(hands: list[Hand], upstreams: Upstreams) -> None:
    first, second = hands
    assert first.do(jobs.ask, GAS)["cached"] == "miss"
    assert second.do(jobs.ask, GAS)["cached"] == "hit"
    assert len(upstreams.asked) == 1


def a_stale_answer_is_refreshed_by_one(hands: list[Hand], upstreams: Upstreams) -> None:
    grow_old(hands, GAS, 20)
    upstreams.play["a"] = slowly(0.3)
    assert each(hands, jobs.refresh_when_stale, GAS) == ["refreshing", "refreshing"]
    assert len(upstreams.asked) == 2


def stale_prices_are_refreshed_by_one(hands: list[Hand], upstreams: Upstreams) -> None:
    prices = spec(PriceQuery(("BTC", "ETH")))
    grow_old(hands, prices, 100)
    upstreams.play["a"] = slowly(0.3)
    assert each(hands, jobs.refresh_when_stale, prices) == ["refreshing", "refreshing"]
    assert len(upstreams.asked) == 2


def grow_old(hands: list[Hand], question: dict[str, Any], seconds: float) -> None:
    """An answer on the shared board, and on no other, that is so old."""
    gateway.answer(from_spec(question))
    age(seconds)
    each(hands, jobs.forget)


def a_failure_is_not_asked_for_twice(hands: list[Hand], upstreams: Upstreams) -> None:
    upstreams.play["a"] = slowly(0.3, status(500))
    assert each(hands, jobs.ask, GAS) == [{"error": "unanswered"}] * 2
    assert len(upstreams.asked) == 1
    Provider.objects.get(slug="a").guard.reset()


@pytest.mark.slow
def test_edits_and_purges_are_obeyed_by_the_other_process_in_time(
    hands: list[Hand], upstreams: Upstreams
) -> None:
    upstreams.provider("a", priority=90)
    upstreams.provider("b")
    Policy.objects.create(dataset="search")
    searching, serving = hands
    serving.do(jobs.ask, GAS)
    searching.begin(jobs.sources_for, 5.4)
    serving.begin(jobs.found_for, 2.5)
    time.sleep(0.3)

    purged = time.time()
    answers.purge(["gas"])
    Provider.objects.filter(slug="a").update(enabled=False)
    time.sleep(2.1)
    raised = time.time()
    Provider.objects.filter(slug="a").update(enabled=True, priority=1)
    Policy.objects.update(strategy="round_robin")

    there = serving.end()
    assert there[0][1], "it was there before"
    assert not [at for at, found in there if found and at > purged + 1.1]
    sources = searching.end()
    assert sources[0][1] == "a"
    assert {who for at, who in sources if purged + 2 < at < raised} == {"b"}
    assert {who for at, who in sources if at > raised + 2} == {"a", "b"}
