"""
What the tests of adapters share: a canned upstream, and the payloads as cases.

The scheme of `tests/payloads/<adapter>/` stands in README.md beside this file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from providers import registry
from providers.adapters.base import UNREADABLE, Adapter, NoListings, Reply
from providers.datasets import Query
from providers.datasets.completions import Message
from providers.errors import ProviderError
from providers.http import Answer

PAYLOADS = Path(__file__).parents[2] / "payloads"
NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)

Diagnose = Callable[[Reply], ProviderError | None]


class Canned:
    """
    An `Http` that answers with the bodies it was given, in turn and the last one for ever, and
    remembers what it was asked. With `diagnose` it raises what the adapter reads in a reply.
    """

    def __init__(self, *bodies: bytes | Any, diagnose: Diagnose | None = None) -> None:
        self.bodies = [body if isinstance(body, bytes) else encode(body) for body in bodies]
        self.diagnose = diagnose
        self.asked: list[tuple[str, dict[str, Any]]] = []

    def get(self, path: str, /, **params: Any) -> Any:
        return self.fetch(path, **params).json()

    def post(self, path: str, json: Any, /) -> Any:
        return self._reply(path, {"json": json}).json()

    def fetch(self, path: str, /, **params: Any) -> Reply:
        return self._reply(path, {k: v for k, v in params.items() if v is not None})

    def lines(self, path: str, json: Any, /) -> Iterator[str]:
        yield from self._reply(path, {"json": json}).body.decode().splitlines()

    def _reply(self, path: str, params: dict[str, Any]) -> Reply:
        body = self.bodies[min(len(self.asked), len(self.bodies) - 1)]
        self.asked.append((path, params))
        reply = Answer(200, {}, body)
        if error := self._meant(reply):
            raise error
        return reply

    def _meant(self, reply: Reply) -> ProviderError | None:
        try:
            return self.diagnose(reply) if self.diagnose else None
        except UNREADABLE:
            return None  # as the real way out does: the adapter then reads the reply itself


def encode(value: Any) -> bytes:
    """JSON of a decoded answer; Decimals keep their digits."""
    return orjson.dumps(value, default=lambda number: orjson.Fragment(str(number)))


def listings(names: Mapping[str, Mapping[str, str]]) -> NoListings:
    """symbol -> quote -> external id, as an adapter is handed them."""
    return NoListings({(s, q): name for s, quotes in names.items() for q, name in quotes.items()})


def adapt(
    adapter: type[Adapter],
    *bodies: bytes | Any,
    names: Mapping[str, Mapping[str, str]] | None = None,
    now: datetime = NOON,
) -> tuple[Any, Canned]:
    """An adapter in front of a canned upstream, and that upstream."""
    http = Canned(*bodies, diagnose=adapter.diagnose)
    return adapter(http, listings(names or {}), now=lambda: now), http


@dataclass(frozen=True)
class Case:
    """One payload: an adapter, one of its offers, and the folder that holds the answer."""

    adapter: type[Adapter]
    query_class: type[Query]

    def __str__(self) -> str:
        return f"{self.adapter.name}-{self.dataset}"

    @property
    def dataset(self) -> str:
        return self.query_class.dataset.name

    @cached_property
    def folder(self) -> Path:
        names: list[str] = [vars(c)["name"] for c in self.adapter.__mro__ if "name" in vars(c)]
        return next((PAYLOADS / n for n in names if (PAYLOADS / n).is_dir()), PAYLOADS / names[0])

    @property
    def files(self) -> list[Path]:
        """The answers in the order of the calls; empty when there is no payload."""
        named = (p for p in self.folder.glob(f"{self.dataset}.*") if p.suffixes[0] != ".query")
        return sorted(named, key=lambda path: (len(path.suffixes), path.name))

    @cached_property
    def sidecar(self) -> dict[str, Any]:
        path = self.folder / f"{self.dataset}.query.json"
        found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
        return found

    @property
    def bodies(self) -> list[bytes]:
        return [path.read_bytes() for path in self.files]

    @property
    def now(self) -> datetime:
        return datetime.fromisoformat(self.sidecar["now"]) if "now" in self.sidecar else NOON

    @property
    def query(self) -> Query:
        known = {field.name for field in fields(self.query_class)}
        given = self.sidecar.get("query", {})
        assert set(given) <= known, f"{self}: no such arguments {set(given) - known}"
        return replace(self.query_class(), **{k: _argument(k, v) for k, v in given.items()})

    def run(self, *bodies: bytes) -> tuple[Adapter, list[Any]]:
        """The adapter after it answered the query from `bodies` (the payload's own if none)."""
        adapter, _ = adapt(
            self.adapter,
            *(bodies or self.bodies),
            names=self.sidecar.get("listings"),
            now=self.now,
        )
        return adapter, list(adapter.fetch(self.query))


def _argument(name: str, value: Any) -> Any:
    if name in ("start", "end", "since") and value is not None:
        return datetime.fromisoformat(value)
    if name == "messages":
        return tuple(Message(*turn) for turn in value)
    return tuple(value) if isinstance(value, list) else value


def cases() -> list[Case]:
    """Every offer of every adapter."""
    registry.discover()
    return [Case(adapter, query) for adapter in registry.all() for query in adapter.offers]
