"""What is asked often is asked again before anybody has to wait, and nothing else is."""

from __future__ import annotations

import time

import pytest

from aggregator import answers, demand, tasks, warming
from providers.datasets import ConsensusQuery, GasQuery, MarketQuery, NewsQuery, PriceQuery, Query
from providers.models import Call, Policy
from tests.aggregator.visitors import age, get
from tests.conftest import forget_everything
from tests.upstreams import Upstreams, assets, status

pytestmark = pytest.mark.django_db(transaction=True)

MARKET = "/api/market?limit=10"  # kept for a minute


@pytest.fixture(autouse=True)
def coins(transactional_db: None) -> None:
    assets("BTC", "ETH", "NOPE")


def often(*queries: Query, times: int = 3) -> None:
    for query in queries:
        demand.note(query, times)
    demand.settle()


def fetched_at(query: Query) -> float:
    forget_everything()  # the worker and the web are two processes
    found = answers.find(query)
    assert found is not None
    return found.fetched_at


def test_what_is_about_to_go_stale_is_asked_again(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    get(MARKET)
    often(MarketQuery(limit=10))
    age(45)
    assert warming.warm() == (1, 0)
    assert len(upstreams.asked) == 2
    assert time.time() - fetched_at(MarketQuery(limit=10)) < 5
    hit = get(MARKET)
    assert (hit.meta["cache"], len(upstreams.asked)) == ("hit", 2)


def test_what_has_time_left_is_left_alone(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    get(MARKET)
    often(MarketQuery(limit=10))
    age(35)
    assert warming.warm() == (0, 0)
    assert warming.warm(clock=lambda: time.time() + 10) == (1, 0)


def test_what_was_asked_once_is_nobody_s_habit(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    often(MarketQuery(limit=10), times=1)
    assert warming.warm() == (0, 0)
    assert upstreams.asked == []


def test_what_is_on_no_shelf_is_brought(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    often(MarketQuery(limit=10))
    assert warming.warm() == (1, 0)
    assert get(MARKET).meta["cache"] == "hit"


def test_two_sizes_of_one_question_are_one_call(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    often(MarketQuery(limit=10), MarketQuery(limit=100))
    assert warming.warm() == (1, 0)
    assert len(upstreams.asked) == 1


def test_short_lived_answers_are_left_to_their_readers(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    get("/api/gas")
    often(GasQuery())
    age(14)
    assert warming.warm() == (0, 0)


def test_a_consensus_is_not_asked_for_behind_everybody_s_back(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    often(ConsensusQuery("BTC"), times=50)
    assert warming.warm() == (0, 0)
    assert upstreams.asked == []


def test_a_policy_decides_when_an_answer_goes_stale(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    Policy.objects.create(dataset="market", fresh_s=30)
    get(MARKET)
    often(MarketQuery(limit=10))
    age(5)
    assert warming.warm() == (0, 0)
    age(10)
    assert warming.warm() == (1, 0)


@pytest.mark.parametrize("url", [MARKET, "/api/news"])
def test_nobody_is_asked_before_they_may_be_asked_again(upstreams: Upstreams, url: str) -> None:
    upstreams.provider("a", min_fresh_s=300)
    query = MarketQuery(limit=10) if url == MARKET else NewsQuery()
    get(url)
    often(query)
    age(295)
    assert warming.warm() == (0, 0)
    age(6)
    assert warming.warm() == (1, 0)
    assert len(upstreams.asked) == 2
    assert time.time() - fetched_at(query) < 5


# -- Prices ------------------------------------------------------------------------------------


def test_all_prices_of_a_currency_are_one_call(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    often(PriceQuery(("BTC",)), PriceQuery(("ETH", "BTC")))
    assert warming.warm() == (1, 0)
    assert [sorted(asked.symbols) for asked in upstreams.asked] == [["BTC", "ETH"]]


def test_only_the_prices_that_are_due_are_asked_for(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    get("/api/market/price?symbols=BTC")
    age(45)
    get("/api/market/price?symbols=ETH")
    often(PriceQuery(("BTC", "ETH")))
    assert warming.warm() == (1, 0)
    assert upstreams.asked[-1].symbols == ["BTC"]
    assert warming.warm() == (0, 0)


def test_a_coin_that_nobody_prices_does_not_spoil_the_round(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    often(PriceQuery(("BTC", "NOPE")))
    assert warming.warm() == (1, 0)
    assert get("/api/market/price?symbols=BTC").meta["cache"] == "hit"
    often(PriceQuery(("NOPE",)))
    assert warming.warm() == (0, 1)


# -- When it goes wrong ------------------------------------------------------------------------


def test_a_failure_leaves_what_is_shelved_and_goes_on_to_the_next(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    before = get(MARKET)
    often(MarketQuery(limit=10), times=9)
    often(PriceQuery(("BTC",)))
    age(50)
    upstreams.play["a"] = lambda asked: status(503)(asked)
    assert warming.warm() == (0, 2)
    after = get(MARKET)
    assert after.body["data"] == before.body["data"]
    assert after.meta["cache"] == "hit"


def test_a_round_ends_when_its_time_is_up(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams.provider("a")
    often(MarketQuery(limit=10))
    monkeypatch.setattr(warming, "TIME_S", 0.0)
    assert warming.warm() == (0, 0)
    assert upstreams.asked == []


# -- As a task ---------------------------------------------------------------------------------


def test_a_task_writes_its_calls(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    often(MarketQuery(limit=10))
    assert tasks.warm_answers() == "1 answers warmed, 0 failed"
    assert list(Call.objects.values_list("provider__slug", "outcome")) == [("a", "ok")]


def test_calls_of_a_task_that_fails_are_written_too(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams.provider("a")

    @tasks.task
    def broken() -> str:
        get(MARKET)
        raise OSError("the disk is gone")

    with pytest.raises(OSError, match="the disk is gone"):
        broken()
    assert Call.objects.count() == 1


def test_who_is_cached_only_is_asked_ahead_of_visitors_and_never_by_them(
    upstreams: Upstreams,
) -> None:
    upstreams.provider("a", cached_only=True, priority=9)
    refused = get(MARKET)
    assert (refused.status, refused.attempts) == (503, [("a", "cached_only")])
    assert get("/api/market/price?symbols=BTC").status == 503
    assert upstreams.asked == []
    often(MarketQuery(limit=10), PriceQuery(("BTC",)))
    assert warming.warm() == (2, 0)
    forget_everything()  # the worker and the web are two processes
    assert get(MARKET).meta["source"] == "a"
    assert get("/api/market/price?symbols=BTC").meta["source"] == "a"
    assert len(upstreams.asked) == 2


def test_a_visitor_is_told_who_was_passed_over_as_cached_only(upstreams: Upstreams) -> None:
    upstreams.provider("a", cached_only=True, priority=90)
    upstreams.provider("b")
    found = get(MARKET)
    assert (found.meta["source"], found.attempts) == ("b", [("a", "cached_only")])
