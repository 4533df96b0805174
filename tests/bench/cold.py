"""
What a miss costs: the time it adds to the provider's own, over a bare `requests` call.

The gateway and a `requests.Session` ask the same local provider in turn, each over a connection
that stands, and medians are compared. Once on SQLite, once on a PostgreSQL and a Redis of the
benchmark's own (with fsync, as one runs them). `python -m tests.bench.cold [questions]`
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from statistics import median

import requests

from tests.bench.house import KEY, Stub, house, provider
from tests.bench.table import Row
from tests.bench.upstream import COINS, symbol
from tests.private import missing_services, private_postgres, private_redis

QUESTIONS = 150
MOST_MS = {"SQLite": 10.0, "PostgreSQL + Redis": 5.0}


def main(questions: int = QUESTIONS) -> list[Row]:
    rows = []
    with provider() as stub:
        rows += _measured("SQLite", stub, questions)
        if lacking := missing_services():
            return [*rows, Row("a miss on PostgreSQL + Redis", f"skipped: {lacking}")]
        with private_postgres("fsync=on") as postgres, private_redis() as redis:
            urls = {"DATABASE_URL": postgres, "REDIS_URL": redis}
            rows += _measured("PostgreSQL + Redis", stub, questions, urls)
    return rows


def _measured(
    name: str, stub: Stub, questions: int, settings: Mapping[str, str] | None = None
) -> list[Row]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        row = stub.row(f"cold-{len(name)}")
        gateway = stack.enter_context(house(folder, [row], settings))
        session = stack.enter_context(requests.Session())
        session.headers["X-API-Key"] = KEY
        fresh = Fresh(gateway.url, row["base_url"])
        prices = _added_ms(session, fresh.price, min(questions, COINS - 10))
        market = _added_ms(session, fresh.market, questions)
    return [
        _row(f"a price miss adds, {name}", prices, MOST_MS[name]),
        _row(f"a miss of 100 market rows adds, {name}", market, MOST_MS[name]),
    ]


def _row(what: str, found: tuple[float, float], most: float) -> Row:
    bare, added = found
    return Row(what, f"{added:.1f} ms to {bare:.1f} ms", f"{most:.0f} ms at most", added <= most)


class Fresh:
    """Questions nobody asked before: the gateway's address, and the provider's for the same."""

    def __init__(self, gateway: str, upstream: str) -> None:
        self.gateway = gateway
        self.upstream = upstream

    def price(self) -> Iterator[tuple[str, str]]:
        named = "vs_currencies=usd&include_24hr_vol=true&include_24hr_change=true"
        for n in count():
            asked = f"/api/market/price?symbols={symbol(n)}"
            yield self.gateway + asked, f"{self.upstream}/simple/price?ids=coin-{n}&{named}"

    def market(self) -> Iterator[tuple[str, str]]:
        """Pages beyond the first are asked for as they are; the stub has as many as one likes."""
        for n in count(2):
            page = f"page={n % 100 + 1}&currency={('usd', 'eur', 'gbp')[n // 100]}"
            own = page.replace("currency", "vs_currency")
            yield (
                f"{self.gateway}/api/market?limit=100&{page}",
                f"{self.upstream}/coins/markets?per_page=100&{own}",
            )


def _added_ms(
    session: requests.Session, questions: Callable[[], Iterator[tuple[str, str]]], number: int
) -> tuple[float, float]:
    """Milliseconds of a bare call, and those that the gateway adds to it."""
    bare, ours = [], []
    for asked, (gateway, upstream) in enumerate(questions()):
        if asked == number + 5:
            break
        ours.append(_ms(session, gateway, "miss"))
        bare.append(_ms(session, upstream, ""))
    return median(bare[5:]), median(ours[5:]) - median(bare[5:])


def _ms(session: requests.Session, url: str, cache: str) -> float:
    began = time.perf_counter()
    found = session.get(url, timeout=20).json()
    seconds = time.perf_counter() - began
    assert not cache or found["meta"]["cache"] == cache, found
    return seconds * 1000


if __name__ == "__main__":
    for row in main(*map(int, sys.argv[1:])):
        print(row)
