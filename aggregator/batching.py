"""
Spot prices: many symbols in one upstream call, each with a place of its own on the shelf.

The first miss goes out at once. Symbols asked for while it is under way are gathered, at most
`GATHER_S`, into the next call, and so are those of questions that `arrivals` says are coming in
just now. So a hundred visitors asking for a hundred coins cost one or two calls, and nobody waits
for a batch to fill.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, field, replace

from django.conf import settings

from aggregator import answers, arrivals, asking, fanout, flights
from aggregator.afterwards import Settle, at_once, later
from aggregator.answers import Answer, Cached, Source
from providers.datasets import PRICE, PriceQuery
from providers.errors import (
    Attempt,
    GatewayError,
    Missing,
    NotFound,
    OutOfTokens,
    Unanswered,
)
from providers.models import Provider
from providers.resilience import Deadline
from providers.resilience.store import let_go

rotation_log = logging.getLogger("providers.rotation")

GATHER_S = 0.05
ARRIVALS_S = 1.0  # for those who came together with the first, while Django takes them in
LESS_S = 0.1  # of patience than a flight has: too little to matter
FULL = 100  # symbols: no need to wait for more
MOST_CALLS = 5  # of one provider for one batch: one that answers a coin at a time is no batch


def answer(query: PriceQuery, deadline: Deadline, settle: Settle = at_once) -> Answer:
    """All symbols of the query that anybody can price; the others are named in `missing`."""
    now = time.time()
    singles = [query.of(symbol) for symbol in query.symbols]
    known = dict(zip(query.symbols, answers.find_many(singles), strict=True))
    lacking = [symbol for symbol, found in known.items() if found is None]
    stale = [s for s, found in known.items() if found is not None and not found.is_fresh(now)]
    cached = Cached.HIT
    if stale:
        cached = _refresh_behind(query.of(*stale))
    failures: dict[str, GatewayError] = {}
    if lacking:
        futures = _gatherer(query.currency).ask(lacking, now, deadline, settle)
        let_go()
        for symbol, future in futures.items():
            try:
                known[symbol] = future.result(timeout=deadline.left() + 0.05)
            except GatewayError as error:
                failures[symbol] = error
            except Late:
                failures[symbol] = Unanswered("no answer in time")
    parts = [found for symbol in query.symbols if (found := known[symbol]) is not None]
    if not parts:
        raise _worst(failures)
    if lacking:
        cached = max((part.cached for part in parts), key=_precedence)
    whole = _together(query, parts, failures, cached)
    if not failures:
        answers.board.put(whole.as_(Cached.HIT))  # where the edge finds it
    return whole


def _precedence(cached: Cached) -> int:
    return [Cached.HIT, Cached.REFRESHING, Cached.STALE, Cached.COALESCED, Cached.MISS].index(
        cached
    )


def _worst(failures: dict[str, GatewayError]) -> GatewayError:
    """Nobody answered for any symbol: the error that tells the visitor most."""
    unanswered = [error for error in failures.values() if isinstance(error, Unanswered)]
    if unanswered:
        return unanswered[0]
    unknown = ", ".join(sorted(failures))
    attempts: Sequence[Attempt] = getattr(next(iter(failures.values())), "attempts", ())
    reasons = " ".join(dict.fromkeys(str(error) for error in failures.values()))
    return NotFound(f"No price of {unknown[:200]}: {reasons[:400]}", attempts)


def _together(
    query: PriceQuery, parts: Sequence[Answer], failures: dict[str, GatewayError], cached: Cached
) -> Answer:
    """One answer of many parts, as old as its oldest part."""
    oldest = min(parts, key=lambda part: part.fetched_at)
    sources = _sources(parts)
    attempts = [a for error in failures.values() for a in asking.failed(error)]
    attempts += [a for part in parts for a in part.attempts]
    return replace(
        oldest,
        query=query,
        data=b"[" + b",".join(part.data[1:-1] for part in parts if len(part.data) > 2) + b"]",
        source=",".join(sorted({part.source for part in parts})),
        fresh_until=min(part.fresh_until for part in parts),
        stale_until=min(part.stale_until for part in parts),
        latency_ms=max((part.latency_ms or 0.0 for part in parts), default=None),
        attempts=tuple({a.provider: a for a in attempts}.values()),
        sources=sources if len(sources) > 1 else (),
        missing=tuple(
            {"symbol": s, "reason": asking.reason(error)} for s, error in failures.items()
        ),
        cached=cached,
        rows=None,
    )


def _sources(parts: Iterable[Answer]) -> tuple[Source, ...]:
    """Who gave how many of the rows, the oldest time of each."""
    found: dict[str, Source] = {}
    for part in parts:
        known = found.get(part.source)
        found[part.source] = Source(
            part.source,
            min(part.fetched_at, known.fetched_at) if known else part.fetched_at,
            round(max(part.latency_ms or 0.0, known.latency_ms if known else 0.0), 1),
            (known.rows if known else 0) + 1,
        )
    return tuple(found[name] for name in sorted(found))


def _refresh_behind(query: PriceQuery) -> Cached:
    def refresh() -> Answer:
        found = _claimed(query, Deadline(settings.UPSTREAM_PATIENCE_S))
        first = next((a for a in found.values() if isinstance(a, Answer)), None)
        if first is None:
            raise next(error for error in found.values() if isinstance(error, GatewayError))
        return first

    under_way = flights.behind(query.key, refresh)
    return Cached.REFRESHING if under_way else Cached.STALE


# -- Gathering -------------------------------------------------------------------------------


@dataclass
class _Gatherer:
    """Collects the symbols of one currency into as few calls as time allows."""

    currency: str
    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: dict[str, Future[Answer]] = field(default_factory=dict)
    looked_at: float = 0.0  # when the first of them was not on the shelf
    flying: dict[str, Future[Answer]] = field(default_factory=dict)
    calls: int = 0  # under way
    went: float = float("-inf")  # when the last one went out

    def ask(
        self, symbols: Sequence[str], looked_at: float, deadline: Deadline, settle: Settle
    ) -> dict[str, Future[Answer]]:
        """
        A future for each symbol, shared with whoever asks for it meanwhile. None of them was on the
        shelf at `looked_at`. The first of those who wait goes out himself, if he has the patience:
        to hand it to another thread takes longer than one may think.
        """
        found: dict[str, Future[Answer]] = {}
        leads = False
        with self.lock:
            for symbol in symbols:
                under_way = self.flying.get(symbol) or self.waiting.get(symbol)
                if under_way is None:
                    under_way = self.waiting[symbol] = Future()
                    if len(self.waiting) == 1:
                        leads, self.looked_at = True, looked_at
                found[symbol] = under_way
        arrivals.arrived()
        if leads and deadline.allows(settings.UPSTREAM_PATIENCE_S - LESS_S):
            self._go(deadline, settle)
        elif leads:
            fanout.submit(lambda: self._go(Deadline(settings.UPSTREAM_PATIENCE_S)))
        return found

    def _go(self, deadline: Deadline, settle: Settle = at_once) -> None:
        """Go out with all that is waiting: at once after a quiet time, else with company."""
        with self.lock:
            busy = self.calls > 0
            quiet = not busy and time.monotonic() > self.went + ARRIVALS_S
        if busy:
            let_go()
            time.sleep(GATHER_S)
        if not quiet:
            let_go()
            arrivals.wait(ARRIVALS_S, lambda: len(self.waiting) >= FULL)
        with self.lock:
            batch, self.waiting, looked_at = self.waiting, {}, self.looked_at
            self.flying.update(batch)
            self.calls += 1
            self.went = time.monotonic()
        try:
            self._fly(batch, looked_at, deadline, settle)
        finally:
            with self.lock:
                for symbol in batch:
                    self.flying.pop(symbol, None)
                self.calls -= 1

    def _fly(
        self,
        batch: dict[str, Future[Answer]],
        looked_at: float,
        deadline: Deadline,
        settle: Settle,
    ) -> None:
        query = PriceQuery(tuple(batch), self.currency)
        try:
            found = _claimed(query, deadline, looked_at, settle)
        except BaseException as error:  # noqa: BLE001 (those who wait hear of it)
            for future in batch.values():
                future.set_exception(error)
            return
        for symbol, future in batch.items():
            result = found[symbol]
            if isinstance(result, Answer):
                future.set_result(result)
            else:
                future.set_exception(result)


_gatherers: dict[str, _Gatherer] = {}
_gatherers_lock = threading.Lock()


def _gatherer(currency: str) -> _Gatherer:
    with _gatherers_lock:
        return _gatherers.setdefault(currency, _Gatherer(currency))


def _after_fork() -> None:
    global _gatherers_lock
    _gatherers_lock = threading.Lock()
    _gatherers.clear()


os.register_at_fork(after_in_child=_after_fork)


# -- Asking ----------------------------------------------------------------------------------


Found = dict[str, Answer | GatewayError]


def _claimed(
    query: PriceQuery, deadline: Deadline, looked_at: float = 0.0, settle: Settle = at_once
) -> Found:
    """
    Ask for what no other process has just brought; the same batch is asked for by one. Nothing of
    it was on the shelf at `looked_at`.
    """
    while True:
        with answers.claim(query, settings.UPSTREAM_PATIENCE_S, settle) as mine:
            found = {} if mine.lacks(looked_at) else _shelved(query)
            lacking = [symbol for symbol in query.symbols if symbol not in found]
            if not lacking:
                return found
            if mine:
                return found | ask(query.of(*lacking), deadline, settle)
        if not deadline.allows(0.025):
            return found | {s: Unanswered("another process is asking") for s in lacking}
        let_go()
        time.sleep(0.025)


def _shelved(query: PriceQuery) -> Found:
    now = time.time()
    singles = answers.find_many([query.of(symbol) for symbol in query.symbols])
    pairs = zip(query.symbols, singles, strict=True)
    return {s: a.as_(Cached.COALESCED) for s, a in pairs if a is not None and a.is_fresh(now)}


def ask(query: PriceQuery, deadline: Deadline, settle: Settle = at_once) -> Found:
    """
    Ask providers, best first, each for what those before it could not price. Every symbol of the
    query gets an answer or an error.
    """
    attempts: list[Attempt] = []  # of those who could not answer at all
    excuses: Excuses = {symbol: {} for symbol in query.symbols}  # of those who do not know one
    found: dict[str, Answer] = {}
    for provider in asking.willing(PRICE, deadline, attempts):
        lacking = [symbol for symbol in query.symbols if symbol not in found]
        if not lacking:
            break
        found |= _ask_one(provider, query.of(*lacking), deadline, attempts, excuses)
    answers.shelve_many(list(found.values()), settle)
    who = sorted({single.source for single in found.values()})
    told = f"{query.key[:200]}: {', '.join(who) or 'nobody'} answered"
    later(lambda: rotation_log.info("%s", told))
    return {**_lost(query, found, attempts, excuses), **found}


Excuses = dict[str, dict[str, Attempt]]  # symbol -> provider -> why it has no price of it


def _ask_one(
    provider: Provider,
    query: PriceQuery,
    deadline: Deadline,
    attempts: list[Attempt],
    excuses: Excuses,
) -> dict[str, Answer]:
    """What one provider can price; symbols it does not know do not keep it from the others."""
    found: dict[str, Answer] = {}
    chunks = _chunks(provider, query.symbols)
    for chunk in chunks[:MOST_CALLS]:
        fetched = asking.attempt(provider, query.of(*chunk), deadline, attempts)
        if fetched is None and attempts[-1].outcome not in asking.NOT_HERE:
            return found  # what made it fail will make the next chunk fail
        excuse = attempts.pop() if fetched is None else Attempt(provider.slug, Missing.code)
        rows = {row.symbol: row for row in fetched.rows} if fetched else {}
        for symbol in chunk:
            if fetched is None or symbol not in rows:
                excuses[symbol][provider.slug] = excuse
                continue
            others = [*attempts, *excuses[symbol].values()]
            alone = fetched._replace(rows=[rows[symbol]])
            found[symbol] = asking.made(query.of(symbol), provider, alone, others)
    for symbol in (symbol for chunk in chunks[MOST_CALLS:] for symbol in chunk):
        excuses[symbol][provider.slug] = Attempt(
            provider.slug,
            OutOfTokens.code,
            detail=f"{MOST_CALLS} calls are enough for one question",
        )
    return found


def _lost(
    query: PriceQuery, found: Mapping[str, Answer], attempts: Sequence[Attempt], excuses: Excuses
) -> dict[str, GatewayError]:
    """The error of each symbol without an answer; those for the same reasons share one."""
    alike: dict[tuple[Attempt, ...], list[str]] = {}
    for symbol in query.symbols:
        if symbol not in found:
            alike.setdefault((*attempts, *excuses[symbol].values()), []).append(symbol)
    errors = ((symbols, asking.nobody(query.of(*symbols), why)) for why, symbols in alike.items())
    return {symbol: error for symbols, error in errors for symbol in symbols}


def _chunks(provider: Provider, symbols: Sequence[str]) -> list[Sequence[str]]:
    size = provider.adapter_class.batch.get(PRICE.name, 1)
    return [symbols[i : i + size] for i in range(0, len(symbols), size)]
