"""The short way of a connection that asks again, and the bounds of all of them, on real sockets."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop
from uvicorn import Config
from uvicorn.server import ServerState

from aggregator import quick, wire
from aggregator.callers import Caller
from aggregator.edge import ASKED, Asked
from aggregator.quick import Quick
from aggregator.traffic import traffic

HEAD = b"GET /api/market?limit=3 HTTP/1.1\r\nHost: localhost\r\n\r\n"
OTHER = b"GET /api/market?limit=4 HTTP/1.1\r\nHost: localhost\r\n\r\n"
BODY = b"x" * 10_000


class Scripted:
    """
    An application whose requests may be asked again, and its edge. It writes down what came the
    long way and what came the short one.
    """

    def __init__(self) -> None:
        self.edge = self
        self.long: list[bytes] = []
        self.bodies: list[bytes | wire.Response] = []
        self.headers: list[tuple[bytes, bytes]] = []
        self.short = 0
        self.knows = True
        self.reads = True  # the bodies of requests
        self.patience = 0.0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.long.append(scope["query_string"])
        await asyncio.sleep(self.patience)
        if scope["method"] == "POST" and self.reads:
            self.bodies.append(await wire.body_of(receive))
        self.headers = scope["headers"]
        if scope["method"] == "GET":
            line = (scope["path"], scope["query_string"])
            scope[ASKED] = Asked(line, "market", Caller("address:1", 9), b"")
        length = [(b"content-length", b"%d" % len(BODY)), (b"x-way", b"long")]
        if scope["query_string"] == b"stream":
            length = []
        await send({"type": "http.response.start", "status": 200, "headers": length})
        await send({"type": "http.response.body", "body": BODY[:5], "more_body": True})
        await send({"type": "http.response.body", "body": BODY[5:]})

    def again(self, asked: Asked, always: Any) -> tuple[bytes, bytes, bytes] | None:
        if not self.knows:
            return None
        self.short += 1
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n" % len(BODY)
        return head, b"x-way: short\r\nx-line: %b\r\n\r\n" % asked.line[1], BODY


class Line:
    """A client's connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, *pieces: bytes) -> dict[str, str]:
        for piece in pieces:
            self.writer.write(piece)
            await self.writer.drain()
            await asyncio.sleep(0.01 if len(pieces) > 1 else 0)
        return await self.reply()

    async def reply(self) -> dict[str, str]:
        """The headers of the next response, and its status; the body is read and checked."""
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = await self.reader.readexactly(int(headers["content-length"]))
        headers["status"] = head[0].split()[1]
        if headers["status"] == "200":
            assert body == BODY
        return headers

    async def close(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


CONNECTIONS: set[Quick] = set()


@contextmanager
def noted_connections() -> Iterator[None]:
    """Within, the server's ends of all connections are in CONNECTIONS."""
    made = Quick.connection_made

    def noted(self: Any, transport: Any) -> None:
        CONNECTIONS.add(self)
        made(self, transport)

    CONNECTIONS.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Quick, "connection_made", noted)
        yield


Story = Callable[[Scripted, Callable[[], Awaitable[Line]]], Awaitable[None]]


def told(story: Story) -> None:
    """The story, with a server of our protocol."""

    async def run() -> None:
        application = Scripted()
        config = Config(application, http=Quick, ws="none", log_config=None, access_log=False)
        config.load()
        config.loaded_app = application  # without uvicorn's wrappers, as `serve` asks for
        state, loop = ServerState(), asyncio.get_running_loop()
        server = await loop.create_server(
            lambda: Quick(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        port = server.sockets[0].getsockname()[1]

        lines: list[Line] = []
        loop.set_exception_handler(lambda _, found: failed.append(found))
        failed: list[Any] = []

        async def connect() -> Line:
            lines.append(Line(*await asyncio.open_connection("127.0.0.1", port)))
            return lines[-1]

        try:
            async with asyncio.timeout(20):
                await story(application, connect)
        finally:
            server.close()
            for line in lines:
                line.writer.transport.abort()
            await asyncio.sleep(0.01)
        assert failed == []

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:  # as it is served
        runner.run(run())


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
        for _ in range(2000):  # twenty megabytes of answers: more than all buffers hold
            line.writer.write(HEAD)
            await asyncio.sleep(0)
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


# -- Bounds ----------------------------------------------------------------------------------


async def ending(line: Line) -> bytes:
    """What is sent until the server hangs up."""
    return await line.reader.read()


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


@contextmanager
def hasty(seconds: float) -> Iterator[None]:
    """Within, connections are idle for so long at most."""
    init = Quick.__init__

    def begin(self: Quick, *args: Any, **kwargs: Any) -> None:
        init(self, *args, **kwargs)
        self.timeout_keep_alive = seconds  # type: ignore[assignment]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Quick, "__init__", begin)
        yield


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
        for _ in range(2000):
            line.writer.write(HEAD)
            await asyncio.sleep(0)
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
        for _ in range(2000):
            line.writer.write(HEAD)
            await asyncio.sleep(0)
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
