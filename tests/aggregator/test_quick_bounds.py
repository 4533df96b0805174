"""What a connection may take of us: bytes, seconds and lines of a log; on real sockets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from aggregator import quick
from aggregator.traffic import traffic
from tests.aggregator.connections import (
    CONNECTIONS,
    HEAD,
    OTHER,
    Scripted,
    ending,
    flood,
    hasty,
    noted_connections,
    told,
)

# -- Bounds ----------------------------------------------------------------------------------


def test_a_head_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "MOST_HEAD", 2000)

    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        line.writer.write(b"GET / HTTP/1.1\r\n")
        for _ in range(19):  # the last of them is one too many
            line.writer.write(b"X-More: " + b"x" * 100 + b"\r\n")
            await asyncio.sleep(0)
        said = await ending(line)
        assert said.startswith(b"HTTP/1.1 431 ")
        assert b'"code":"too_large"' in said
        assert app.long == []

    told(story)


@pytest.mark.parametrize("start", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\n"])
def test_a_head_that_comes_too_slowly_is_not_waited_for(
    start: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "HEAD_S", 0.2)

    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        if start:  # the second request of a connection is waited for no longer than the first
            await line.ask(HEAD)
            line.writer.write(start)
        assert await ending(line) == b""

    told(story)


def test_an_answer_may_take_longer_than_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "HEAD_S", 0.1)

    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        await asyncio.sleep(0.4)
        assert (await line.ask(HEAD))["x-way"] == "short"

    told(story)


def test_more_connections_than_there_may_be_are_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "MOST_CONNECTIONS", 2)

    async def story(app: Scripted, connect: Any) -> None:
        lines = [await connect() for _ in range(2)]
        for line in lines:
            await line.ask(HEAD)
        said = await ending(await connect())
        assert said.startswith(b"HTTP/1.1 503 ")
        assert b'"code":"overloaded"' in said
        lines[0].writer.close()
        await asyncio.sleep(0.05)
        assert (await (await connect()).ask(HEAD))["status"] == "200"

    told(story)


def test_a_connection_that_asks_quickly_again_is_not_idle() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        for _ in range(8):
            await asyncio.sleep(0.05)
            assert (await line.ask(HEAD))["x-way"] == "short"
        began = asyncio.get_running_loop().time()
        assert await ending(line) == b""
        assert asyncio.get_running_loop().time() - began > 0.1

    with hasty(0.2):
        told(story)


@pytest.mark.parametrize("more", [b"x", b"\r\n"])
def test_a_connection_that_stops_in_the_middle_is_idle_too(more: bytes) -> None:
    async def story(app: Scripted, connect: Any) -> None:
        app.reads = False
        line = await connect()
        start = HEAD if more == b"\r\n" else HEAD[:-2] + b"Content-Length: 100\r\n\r\n"
        await line.ask(start)
        line.writer.write(more)
        async with asyncio.timeout(3):
            assert await ending(line) == b""

    with hasty(0.2):
        told(story)


def test_who_takes_nothing_of_what_he_asked_for_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "TAKE_S", 0.2)

    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        await flood(line)
        await asyncio.sleep(0.6)
        (connection,) = CONNECTIONS
        assert connection.transport.is_closing()

    with noted_connections():
        told(story)


def test_who_takes_it_slowly_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "TAKE_S", 0.2)

    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        await line.ask(HEAD)
        await flood(line)
        for _ in range(8):
            for _ in range(250):
                await line.reply()
            await asyncio.sleep(0.1)

    told(story)


def test_a_head_is_not_late_behind_an_answer_that_takes_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(quick, "HEAD_S", 0.1)

    async def story(app: Scripted, connect: Any) -> None:
        app.patience = 0.3
        line = await connect()
        assert (await line.ask(HEAD + OTHER[:9]))["status"] == "200"
        assert (await line.ask(OTHER[9:]))["status"] == "200"

    told(story)


@pytest.mark.parametrize("chunks", [b"0\r\nX: ", b"1;a="])
def test_what_surrounds_a_body_is_bounded_like_a_head(
    chunks: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quick, "MOST_HEAD", 10_000)

    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        line.writer.write(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
        line.writer.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n" + chunks)
        await asyncio.sleep(0.05)
        assert not line.reader.at_eof()
        line.writer.write(b"x" * 20_000)
        assert (await ending(line)).startswith(b"HTTP/1.1 431 ")
        assert not any(isinstance(body, bytes) for body in app.bodies)

    told(story)


def test_a_long_body_is_no_long_head() -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line, body = await connect(), b"x" * 500_000
        start = b"POST /x?post HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\n"
        assert (await line.ask(start + body + HEAD))["status"] == "200"
        await line.reply()
        assert app.bodies == [body]

    told(story)


NONSENSE = [
    *(b"\x16\x03\x01\x02\x00", b"hello\r\n\r\n", b"GET\r\n\r\n", b"CONNECT a:443 HTTP/1.1\r\n\r\n"),
    *(b"CONNECT /x HTTP/1.1\r\n\r\n", b"GET /\xff HTTP/1.1\r\n\r\n"),
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n",
    b"GET / HTTP/1.1\nHost: a\n\n",
]


def refused() -> float:
    """Requests that were none, as they were counted."""
    return sum(traffic._places.get(("none", 400), [0.0])[:-1])


@pytest.mark.parametrize("nonsense", NONSENSE)
def test_what_is_no_http_gets_a_problem_is_counted_and_fills_no_log(
    nonsense: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def story(app: Scripted, connect: Any) -> None:
        line = await connect()
        line.writer.write(nonsense)
        said = await ending(line)
        assert said.startswith(b"HTTP/1.1 400 ")
        assert b'"code":"bad_request"' in said

        assert app.long == []

    before = refused()
    told(story)
    assert refused() == before + 1
    assert caplog.text == ""
