"""A server on a real socket that does what a test tells it, and one who asks it."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from providers.adapters.base import Adapter
from providers.http import Upstream
from providers.resilience.deadline import Deadline

Behaviour = Callable[[socket.socket], None]


class Peer:
    """`requests` holds what was asked, `connections` how often somebody connected."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None = None) -> None:
        self.behave = behave
        self.tls = tls
        self.requests: list[bytes] = []
        self.connections = 0
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._lines: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def hear(self, line: socket.socket) -> bytes:
        """One whole request, or b"" when the other side has gone."""
        asked = b""
        while b"\r\n\r\n" not in asked:
            part = line.recv(65536)
            if not part:
                return b""
            asked += part
        head, _, body = asked.partition(b"\r\n\r\n")
        for field in head.lower().split(b"\r\n"):
            if field.startswith(b"content-length:"):
                while len(body) < int(field.split(b":")[1]):
                    body += line.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return self.requests[-1]

    def close(self) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for line in self._lines:
            with contextlib.suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                line, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._lines.append(line)
            thread = threading.Thread(target=self._serve, args=(line,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, line: socket.socket) -> None:
        # The client may go away at any moment; what it thinks of that is what the tests look at.
        with contextlib.suppress(OSError), line:
            line.settimeout(10)
            if self.tls is None:
                self.behave(line)
                return
            with self.tls.wrap_socket(line, server_side=True) as secured:
                self._lines.append(secured)
                self.behave(secured)


@contextmanager
def peer(
    behave: Callable[[Peer, socket.socket], None], tls: ssl.SSLContext | None = None
) -> Iterator[Peer]:
    server = Peer(lambda line: behave(server, line), tls)
    try:
        yield server
    finally:
        server.close()


def reply(body: bytes = b"{}", status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def always(answer: bytes) -> Callable[[Peer, socket.socket], None]:
    """Answers every request of every connection with the same bytes."""

    def behave(server: Peer, line: socket.socket) -> None:
        while server.hear(line):
            line.sendall(answer)

    return behave


def once(answer: bytes) -> Callable[[Peer, socket.socket], None]:
    """Answers one request and closes the connection."""

    def behave(server: Peer, line: socket.socket) -> None:
        server.hear(line)
        line.sendall(answer)

    return behave


def dripping(first: bytes, drop: bytes, every_s: float) -> Callable[[Peer, socket.socket], None]:
    """Answers with `first` and then a `drop` for ever."""

    def behave(server: Peer, line: socket.socket) -> None:
        server.hear(line)
        line.sendall(first)
        while not server.over.wait(every_s):
            line.sendall(drop)

    return behave


def numbers_only(otherwise: Callable[[], Any]) -> Callable[..., Any]:
    """`getaddrinfo` for addresses; for names it does what a test says."""
    real = socket.getaddrinfo

    def lookup(host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        if kwargs.get("flags", 0) & socket.AI_NUMERICHOST:
            return real(host, port, *args, **kwargs)
        found = otherwise()
        if not isinstance(found, list):
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in found]

    return lookup


KEY = "k3yThatNobodyMaySee/+"


class Plain(Adapter):
    name = "plain"
    base_url = "http://127.0.0.1"


def upstream(url: str, *, seconds: float = 5.0, **more: Any) -> Upstream:
    more.setdefault("adapter", Plain)
    return Upstream(url, deadline=Deadline(seconds), **more)
