"""A response that streams leaves piece by piece, in constant memory, and holds no thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from aggregator import bridge, wire
from aggregator.edge import Edge
from aggregator.pool import For, Pool
from aggregator.wire import Response, Stream

# The bridge gives its thread's connection back, and in a test that thread may have one.
pytestmark = pytest.mark.django_db(transaction=True)

KILOBYTE = b"x" * 1024


class Long:
    """What a WSGI handler of Django returns for a StreamingHttpResponse."""

    streaming = True
    kind = "text/csv"

    def __init__(self, kilobytes: int, breaks_at: int | None = None) -> None:
        self.kilobytes, self.breaks_at = kilobytes, breaks_at
        self.made = 0
        self.threads: set[str] = set()
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        for number in range(self.kilobytes):
            if number == self.breaks_at:
                raise RuntimeError("a slip")
            self.made += 1
            self.threads.add(threading.current_thread().name)
            yield KILOBYTE

    def close(self) -> None:
        self.closed = True

    def __call__(self, environ: dict[str, Any], start: Any) -> Long:
        start("200 OK", [("Content-Type", self.kind)])
        return self


class Line:
    """The line to a client: it keeps what arrives, and may hang up."""

    def __init__(self, hangs_up_after: int | None = None) -> None:
        self.messages: list[Any] = []
        self.made_by_then: list[int] = []
        self.hangs_up_after = hangs_up_after
        self.gone = asyncio.Event()

    async def receive(self) -> Any:
        if not self.messages:
            return {"type": "http.request", "body": b"", "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    def to(self, source: Long) -> wire.Send:
        async def send(message: Any) -> None:
            self.messages.append(message)
            self.made_by_then.append(source.made)
            if self.hangs_up_after is not None and len(self.messages) > self.hangs_up_after:
                self.gone.set()
                await asyncio.sleep(0)
                await asyncio.sleep(0)

        return send

    @property
    def body(self) -> bytes:
        return b"".join(m.get("body", b"") for m in self.messages)


def ask(source: Long, line: Line, method: str = "GET") -> None:
    async def once() -> None:
        pool = Pool(2, queue=0)
        scope = {
            "type": "http",
            "method": method,
            "path": "/elsewhere",
            "query_string": b"",
            "http_version": "1.1",
            "headers": [(b"host", b"localhost")],
        }
        try:
            await Edge(source, pool)(scope, line.receive, line.to(source))
        finally:
            pool.threads.shutdown()
        assert pool.places[For.PAGES].free == Pool.PAGES

    asyncio.run(once())


def test_pieces_leave_while_others_are_still_to_be_made() -> None:
    source, line = Long(1000), Line()
    ask(source, line)
    assert line.body == KILOBYTE * 1000
    start, first, *_, last = line.messages
    assert (start["status"], first["more_body"]) == (200, True)
    assert last == {"type": "http.response.body", "body": b""}
    # When the nth piece left, hardly more than it had been made.
    per_piece = bridge.PIECE // 1024
    for number, made in enumerate(line.made_by_then[1:-1], 1):
        assert made <= (number + 1) * per_piece
    assert source.closed


def test_of_events_each_leaves_by_itself() -> None:
    source, line = Long(5), Line()
    source.kind = "text/event-stream"
    ask(source, line)
    assert [m["body"] for m in line.messages[1:6]] == [KILOBYTE] * 5
    assert line.made_by_then[1:6] == [1, 2, 3, 4, 5]


def test_what_is_short_leaves_in_one_piece_with_its_length() -> None:
    source, line = Long(3), Line()
    ask(source, line)
    assert line.body == KILOBYTE * 3
    assert (b"content-length", b"3072") in line.messages[0]["headers"]
    assert len(line.messages) == 2
    assert source.closed


def test_nothing_is_made_for_who_has_hung_up() -> None:
    source, line = Long(100_000), Line(hangs_up_after=3)
    ask(source, line)
    assert source.made < 1000
    assert source.closed


def test_one_that_breaks_off_has_no_end(caplog: pytest.LogCaptureFixture) -> None:
    """So the client can tell: an end would make a half export look like a whole one."""
    source, line = Long(1000, breaks_at=500), Line()
    ask(source, line)
    assert all(m.get("more_body") for m in line.messages[1:])
    assert "a streamed response broke off: /elsewhere" in caplog.text
    assert source.closed


def test_one_that_breaks_before_its_first_piece_is_an_error_like_any_other() -> None:
    source, line = Long(1000, breaks_at=0), Line()
    ask(source, line)
    assert line.messages[0]["status"] == 500
    assert source.closed


def test_head_gets_no_body() -> None:
    source, line = Long(1000), Line()
    ask(source, line, "HEAD")
    assert line.body == b""
    assert line.messages[-1].get("more_body", False) is False
    assert source.closed


def test_what_comes_slowly_is_not_held_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bridge, "PIECE_S", 0.0)
    found = bridge.run(Long(2), {})
    assert isinstance(found, Stream)
    assert found.first == KILOBYTE
    assert list(found.rest) == [KILOBYTE, b""]


def test_a_response_that_does_not_stream_is_whole_however_long_it_is() -> None:
    def handler(environ: dict[str, Any], start: Any) -> list[bytes]:
        start("200 OK", [])
        return [KILOBYTE] * 1000

    found = bridge.run(handler, {})
    assert isinstance(found, Response)
    assert len(found.body) == 1024 * 1000
