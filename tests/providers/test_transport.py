"""Every way an upstream can misbehave, on real sockets, and what becomes of it."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Callable

import pytest

from providers.errors import (
    Garbled,
    TimedOut,
)
from providers.transport import MAX_BODY
from tests.providers.misbehaviour import HEAD, LATENESS, hanging, nobody_accepts
from tests.providers.peer import (
    Peer,
    always,
    dripping,
    numbers_only,
    once,
    peer,
    reply,
    upstream,
)

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


class TestDeadline:
    @pytest.mark.parametrize(
        "behave",
        [
            pytest.param(hanging, id="silence"),
            pytest.param(dripping(b"", b"H", 0.05), id="status"),
            pytest.param(dripping(HEAD, b"X-Drip: 1\r\n", 0.05), id="headers"),
            pytest.param(dripping(HEAD + b"X-Long: ", b"x", 0.05), id="one header"),
            pytest.param(dripping(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.05), id="continue"),
            pytest.param(dripping(HEAD + b"Content-Length: 999\r\n\r\n", b" ", 0.05), id="body"),
            pytest.param(dripping(HEAD + b"\r\n", b" ", 0.05), id="endless body"),
            pytest.param(dripping(CHUNKED, b"1\r\n \r\n", 0.05), id="chunks"),
            pytest.param(dripping(CHUNKED, b"0", 0.05), id="chunk size"),
            pytest.param(dripping(CHUNKED + b"2\r\n{}\r\n0\r\n", b"T: 1\r\n", 0.05), id="trailers"),
            pytest.param(
                dripping(HEAD + b"Content-Encoding: gzip\r\n\r\n", b"\x1f", 0.5), id="slow gzip"
            ),
        ],
    )
    def test_bounds_the_whole_answer(self, behave: Callable[[Peer, socket.socket], None]) -> None:
        with peer(behave) as server:
            started = time.monotonic()
            with pytest.raises(TimedOut) as caught:
                upstream(server.url, seconds=0.4).get("/")
            took = time.monotonic() - started
        assert 0.4 <= took < 0.4 + LATENESS
        assert str(caught.value).startswith("127.0.0.1: no whole answer in time")

    def test_bounds_a_flood_too(self) -> None:
        flood = dripping(HEAD + b"\r\n", bytes(100), 0.0)
        with peer(flood) as server, pytest.raises((TimedOut, Garbled)):
            upstream(server.url, seconds=0.4).get("/")

    def test_is_shared_by_redirects(self) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            while server.hear(line) and not server.over.wait(0.15):
                line.sendall(reply(b"", "302 Found", "Location: /"))

        with peer(behave) as server, pytest.raises(TimedOut):
            upstream(server.url, seconds=0.4).get("/")

    def test_is_kept_when_nobody_accepts(self) -> None:
        with nobody_accepts(("127.0.0.1", 0)) as port:
            started = time.monotonic()
            with pytest.raises(TimedOut):
                upstream(f"http://127.0.0.1:{port}", seconds=0.3).get("/")
        assert time.monotonic() - started < 0.3 + LATENESS

    def test_is_kept_when_the_name_server_hangs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        answered = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", numbers_only(lambda: answered.wait(10)))
        started = time.monotonic()
        with pytest.raises(TimedOut):
            upstream("http://slow.example", seconds=0.3).get("/")
        answered.set()
        assert time.monotonic() - started < 0.3 + LATENESS

    def test_nothing_is_sent_when_it_is_already_over(self) -> None:
        with peer(always(reply())) as server, pytest.raises(TimedOut):
            upstream(server.url, seconds=0.0).get("/")
        assert server.connections == 0

    def test_a_connection_that_timed_out_is_not_used_again(self) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            while asked := server.hear(line):
                if b"/slow" in asked:
                    server.over.wait(0.5)
                line.sendall(reply(b'"slow"' if b"/slow" in asked else b'"quick"'))

        with peer(behave) as server:
            with pytest.raises(TimedOut):
                upstream(server.url, seconds=0.2).get("/slow")
            assert upstream(server.url).get("/quick") == "quick"
        assert server.connections == 2


class TestBadBodies:
    @pytest.mark.parametrize(
        "answer",
        [
            pytest.param(HEAD + b'Content-Length: 99\r\n\r\n{"a": 1}', id="cut short"),
            pytest.param(CHUNKED + b'8\r\n{"a": 1}\r\n', id="no last chunk"),
            pytest.param(CHUNKED + b'ff\r\n{"a": 1}', id="chunk cut short"),
            pytest.param(CHUNKED + b'wat\r\n{"a": 1}\r\n0\r\n\r\n', id="chunk of wat bytes"),
            pytest.param(CHUNKED + b"0" * 70_000, id="endless chunk size"),
            pytest.param(b"what is this\r\n\r\n", id="no HTTP"),
            pytest.param(HEAD[:9], id="half a status"),
            pytest.param(HEAD + b"X: y\r\n" * 200 + b"\r\n{}", id="too many headers"),
            pytest.param(HEAD + b"X: " + b"y" * 70_000 + b"\r\n\r\n{}", id="huge header"),
            pytest.param(HEAD + b"Content-Length: 2, 3\r\n\r\n{}", id="two lengths"),
            pytest.param(HEAD + b"Content-Encoding: gzip\r\n\r\n{}", id="no gzip"),
            pytest.param(HEAD + b"Content-Encoding: br\r\n\r\n\x8b\x00", id="never asked for"),
            pytest.param(
                HEAD + b"Content-Encoding: " + b"gzip, " * 9 + b"gzip\r\n\r\n{}", id="gzips"
            ),
        ],
    )
    def test_are_garbled(self, answer: bytes) -> None:
        with peer(once(answer)) as server, pytest.raises(Garbled):
            upstream(server.url).get("/")

    @pytest.mark.parametrize("encoding", ["gzip", "deflate", "raw deflate"])
    def test_compressed_ones_are_read(self, encoding: str) -> None:
        squeeze: dict[str, Callable[[bytes], bytes]] = {
            "gzip": gzip.compress,
            "deflate": zlib.compress,
            "raw deflate": lambda data: zlib.compress(data)[2:-4],
        }
        text = json.dumps(list(range(50_000))).encode()
        header = f"Content-Encoding: {encoding.split()[-1]}"
        with peer(always(reply(squeeze[encoding](text), "200 OK", header))) as server:
            asked = upstream(server.url)
            assert asked.get("/") == list(range(50_000))
            assert asked.get("/") == list(range(50_000))
        assert asked.bytes_read == 2 * len(text)
        assert server.connections == 1

    @pytest.mark.parametrize("layers", [1, 2])
    def test_a_bomb_is_found_out_while_it_is_small(self, layers: int) -> None:
        bomb = bytes(5 * MAX_BODY)
        for _ in range(layers):
            bomb = gzip.compress(bomb)
        header = f"Content-Encoding: {', '.join(['gzip'] * layers)}"
        with peer(always(reply(bomb, "200 OK", header))) as server:
            tracemalloc.start()
            with pytest.raises(Garbled, match=f"more than {MAX_BODY} bytes"):
                upstream(server.url).get("/")
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert peak < 2.5 * MAX_BODY

    def test_an_endless_body_is_bounded(self) -> None:
        with (
            peer(dripping(HEAD + b"\r\n", bytes(1 << 20), 0.0)) as server,
            pytest.raises(Garbled, match="more than"),
        ):
            upstream(server.url, seconds=20).get("/")

    def test_the_largest_is_still_read(self) -> None:
        body = b'"' + b"x" * (MAX_BODY - 2) + b'"'
        with peer(once(reply(body))) as server:
            assert len(upstream(server.url, seconds=20).get("/")) == MAX_BODY - 2

    def test_no_content_is_garbled_for_get_and_empty_for_fetch(self) -> None:
        with peer(always(b"HTTP/1.1 204 No Content\r\n\r\n")) as server:
            assert upstream(server.url).fetch("/").body == b""
            with pytest.raises(Garbled, match="nothing"):
                upstream(server.url).get("/")
