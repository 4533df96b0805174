"""The edge, with a Django of the test's own behind it and a clock that waits."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from aggregator import answers, callers, hot
from aggregator.answers import Answer
from aggregator.api.errors import problem
from aggregator.callers import Caller
from aggregator.edge import Edge
from aggregator.encoding import dumps
from aggregator.models import hash_key
from aggregator.pool import Pool
from providers.datasets import MarketQuery, Query
from tests.conftest import Clock

T = TypeVar("T")
KEY, OTHER, OFF = "agg_one", "agg_other", "agg_off"
PATH, QUERY = "/api/market", b"limit=10"
MARKET = MarketQuery(limit=10)


@pytest.fixture(autouse=True)
def _clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three clients that nobody has to read from a database."""
    rows = {
        hash_key(KEY): (Caller("client:1", 5), True),
        hash_key(OTHER): (Caller("client:2", 5), True),
        hash_key(OFF): (Caller("client:3", 5), False),
    }
    monkeypatch.setattr(callers._clients, "_value", callers.Clients(rows))


def answer(clock: Clock, query: Query = MARKET, **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "data": b'[{"rank":1}]',
        "source": "coingecko_free",
        "fetched_at": clock(),
        "fresh_until": clock() + 60,
        "stale_until": clock() + 3600,
        "latency_ms": 41.25,
    }
    return Answer(query, **(values | changes))


@dataclass
class Django:
    """Answers what it is told to; `gate` holds it back."""

    says: Answer | int = 503
    body: bytes = dumps(problem(503, "unanswered", "Nobody answered."))
    kind: str = "application/problem+json"
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, Any]] = field(default_factory=list)
    more: list[tuple[str, str]] = field(default_factory=list)  # headers

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.asked.append(environ)
        assert self.gate.wait(20)
        if isinstance(self.says, Answer):
            environ[hot.ANSWER] = self.says
            start("200 OK", [("Content-Type", "application/json")])
            return [b"{}"]
        start(f"{self.says} Whatever", [("Content-Type", self.kind), *self.more])
        return [self.body]


@dataclass
class House:
    """An edge and what is around it."""

    clock: Clock
    django: Django = field(default_factory=Django)
    threads: int = 2
    edge: Edge = field(init=False)

    def __post_init__(self) -> None:
        self.edge = Edge(self.django, Pool(self.threads, queue=0), self.clock)

    def shelve(self, found: Answer, path: str = PATH, query: bytes = QUERY) -> None:
        """As it is after `found` was asked for by this line once."""
        answers.board.put(found)
        hot.remember((path, query), found.query)

    async def ask(
        self,
        path: str = PATH,
        query: bytes = QUERY,
        *,
        key: str = KEY,
        method: str = "GET",
        body: Iterable[bytes] = (b"",),
        **headers: str,
    ) -> Reply:
        given = {"host": "localhost", **{n.replace("_", "-"): v for n, v in headers.items()}}
        if key:
            given["x-api-key"] = key
        scope = scope_of(path, query, method, [(n.encode(), v.encode()) for n, v in given.items()])
        return await exchange(self.edge, scope, body)

    def get(self, path: str = PATH, query: bytes = QUERY, **kwargs: Any) -> Reply:
        return run(self.ask(path, query, **kwargs))


@pytest.fixture
def house(clock: Clock) -> House:
    return House(clock)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json()["meta"]
        return found


def run(story: Awaitable[T]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(story, 30)

    return asyncio.run(bounded())


def scope_of(
    path: str, query: bytes, method: str, headers: list[tuple[bytes, bytes]]
) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("203.0.113.9", 4711),
        "method": method,
        "path": path,
        "query_string": query,
        "headers": headers,
    }


async def exchange(app: Edge, scope: dict[str, Any], body: Iterable[bytes] = (b"",)) -> Reply:
    chunks = list(body)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not chunks:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
    assert len(dict(headers)) == len(headers), f"a header twice: {headers}"
    return Reply(start["status"], dict(headers), b"".join(part["body"] for part in rest))


def is_problem(reply: Reply, status: int, code: str) -> dict[str, Any]:
    """The body of a reply that is an error in the one shape."""
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = reply.json()
    assert (found["status"], found["code"]) == (status, code)
    assert {"type", "title", "detail"} <= set(found)
    return found


async def together(house: House, *asking: Awaitable[Reply]) -> list[Reply]:
    """All of them at once: Django answers when the last has come."""
    house.django.gate.clear()
    tasks = [asyncio.ensure_future(one) for one in asking]
    while not house.django.asked:
        await asyncio.sleep(0.001)
    for _ in range(5):
        await asyncio.sleep(0)
    house.django.gate.set()
    return await asyncio.gather(*tasks)
