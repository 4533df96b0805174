"""Requests that hide others, wait for their turn, or speak HTTP/1.0, on real sockets."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from aggregator import quick, wire
from tests.aggregator.connections import (
    BODY,
    CONNECTIONS,
    HEAD,
    OTHER,
    Line,
    Scripted,
    ending,
    noted_connections,
    told,
)

# -- What one hides from another --------------------------------------------------------------

OFFER = b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"


@pytest.mark.parametrize("cut", [0, 1, 30, len(HEAD)])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_stays_a_body_when_another_protocol_is_offered(cut: int, chunked: bool) -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        length, body = b"Content-Length: %d\r\n" % len(HEAD), HEAD
        if chunked:
            length, body = (
                b"Transfer-Encoding: chunked\r\n",
                b"%x\r\n%b\r\n0\r\n\r\n" % (len(HEAD), HEAD),
            )
        start = b"POST /x?post HTTP/1.1\r\n" + OFFER + length + b"\r\n"
        assert (await line.ask(start + body[:cut], body[cut:]))["status"] == "200"
        assert (app.long, app.bodies) == ([b"post"], [HEAD])
        assert (b"upgrade", b"h2c") not in app.headers
        assert (await line.ask(OTHER))["status"] == "200"
        assert app.long == [b"post", b"limit=4"]

    told(story)


def test_who_offers_another_protocol_and_asks_on_is_answered() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(b"GET /x?offer HTTP/1.1\r\n" + OFFER + b"\r\n" + OTHER)
        await line.reply()
        assert app.long == [b"offer", b"limit=4"]

    told(story)


def test_what_is_said_after_a_body_is_no_header() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        start = b"POST /x?post HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        await line.ask(start + b"1\r\nx\r\n0\r\n", b"X-API-Key: another\r\n", b"\r\n")
        assert app.bodies == [b"x"]
        assert app.headers == [(b"host", b"a"), (b"transfer-encoding", b"chunked")]

    told(story)


def test_half_a_body_is_none() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        line.writer.write(b"POST /x?post HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        line.writer.write_eof()
        assert await ending(line) == b""
        (body,) = app.bodies
        assert isinstance(body, wire.Response)
        assert body.status == 400

    told(story)


def posted(number: int, body: bytes, *, chunked: bool, offers: bool) -> bytes:
    head = b"POST /x?%d HTTP/1.1\r\n" % number + (OFFER if offers else b"Host: a\r\n")
    if not chunked:
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    half = len(body) // 2
    pieces = [b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:]) if part]
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(pieces) + b"0\r\nX: y\r\n\r\n"


@pytest.mark.parametrize("seed", range(12))
def test_however_the_bytes_are_cut_the_same_is_understood(seed: int) -> None:
    chance = random.Random(seed)
    asked: list[bytes] = []
    bodies: list[bytes | wire.Response] = []
    sent = b""
    for number in range(30):
        if chance.random() < 0.5:
            sent, asked = sent + HEAD, [*asked, b"limit=3"]
            continue
        body = HEAD * chance.choice([1, 2, 200])
        chunked, offers = chance.random() < 0.5, chance.random() < 0.5
        sent += posted(number, body, chunked=chunked, offers=offers)
        bodies.append(body)
        asked.append(b"%d" % number)

    async def story(app: Scripted, connect: Any) -> None:
        line, at = await connect(), 0
        replies = asyncio.create_task(all_of(line, len(asked)))
        while at < len(sent):
            size = chance.choice([1, 10, len(HEAD), 1000, 5000, 50_000])
            line.writer.write(sent[at : at + size])
            at += size
            await asyncio.sleep(chance.choice([0, 0.002]))
        await replies
        assert app.bodies == bodies
        short = asked.count(b"limit=3") - app.long.count(b"limit=3")
        assert (app.short, len(app.long) + app.short) == (short, len(asked))

    told(story)


async def all_of(line: Line, number: int) -> None:
    for _ in range(number):
        assert (await line.reply())["status"] == "200"


# -- Those who wait for their turn ------------------------------------------------------------


def test_very_many_requests_in_one_piece_are_answered_and_few_of_them_held() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        app.patience = 0.2
        (line, number) = await connect(), 3000
        line.writer.write(b"GET /?a HTTP/1.1\r\n\r\n" * number)
        await asyncio.sleep(0.1)
        (connection,) = CONNECTIONS
        assert 1 < len(connection.pipeline) < quick.PIECE / 20
        app.patience = 0
        for _ in range(number):
            await line.reply()
        assert len(app.long) == number

    with noted_connections():
        told(story)


def test_who_leaves_while_several_answers_are_owed_fills_no_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def story(app: Scripted, connect: Any) -> None:
        app.patience = 0.1
        line = await connect()
        line.writer.write(HEAD + OTHER + HEAD + OTHER)
        await asyncio.sleep(0.05)
        line.writer.transport.abort()
        await asyncio.sleep(0.6)
        assert app.long[0] == b"limit=3"

    told(story)
    assert caplog.text == ""


def test_who_has_no_more_to_ask_is_still_answered() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        app.patience = 0.1
        line = await connect()
        line.writer.write(HEAD + OTHER)
        line.writer.write_eof()
        assert [(await line.reply())["status"] for _ in range(2)] == ["200", "200"]
        assert await ending(line) == b""

    told(story)


def test_what_came_before_nonsense_is_answered() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        assert (await line.ask(HEAD + b"\x00\r\n\r\n"))["connection"] == "close"
        assert await ending(line) == b""

    told(story)


# -- HTTP/1.0 ---------------------------------------------------------------------------------


@pytest.mark.parametrize("query", [b"stream", b"whole"])
def test_who_knows_no_chunks_gets_none(query: bytes) -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        line.writer.write(b"GET /?%b HTTP/1.0\r\n\r\n" % query)
        head, _, body = (await ending(line)).partition(b"\r\n\r\n")
        assert body == BODY
        assert b"transfer-encoding" not in head
        assert b"connection: close" in head

    told(story)


def test_who_knows_chunks_gets_them_where_there_is_no_length() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        line.writer.write(b"GET /?stream HTTP/1.1\r\nConnection: close\r\n\r\n")
        head, _, body = (await ending(line)).partition(b"\r\n\r\n")
        assert b"transfer-encoding: chunked" in head
        assert body.startswith(b"5\r\nxxxxx\r\n")
        assert body.endswith(b"\r\n0\r\n\r\n")

    told(story)
