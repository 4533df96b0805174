"""Connections that fail, lead elsewhere than they should, or are looked into: on real sockets."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import struct
import time
import traceback
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
import urllib3
from pytest_django import Settings

from providers import transport
from providers.adapters.base import Auth
from providers.errors import (
    Dropped,
    Garbled,
    ProviderError,
    Unreachable,
)
from providers.logs import RedactingFilter, StructuredFormatter
from providers.resilience.deadline import Deadline
from tests.providers.misbehaviour import HEAD, hanging, nobody_accepts
from tests.providers.peer import (
    KEY,
    Peer,
    always,
    numbers_only,
    once,
    peer,
    reply,
    upstream,
)


def resetting(server: Peer, line: socket.socket) -> None:
    server.hear(line)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class TestConnections:
    def test_refused_is_unreachable(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        with pytest.raises(Unreachable) as caught:
            upstream(f"http://127.0.0.1:{port}").get("/")
        assert type(caught.value) is Unreachable

    @pytest.mark.parametrize("behave", [once(b""), resetting])
    def test_closed_without_an_answer_is_unreachable_and_not_worth_a_retry(
        self, behave: Callable[[Peer, socket.socket], None]
    ) -> None:
        with peer(behave) as server, pytest.raises(Unreachable) as caught:
            upstream(server.url).get("/")
        assert type(caught.value) is Unreachable

    def test_reset_in_the_middle_is_garbled(self) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            server.hear(line)
            line.sendall(HEAD + b"Content-Length: 99\r\n\r\n{")
            server.over.wait(0.1)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        with peer(behave) as server, pytest.raises(Garbled):
            upstream(server.url).get("/")

    @pytest.mark.parametrize("reset", [False, True])
    def test_a_resting_connection_closed_under_us_is_dropped_and_retryable(
        self, reset: bool
    ) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            server.hear(line)
            line.sendall(reply())
            server.hear(line)  # and say nothing
            if reset:
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        with peer(behave) as server:
            upstream(server.url).get("/")
            with pytest.raises(Dropped) as caught:
                upstream(server.url).get("/")
            assert caught.value.retryable
            assert upstream(server.url).get("/") == {}

    def test_one_that_was_closed_while_it_rested_is_replaced_unnoticed(self) -> None:
        with peer(once(reply())) as server:
            upstream(server.url).get("/")
            time.sleep(0.05)  # for the other side's FIN
            assert upstream(server.url).get("/") == {}

    def test_an_unknown_name_is_unreachable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(socket, "getaddrinfo", numbers_only(lambda: None))
        with pytest.raises(Unreachable, match="does not exist"):
            upstream("http://nobody.example").get("/")

    @pytest.mark.parametrize(
        "url",
        ["", "nonsense", "ftp://127.0.0.1/", "http://", "http://[::1", f"http://{'a' * 80}.x"],
    )
    def test_an_address_that_is_none_is_unreachable(self, url: str) -> None:
        with pytest.raises(Unreachable):
            upstream(url).get("/x")

    @pytest.mark.parametrize(
        "given",
        [
            {"headers": {"X-Key": f"{KEY}\r\nX-Forged: 1"}},
            {"headers": {"X-Key": f"{KEY}\u20ac"}},
            {"headers": {}, "json": {KEY: float("nan")}},
        ],
    )
    def test_what_cannot_be_sent_is_not_sent_and_not_told(self, given: dict[str, Any]) -> None:
        with peer(always(reply())) as server, pytest.raises(Unreachable) as caught:
            transport.exchange("POST", server.url, deadline=Deadline(5), **given)
        assert server.requests == []
        assert str(caught.value) == "127.0.0.1: this cannot be sent"
        assert KEY not in "".join(traceback.format_exception(caught.value))

    def test_parameters_are_added_to_those_of_the_address(self) -> None:
        with peer(always(reply())) as server:
            upstream(f"{server.url}/a?b=1").get("", c=[1, 2], d="e f&", g=None, h=True)
        assert server.requests[0].startswith(b"GET /a?b=1&c=1&c=2&d=e+f%26&h=true HTTP/1.1")


class TestGuard:
    def test_private_addresses_are_refused_before_anything_is_sent(
        self, settings: Settings
    ) -> None:
        settings.ALLOW_PRIVATE_UPSTREAMS = []
        with peer(always(reply())) as server:
            for host in ("127.0.0.1", "localhost", "2130706433", "0x7f.1", "user:pw@127.0.0.1"):
                with pytest.raises(Unreachable, match="is a loopback address"):
                    upstream(f"http://{host}:{server.port}").get("/")
        assert server.connections == 0

    def test_one_bad_address_among_good_ones_is_enough(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.ALLOW_PRIVATE_UPSTREAMS = []
        lookup = numbers_only(lambda: ["8.8.8.8", "10.0.0.1"])
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        with pytest.raises(Unreachable, match="is a private address"):
            upstream("http://two.example").get("/")

    def test_the_checked_address_is_the_one_connected_to(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        answers = iter([["127.0.0.1"], ["10.0.0.1"]])  # a name server that changes its mind
        monkeypatch.setattr(socket, "getaddrinfo", numbers_only(lambda: next(answers)))
        with peer(always(reply())) as server:
            assert upstream(f"http://fickle.example:{server.port}").get("/") == {}
        assert f"Host: fickle.example:{server.port}".encode() in server.requests[0]
        assert next(answers) == ["10.0.0.1"]

    @pytest.mark.allow_hosts(["127.0.0.1", "127.0.0.2"])
    @pytest.mark.parametrize("first", ["refuses", "hangs"])
    def test_a_dead_first_address_leaves_time_for_the_second(
        self, first: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        lookup = numbers_only(lambda: ["127.0.0.2", "127.0.0.1"])
        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        with peer(always(reply())) as server, ExitStack() as stack:
            if first == "hangs":
                stack.enter_context(nobody_accepts(("127.0.0.2", server.port)))
            asked = upstream(f"http://two.example:{server.port}", seconds=1.0)
            assert asked.get("/") == {}

    def test_in_the_sandbox_only_the_sandbox_is_asked(self, settings: Settings) -> None:
        settings.ALLOW_PRIVATE_UPSTREAMS = []
        with peer(always(reply())) as sandbox, peer(always(reply())) as other:
            settings.SANDBOX_URL = sandbox.url
            assert upstream(f"{sandbox.url}/api.example/v3").get("/x") == {}
            for url in (other.url, f"http://localhost:{sandbox.port}", "https://api.example"):
                with pytest.raises(Unreachable, match="no request leaves this machine"):
                    upstream(url).get("/")
        assert sandbox.requests[0].startswith(b"GET /api.example/v3/x")
        assert other.connections == 0


def _all_exceptions(*modules: Any) -> set[type[BaseException]]:
    return {
        kind
        for module in modules
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Exception)
        and not issubclass(kind, Warning)
        and kind.__module__.startswith(module.__name__.split(".")[0])
    }


FOREIGNERS = sorted(
    {
        # Proxies, whose plain ValueError this is, are never used.
        *_all_exceptions(urllib3.exceptions, http.client, ssl)
        - {urllib3.exceptions.ProxySchemeUnsupported},
        OSError,
        TimeoutError,
        ConnectionResetError,
        BrokenPipeError,
        socket.gaierror,
        UnicodeError,
    },
    key=lambda kind: (kind.__module__, kind.__name__),
)


class TestTheDoor:
    @pytest.mark.parametrize(
        "kind", FOREIGNERS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}"
    )
    def test_no_foreign_exception_slips_through(self, kind: type[Exception]) -> None:
        error = kind.__new__(kind)
        error.args = (f"http://h/?apikey={KEY}",)
        trip = transport.Trip(Deadline(5))
        with pytest.raises(ProviderError) as caught, transport.in_our_words(trip, "h"):
            raise error
        assert KEY not in "".join(traceback.format_exception(caught.value))

    def test_our_own_bugs_do(self) -> None:
        trip = transport.Trip(Deadline(5))
        with pytest.raises(AttributeError), transport.in_our_words(trip, "h"):
            raise AttributeError


class TestSecrecy:
    @pytest.mark.parametrize("auth", [Auth(param="apikey"), Auth(header="X-Api-Key")])
    @pytest.mark.parametrize(
        "behave",
        [
            once(b""),
            once(reply(f'{{"error": "bad key {KEY}"}}'.encode(), "401 No")),
            once(reply(f"<p>{KEY}".encode())),
            once(HEAD + b"X: y\r\n" * 200),
            once(HEAD + b"broken header\r\nX : y\r\n\r\n[]"),
            once(HEAD + b"Content-Length: 9\r\n\r\n{"),
            hanging,
        ],
    )
    def test_no_error_trace_or_log_line_has_the_key(
        self,
        auth: Auth,
        behave: Callable[[Peer, socket.socket], None],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG, logger="urllib3")
        asked = None
        with peer(behave) as server:
            try:
                asked = upstream(server.url, seconds=0.3, key=KEY, auth=auth)
                asked.get("/price", symbol="BTC")
            except ProviderError as error:
                shown = [str(error), repr(error), *traceback.format_exception(error)]
            else:
                shown = []
        assert KEY.encode() in server.requests[0] or b"k3yThatNobodyMaySee" in server.requests[0]
        assert caplog.records
        for record in caplog.records:
            RedactingFilter().filter(record)
            shown += [StructuredFormatter().format(record), record.getMessage(), repr(vars(record))]
        assert "k3yThatNobodyMaySee" not in "".join([*shown, repr(asked)])
