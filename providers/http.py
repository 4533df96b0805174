"""
A provider's web API, as its adapter sees it: paths in, exact values or one of our errors out.

How bytes travel is `transport`'s business; what a reply means is decided here, first by the
adapter (`diagnose`), then by its status.
"""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC
from decimal import Decimal, InvalidOperation
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any
from urllib.parse import urljoin, urlsplit

from django.conf import settings

from providers.adapters.base import UNREADABLE, Adapter, Auth, Reading, Reply
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    Garbled,
    Missing,
    ProviderError,
    Throttled,
    Unsupported,
)
from providers.ratelimits import Observation
from providers.redaction import hide
from providers.resilience.deadline import Deadline
from providers.transport import exchange, flow

MOST_REDIRECTS = 3
MOST_LINE = 1 << 20  # bytes
MOST_WAIT = 7 * 86400.0  # seconds; nobody bans for longer, so a longer Retry-After is nonsense


def decode(body: bytes) -> Any:
    """
    JSON with every digit: numbers with a point or exponent are Decimal, others int (at most 4,300
    digits, Python's own limit). Garbled, without quoting it, when `body` is anything else: also
    for NaN, Infinity, endless nesting and text that is not UTF-8.
    """
    try:
        value = _decoder.decode(body.decode("utf-8-sig"))
    except (ValueError, InvalidOperation, RecursionError):
        raise Garbled(f"not JSON but {_look(body)}") from None
    return _mended(value) if _SURROGATE.search(body) else value


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


# Built once; with the C scanner behind it (`parse_float` and `parse_constant` do not lose that).
_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse)


