"""
HTTP as uvicorn speaks it, with a short way for what a connection asks again and again.

A program that polls sends the same bytes each time. What they mean was found out once, the long
way: which line, asked by whom. The connection remembers it, and as long as the edge has the answer
to that line ready, the same bytes are answered in place: nothing is parsed, no scope is built and
no task started. What differs by one byte, or comes in pieces, goes the long way.

Bounded here, as uvicorn does not: connections; how long a head may be and may take, trailers and
what else there is beside a body; requests that wait for their turn; how long one may take nothing
of what was sent, or say nothing. Who sends what is no HTTP is told so and counted; it is no line in
a log, as anybody could fill that.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application, ASGISendEvent
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from aggregator.asgi import Application  # it sets Django up: none of ours may come before

# isort: split

from aggregator import wire
from aggregator.hits import ASKED, Asked
from aggregator.traffic import NOWHERE, traffic

HEAD_S = 15.0  # within which the head of a request has to be here
MOST_HEAD = 64 * 1024  # bytes of it; of what follows also, without the body
TAKE_S = 60.0  # within which something of what waits to be sent has to be taken
MOST_CONNECTIONS = 4096
MOST_KNOWN = 8  # heads that a connection remembers
LONGEST_KNOWN = 1024  # bytes of one
PIECE = 4096  # bytes that are parsed at once: some hundred requests, if they are tiny

HEAD = "aggregator.head"  # in a scope: the bytes of a request that came alone and in one piece


class Flow(FlowControl):
    """Requests that wait for their turn keep us from reading more of them."""

    is_held = False

    def resume_reading(self) -> None:
        if not self.is_held:
            super().resume_reading()


class Unchunked(RequestResponseCycle):
    """HTTP/1.0 knows no chunks: a response without a length ends with the connection."""

    async def send(self, message: ASGISendEvent) -> None:
        if message["type"] == "http.response.start":
            self.chunked_encoding = False
        elif message["type"] == "http.response.body":
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)


class Quick(HttpToolsProtocol):
    """One connection."""

    flow: Flow

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.edge = cast(Application, self.app).edge
        self.known: dict[bytes, Asked] = {}
        self.answered_at = 0.0  # when the last quick answer left, by the loop's clock
        self.under_way: RequestResponseCycle | None = None  # whose turn it is; `cycle`: the last
        self.is_midway = False  # in a request: some of it is here, and some is not
        self.begun = 0  # requests that began in the last piece
        self.beside = 0  # bytes of an unfinished request beside its body
        self.rest = b""  # to be parsed when nobody waits any more
        self.is_deaf = False  # to what still comes, as it makes no sense any more
        self.is_ending = False  # when the last answer has left, we hang up
        self.head_timer: asyncio.TimerHandle | None = None
        self.take_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.flow = Flow(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(503, "overloaded", "Too many connections", "Try again in a moment.")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        self._unset_keepalive_if_required()
        self._unset_take_timer()
        for cycle in (self.under_way, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        self.rest = b""
        super().connection_lost(exc)

    def eof_received(self) -> bool:  # type: ignore[override]
        """Who has no more to ask still gets what he asked for; half a request is none."""
        self.is_ending = True
        return self._owes() and (not self.is_midway or bool(self.rest))

    def data_received(self, data: bytes) -> None:
        asked = self.known.get(data)
        if asked is None or not self._is_at_rest() or not self._answered(asked):
            self._parse(data)

    # -- The short way -------------------------------------------------------------------------

    def _answered(self, asked: Asked) -> bool:
        reply = self.edge.again(asked, self.server_state.default_headers)
        if reply is None:
            return False
        self.answered_at = self.loop.time()
        self.transport.writelines(reply)
        return True

    def _is_at_rest(self) -> bool:
        """Is all that was asked answered, and does the other side take what we send?"""
        return (
            not self.is_midway
            and (self.cycle is None or self.cycle.response_complete)
            and not self.flow.write_paused
            and not self.transport.is_closing()
        )

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            return
        scope = cast(dict[str, Any], self.cycle.scope)
        asked, head = scope.get(ASKED), scope.get(HEAD)
        if asked is not None and head is not None:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            self.known[head] = asked
        if self.flow.is_held and not self.pipeline:
            self.flow.is_held = False
            self.flow.resume_reading()
            self._parse(b"")
        if self.is_ending and not self._owes():
            self.transport.close()

    # -- The long way --------------------------------------------------------------------------

    def _parse(self, data: bytes) -> None:
        """What came, after what was left; as far as nobody has to wait behind somebody waiting."""
        self._unset_keepalive_if_required()
        data, at = self.rest + data, 0
        while at < len(data) and not (self.pipeline or self.is_deaf or self.transport.is_closing()):
            at += self._feed(data[at : at + PIECE])
        self.rest = data[at:]
        if self.pipeline:
            self.flow.is_held = True  # uvicorn has stopped reading already
        if self.head_timer is self.timeout_keep_alive_task is None and not self._owes():
            self._await_more()

    def _feed(self, piece: bytes) -> int:
        """Parse it, and tell how much of it was: less where somebody offers another protocol."""
        was_midway, self.begun = self.is_midway, 0
        try:
            size = self._understood(piece)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):  # or CONNECT
            detail = (
                "Is its method one of HTTP's, its length a number, its address percent-encoded?"
            )
            self._refuse(400, "bad_request", "This is not HTTP", detail)
            return len(piece)
        if self.is_midway:
            self.beside += size
            if self.beside > MOST_HEAD:
                detail = f"The head of a request has at most {MOST_HEAD} bytes."
                self._refuse(431, "too_large", "The head is too large", detail)
        elif self.begun == 1 and not was_midway and size == len(piece) <= LONGEST_KNOWN:
            cast(dict[str, Any], self.scope)[HEAD] = piece
        return size

    def _understood(self, piece: bytes) -> int:
        try:
            self.parser.feed_data(piece)
        except httptools.HttpParserUpgrade as upgrade:
            # The parser takes what follows for the protocol that was offered, also when it is the
            # body: what somebody hides there would be a request. We take up no offer, so another
            # parser reads the head without it.
            version = self.parser.get_http_version().encode()
            lines = [b"%b %b HTTP/%b\r\n" % (self.parser.get_method(), self.url, version)]
            lines += [b"%b: %b\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
            self.parser = httptools.HttpRequestParser(self)
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
            self.parser.feed_data(b"".join([*lines, b"\r\n"]))
            return cast(int, upgrade.args[0])
        return len(piece)

    def on_message_begin(self) -> None:
        self.is_midway = True
        self.begun += 1
        self.beside = 0
        if self.head_timer is None:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return  # it will be read again: see `_understood`
        super().on_headers_complete()
        self._head_is_here()
        self.headers = []  # what is said after the body is no part of the head

    def on_body(self, body: bytes) -> None:
        self.beside -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self.is_midway = False
        super().on_message_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self.under_way = cycle
        if cycle.scope["http_version"] != "1.1" and not cycle.keep_alive:
            cycle.__class__ = Unchunked
        super()._start_asgi_task(cycle, app)

    def _owes(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    # -- Bounds --------------------------------------------------------------------------------

    def _await_head(self) -> None:
        self.head_timer = self.loop.call_later(HEAD_S, self._head_is_late)

    def _head_is_here(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def _head_is_late(self) -> None:
        if self._owes():  # it may wait behind the answer that is under way
            self._await_head()
        else:
            self.transport.close()

    def _await_more(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn's timer runs since the last long answer; quick ones only note when they left."""
        left = self.answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left, self.timeout_keep_alive_handler
            )
        elif self.flow.write_paused:
            self._await_more()  # a long answer is being taken, or `_is_taken` ends it
        elif self.transport.get_write_buffer_size():
            self.transport.abort()  # it never took what it asked for; to close would wait for that
        else:
            super().timeout_keep_alive_handler()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._await_taking()

    def resume_writing(self) -> None:
        self._unset_take_timer()
        super().resume_writing()

    def _await_taking(self) -> None:
        left = self.transport.get_write_buffer_size()
        self.take_timer = self.loop.call_later(TAKE_S, self._is_taken, left)

    def _is_taken(self, before: int) -> None:
        """Nothing was written since, so what waits becomes less, if slowly; or nobody takes it."""
        if self.transport.get_write_buffer_size() < before:
            self._await_taking()
        else:
            self.transport.abort()

    def _unset_take_timer(self) -> None:
        if self.take_timer is not None:
            self.take_timer.cancel()
            self.take_timer = None

    def _refuse(self, status: int, code: str, title: str, detail: str) -> None:
        """Say so, and hang up. Answers that are owed come first, and nothing into one that runs."""
        traffic.asked(NOWHERE, status, 0.0)
        if self.is_midway and self.head_timer is None:  # the body of the last request is wrong
            if self.pipeline or self.cycle.response_started:
                self.transport.close()
                return
        elif self._owes():
            self.is_deaf = self.is_ending = True
            self.cycle.keep_alive = False
            return
        response = wire.refusal(status, code, title, detail)
        headers = [*response.headers, (b"connection", b"close")]
        lines = [b"%b: %b\r\n" % pair for pair in headers]
        self.transport.writelines([STATUS_LINE[status], *lines, b"\r\n", response.body])
        self.transport.close()
