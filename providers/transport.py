"""
One request, one reply: the only place where a socket is opened.

Everything here serves three promises. The deadline bounds the whole exchange (lookup, connect,
TLS, headers, body), whatever the peer drips: every wait on a socket is at most the time left.
A connection goes only to an address that `addresses` lets pass. And what goes wrong leaves in
our words, without an address or a key in them: `in_our_words` is the one door.

It is urllib3 alone. `requests` over it costs as much again, and would bring what we do not want:
proxies and passwords from the environment, cookies, and redirects whose bodies it reads without
limit. One pool of connections serves all threads.
"""

from __future__ import annotations

import http.client
import json as json_
import logging
import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import certifi
import urllib3
from django.conf import settings
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from providers.adapters.base import Reply
from providers.addresses import Endpoint, resolve
from providers.errors import Dropped, Garbled, ProviderError, TimedOut, Unreachable
from providers.resilience.deadline import Deadline

MAX_BODY = 16 * 1024 * 1024  # bytes, after decompression: lists of all coins take up to 8 MB
CHUNK = 64 * 1024  # bytes taken at once, after decompression
# Seconds after which a resting connection is not trusted: firewalls forget, and do not say so.
MOST_REST = 60.0
HOSTS, CONNECTIONS_PER_HOST = 64, 16  # kept open between requests, per process

# Its lines hold whole addresses, and warn of what is judged here anyway.
logging.getLogger("urllib3").setLevel(logging.ERROR)


class Trip:
    """One request under way: how long it may take, and how far it came."""

    __slots__ = ("connected", "deadline", "heard")

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.connected = False  # over a connection of its own, not over one that rested
        self.heard = 0  # bytes of the answer, as they came over the wire

    def left(self) -> float:
        """Seconds left, above zero; TimeoutError when there are none."""
        left = self.deadline.left()
        if left <= 0.0:
            raise TimeoutError
        return left


# A request stays in the thread it began in, and its socket finds its trip here.
_here = threading.local()


def _trip() -> Trip:
    trip: Trip = _here.trip
    return trip


class _Timed:
    """Sockets whose every wait ends with the trip; the timeouts of `http.client` are per wait."""

    def recv_into(self, *args: Any) -> int:
        trip = _trip()
        self.settimeout(trip.left())  # type: ignore[attr-defined]
        count: int = super().recv_into(*args)  # type: ignore[misc]
        trip.heard += count
        return count

    def send(self, *args: Any) -> int:
        self.settimeout(_trip().left())  # type: ignore[attr-defined]
        count: int = super().send(*args)  # type: ignore[misc]
        return count


class _Socket(_Timed, socket.socket):
    pass


class _TLSSocket(_Timed, ssl.SSLSocket):
    pass


class _Guarded:
    """Connections that go where they may, and do not outlive their rest."""

    _dns_host: str
    port: int
    rested_at = 0.0

    def _new_conn(self) -> socket.socket:
        trip, host = _trip(), self._dns_host.strip("[]")
        trip.connected = True
        # In our words at once: urllib3 takes some plain errors for those of a resting connection.
        with in_our_words(trip, host):
            return _connect(_whereabouts(host, self.port, trip), trip)

    def getresponse(self) -> Any:
        self.rested_at = time.monotonic()
        return super().getresponse()  # type: ignore[misc]

    @property
    def is_connected(self) -> bool:
        """Asked by the pool before it hands out a connection that rested."""
        fresh = time.monotonic() - self.rested_at < MOST_REST
        return fresh and bool(super().is_connected)  # type: ignore[misc]


def _whereabouts(host: str, port: int, trip: Trip) -> list[Endpoint]:
    if not settings.SANDBOX_URL:
        return resolve(host, port, settings.ALLOW_PRIVATE_UPSTREAMS, patience=trip.left())
    sandbox = urlsplit(settings.SANDBOX_URL)
    if (host, port) != (sandbox.hostname, sandbox.port):
        raise Unreachable("in the sandbox no request leaves this machine")
    return [(int(socket.AF_INET), (host, port))]


def _connect(endpoints: list[Endpoint], trip: Trip) -> socket.socket:
    """To the first address that answers; each gets an equal share of the time that is left."""
    for position, (family, address) in enumerate(endpoints):
        line = _Socket(family, socket.SOCK_STREAM)
        try:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line.settimeout(trip.left() / (len(endpoints) - position))
            line.connect(address)
            line.settimeout(trip.left())
        except OSError:
            line.close()
            if address is endpoints[-1][1]:
                raise
        else:
            return line
    raise Unreachable("no address")


class _HTTPConnection(_Guarded, HTTPConnection):
    pass


