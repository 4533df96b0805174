"""What follows a response: it is done, by the same thread, and nobody waits for it."""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

import pytest

from aggregator import answers, shelf
from aggregator.afterwards import followed, later
from aggregator.api import views
from aggregator.api.serializers import MarketQuerySerializer, PriceQuerySerializer, QuerySerializer
from aggregator.pool import For, Pool
from providers.datasets import MarketQuery, PriceQuery, Query
from providers.errors import Unanswered
from tests.upstreams import Upstreams, assets, status


def test_without_a_response_to_wait_for_it_is_done_at_once() -> None:
    done: list[str] = []
    later(lambda: done.append("job"))
    assert done == ["job"]


def test_the_response_comes_first_and_then_the_jobs_in_their_order() -> None:
    done: list[str] = []

    def work() -> str:
        later(lambda: done.append("one"))
        later(lambda: done.append("two"))
        return "response"

    assert followed(work, done.append) == "response"
    assert done == ["response", "one", "two"]
    later(lambda: done.append("at once again"))
    assert done[-1] == "at once again"


def test_what_nothing_follows_needs_not_be_told_early() -> None:
    told: list[str] = []
    assert followed(lambda: "response", told.append) == "response"
    assert told == []


def test_a_job_that_fails_is_logged_and_keeps_none_from_being_done(
    caplog: pytest.LogCaptureFixture,
) -> None:
    done: list[str] = []

    def work() -> str:
        later(lambda: 1 // 0)
        later(lambda: done.append("two"))
        return "response"

    followed(work, done.append)
    assert done == ["response", "two"]
    assert "ZeroDivisionError" in caplog.text


def test_work_that_fails_is_followed_by_its_jobs_too() -> None:
    done: list[str] = []

    def work() -> str:
        later(lambda: done.append("job"))
        raise LookupError

    with pytest.raises(LookupError):
        followed(work, done.append)
    assert done == ["job"]


def test_nobody_waits_for_a_job_and_its_place_is_free_when_it_is_done() -> None:
    opened = threading.Event()

    def work() -> str:
        later(lambda: opened.wait(20))
        return "response"

    async def story() -> None:
        pool = Pool(threads=1, queue=0)
        places = pool.places[For.API]
        assert await pool.run(For.API, work) == "response"
        assert places.free == 0
        opened.set()
        while not places.free:
            await asyncio.sleep(0.001)

    asyncio.run(asyncio.wait_for(story(), 30))


QUESTIONS = [
    (MarketQuerySerializer, {"limit": "5"}, MarketQuery(limit=5)),
    (PriceQuerySerializer, {"symbols": "BTC"}, PriceQuery(("BTC",))),
]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("asked", "given", "query"), QUESTIONS)
def test_an_answer_is_shelved_and_its_claim_given_back_when_it_has_left(
    asked: type[QuerySerializer],
    given: dict[str, str],
    query: Query,
    upstreams: Upstreams,
    each_store: str,
) -> None:
    assets("BTC")
    upstreams.provider("one")
    upstream = query.upstream()
    seen: list[tuple[bool, bool]] = []

    def look(_: object = None) -> None:
        seen.append((bool(shelf.read([answers.shelf_key(upstream)])), answers.is_claimed(upstream)))

    followed(lambda: views.answer_to(asked(data=given)), look)
    look()
    assert seen == [(False, True), (True, False)]
    assert len(upstreams.asked) == 1


@pytest.mark.django_db(transaction=True)
def test_who_brings_nothing_gives_his_claim_back_before_he_says_so(upstreams: Upstreams) -> None:
    upstreams.provider("one")
    upstreams.play["one"] = status(500)
    claimed: list[bool] = []

    def work() -> None:
        with suppress(Unanswered):
            views.answer_to(MarketQuerySerializer(data={}))
        claimed.append(answers.is_claimed(MarketQuery().upstream()))

    followed(work, lambda _: None)
    assert claimed == [False]
