"""
HTTP as uvicorn speaks it, with a short way for what a connection asks again and again.

A program that polls sends the same bytes each time. What they mean was found out once, the long
way: which line, asked by whom. The connection remembers it, and as long as the edge has the answer
to that line ready, the same bytes are answered in place: nothing is parsed, no scope is built and
no task started. What differs by one byte, or comes in pieces, goes the long way.

Bounded here, as uvicorn does not: how long a head may be, how long it may take, and connections.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from aggregator.asgi import Application  # it sets Django up: none of ours may come before

# isort: split

from aggregator import wire
from aggregator.edge import ASKED, Asked

HEAD_S = 15.0  # within which the head of a request has to be here
MOST_HEAD = 64 * 1024  # bytes of it
MOST_CONNECTIONS = 4096
MOST_KNOWN = 8  # heads that a connection remembers
LONGEST_KNOWN = 1024  # bytes of one

HEAD = "aggregator.head"  # in a scope: the bytes of a request that came alone and in one piece


class Quick(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.edge = cast(Application, self.app).edge
        self.known: dict[bytes, Asked] = {}
        self.answered_at = 0.0  # when the last quick answer left, by the loop's clock
        self.is_midway = False  # in a request: some of it is here, and some is not
        self.begun = 0  # requests that began in what was just received
        self.head_size = 0  # bytes of an unfinished head
        self.head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > MOST_CONNECTIONS:
            self._refuse(503, "overloaded", "Too many connections", "Try again in a moment.")
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

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
        scope = cast(dict[str, Any], self.cycle.scope)
        asked, head = scope.get(ASKED), scope.get(HEAD)
        if asked is not None and head is not None:
            if len(self.known) >= MOST_KNOWN:
                self.known.clear()
            self.known[head] = asked

    # -- The long way --------------------------------------------------------------------------

    def _parse(self, data: bytes) -> None:
        was_midway, self.begun = self.is_midway, 0
        super().data_received(data)
        if self.head_timer is not None:
            self.head_size += len(data)
            if self.head_size > MOST_HEAD:
                detail = f"The head of a request has at most {MOST_HEAD} bytes."
                self._refuse(431, "too_large", "The head is too large", detail)
            return
        is_whole = self.begun == 1 and not was_midway and not self.is_midway
        if is_whole and len(data) <= LONGEST_KNOWN:
            cast(dict[str, Any], self.scope)[HEAD] = data

    def on_message_begin(self) -> None:
        self.is_midway = True
        self.begun += 1
        if self.head_timer is None:
            self._await_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head_is_here()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.is_midway = False
        super().on_message_complete()

    # -- Bounds --------------------------------------------------------------------------------

    def _await_head(self) -> None:
        self.head_size = 0
        self.head_timer = self.loop.call_later(HEAD_S, self.transport.close)

    def _head_is_here(self) -> None:
        if self.head_timer is not None:
            self.head_timer.cancel()
            self.head_timer = None

    def timeout_keep_alive_handler(self) -> None:
        """uvicorn's timer runs since the last long answer; quick ones only note when they left."""
        left = self.answered_at + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self.timeout_keep_alive_task = self.loop.call_later(
                left, self.timeout_keep_alive_handler
            )
        elif self.transport.get_write_buffer_size():
            self.transport.abort()  # it never took what it asked for; to close would wait for that
        else:
            super().timeout_keep_alive_handler()

    def send_400_response(self, msg: str) -> None:
        self._refuse(
            400,
            "bad_request",
            "This is not HTTP",
            "The request cannot be read; is all of its address percent-encoded?",
        )

    def _refuse(self, status: int, code: str, title: str, detail: str) -> None:
        response = wire.refusal(status, code, title, detail)
        headers = [*response.headers, (b"connection", b"close")]
        lines = [b"%b: %b\r\n" % pair for pair in headers]
        self.transport.writelines([STATUS_LINE[status], *lines, b"\r\n", response.body])
        self.transport.close()
