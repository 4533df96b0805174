"""
What can go wrong on demand, and when: `status=429;retry_after=30`, `delay=2.5`, `reset` ...

    status=503         that status, with the body the provider has for it
    retry_after=30     the header, on whatever is answered
    delay=2.5          seconds before the first byte
    drip=0.5           seconds before every byte of the body
    hang               no answer, while the caller stays
    reset              the connection is reset
    truncate           half of the body, then the connection ends
    malformed          a body that is neither JSON nor XML
    html               a page instead of data
    types              numbers become text and objects
    redirect=ADDRESS   302
    bomb=256           that many megabytes of nothing, compressed
    skew=-7200         the provider's clock is off by that many seconds

Several are joined by semicolons.
"""

from __future__ import annotations

import random
import re
import threading
import zlib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from typing import Any, Protocol, Self

import orjson

from providers.sandbox.wire import Reply, Request

MEGABYTE = 1 << 20
BOMB_MB = 256
MOST_BOMB_MB = 4096
PAGE = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>"
    b"<body><h1>Checking your browser</h1></body></html>"
)


class Speaker(Protocol):
    """Whoever answers for a host."""

    def answer(self, request: Request) -> Reply: ...

    def failure(self, status: int, wait: float | None = None) -> Reply: ...


@dataclass(frozen=True)
class Fault:
    status: int = 0
    retry_after: str = ""
    delay: float = 0.0
    drip: float = 0.0
    skew: float = 0.0
    redirect: str = ""
    bomb: int = 0
    hang: bool = False
    reset: bool = False
    truncate: bool = False
    malformed: bool = False
    html: bool = False
    types: bool = False

    @classmethod
    def parse(cls, text: str) -> Self:
        """ValueError says what is wrong with `text`."""
        found: dict[str, Any] = {}
        for part in filter(None, (part.strip() for part in text.split(";"))):
            name, _, value = part.partition("=")
            if name not in _READ:
                raise ValueError(f"no fault is called {name!r}: use {', '.join(_READ)}")
            try:
                found[name] = _READ[name](value.strip())
            except ValueError:
                raise ValueError(f"{part!r} is not a fault: mind its value") from None
        if not found:
            raise ValueError(f"a fault is missing: use {', '.join(_READ)}")
        return cls(**found)

    def answer(self, speaker: Speaker, request: Request) -> Reply:
        """What `speaker` says to `request`, spoiled in content; delivery is the server's part."""
        request = replace(request, now=request.now + self.skew)
        if self.redirect:
            reply = Reply(302, b"", "text/html", {"location": self.redirect})
        elif self.bomb:
            reply = Reply(200, _bomb(self.bomb), headers={"content-encoding": "gzip"})
        elif self.html:
            reply = Reply(self.status or 200, PAGE, "text/html; charset=utf-8")
        elif self.status:
            reply = speaker.failure(self.status)
        else:
            reply = speaker.answer(request)
        return self._spoiled(reply)

    def _spoiled(self, reply: Reply) -> Reply:
        if self.retry_after:
            reply.headers["retry-after"] = self.retry_after
        if self.types:
            reply.body = _retyped(reply.body)
        if self.malformed:
            reply.body = reply.body[: len(reply.body) * 2 // 3] + b'\xff,"}<'
        return reply


NONE = Fault()


@dataclass(frozen=True)
class Rule:
    """A fault for requests to `host` below `path`: `times` times (None: always), by chance."""

    host: str
    fault: str
    path: str = ""
    times: int | None = None
    probability: float = 1.0

    @classmethod
    def read(cls, document: Any) -> Self:
        """From a JSON object. ValueError says what is wrong with it."""
        if not isinstance(document, Mapping) or set(document) - set(cls.__dataclass_fields__):
            raise ValueError(f"a rule has {', '.join(cls.__dataclass_fields__)}")
        try:
            rule = cls(**document)
        except TypeError:
            raise ValueError("a rule needs a host and a fault") from None
        Fault.parse(str(rule.fault))
        if not (isinstance(rule.host, str) and rule.host and isinstance(rule.path, str)):
            raise ValueError("host and path are texts")
        if not (rule.times is None or (isinstance(rule.times, int) and rule.times > 0)):
            raise ValueError("times is a whole number above 0")
        if not (isinstance(rule.probability, int | float) and 0 < rule.probability <= 1):
            raise ValueError("probability is above 0 and at most 1")
        return rule

    def meets(self, request: Request) -> bool:
        return self.host == request.host and request.path.startswith(self.path)


class Rules:
    """The rules in force, oldest first; thread-safe, and exact about `times`."""

    def __init__(self, seed: int = 1) -> None:
        self._rules: list[Rule] = []
        self._chance = random.Random(seed)  # noqa: S311
        self._lock = threading.Lock()

    def add(self, rule: Rule) -> None:
        with self._lock:
            self._rules.append(rule)

    def clear(self, host: str = "") -> None:
        with self._lock:
            self._rules = [rule for rule in self._rules if host and rule.host != host]

    def take(self, request: Request) -> Fault:
        """The fault of the first rule that meets the request, which is used up by one."""
        with self._lock:
            for number, rule in enumerate(self._rules):
                if not rule.meets(request) or self._chance.random() >= rule.probability:
                    continue
                if rule.times == 1:
                    del self._rules[number]
                elif rule.times:
                    self._rules[number] = replace(rule, times=rule.times - 1)
                return Fault.parse(rule.fault)
        return NONE

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(rule) for rule in self._rules]


def _status(value: str) -> int:
    if not re.fullmatch(r"[2-5]\d\d", value):
        raise ValueError
    return int(value)


def _seconds(value: str) -> float:
    if not 0 < float(value) < float("inf"):
        raise ValueError
    return float(value)


def _skew(value: str) -> float:
    if abs(float(value)) > 10**9:
        raise ValueError
    return float(value)


def _text(value: str) -> str:
    if not value or not value.isprintable():
        raise ValueError
    return value


def _megabytes(value: str) -> int:
    if not 1 <= int(value or BOMB_MB) <= MOST_BOMB_MB:
        raise ValueError
    return int(value or BOMB_MB)


def _alone(value: str) -> bool:
    if value:
        raise ValueError
    return True


_READ: dict[str, Callable[[str], Any]] = {
    "status": _status,
    "retry_after": _text,
    "delay": _seconds,
    "drip": _seconds,
    "skew": _skew,
    "redirect": _text,
    "bomb": _megabytes,
    **dict.fromkeys(("hang", "reset", "truncate", "malformed", "html", "types"), _alone),
}


@lru_cache(2)
def _bomb(megabytes: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    nothing = bytes(MEGABYTE)
    return b"".join(packer.compress(nothing) for _ in range(megabytes)) + packer.flush()


def _retyped(body: bytes) -> bytes:
    """Numbers, and texts that hold one, as words and objects in turn; what is no JSON stays."""
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return body
    turn = iter(range(1 << 62))

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: change(inner) for key, inner in value.items()}
        if isinstance(value, list):
            return [change(inner) for inner in value]
        if isinstance(value, bool) or value is None or not re.fullmatch(_NUMBER, str(value)):
            return value
        return {"value": value} if next(turn) % 2 else f"about {value}"

    return orjson.dumps(change(document))


_NUMBER = r"-?\d+(\.\d+)?([eE][+-]?\d+)?"
