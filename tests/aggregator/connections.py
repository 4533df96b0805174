"""A server of our protocol on a real socket, an application it serves, and clients of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvloop
from uvicorn import Config
from uvicorn.server import ServerState

from aggregator import wire
from aggregator.callers import Caller
from aggregator.hits import ASKED, Asked
from aggregator.quick import Quick

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


async def ending(line: Line) -> bytes:
    """What is sent until the server hangs up."""
    return await line.reader.read()


async def flood(line: Line) -> None:
    """Ask two thousand times, twenty megabytes, and read nothing: more than all buffers hold."""
    for _ in range(2000):
        line.writer.write(HEAD)
        await asyncio.sleep(0)


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