class _HTTPSConnection(_Guarded, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


class Line(urllib3.PoolManager):
    """The way to the network: guarded and timed connections, kept open between requests."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        # The context has the authorities, read once and not per connection.
        super().__init__(HOSTS, maxsize=CONNECTIONS_PER_HOST, ssl_context=tls)
        self.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}


def tls_context(authorities: str) -> ssl.SSLContext:
    """Verifies certificates and names against a file of `authorities`, over timed sockets."""
    context = urllib3.util.ssl_.create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.sslsocket_class = _TLSSocket
    context.check_hostname = True
    context.load_verify_locations(authorities)
    return context


@cache
def line() -> Line:
    """The one of this process."""
    return Line(tls_context(certifi.where()))


# Two processes must not speak over one connection.
os.register_at_fork(after_in_child=line.cache_clear)


def exchange(
    method: str,
    url: str,
    *,
    deadline: Deadline,
    headers: Mapping[str, str],
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    body: bytes | None = None,
) -> Reply:
    """Ask once and read the whole reply, decompressed; a redirect is a reply like any other."""
    trip = Trip(deadline)
    with (
        in_our_words(trip, _host(url)),
        _sent(trip, method, url, headers, params, json, body) as reply,
    ):
        return Reply(reply.status, reply.headers, _body(reply))


_ONCE = urllib3.Retry(False)  # what goes wrong is raised as it is


def _sent(
    trip: Trip,
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Mapping[str, Any] | None = None,
    json: Any = None,
    body: bytes | None = None,
) -> urllib3.BaseHTTPResponse:
    """The head of the reply; its body is still under way."""
    _here.trip = trip
    if "://" not in url:
        raise urllib3.exceptions.LocationParseError(url)
    if params:
        url = f"{url}{'&' if '?' in url else '?'}{urlencode(params, doseq=True)}"
    if json is not None:
        body = json_.dumps(json, allow_nan=False).encode()
        headers = {"Content-Type": "application/json", **headers}
    return line().urlopen(
        method,
        url,
        redirect=False,
        body=body,
        headers=headers,
        retries=_ONCE,
        timeout=trip.left(),
        preload_content=False,
        decode_content=False,
    )


@contextmanager
def flow(
    method: str,
    url: str,
    *,
    deadline: Deadline,
    headers: Mapping[str, str],
    params: Mapping[str, Any] | None = None,
    json: Any = None,
) -> Iterator[tuple[int, Mapping[str, str], Iterator[bytes]]]:
    """
    Ask once: status, headers, and the body in pieces as they come, under the same deadline and
    bounds. Whoever leaves early closes the connection.
    """
    trip, host = Trip(deadline), _host(url)
    with in_our_words(trip, host):
        reply = _sent(trip, method, url, headers, params, json)
    with reply:
        yield reply.status, reply.headers, _pieces(reply, trip, host)


def _pieces(raw: urllib3.BaseHTTPResponse, trip: Trip, host: str) -> Iterator[bytes]:
    total = 0
    while True:
        with in_our_words(trip, host):
            # Between two pieces this thread may have asked others, or another thread goes on.
            _here.trip = trip
            trip.left()
            chunk = raw.read1(CHUNK, decode_content=True)
        if not chunk:
            return
        total += len(chunk)
        if total > MAX_BODY:
            raise Garbled(f"more than {MAX_BODY} bytes")
        yield chunk


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or "an address without a host"
    except ValueError:
        return "a malformed address"


def _body(raw: urllib3.BaseHTTPResponse) -> bytes:
    # `read1` decompresses at most CHUNK bytes at a time, so a bomb is found out while it is small.
    body = bytearray()
    while chunk := raw.read1(CHUNK, decode_content=True):
        body += chunk
        if len(body) > MAX_BODY:
            raise Garbled(f"more than {MAX_BODY} bytes")
    return bytes(body)


def knock(
    method: str,
    url: str,
    *,
    deadline: Deadline,
    headers: Mapping[str, str],
    json: Any = None,
) -> Reply:
    """
    Ask once and read the head of the reply alone: its body, however large or slow, is left where
    it is, and the connection closed.
    """
    trip = Trip(deadline)
    with (
        in_our_words(trip, _host(url)),
        _sent(trip, method, url, headers, json=json) as reply,
    ):
        return Reply(reply.status, reply.headers, b"")


FOREIGN = (
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,  # also ssl.SSLError, TimeoutError, ConnectionError
    ValueError,  # a host name that is none, a header that cannot be sent
)


@contextmanager
def in_our_words(trip: Trip, host: str) -> Iterator[None]:
    """The door: what urllib3, ssl and sockets raise becomes one of our errors."""
    try:
        yield
    except FOREIGN as error:
        # The original and its text hold the whole address, often with a key: neither gets out.
        raise _renamed(error, trip, host) from None


def _renamed(error: BaseException, trip: Trip, host: str) -> ProviderError:
    if trip.deadline.left() <= 0.0 or _caused_by(error, *_LATE):
        return TimedOut(f"{host}: no whole answer in time, {trip.heard} bytes of it")
    if trip.heard:
        return Garbled(f"{host}: the answer is broken off or no HTTP, after {trip.heard} bytes")
    if type(error) is ValueError or _caused_by(error, *_MALFORMED):
        return Unreachable(f"{host}: this cannot be sent")
    if not trip.connected:
        return Dropped(f"{host}: closed the resting connection")
    if _caused_by(error, ssl.SSLError):
        return Unreachable(f"{host}: TLS failed")
    return Unreachable(f"{host}: no connection, or one closed without an answer")


_LATE = (TimeoutError, urllib3.exceptions.TimeoutError)
_MALFORMED = (urllib3.exceptions.LocationValueError, UnicodeError)


def _caused_by(error: BaseException, *kinds: type[BaseException]) -> bool:
    """Whether one of `kinds` is somewhere in what urllib3 wrapped around it."""
    seen: list[BaseException] = [error]
    for outer in seen:
        inner = (getattr(outer, "reason", None), outer.__cause__, outer.__context__, *outer.args)
        seen += (e for e in inner if isinstance(e, BaseException) and e not in seen)
    return any(isinstance(e, kinds) for e in seen)
