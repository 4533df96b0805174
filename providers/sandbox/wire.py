"""Requests and replies of the sandbox, and the base of everything that answers for a host."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, ClassVar, TypeVar

import orjson

from providers.sandbox.limits import Budget, Meter, Usage
from providers.sandbox.market import Market

JSON = "application/json"
# Throw-away keys, so that keyed tiers answer here and a real key is refused.
KEY_PREFIX = "sandbox-"


@dataclass(frozen=True)
class Request:
    """What was asked of `host`: `path` as upstream would see it, header names lower-case."""

    method: str
    host: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    now: float = 0.0

    @property
    def params(self) -> dict[str, str]:
        return dict(self.query)

    def list(self, name: str) -> list[str]:
        """A comma-separated parameter, without blanks."""
        return [word.strip() for word in self.params.get(name, "").split(",") if word.strip()]

    def flag(self, name: str, default: bool = False) -> bool:
        return self.params.get(name, str(default)).lower() == "true"


@dataclass
class Reply:
    status: int
    body: bytes
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)


class Refusal(Exception):
    """Raised by a host to answer with an error."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def silence(error: str) -> Reply:
    """A 404 of the sandbox itself: its header tells it from one that a provider would give."""
    return json_reply({"error": error}, 404, x_sandbox="silent")


def json_reply(value: Any, status: int = 200, **headers: str) -> Reply:
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, orjson.dumps(value), JSON, names)


def iso(moment: float, digits: int = 0) -> str:
    """`2026-05-18T12:49:21.599Z`, with that many digits of a second (0, 3, 6 or 9)."""
    text = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f000")
    return text[: 19 + (digits and digits + 1)] + "Z"


def fixed(value: float, decimals: int) -> str:
    """Digits without exponent: exchanges send prices as text."""
    return f"{value:.{decimals}f}"


def number(value: float, decimals: int) -> float | int:
    """A JSON number as the providers write it: an integer where nothing follows the point."""
    rounded = round(value, decimals)
    return int(rounded) if rounded == int(rounded) else rounded


def whole(text: str) -> int | None:
    """`text` as an integer, None when it is none."""
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else None


def moment_of(text: str) -> float | None:
    """Unix seconds from ISO 8601 (date or time, UTC unless said) or from Unix seconds."""
    if re.fullmatch(r"\d{1,12}(\.\d+)?", text):
        return float(text)
    try:
        parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).timestamp()


H = TypeVar("H", bound=Callable[..., Any])


def route(path: str, method: str = "GET") -> Callable[[H], H]:
    """Decorator: the method of a Host that answers `path`, e.g. `/coins/{id}`."""

    def mark(handler: H) -> H:
        handler.__dict__.setdefault("routes", []).append((method, path))
        return handler

    return mark


class Host:
    """
    Answers for the hosts in `names`. A handler returns a Reply, or a value to send as JSON.

    Subclasses say what their errors look like (`failure`), what a request costs (`budgets`) and
    which headers come with every answer (`dress`).
    """

    names: ClassVar[tuple[str, ...]] = ()

    def __init__(self, market: Market, meter: Meter | None = None) -> None:
        self.market = market
        self.meter = meter or Meter()
        # Fixed paths before those with a part left open.
        self.routes = sorted(self._routes(), key=lambda found: found[1].groups)

    def answer(self, request: Request) -> Reply:
        usage = Usage()
        try:
            usage = self.meter.spend(self.budgets(request))
            wait = usage.wait
            reply = self.serve(request) if wait is None else self.throttled(request, wait)
        except Refusal as refusal:
            reply = refusal.reply
        return self.dress(request, reply, usage)

    def serve(self, request: Request) -> Reply:
        allowed = set()
        for method, pattern, handler in self.routes:
            if found := pattern.fullmatch(request.path):
                allowed.add(method)
                if method == request.method:
                    result = handler(request, **found.groupdict())
                    return result if isinstance(result, Reply) else json_reply(result)
        return self.failure(405 if allowed else 404)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        """What this provider says with that status; `wait` in seconds for a Retry-After."""
        return json_reply({"error": HTTPStatus(status).phrase}, status)

    def throttled(self, request: Request, wait: float) -> Reply:
        """What this provider says when a limit is exceeded."""
        return self.failure(429, wait)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        """What the request is charged to; none: no limit is known."""
        return ()

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        return reply

    def refuse(self, value: Any, status: int) -> Refusal:
        return Refusal(json_reply(value, status))

    def _routes(self) -> Iterator[tuple[str, re.Pattern[str], Callable[..., Any]]]:
        for name in dir(type(self)):
            for method, path in getattr(getattr(type(self), name), "routes", ()):
                pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
                yield method, re.compile(f"{pattern}/?"), getattr(self, name)
