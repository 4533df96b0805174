"""Certificates that nobody vouches for, and handshakes that hang."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import certifi
import pytest

from providers import transport
from providers.errors import (
    TimedOut,
    Unreachable,
)
from tests.providers.misbehaviour import HEAD, LATENESS, Authority
from tests.providers.peer import (
    Peer,
    always,
    dripping,
    numbers_only,
    peer,
    reply,
    upstream,
)


def mute(server: Peer, line: socket.socket) -> None:
    server.over.wait(10)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Trusted by the line of this test; every name is 127.0.0.1."""
    found = Authority(tmp_path)
    line = transport.Line(transport.tls_context(str(found.file)))
    monkeypatch.setattr(transport, "line", lambda: line)
    monkeypatch.setattr(socket, "getaddrinfo", numbers_only(lambda: ["127.0.0.1"]))
    return found


class TestTLS:
    def test_a_good_certificate_is_accepted_and_the_connection_kept(
        self, authority: Authority
    ) -> None:
        with peer(always(reply(b"[1]")), authority.server("good.example")) as server:
            asked = upstream(f"https://good.example:{server.port}")
            assert asked.get("/") == asked.get("/") == [1]
        assert server.connections == 1

    def test_a_certificate_for_another_name_is_refused(self, authority: Authority) -> None:
        with (
            peer(always(reply()), authority.server("evil.example")) as server,
            pytest.raises(Unreachable, match="TLS failed"),
        ):
            upstream(f"https://good.example:{server.port}").get("/")
        assert server.requests == []

    def test_a_certificate_nobody_vouches_for_is_refused(
        self, authority: Authority, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usual = transport.Line(transport.tls_context(certifi.where()))
        monkeypatch.setattr(transport, "line", lambda: usual)
        with (
            peer(always(reply()), authority.server("good.example")) as server,
            pytest.raises(Unreachable, match="TLS failed"),
        ):
            upstream(f"https://good.example:{server.port}").get("/")

    def test_a_server_without_tls_is_unreachable(self, authority: Authority) -> None:
        with (
            peer(lambda _, line: line.sendall(HEAD)) as server,
            pytest.raises(Unreachable, match="TLS failed"),
        ):
            upstream(f"https://good.example:{server.port}").get("/")

    def test_a_drip_over_tls_ends_at_the_deadline(self, authority: Authority) -> None:
        behave = dripping(HEAD + b"\r\n", b" ", 0.05)
        with peer(behave, authority.server("good.example")) as server:
            started = time.monotonic()
            with pytest.raises(TimedOut):
                upstream(f"https://good.example:{server.port}", seconds=0.5).get("/")
            assert time.monotonic() - started < 0.5 + LATENESS

    def test_a_handshake_that_hangs_ends_at_the_deadline(self, authority: Authority) -> None:
        with peer(mute) as server:
            started = time.monotonic()
            with pytest.raises(TimedOut):
                upstream(f"https://good.example:{server.port}", seconds=0.3).get("/")
            assert time.monotonic() - started < 0.3 + LATENESS
