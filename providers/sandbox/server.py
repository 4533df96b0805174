"""
The sandbox on a socket: threads, HTTP/1.1 with kept connections, on 127.0.0.1 and nowhere else.

`https://HOST/path` is served as `/HOST/path`.
"""

from __future__ import annotations

import logging
import select
import socket
import struct
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from providers.sandbox.control import ADDRESS, NAME, Control
from providers.sandbox.faults import NONE, Fault
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.wire import Reply, Request, json_reply

logger = logging.getLogger(__name__)

MOST_BODY = 1 << 20  # bytes of a request
IDLE_S = 120  # a connection that says nothing for so long is closed
WATCH_S = 0.25  # how often a hanging answer looks whether its caller is still there


class Server(ThreadingHTTPServer):
    """Port 0 takes any free one; `url` says which."""

    daemon_threads = False  # they are told to end, and waited for
    allow_reuse_address = True
    request_queue_size = 1024

    def __init__(self, sandbox: Sandbox, port: int = 0) -> None:
        self.sandbox = sandbox
        self.control = Control(sandbox)
        self.stopping = threading.Event()
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        super().__init__((ADDRESS, port), Handler)

    @property
    def url(self) -> str:
        return f"http://{ADDRESS}:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Without the look-up of our own name, which may take seconds."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = ADDRESS, self.server_address[1]

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller who left is no error of ours."""
        if not isinstance(sys.exception(), ConnectionError):
            logger.exception("the sandbox could not answer")

    def stop(self) -> None:
        """End the loop of `serve_forever`, every connection, and every thread."""
        self.stopping.set()
        self.shutdown()
        with self._guard:
            for connection in self._connections:
                _hang_up(connection)
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_S
    server: Server

    def do_GET(self) -> None:
        request = self._read()
        if request is None:
            return
        if request.host == NAME:
            self._send(self.server.control.answer(request), NONE)
        else:
            self._send(*self.server.sandbox.answer(request), host=request.host)

    do_POST = do_DELETE = do_PUT = do_PATCH = do_HEAD = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)

    def _read(self) -> Request | None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdigit() or int(length) > MOST_BODY or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(
                json_reply({"error": "a body of known and modest length, please"}, 413), NONE
            )
            return None
        parts = urlsplit(self.path)
        host, *rest = unquote(parts.path).removeprefix("/").split("/")
        return Request(
            self.command,
            host,
            "/" + "/".join(rest),
            tuple(parse_qsl(parts.query, keep_blank_values=True)),
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(int(length)),
            self.server.sandbox.now(),
        )

    def _send(self, reply: Reply, fault: Fault, host: str = "") -> None:
        if fault.delay:
            self.server.stopping.wait(fault.delay)
        if fault.hang:
            self._hang()
        if fault.reset or fault.hang:
            self._reset()
            return
        head = self._head(reply, fault, host)
        body = b"" if self.command == "HEAD" else reply.body
        if fault.truncate:
            self.close_connection = True
            body = body[: len(body) // 2]
        if fault.drip:
            self.wfile.write(head)
            self._drip(body, fault.drip)
        else:
            self.wfile.write(head + body)

    def _head(self, reply: Reply, fault: Fault, host: str) -> bytes:
        headers = {
            "Date": formatdate(self.server.sandbox.now() + fault.skew, usegmt=True),
            "Content-Type": reply.content_type,
            "Content-Length": str(len(reply.body)),
        }
        if self.close_connection or fault.truncate:
            headers["Connection"] = "close"
        lines = {**headers, **{name.title(): value for name, value in reply.headers.items()}}
        if lines.get("Location", "").startswith("/"):
            # A path of the host is a path below its name here.
            lines["Location"] = f"/{host}{lines['Location']}"
        text = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        phrase = _PHRASES.get(reply.status, "Unknown")
        return f"HTTP/1.1 {reply.status} {phrase}\r\n{text}\r\n".encode("latin-1", "replace")

    def _drip(self, body: bytes, pause: float) -> None:
        for byte in body:
            if self.server.stopping.wait(pause):
                return
            self.wfile.write(bytes([byte]))

    def _hang(self) -> None:
        """Until the caller leaves or the server stops."""
        while not self.server.stopping.wait(WATCH_S):
            ready, _, _ = select.select([self.connection], [], [], 0)
            if ready and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def _reset(self) -> None:
        """With no time to linger, closing sends a reset instead of a goodbye."""
        self.close_connection = True
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.rfile.close()
        self.connection.close()


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def _hang_up(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        logger.debug("a connection had ended already")


@contextmanager
def running(sandbox: Sandbox, port: int = 0) -> Iterator[str]:
    """The sandbox in a thread of its own; gives its address."""
    server = Server(sandbox, port)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="sandbox")
    thread.start()
    try:
        yield server.url
    finally:
        server.stop()
        thread.join()
