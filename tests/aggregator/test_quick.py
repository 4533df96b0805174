"""The short way of a connection that asks the same again, on real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aggregator import quick
from tests.aggregator.connections import (
    CONNECTIONS,
    HEAD,
    OTHER,
    Scripted,
    flood,
    noted_connections,
    told,
)


def test_the_same_bytes_go_the_short_way_from_the_second_time_on() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        ways = [(await line.ask(HEAD))["x-way"] for _ in range(4)]
        assert ways == ["long", "short", "short", "short"]
        assert (await line.ask(OTHER))["x-way"] == "long"
        again = await line.ask(OTHER)
        assert (again["x-way"], again["x-line"]) == ("short", "limit=4")
        assert (await line.ask(HEAD))["x-line"] == "limit=3"

    told(story)


def test_what_one_connection_knows_no_other_does() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        first, second = await connect(), await connect()
        await first.ask(HEAD)
        assert (await second.ask(HEAD))["x-way"] == "long"

    told(story)


def test_what_the_edge_does_not_know_any_more_goes_the_long_way() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        app.knows = False
        assert (await line.ask(HEAD))["x-way"] == "long"
        app.knows = True
        assert (await line.ask(HEAD))["x-way"] == "short"

    told(story)


def test_other_methods_are_never_answered_the_short_way() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        post = b"POST /api/market HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
        assert [(await line.ask(post))["x-way"] for _ in range(3)] == ["long"] * 3

    told(story)


@pytest.mark.parametrize("cut", [1, 3, 20, len(HEAD) - 2, len(HEAD) - 1])
def test_a_head_in_pieces_is_understood_also_when_it_is_known_whole(cut: int) -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        assert (await line.ask(HEAD[:cut], HEAD[cut:]))["x-way"] == "long"
        assert (await line.ask(HEAD))["x-way"] == "short"

    told(story)


def test_a_known_head_within_another_request_is_its_body() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        start = b"POST /x?post HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(
            HEAD
        )
        assert (await line.ask(start, HEAD))["x-way"] == "long"
        assert app.long == [b"limit=3", b"post"]
        assert app.short == 0

    told(story)


def test_the_end_of_a_body_and_a_head_are_not_taken_for_a_head() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        start = b"POST /x?post HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab"
        await line.ask(start, b"cd" + HEAD)
        await line.reply()
        assert (await line.ask(b"cd" + HEAD))["status"] == "400"  # no method begins like that
        assert app.short == 0

    told(story)


def test_several_requests_in_one_piece_are_answered_in_order() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        for _ in range(3):
            await line.ask(HEAD + OTHER + HEAD)
            await line.reply()
            await line.reply()
        assert app.long == [b"limit=3", b"limit=4", b"limit=3"] * 3
        assert app.short == 0

    told(story)


def test_who_asks_and_does_not_read_gets_it_all_in_the_end() -> None:
    """And until then what waits for him is not more than a few answers."""

    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        await flood(line)
        await asyncio.sleep(0.3)
        assert app.short + len(app.long) < 2000
        for _ in range(2000):
            await line.reply()
        assert app.short + len(app.long) == 2001

    told(story)


def test_a_connection_remembers_a_few_heads_only() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        for number in range(30):
            await line.ask(HEAD.replace(b"limit=3", b"limit=%d" % number))
        (connection,) = CONNECTIONS
        assert len(connection.known) <= quick.MOST_KNOWN
        long = HEAD.replace(b"\r\n\r\n", b"\r\nX: " + b"x" * quick.LONGEST_KNOWN + b"\r\n\r\n")
        assert [(await line.ask(long))["x-way"] for _ in range(2)] == ["long", "long"]

    with noted_connections():
        told(story)
