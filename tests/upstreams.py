"""
Upstreams of our own on this machine, one for each slug, that behave as a test says; and the
adapters that speak with them. Our other processes can ask them too.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import pytest

from aggregator.encoding import encode, load
from providers import registry
from providers.adapters.base import Adapter, Auth, Reading
from providers.datasets import (
    Article,
    CoinQuery,
    Fees,
    GasQuery,
    GlobalQuery,
    MarketQuery,
    MarketRow,
    NewsQuery,
    PriceQuery,
    PriceRow,
    Query,
    SearchQuery,
)
from providers.models import Asset, Provider

NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)


# -- Adapters --------------------------------------------------------------------------------


class Fake(Adapter):
    """Asks `/<dataset>` and is sent rows as we would encode them."""

    name = "fake"
    base_url = "http://127.0.0.1:9"
    offers = (MarketQuery, PriceQuery, GasQuery, NewsQuery, SearchQuery, GlobalQuery, CoinQuery)
    batch: ClassVar[Mapping[str, int]] = {"price": 50}

    def fetch(self, query: Query) -> list[Any]:
        params = {"symbols": ",".join(query.symbols)} if isinstance(query, PriceQuery) else {}
        reply = self.http.fetch(f"/{query.dataset.name}", **params)
        return load(query.record, reply.body)

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        if "X-Left" in headers:
            yield Reading(60, remaining=float(headers["X-Left"]))

    market = price = gas = news = search = global_ = coin = fetch


class Keyed(Fake):
    """Answers nobody without a key."""

    name = "keyed"
    auth = Auth(header="X-Key")


class Better(Fake):
    """Takes a key, and answers without one too."""

    name = "better"
    auth = Auth(header="X-Key", required=False)


FAKES = (Fake, Keyed, Better)


# -- What they answer ------------------------------------------------------------------------


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    slug: str
    dataset: str
    params: dict[str, str]
    key: str

    @property
    def symbols(self) -> list[str]:
        return self.params.get("symbols", "").split(",")


@dataclass(frozen=True)
class Said:
    status: int = 200
    body: bytes = b"[]"
    headers: Mapping[str, str] = field(default_factory=dict)


Behaviour = Callable[[Asked], Said]


def rows(records: Iterable[Any]) -> Said:
    return Said(body=encode(list(records)))


def status(number: int, **headers: Any) -> Behaviour:
    """Always this status; `retry_after=7` is the header Retry-After: 7."""
    spelled = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    return lambda asked: Said(number, b"{}", spelled)


def slowly(seconds: float, behave: Behaviour | None = None) -> Behaviour:
    def answer(asked: Asked) -> Said:
        time.sleep(seconds)
        return (behave or usual)(asked)

    return answer


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first time like the first, ... and for ever like the last."""
    left = list(behaviours)
    return lambda asked: (left.pop(0) if len(left) > 1 else left[0])(asked)


def usual(asked: Asked) -> Said:
    """A well provider: one plausible row, or a price for every symbol but NOPE."""
    match asked.dataset:
        case "market":
            return rows(coin_row(rank, asked.slug) for rank in range(1, 251))
        case "price":
            known = (symbol for symbol in asked.symbols if symbol != "NOPE")
            return rows(PriceRow(symbol, Decimal("1.50"), "USD") for symbol in known)
        case "gas":
            tips = Decimal(1), Decimal(2), Decimal(3)
            return rows([Fees("ethereum", "gwei", *tips, None, NOON)])
        case "news":
            return rows([article(f"News of {asked.slug}")])
    return Said()


def coin_row(rank: int, name: str) -> MarketRow:
    blank: list[Any] = [None] * 9
    return MarketRow(rank, f"coin{rank}", f"C{rank}", name, Decimal("7.10"), *blank)


def article(title: str, *, at: datetime = NOON, url: str = "", source: str = "") -> Article:
    url = url or f"https://news.example/{title.replace(' ', '-')}"
    return Article(url[-16:], title, url, source or "news.example", at, None, (), None)


# -- The server ------------------------------------------------------------------------------


class Upstreams:
    """`play["a"] = behaviour` says how a behaves; `asked` is every request so far."""

    def __init__(self) -> None:
        self.play: dict[str, Behaviour] = {}
        self.asked: list[Asked] = []
        self.over = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.request_queue_size = 256
        self._server.socket.listen(256)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def of(self, *slugs: str) -> list[Asked]:
        """What these were asked."""
        return [asked for asked in self.asked if asked.slug in slugs]

    def hang(self, asked: Asked) -> Said:
        """A behaviour: no word until the test is over."""
        self.over.wait(30)
        return Said(503)

    def provider(self, slug: str, adapter: type[Adapter] = Fake, **fields: Any) -> Provider:
        """The row of the upstream called `slug`; unlimited, unless `fields` say otherwise."""
        values: dict[str, Any] = {"title": slug, "timeout_s": 2.0, "limits": []} | fields
        base_url = f"{self.url}/{slug}"
        return Provider.objects.create(
            slug=slug, adapter_name=adapter.name, base_url=base_url, **values
        )

    def _answer(self, asked: Asked) -> Said:
        self.asked.append(asked)
        return self.play.get(asked.slug, usual)(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                _, slug, dataset = parts.path.split("/", 2)
                params = dict(parse_qsl(parts.query))
                said = answer(Asked(slug, dataset, params, self.headers.get("X-Key", "")))
                self.send_response(said.status)
                self.send_header("Content-Length", str(len(said.body)))
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said.body)

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    return  # who asked has gone away

            def log_message(self, *args: Any) -> None:
                """Nothing: tests say what they want to see."""

        return Handler


@pytest.fixture
def upstreams(monkeypatch: pytest.MonkeyPatch) -> Iterator[Upstreams]:
    for adapter in FAKES:
        monkeypatch.setitem(registry._adapters, adapter.name, adapter)
    found = Upstreams()
    try:
        yield found
    finally:
        found.close()


def assets(*symbols: str) -> None:
    """Coins that the gateway knows: slug, symbol and name are spelled alike."""
    Asset.objects.bulk_create(
        Asset(slug=s.lower(), symbol=s, name=s.title(), order=n) for n, s in enumerate(symbols)
    )
