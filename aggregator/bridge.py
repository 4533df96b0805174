"""
From the event loop into Django: a whole request in, a whole response out.

Django runs its fast synchronous way, under WSGI (PEP 3333), in a thread of `pool`. The body of the
request is here before the thread starts, and the response leaves after it has ended, so no thread
ever waits for a visitor's line. A response that streams leaves piece by piece: a thread makes a
piece, and is free again before that one leaves. What makes the pieces must not hold a cursor of the
database from one to the next, as each may be made in another thread.
"""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse

from django.db import close_old_connections

from aggregator.wire import Response, Scope, Stream

BODILESS = (204, 304)
# Of a response that streams so many bytes leave at once, or what was made in so many seconds; of
# events each by itself, as the next one may be long in coming.
PIECE = 65_536
PIECE_S = 0.1
EVENTS = b"text/event-stream"

Environ = dict[str, Any]
Handler = Callable[[Environ, StartResponse], Iterable[bytes]]


def environ_of(scope: Scope, body: bytes) -> Environ:
    """The WSGI environment of an ASGI request."""
    host, port = scope.get("server") or ("localhost", 80)
    client = scope.get("client") or ("", 0)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        # WSGI has the bytes of the path in a string of latin-1, ASGI has them decoded.
        "PATH_INFO": scope["path"].encode("utf-8", "replace").decode("latin-1"),
        "QUERY_STRING": _quoted(scope["query_string"]),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port or 0),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": client[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.get("scheme", "http"),
        "wsgi.input": io.BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" in name:
            continue  # it would be taken for its twin with a dash
        key = f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}"
        text = value.decode("latin-1")
        environ[key] = f"{environ[key]},{text}" if key in environ else text
    environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
    environ.pop("HTTP_CONTENT_LENGTH", None)
    environ["CONTENT_LENGTH"] = str(len(body))
    return environ


def _quoted(query: bytes) -> str:
    """A query string has no bytes beyond ASCII; those of careless clients are quoted for them."""
    if query.isascii():
        return query.decode("ascii")
    return "".join(chr(byte) if byte < 128 else f"%{byte:02X}" for byte in query)


def run(handler: Handler, environ: Environ) -> Response | Stream:
    """What the handler answers; to be called in a thread."""
    status, headers = 500, []

    def start(line: str, pairs: list[tuple[str, str]], exc_info: Any = None) -> Any:
        nonlocal status, headers
        status = int(line.split(" ", 1)[0])
        headers = [(name.lower().encode("latin-1"), v.encode("latin-1")) for name, v in pairs]
        return None

    chunks = handler(environ, start)
    close: Callable[[], None] = getattr(chunks, "close", _nothing)
    made, is_whole, pause = iter(chunks), True, 0.0
    try:
        if getattr(chunks, "streaming", False):
            pause = 0.0 if dict(headers).get(b"content-type") == EVENTS else PIECE_S
            body, is_whole = _piece(made, pause)
        else:
            body = b"".join(made)
    except BaseException:
        close()
        raise
    if not is_whole:
        close_old_connections()  # the next piece may be another thread's, with one of its own
        return Stream(status, headers, body, _others(made, pause), close)
    close()
    if status not in BODILESS and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(body)))
    return Response(status, headers, body)


def _nothing() -> None:
    """What a response without `close` has to be closed by."""


def _piece(made: Iterator[bytes], pause: float) -> tuple[bytes, bool]:
    """The next piece that is worth a trip, and whether it is the last."""
    gathered, until = bytearray(), time.monotonic() + pause
    for chunk in made:
        gathered += chunk
        if len(gathered) >= PIECE or time.monotonic() >= until:
            return bytes(gathered), False
    return bytes(gathered), True


def _others(made: Iterator[bytes], pause: float) -> Iterator[bytes]:
    is_last = False
    while not is_last:
        piece, is_last = _piece(made, pause)
        close_old_connections()
        yield piece
