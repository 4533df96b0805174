"""What the edge has at hand: fresh answers, and stale ones that are looked after."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import answers, edge
from aggregator.answers import Cached
from tests.aggregator.edges import House, Reply, answer, is_problem, run
from tests.aggregator.edges import _clients as _clients
from tests.aggregator.edges import house as house
from tests.conftest import Clock

# -- Hits --------------------------------------------------------------------------------------


def test_a_hit_asks_nobody_and_says_its_age_at_the_moment_of_sending(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(1.5)
    first = house.get()
    house.clock.tick(2)
    second = house.get()
    assert not house.django.asked
    assert (first.meta["age_s"], first.meta["fresh_for_s"]) == (1.5, 58.5)
    assert (second.meta["age_s"], second.meta["fresh_for_s"]) == (3.5, 56.5)
    assert (first.meta["cache"], first.meta["stale"]) == ("hit", False)
    assert first.json()["data"] == [{"rank": 1}]
    assert int(first.headers["content-length"]) == len(first.body)


def test_the_headers_of_a_hit_add_up_for_a_cache(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(20.7)
    headers = house.get().headers
    # RFC 9111, 4.2: what is left is the lifetime less the age.
    assert headers["cache-control"] == "public, max-age=60"
    assert headers["age"] == "20"
    assert headers["cache-status"] == "aggregator; hit; ttl=39"
    assert headers["vary"] == "Accept"
    assert headers["x-content-type-options"] == "nosniff"


@given(age=st.floats(0, 4000), fresh=st.floats(1, 3000))
def test_no_cache_is_told_more_than_a_second_too_much(age: float, fresh: float) -> None:
    clock = Clock()
    found = answer(clock, fresh_until=clock() + fresh, stale_until=clock() + 5000)
    headers = dict(found.headers(clock() + age))
    _, _, lifetime = headers["Cache-Control"].partition("max-age=")
    left = int(lifetime or 0) - int(headers["Age"])
    assert left < max(0.0, fresh - age) + 1
    assert bool(lifetime) == (age < fresh) == found.is_fresh(clock() + age)


def test_the_etag_is_weak_and_covers_data_source_and_time_alone(house: House) -> None:
    house.shelve(answer(house.clock))
    first = house.get().headers["etag"]
    house.clock.tick(7)
    assert house.get().headers["etag"] == first
    assert first.startswith('W/"')
    same = answer(house.clock, fetched_at=house.clock() - 7, latency_ms=9.0)
    assert same.etag == first
    assert replace(same, data=b"[]").etag != first
    assert replace(same, source="kraken").etag != first
    assert replace(same, fetched_at=house.clock()).etag != first


@pytest.mark.parametrize("spelling", ["{}", "*", '"other", {}', "{strong}"])
def test_who_has_the_answer_is_told_so(house: House, spelling: str) -> None:
    house.shelve(answer(house.clock))
    etag = house.get().headers["etag"]
    tags = spelling.format(etag, strong=etag.removeprefix("W/"))
    reply = house.get(if_none_match=tags)
    assert (reply.status, reply.body) == (304, b"")
    assert reply.headers["etag"] == etag
    assert {"cache-control", "age", "vary", "x-ratelimit-remaining"} <= set(reply.headers)
    assert not {"content-type", "content-length"} & set(reply.headers)
    assert house.get(if_none_match='"other"').status == 200


def test_head_says_what_get_says_without_saying_it(house: House) -> None:
    house.shelve(answer(house.clock))
    get, head = house.get(), house.get(method="HEAD")
    assert head.body == b""
    quota = "x-ratelimit-remaining"
    assert head.headers | {quota: ""} == get.headers | {quota: ""}


def test_what_was_prepared_in_a_moment_is_not_sent_for_another_answer(house: House) -> None:
    house.shelve(answer(house.clock))
    assert house.get().json()["data"] == [{"rank": 1}]
    house.shelve(answer(house.clock, data=b'[{"rank":2}]'))
    assert house.get().json()["data"] == [{"rank": 2}]


@pytest.mark.parametrize(
    ("accept", "is_ours"),
    [
        ("*/*", True),
        ("application/json", True),
        ("text/csv, application/json;q=0.5", True),
        ("application/*", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("text/csv", False),
        ("application/ld+json", False),
    ],
)
def test_people_and_other_formats_are_djangos(house: House, accept: str, is_ours: bool) -> None:
    house.shelve(answer(house.clock))
    house.django.says, house.django.kind = 406, "text/plain"
    assert house.get(accept=accept).status == (200 if is_ours else 406)


def test_a_format_that_was_asked_for_is_djangos(house: House) -> None:
    house.shelve(answer(house.clock), query=b"limit=10&format=api")
    assert house.get(query=b"limit=10&format=api").status == 503
    assert len(house.django.asked) == 1


# -- Stale -------------------------------------------------------------------------------------


def test_a_stale_answer_is_looked_after_once_and_then_served_at_once(house: House) -> None:
    old = answer(house.clock)
    house.shelve(old)
    house.clock.tick(61)
    house.django.says = old.as_(Cached.REFRESHING)
    for _ in range(3):
        reply = house.get()
        assert (reply.meta["cache"], reply.meta["stale"]) == ("refreshing", True)
        assert reply.headers["cache-control"] == "no-cache"
        assert reply.headers["cache-status"] == "aggregator; hit; ttl=-1; detail=refreshing"
        assert (reply.meta["age_s"], reply.meta["fresh_for_s"]) == (61.0, 0.0)
    assert len(house.django.asked) == 1
    house.clock.tick(edge.LOOK_S)
    house.get()
    assert len(house.django.asked) == 2


def test_a_look_brings_what_another_process_shelved(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)
    newer = answer(house.clock, data=b'[{"rank":7}]')
    house.django.says = newer
    assert house.get().json()["data"] == [{"rank": 7}]


def test_nobody_waits_long_for_a_look(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)
    house.django.gate.clear()
    reply = house.get()
    house.django.gate.set()
    assert (reply.status, reply.meta["stale"], reply.meta["age_s"]) == (200, True, 61.0)


def test_a_stale_answer_beats_a_refusal_when_every_place_is_taken(clock: Clock) -> None:
    house = House(clock, threads=1)
    house.shelve(answer(clock))
    clock.tick(61)

    async def story() -> Reply:
        house.django.gate.clear()
        hanging = asyncio.create_task(house.ask(query=b"limit=11"))
        while not house.django.asked:
            await asyncio.sleep(0.001)
        reply = await house.ask()
        house.django.gate.set()
        await hanging
        return reply

    reply = run(story())
    assert (reply.status, reply.meta["cache"], reply.meta["stale"]) == (200, "stale", True)


def test_a_stale_answer_beats_an_error(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)
    assert house.get().status == 200


def test_a_purged_answer_is_not_served_again(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)

    async def story() -> Reply:
        house.django.gate.clear()
        asking = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        answers.board.clear()
        house.django.gate.set()
        return await asking

    is_problem(run(story()), 503, "unanswered")


def test_too_old_is_not_served_at_all(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(3600)
    is_problem(house.get(), 503, "unanswered")
