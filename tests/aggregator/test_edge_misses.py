"""What the edge has not at hand: once to Django, and never more than there are places."""

from __future__ import annotations

import asyncio

import pytest

from aggregator import answers, edge
from aggregator.answers import Cached
from aggregator.pool import For
from providers.datasets import PriceQuery
from tests.aggregator.edges import House, Reply, answer, is_problem, run, together
from tests.aggregator.edges import _clients as _clients
from tests.aggregator.edges import house as house
from tests.conftest import Clock

# -- Misses ------------------------------------------------------------------------------------


def test_the_same_question_goes_to_django_once(house: House) -> None:
    house.django.says = answer(house.clock, cached=Cached.MISS)
    replies = run(together(house, *(house.ask(key="") for _ in range(20))))
    assert len(house.django.asked) == 1
    assert sorted(reply.meta["cache"] for reply in replies) == ["coalesced"] * 19 + ["miss"]
    assert replies[1].headers["cache-status"] == "aggregator; fwd=miss; collapsed"


def test_what_was_asked_once_is_known_at_the_edge(house: House) -> None:
    house.django.says = found = answer(house.clock, cached=Cached.MISS)
    assert house.get().meta["cache"] == "miss"
    answers.board.put(found)
    assert house.get().meta["cache"] == "hit"
    assert len(house.django.asked) == 1


def test_an_answer_that_lacks_something_is_not_taken_for_the_whole(house: House) -> None:
    prices = answer(house.clock, PriceQuery(("BTC",)))
    house.django.says = prices.telling([{"symbol": "NOPE", "reason": "unknown"}], [])
    answers.board.put(prices)
    for _ in range(2):
        reply = house.get("/api/market/price", b"symbols=BTC,NOPE")
        assert reply.meta["missing"] == [{"symbol": "NOPE", "reason": "unknown"}]
    assert len(house.django.asked) == 2


def test_those_who_wait_share_the_error_too(house: House) -> None:
    for reply in run(together(house, *(house.ask() for _ in range(3)))):
        is_problem(reply, 503, "unanswered")
    assert len(house.django.asked) == 1


def test_the_answer_comes_though_the_first_who_asked_has_gone(house: House) -> None:
    house.django.says = answer(house.clock, cached=Cached.MISS)

    async def story() -> Reply:
        house.django.gate.clear()
        first = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        second = asyncio.create_task(house.ask())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        house.django.gate.set()
        return await second

    assert run(story()).meta["cache"] == "coalesced"


def test_those_who_wait_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "MOST_WAITING", 2)
    house.django.says = answer(house.clock, cached=Cached.MISS)
    replies = run(together(house, *(house.ask(key="") for _ in range(5))))
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 503, 503]
    is_problem(next(reply for reply in replies if reply.status == 503), 503, "overloaded")
    assert house.edge.waiting == 0


def test_what_is_not_the_same_for_everybody_is_not_shared(house: House) -> None:
    house.django.says = 200
    run(together(house, house.ask("/api/status", b""), house.ask("/api/status", b"")))
    assert len(house.django.asked) == 2


def test_another_host_is_another_question(house: House) -> None:
    """Django refuses hosts that are not ours; that must not reach those who named the right one."""
    run(together(house, house.ask(), house.ask(host="evil.example")))
    assert {environ["HTTP_HOST"] for environ in house.django.asked} == {"localhost", "evil.example"}


def test_beyond_the_places_a_miss_is_refused_and_the_next_is_not(clock: Clock) -> None:
    house = House(clock, threads=1)
    house.django.says = answer(clock, cached=Cached.MISS)

    async def story() -> tuple[Reply, Reply]:
        house.django.gate.clear()
        hanging = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        refused = await house.ask(query=b"limit=11")
        house.django.gate.set()
        await hanging
        return refused, await house.ask(query=b"limit=12")

    refused, served = run(story())
    is_problem(refused, 503, "overloaded")
    assert refused.headers["retry-after"] == "1"
    assert served.status == 200


def test_the_status_is_told_while_every_question_hangs(clock: Clock) -> None:
    house = House(clock, threads=1)

    async def story() -> Reply:
        house.django.gate.clear()
        hanging = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        status = asyncio.create_task(house.ask("/api/status", b""))
        while len(house.django.asked) < 2 and not status.done():
            await asyncio.sleep(0.001)
        house.django.gate.set()
        await hanging
        return await status

    house.django.says, house.django.kind = 200, "application/json"
    assert run(story()).status == 200


# -- Below /v1 ---------------------------------------------------------------------------------


def test_what_the_edge_refuses_below_v1_has_the_shape_of_that_api(house: House) -> None:
    too_long = run(house.ask("/v1/chat/completions", b"", method="POST", body=[b"x" * 2**20] * 2))
    house.edge.pool.places[For.MODELS].free = house.edge.pool.places[For.MODELS].queue = 0
    no_place = run(house.ask("/v1/chat/completions", b"", method="POST"))
    for reply, status, code, kind in (
        (too_long, 413, "too_large", "invalid_request_error"),
        (no_place, 503, "overloaded", "server_error"),
    ):
        assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
        assert int(reply.headers["content-length"]) == len(reply.body)
        error = reply.json()["error"]
        assert (error["code"], error["type"], error["param"]) == (code, kind, None)
        assert error["message"]
    assert no_place.headers["retry-after"] == "1"
    is_problem(run(house.ask("/v1beta", b"")), 503, "unanswered")  # not that API's