def _look(body: bytes) -> str:
    start = body[:200].removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    looks = {b"": "nothing", b"<": "HTML or XML", b"{": "a broken object", b"[": "a broken list"}
    return looks.get(start, "some text")


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _mended(value: Any) -> Any:
    """Half of a surrogate pair is legal in JSON and fatal to every writer of UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    return value


class Answer(Reply):
    """A reply that is decoded once, however many look into it."""

    @cached_property
    def _decoded(self) -> Any:
        return decode(self.body)

    def json(self) -> Any:
        return self._decoded


class Upstream:
    """
    One provider's web API for the length of one call; `base.Http` for its adapter.

    `readings` and `bytes_read` (of bodies, decompressed) add up over its requests. A parameter
    that is None is left out, True and False are `true` and `false`, lists repeat the parameter.
    """

    def __init__(
        self,
        base_url: str,
        *,
        adapter: type[Adapter],
        deadline: Deadline,
        key: str | None = None,
        auth: Auth | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.adapter = adapter
        self.deadline = deadline
        self.readings: list[Reading] = []
        self.observations: list[Observation] = []
        self.bytes_read = 0
        self._headers = {
            "User-Agent": f"aggregator/{settings.SPECTACULAR_SETTINGS['VERSION']}",
            "Accept": "*/*",
            "Accept-Encoding": "gzip, deflate",
            **adapter.headers,
        }
        self._params: dict[str, str] = {}
        if key and auth:
            self._place(key, auth)

    def get(self, path: str, /, **params: Any) -> Any:
        return self._ask("GET", path, params).json()

    def post(self, path: str, json: Any, /) -> Any:
        return self._ask("POST", path, {}, json).json()

    def fetch(self, path: str, /, **params: Any) -> Reply:
        return self._ask("GET", path, params)

    def lines(self, path: str, json: Any, /) -> Iterator[str]:
        """
        POST, and the lines of the answer as they come, for as long as the deadline lasts. What is
        an error, or a redirect, is read as a whole and raised like everywhere else.
        """
        url = f"{self.base_url}/{path.removeprefix('/')}"
        asked = {"headers": self._headers, "params": self._params, "json": json}
        with flow("POST", url, deadline=self.deadline, **asked) as (status, headers, pieces):
            if not 200 <= status < 300 or "event-stream" not in headers.get("Content-Type", ""):
                body = b"".join(pieces)
                self.bytes_read += len(body)
                reply = self._judged(Answer(status, headers, body))
                yield from reply.body.decode("utf-8", "replace").splitlines()
                return
            self._judged(Answer(status, headers, b""))
            yield from self._split(pieces)

    def _split(self, pieces: Iterable[bytes]) -> Iterator[str]:
        rest = b""
        for piece in pieces:
            self.bytes_read += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            if len(rest) > MOST_LINE:
                raise Garbled("a line without an end")
            for line in lines:
                yield line.removesuffix(b"\r").decode("utf-8", "replace")
        if rest:
            yield rest.decode("utf-8", "replace")

    def _place(self, key: str, auth: Auth) -> None:
        hide(key)
        if not (key.isascii() and key.isprintable()):
            raise BadKey("the key has characters that no key has")
        if auth.header:
            self._headers[auth.header] = auth.prefix + key
        if auth.param:
            self._params[auth.param] = auth.prefix + key

    def _ask(self, method: str, path: str, params: Mapping[str, Any], json: Any = None) -> Answer:
        url = f"{self.base_url}/{path.removeprefix('/')}" if path else self.base_url
        return self._judged(self._follow(method, url, self._params | _plain(params), json))

    def _judged(self, reply: Answer) -> Answer:
        """The reply, noted what it says of limits; or the error that it is."""
        if settings.SANDBOX_URL and reply.headers.get("X-Sandbox") == "silent":
            raise Unsupported("the sandbox has no answer to this")
        self.readings.extend(self._read(reply.headers))
        self.observations.extend(self._observe(reply))
        if error := self._diagnose(reply) or by_status(reply):
            if error.wait is None:
                error.wait = retry_after(reply.headers)
            raise error
        return reply

    def _follow(self, method: str, url: str, params: Mapping[str, Any], json: Any) -> Answer:
        """The first reply that is no redirect; keys never travel to another host."""
        for _ in range(1 + MOST_REDIRECTS):
            found = exchange(
                method,
                url,
                deadline=self.deadline,
                headers=self._headers,
                params=params,
                json=json,
            )
            self.bytes_read += len(found.body)
            reply = Answer(*found)
            if not _redirects(method, reply):
                return reply
            url, params = _target(url, reply.headers["Location"]), {}
        raise Garbled(f"more than {MOST_REDIRECTS} redirects")

    def _diagnose(self, reply: Reply) -> ProviderError | None:
        try:
            return self.adapter.diagnose(reply)
        except UNREADABLE:
            # Not the dialect's own error page (a proxy's, say): its status says what there is.
            return None

    def _read(self, headers: Mapping[str, str]) -> Iterable[Reading]:
        try:
            return list(self.adapter.readings(headers))
        except UNREADABLE:
            return []  # a header that is no number says nothing of the budget

    def _observe(self, reply: Reply) -> Iterable[Observation]:
        try:
            return list(self.adapter.observations(reply))
        except UNREADABLE:
            return []


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value
        for name, value in params.items()
        if value is not None
    }


def _redirects(method: str, reply: Reply) -> bool:
    # 301 to 303 turn a POST into a GET, which is not what the adapter asked.
    statuses = (301, 302, 303, 307, 308) if method == "GET" else (307, 308)
    return reply.status in statuses and "Location" in reply.headers


def _target(url: str, location: str) -> str:
    """The address to ask next; Garbled when it is not the same place."""
    try:
        target = urljoin(url, location)
        here, there = _origin(url), _origin(target)
    except ValueError:
        raise Garbled("redirect to a malformed address") from None
    upgraded = here[0] == ("http", 80) and there == (("https", 443), here[1])
    if there != here and not upgraded:
        raise Garbled("redirect to another host")
    return target


def _origin(url: str) -> tuple[tuple[str, int], str]:
    """((scheme, port), host); userinfo counts as part of the host, so it never matches."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme, 0)
    name = (parts.hostname or "") if "@" not in parts.netloc else parts.netloc
    return (parts.scheme, port), name


def by_status(reply: Reply) -> ProviderError | None:
    """What a status says, however it was asked; None for a good one."""
    status = reply.status
    if 200 <= status < 300:
        return None
    return _MEANING.get(status, Broken if status >= 500 else Garbled)(f"HTTP {status}")


_MEANING: dict[int, type[ProviderError]] = {
    401: BadKey,
    402: BadKey,
    403: BadKey,
    404: Missing,
    408: Broken,
    418: Blocked,
    429: Throttled,
    451: Blocked,
}


def retry_after(headers: Mapping[str, str]) -> float | None:
    """
    Seconds to wait, from `Retry-After` in seconds or as a date (RFC 9110, 10.2.3); a date counts
    from the reply's own `Date`, so that a clock that is wrong, ours or theirs, does no harm.
    """
    value = headers.get("Retry-After", "").strip()
    try:
        seconds = float(value)
    except ValueError:
        then = _timestamp(value)
        now = _timestamp(headers.get("Date", ""))
        if then is None:
            return None
        seconds = then - (time.time() if now is None else now)
    return min(max(seconds, 0.0), MOST_WAIT) if math.isfinite(seconds) else None


def _timestamp(value: str) -> float | None:
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, OverflowError):
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()
