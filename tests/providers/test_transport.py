"""Every way an upstream can misbehave, on real sockets, and what becomes of it."""

from __future__ import annotations

import gzip
import http.client
import json
import logging
import socket
import ssl
import struct
import threading
import time
import traceback
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pytest_django import Settings

from providers import transport
from providers.adapters.base import Auth
from providers.errors import (
    Dropped,
    Garbled,
    ProviderError,
    TimedOut,
    Unreachable,
)
from providers.logs import RedactingFilter, StructuredFormatter
from providers.resilience.deadline import Deadline
from providers.transport import MAX_BODY
from tests.providers.peer import (
    KEY,
    Peer,
    always,
    dripping,
    numbers_only,
    once,
    peer,
    reply,
    upstream,
)

LATENESS = 0.25  # seconds past the deadline, on a busy machine
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


def hanging(server: Peer, line: socket.socket) -> None:
    server.hear(line)
    server.over.wait(10)


@contextmanager
def nobody_accepts(address: tuple[str, int]) -> Iterator[int]:
    """A port whose short queue is full: connecting hangs, as it does behind a firewall."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(address)
        listener.listen(0)
        first.connect(listener.getsockname())
        second.setblocking(False)
        second.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


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


def mute(server: Peer, line: socket.socket) -> None:
    server.over.wait(10)


def resetting(server: Peer, line: socket.socket) -> None:
    server.hear(line)
    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


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
        bomb = bytes(40 * MAX_BODY)
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


class Authority:
    """A certificate authority for the length of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign("authority", self.key, None)
        self.file = folder / "authority.pem"
        self.file.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, host: str) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        chain = self.folder / f"{host}.pem"
        chain.write_bytes(
            self._sign("server", key, host).public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(chain)
        return context

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, host: str | None) -> Any:
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "authority")])
        now = datetime.now(UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(hours=1))
            .add_extension(x509.BasicConstraints(ca=host is None, path_length=None), critical=True)
        )
        if host is not None:
            names = x509.SubjectAlternativeName([x509.DNSName(host)])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


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
        usual = transport.Line(transport.tls_context(requests.utils.DEFAULT_CA_BUNDLE_PATH))
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
        *_all_exceptions(requests.exceptions, urllib3.exceptions, http.client, ssl)
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
