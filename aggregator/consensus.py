"""
The same price from every provider that is well: the median, how far they are apart, and who is off.

Who is off is counted, and so is who is not: what a provider's prices are worth is measured by it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from statistics import median
from typing import Any

from aggregator import asking, fanout
from aggregator.answers import Answer, Cached, Source
from aggregator.encoding import encode
from providers.client import Fetched
from providers.datasets import PRICE, Consensus, ConsensusQuery, PriceQuery, PriceRow, Quoted
from providers.errors import Attempt
from providers.models import Provider
from providers.resilience import Cell, Deadline
from providers.resilience.cell import peek_many

OFF_BPS = Decimal(100)  # nobody is called off for less than a percent
OFF_TIMES = 5  # and only for so many times what the others are usually apart
LEAST = 3  # of two who differ nobody knows which is off
PLACES = Decimal("0.01")  # of a basis point


def ask_all(query: ConsensusQuery, deadline: Deadline) -> Answer:
    """Ask everybody at once; raises NotFound or Unanswered when nobody has a price."""
    providers = asking.candidates(PRICE)
    asked = PriceQuery((query.symbol,), query.currency)
    futures = fanout.each(lambda provider: _one(provider, asked, deadline), providers)
    found: dict[str, tuple[PriceRow, Fetched]] = {}
    attempts: list[Attempt] = []
    for provider, future in zip(providers, futures, strict=True):
        fetched, failed = future.result()
        attempts += failed
        if fetched is not None and fetched.rows:
            found[provider.slug] = fetched.rows[0], fetched
    if not found:
        raise asking.nobody(query, attempts)
    rows = agree({name: row for name, (row, _) in found.items()})
    count(rows)
    return _answer(query, rows, {name: fetched for name, (_, fetched) in found.items()}, attempts)


def _one(
    provider: Provider, query: PriceQuery, deadline: Deadline
) -> tuple[Fetched | None, list[Attempt]]:
    attempts: list[Attempt] = []
    return asking.attempt(provider, query, deadline, attempts), attempts


def _answer(
    query: ConsensusQuery,
    rows: list[Consensus],
    fetched: Mapping[str, Fetched],
    attempts: Sequence[Attempt],
) -> Answer:
    now = time.time()
    return Answer(
        query=query,
        data=encode(rows),
        source=",".join(sorted(fetched)),
        fetched_at=now,
        fresh_until=now + query.fresh_s,
        stale_until=now + query.fresh_s + query.stale_s,
        latency_ms=max(one.seconds for one in fetched.values()) * 1000,
        attempts=tuple(attempts),
        sources=tuple(
            Source(name, now, round(one.seconds * 1000, 1), 1)
            for name, one in sorted(fetched.items())
        ),
        cached=Cached.MISS,
        rows=rows,
    )


# -- Who agrees: pure ------------------------------------------------------------------------


def agree(prices: Mapping[str, PriceRow]) -> list[Consensus]:
    """A row for each quote currency, the one most providers quote first."""
    by_quote: dict[str, dict[str, PriceRow]] = {}
    for name, row in prices.items():
        by_quote.setdefault(row.quote, {})[name] = row
    ranked = sorted(by_quote.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    return [_consensus(quote, rows) for quote, rows in ranked]


def _consensus(quote: str, rows: Mapping[str, PriceRow]) -> Consensus:
    middle = median(row.price for row in rows.values())
    apart = {name: (row.price - middle) / middle * 10_000 for name, row in rows.items()}
    usual = median(abs(bps) for bps in apart.values())
    off = max(OFF_BPS, OFF_TIMES * usual)
    outliers = {n for n, bps in apart.items() if len(rows) >= LEAST and abs(bps) > off}
    agreeing = [bps for name, bps in apart.items() if name not in outliers]
    return Consensus(
        symbol=next(iter(rows.values())).symbol,
        quote=quote,
        median=middle,
        spread_bps=(max(agreeing) - min(agreeing)).quantize(PLACES),
        outliers=tuple(sorted(outliers)),
        prices=tuple(
            Quoted(
                provider=name,
                price=row.price,
                deviation_bps=apart[name].quantize(PLACES),
                outlier=name in outliers,
                last_updated=row.last_updated,
            )
            for name, row in sorted(rows.items(), key=lambda pair: (pair[1].price, pair[0]))
        ),
    )


# -- What a provider's prices are worth: measured --------------------------------------------

DAY = 86400.0
MEMORY = 500  # comparisons; beyond that the older half counts half


@dataclass(frozen=True)
class Accuracy:
    compared: float
    off: float

    @property
    def percent(self) -> float | None:
        """The share of its prices that agreed with the others; None before the first."""
        return round(100 * (1 - self.off / self.compared), 2) if self.compared else None


def count(rows: Sequence[Consensus]) -> None:
    """Hold each comparison of at least three for or against the providers in it."""
    for row in rows:
        if len(row.prices) >= LEAST:
            for quoted in row.prices:
                _cell(quoted.provider).update(partial(_counted, off=quoted.outlier))


def accuracies(names: Sequence[str]) -> dict[str, Accuracy]:
    """What is known of each provider that was ever compared."""
    found = peek_many(_cell(name).key for name in names)
    known = {name: found.get(_cell(name).key) for name in names}
    return {
        name: Accuracy(value["compared"], value["off"])
        for name, value in known.items()
        if isinstance(value, dict)
    }


def _counted(known: Any, off: bool) -> tuple[dict[str, float], None]:
    value = known if isinstance(known, dict) else {"compared": 0.0, "off": 0.0}
    share = 0.5 if value["compared"] >= MEMORY else 1.0
    counted = {"compared": value["compared"] * share + 1, "off": value["off"] * share + off}
    return counted, None


def _cell(name: str) -> Cell:
    return Cell(f"accuracy:{name}", ttl=90 * DAY)
