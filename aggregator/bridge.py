"""
From the event loop into Django: a whole request in, a whole response out.

Django runs its fast synchronous way, under WSGI (PEP 3333), in a thread of `pool`. The body of the
request is here before the thread starts, and the response leaves after it has ended, so no thread
ever waits for a visitor's line.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse

from aggregator.wire import Response, Scope

BODILESS = (204, 304)

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


def run(handler: Handler, environ: Environ) -> Response:
    """What the handler answers; to be called in a thread."""
    status, headers = 500, []

    def start(line: str, pairs: list[tuple[str, str]], exc_info: Any = None) -> Any:
        nonlocal status, headers
        status = int(line.split(" ", 1)[0])
        headers = [(name.lower().encode("latin-1"), v.encode("latin-1")) for name, v in pairs]
        return None

    chunks = handler(environ, start)
    try:
        body = b"".join(chunks)
    finally:
        if close := getattr(chunks, "close", None):
            close()
    if status not in BODILESS and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", b"%d" % len(body)))
    return Response(status, headers, body)
