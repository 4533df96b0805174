"""
Requests and responses as ASGI spells them, without any policy: see `edge` for that.
https://asgi.readthedocs.io/en/stable/specs/www.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, MutableMapping
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings

from aggregator.api.errors import CONTENT_TYPE, of_gateway, problem
from aggregator.encoding import dumps
from providers.errors import GatewayError, Overloaded

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

NOSNIFF = (b"x-content-type-options", b"nosniff")  # as Django's own responses say it
_GONE = "http.disconnect"
MOST_BODY = 1024 * 1024  # bytes of a request
MOST_BODIES = 64 * MOST_BODY  # of all that are arriving: else slow ones would fill the memory
BODY_S = 10.0  # and the seconds within which it has to be here
LINGER_S = 1.0  # so long we go on reading one that is too long, before we hang up on it


class Response(NamedTuple):
    """A whole response."""

    status: int
    headers: Headers
    body: bytes = b""

    def plus(self, headers: Headers) -> Response:
        return Response(self.status, [*self.headers, *headers], self.body)


@dataclass(frozen=True)
class Stream:
    """A response that is still being made: its first piece, and an iterator over the others."""

    status: int
    headers: Headers
    first: bytes
    rest: Iterator[bytes]
    close: Callable[[], None]

    def plus(self, headers: Headers) -> Stream:
        return replace(self, headers=[*self.headers, *headers])


async def stream(
    scope: Scope, receive: Receive, send: Send, response: Stream, threads: Executor
) -> None:
    """
    Send a response as it is made, each piece in a thread when the one before has left; or stop when
    nobody listens any more. One that breaks off has no end: so the client can tell.
    """
    loop = asyncio.get_running_loop()
    gone = asyncio.create_task(_disconnected(receive))
    try:
        await send(
            {"type": "http.response.start", "status": response.status, "headers": response.headers}
        )
        piece: bytes | None = None if scope["method"] == "HEAD" else response.first
        while piece is not None and not gone.done():
            await send({"type": "http.response.body", "body": piece, "more_body": True})
            piece = await loop.run_in_executor(threads, next, response.rest, None)
        await send({"type": "http.response.body", "body": b""})
    except Exception:
        logger.exception("a streamed response broke off: %s", scope["path"])
    finally:
        gone.cancel()
        await loop.run_in_executor(threads, response.close)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != _GONE:
        pass


async def respond(scope: Scope, send: Send, response: Response) -> None:
    """HEAD gets the headers of GET, also the length, and no body."""
    body = b"" if scope["method"] == "HEAD" else response.body
    await send(
        {"type": "http.response.start", "status": response.status, "headers": response.headers}
    )
    await send({"type": "http.response.body", "body": body})


def of_problem(body: dict[str, Any], headers: dict[str, str]) -> Response:
    content = dumps(body)
    own = [
        (b"content-type", CONTENT_TYPE.encode()),
        (b"content-length", b"%d" % len(content)),
        (b"cache-control", b"no-store"),
        NOSNIFF,
        *spelled(headers.items()),
        *cors(),
    ]
    return Response(body["status"], own, content)


def of_error(error: GatewayError) -> Response:
    return of_problem(*of_gateway(error))


def refusal(status: int, code: str, title: str, detail: str) -> Response:
    return of_problem(problem(status, code, detail, title=title), {})


def spelled(headers: Iterable[tuple[str, str]]) -> Headers:
    return [(name.lower().encode(), value.encode()) for name, value in headers]


async def body_of(receive: Receive) -> bytes | Response:
    """
    The body of a request, or the refusal of one that is too long or too slow. It is read before
    the request gets a thread, so that nobody can hold threads by sending slowly. Overloaded when
    very many arrive.
    """
    try:
        async with asyncio.timeout(BODY_S):
            body = await _read(receive)
    except TimeoutError:
        detail = f"A body has to arrive within {BODY_S:.0f} seconds."
        return refusal(408, "too_slow", "The request came too slowly", detail)
    except EOFError:  # nobody hears it; half a request must not be taken for a whole one
        return refusal(400, "bad_request", "The body is not whole", "It was not sent to its end.")
    if body is None:
        await _discard(receive)
        return refusal(
            413, "too_large", "The body is too large", f"A body has at most {MOST_BODY} bytes."
        )
    return body


async def _discard(receive: Receive) -> None:
    """What still comes is read: else the refusal would be lost with the broken connection."""
    try:
        async with asyncio.timeout(LINGER_S):
            while (message := await receive()).get("more_body") and message["type"] != _GONE:
                pass
    except TimeoutError:
        return  # it has no end


async def _read(receive: Receive) -> bytes | None:
    """The body; None when it is too long, EOFError when the other side left before its end."""
    global _arriving
    body = bytearray()
    try:
        while True:
            message = await receive()
            if message["type"] == _GONE:
                raise EOFError
            piece = message.get("body", b"")
            body += piece
            _arriving += len(piece)
            if len(body) > MOST_BODY:
                return None
            if not message.get("more_body", False):
                return bytes(body)
            if _arriving > MOST_BODIES:
                raise Overloaded("Too many bodies are arriving.")
    finally:
        _arriving -= len(body)


_arriving = 0  # bytes of bodies that are not whole yet; event loop only


def is_for_a_program(scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """A reading request that will have JSON; `?format=` and what else there is are Django's."""
    return (
        scope["method"] in ("GET", "HEAD")
        and b"format=" not in scope["query_string"]
        and accepts_json(headers.get(b"accept", b"*/*"))
    )


@lru_cache(maxsize=256)
def accepts_json(accept: bytes) -> bool:
    ranges = [part.partition(b";")[0].strip().lower() for part in accept.split(b",")]
    return b"text/html" not in ranges and any(
        known in ranges for known in (b"application/json", b"*/*", b"application/*")
    )


def unless_known(response: Response, etag: str, headers: Mapping[bytes, bytes]) -> Response:
    """The response; 304, without what is about the body, to who has it already."""
    tags = headers.get(b"if-none-match")
    if not tags or not etag or not matches(tags, etag):
        return response
    return Response(304, [pair for pair in response.headers if pair[0] not in _ABOUT_BODY])


_ABOUT_BODY = (b"content-type", b"content-length")


def matches(candidates: bytes, etag: str) -> bool:
    """Does If-None-Match name this ETag? It compares weakly: `W/` does not count (RFC 9110)."""
    bare = etag.removeprefix("W/").encode()
    tags = (tag.strip().removeprefix(b"W/") for tag in candidates.split(b","))
    return any(tag in (b"*", bare) for tag in tags)


# -- Cross-origin requests (https://fetch.spec.whatwg.org/#http-cors-protocol) ---------------


def cors() -> Headers:
    """For every response: any page may read it, with the headers that say something."""
    origin = settings.CORS_ALLOW_ORIGIN
    if not origin:
        return []
    return [
        (b"access-control-allow-origin", origin.encode()),
        (b"access-control-expose-headers", _EXPOSED),
    ]


_EXPOSED = (
    b"Age, Cache-Status, ETag, Retry-After, "
    b"X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)


def preflight() -> Response:
    headers = [(b"allow", _METHODS)]
    if allowed := cors():
        headers += [
            *allowed,
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", _SENDABLE),
            (b"access-control-max-age", b"86400"),
        ]
    return Response(204, headers)


_METHODS = b"GET, HEAD, POST, OPTIONS"
_SENDABLE = b"Authorization, Content-Type, If-None-Match, X-API-Key"
