"""
The same price from every provider that is well: the median, how far they are apart, and who is off.

Who is off is counted, and so is who is not: what a provider's prices are worth is measured by it.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import Any

from aggregator import answers, asking, fanout
from aggregator.answers import Answer, Cached, Source
from aggregator.encoding import encode
from providers.datasets import PRICE, Consensus, ConsensusQuery, PriceQuery, PriceRow, Quoted
from providers.errors import Attempt, Missing, TimedOut
from providers.models import Provider
from providers.resilience import Cell, Deadline
from providers.resilience.cell import peek_many
from providers.resilience.store import clean_value, let_go

OFF_BPS = Decimal(100)  # nobody is called off for less than a percent
OFF_TIMES = 5  # and only for so many times what the others are usually apart
LEAST = 3  # of two who differ nobody knows which is off
PLACES = Decimal("0.01")  # of a basis point


@dataclass(frozen=True)
class PartQuery(PriceQuery):
    """What one provider said: a place of its own on the shelf, for those not to be asked often."""

    provider: str = ""


def ask_all(query: ConsensusQuery, deadline: Deadline) -> Answer:
    """Ask everybody at once; raises NotFound or Unanswered when nobody has a price."""
    providers = asking.candidates(PRICE)
    rare = {
        provider.slug: _part_of(query, provider) for provider in providers if provider.min_fresh_s
    }
    known = _known(rare)
    asked = [provider for provider in providers if provider.slug not in known]
    found, attempts = _at_once(asked, query, deadline)
    if not found and not known:
        raise asking.nobody(query, attempts)
    answers.shelve_many([part for part in found if part.source in rare])
    parts = [*found, *known.values()]
    rows = agree({part.source: part.records()[0] for part in parts})
    count(rows, {part.source for part in found})
    return _together(query, rows, parts, attempts)


def _at_once(
    providers: Sequence[Provider], query: ConsensusQuery, deadline: Deadline
) -> tuple[list[Answer], list[Attempt]]:
    futures = fanout.each(lambda provider: _one(provider, query, deadline), providers)
    let_go()
    found: list[Answer] = []
    attempts: list[Attempt] = []
    for provider, future in zip(providers, futures, strict=True):
        try:
            part, failed = future.result(timeout=deadline.left() + 0.05)
        except Late:
            part, failed = None, [Attempt(provider.slug, TimedOut.code)]
        attempts += failed
        found += [part] if part is not None else []
    return found, attempts


def _known(rare: Mapping[str, PartQuery]) -> dict[str, Answer]:
    """What those who are not to be asked again so soon said last."""
    now = time.time()
    pairs = zip(rare, answers.find_many(list(rare.values())), strict=True)
    return {name: part for name, part in pairs if part is not None and part.is_fresh(now)}


def _part_of(query: ConsensusQuery, provider: Provider) -> PartQuery:
    return PartQuery((query.symbol,), query.currency, provider.slug)


def _one(
    provider: Provider, query: ConsensusQuery, deadline: Deadline
) -> tuple[Answer | None, list[Attempt]]:
    attempts: list[Attempt] = []
    asked = PriceQuery((query.symbol,), query.currency)
    fetched = asking.attempt(provider, asked, deadline, attempts)
    if fetched is None:
        return None, attempts
    of_it = [row for row in fetched.rows if row.symbol == query.symbol]
    if not of_it:
        return None, [Attempt(provider.slug, Missing.code)]
    alone = fetched._replace(rows=of_it[:1])
    return asking.made(_part_of(query, provider), provider, alone, ()), attempts


def _together(
    query: ConsensusQuery,
    rows: Sequence[Consensus],
    parts: Sequence[Answer],
    attempts: Sequence[Attempt],
) -> Answer:
    """As old as its oldest part."""
    now = time.time()
    fresh_s, stale_s = asking.keeping(query)
    sources = [
        Source(part.source, part.fetched_at, round(part.latency_ms or 0.0, 1), 1) for part in parts
    ]
    return Answer(
        query=query,
        data=encode(rows),
        source=",".join(sorted(part.source for part in parts)),
        fetched_at=min(part.fetched_at for part in parts),
        fresh_until=now + fresh_s,
        stale_until=now + fresh_s + stale_s,
        latency_ms=max(part.latency_ms or 0.0 for part in parts),
        attempts=tuple(attempts),
        sources=tuple(sorted(sources, key=lambda source: source.source)),
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
CELL = "accuracy"  # of all: a comparison is one write
MEMORY = 500  # comparisons; beyond that the older half counts half


@dataclass(frozen=True)
class Accuracy:
    compared: float
    off: float

    @property
    def percent(self) -> float | None:
        """The share of its prices that agreed with the others; None before the first."""
        return round(100 * (1 - self.off / self.compared), 2) if self.compared else None


def count(rows: Sequence[Consensus], names: Collection[str]) -> None:
    """Hold each comparison of at least three for or against those of `names` that are in it."""
    compared = [quoted for row in rows if len(row.prices) >= LEAST for quoted in row.prices]
    verdicts = {quoted.provider: quoted.outlier for quoted in compared if quoted.provider in names}
    if verdicts:
        _cell().update(lambda known: (_counted(known, verdicts), None))


def accuracies() -> dict[str, Accuracy]:
    """What is known of each provider that was ever compared."""
    known = clean_value(peek_many([CELL]).get(CELL))
    return {name: Accuracy(one["compared"], one["off"]) for name, one in known.items()}


def _counted(shared: Any, verdicts: Mapping[str, bool]) -> dict[str, dict[str, float]]:
    known = clean_value(shared)
    return known | {name: _added(known.get(name), off) for name, off in verdicts.items()}


def _added(known: Mapping[str, float] | None, off: bool) -> dict[str, float]:
    value = known or {"compared": 0.0, "off": 0.0}
    share = 0.5 if value["compared"] >= MEMORY else 1.0
    return {"compared": value["compared"] * share + 1, "off": value["off"] * share + off}


def _cell() -> Cell:
    return Cell(CELL, ttl=90 * DAY)
