"""
Asking providers: whom first, one after the other, and what becomes of what they say.
"""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial

from django.utils.timezone import now as current_time

from aggregator import selection
from aggregator.afterwards import later
from aggregator.answers import Answer, Cached
from aggregator.encoding import encode
from aggregator.selection import Candidate
from providers import roster
from providers.client import Fetched, call
from providers.datasets import Dataset, Query
from providers.errors import (
    Attempt,
    Blacklisted,
    CachedOnly,
    CircuitOpen,
    GatewayError,
    Missing,
    NoKey,
    NotFound,
    OutOfTokens,
    PlanLimit,
    ProviderError,
    Unanswered,
    Unserved,
    Unsupported,
    Unwell,
)
from providers.healthiest import put
from providers.models import Provider
from providers.resilience import Deadline, Phase, Reason, Standing, standings
from providers.resilience.store import let_go
from providers.standing import Status

rotation_log = logging.getLogger("providers.rotation")

# Of each dataset, or questions asked by turns would always find the same provider's turn.
_turns: defaultdict[str, Iterator[int]] = defaultdict(
    lambda: itertools.count(random.randrange(2**32))  # noqa: S311 (processes start apart)
)


def first(query: Query, deadline: Deadline) -> Answer:
    """The first answer of a provider, best first."""
    attempts: list[Attempt] = []
    for provider in willing(query.dataset, deadline, attempts):
        fetched = attempt(provider, query, deadline, attempts)
        if fetched is not None:
            said = f"{query.key}: {provider.slug} answered{_after(attempts)}"
            later(partial(rotation_log.info, "%s", said))
            return made(query, provider, fetched, attempts)
    raise nobody(query, attempts)


MOST_SHARE = 0.75  # of the time left that one may use up: who comes after it must have some too
MOST_PATIENCE_S = 3.0
_MOMENTARY = {OutOfTokens.code, CircuitOpen.code}
_PASSED_OVER = _MOMENTARY | {Unwell.code}  # without a try, so nothing follows from it


def willing(
    dataset: Dataset,
    deadline: Deadline,
    attempts: list[Attempt],
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[Provider]:
    """
    Providers to ask while the deadline lasts, best first; whom we pass over on the way is noted in
    `attempts`. When nobody was of use and one refused for a moment only, that moment is waited
    out, once: better late than an error.
    """
    for provider, passed_over in _ranked(dataset):
        if not deadline.left():
            return
        _note(attempts, [*_held_back(dataset, provider.priority), *passed_over])
        yield provider
    _note(attempts, _held_back(dataset))
    waits = [a.wait_s for a in attempts if a.outcome in _MOMENTARY and a.wait_s is not None]
    pause = min(waits, default=MOST_PATIENCE_S) + 0.01
    if pause < MOST_PATIENCE_S and deadline.allows(pause):
        let_go()
        sleep(pause)
        yield from candidates(dataset)


def _note(attempts: list[Attempt], passed_over: Iterable[Attempt]) -> None:
    noted = {known.provider for known in attempts}
    attempts += [skipped for skipped in passed_over if skipped.provider not in noted]


def _held_back(dataset: Dataset, above: int = -1) -> list[Attempt]:
    """Those of a higher priority than `above` whom visitors' questions do not reach."""
    if _ahead.get():
        return []
    rows = roster.current().offering(dataset)
    return [Attempt(r.slug, CachedOnly.code) for r in rows if r.cached_only and r.priority > above]


_ahead: ContextVar[bool] = ContextVar("ahead", default=False)


@contextmanager
def ahead_of_visitors() -> Iterator[None]:
    """Within it those may be asked too whom no visitor's question reaches."""
    token = _ahead.set(True)
    try:
        yield
    finally:
        _ahead.reset(token)


def attempt(
    provider: Provider, query: Query, deadline: Deadline, attempts: list[Attempt]
) -> Fetched | None:
    """What `provider` answers, or None with the reason noted in `attempts`."""
    began = time.monotonic()
    if roster.is_strange_to(provider, query):
        attempts[:] = [known for known in attempts if known.provider != provider.slug]
        attempts.append(Attempt(provider.slug, Unsupported.code, detail="it knows coins alone"))
        return None
    try:
        return call(provider, query, deadline.within(deadline.left() * MOST_SHARE))
    except ProviderError as error:
        ms = (time.monotonic() - began) * 1000
        said = Attempt(provider.slug, error.code, error.wait, ms, str(error))
        earlier = next((known for known in attempts if known.provider == provider.slug), None)
        if earlier and earlier.outcome not in _PASSED_OVER and error.code == CircuitOpen.code:
            said = earlier  # it rests because of what stands there already
        attempts[:] = [known for known in attempts if known is not earlier]
        attempts.append(said)
        return None


def made(query: Query, provider: Provider, fetched: Fetched, attempts: Sequence[Attempt]) -> Answer:
    """An answer out of what a provider sent."""
    now = time.time()
    fresh_s, stale_s = keeping(query, provider)
    return Answer(
        query=query,
        data=encode(fetched.rows),
        source=provider.slug,
        fetched_at=now,
        fresh_until=now + fresh_s,
        stale_until=now + fresh_s + stale_s,
        latency_ms=fetched.seconds * 1000,
        attempts=tuple(attempts),
        cached=Cached.MISS,
        rows=fetched.rows,
    )


def keeping(query: Query, provider: Provider | None = None) -> tuple[float, float]:
    """Seconds an answer stays fresh, and then servable: the policy's, the provider's at least."""
    policy = roster.current().policies.get(query.dataset.name)
    fresh_s = policy.fresh_s if policy and policy.fresh_s is not None else query.fresh_s
    stale_s = policy.stale_s if policy and policy.stale_s is not None else query.stale_s
    return max(fresh_s, provider.min_fresh_s if provider else 0.0), stale_s


def candidates(dataset: Dataset) -> list[Provider]:
    """Enabled providers that offer the dataset, best first by its policy."""
    return [provider for provider, _ in _ranked(dataset)]


def _ranked(dataset: Dataset) -> list[tuple[Provider, list[Attempt]]]:
    """`candidates`; with each, those that its policy has before it, and why they come after."""
    catalogue = roster.current()
    rows = {
        row.slug: row for row in catalogue.offering(dataset) if _ahead.get() or not row.cached_only
    }
    policy = catalogue.policies.get(dataset.name)
    strategy, turn = policy.strategy if policy else "priority", next(_turns[dataset.name])
    known = standings(rows)
    found = judged(dataset, rows, known)
    status = {candidate.name: candidate.status for candidate in found}
    wished = [candidate.name for candidate in selection.STRATEGIES[strategy](found, turn)]
    ranked = [candidate.name for candidate in selection.rank(strategy, found, turn)]
    return [
        (
            rows[name],
            [
                _excuse(rows[better], known[better], status[better])
                for better in wished[: wished.index(name)]
                if better not in ranked[:place]
            ],
        )
        for place, name in enumerate(ranked)
    ]


def _excuse(provider: Provider, standing: Standing, status: Status) -> Attempt:
    """Why it was passed over: it rests, is not well, or saves the last of its budget."""
    guard, circuit = provider.guard, standing.circuit
    if guard.phase(standing) is not Phase.OPEN:
        if put(status):
            return Attempt(provider.slug, Unwell.code, detail=f"{status} by the checks")
        return Attempt(provider.slug, OutOfTokens.code, detail="its rate budget is nearly spent")
    refusal = Blacklisted if circuit.reason is Reason.BLACKLISTED else CircuitOpen
    wait = (circuit.open_until or 0.0) - guard.clock()
    return Attempt(provider.slug, refusal.code, max(0.0, wait), detail=circuit.reason)


def judged(
    dataset: Dataset, rows: Mapping[str, Provider], known: Mapping[str, Standing]
) -> list[Candidate]:
    """What selection goes by: rows, cells, and what was measured."""
    catalogue, records, lately = roster.current(), roster.records(), roster.lately()
    moment, now = time.time(), current_time()
    found = []
    for slug, standing in known.items():
        provider = rows[slug]
        guard = provider.guard
        record = records.get(slug)
        found.append(
            Candidate(
                slug,
                priority=provider.priority,
                failures=standing.circuit.failures + standing.circuit.throttles,
                latency_s=record.latency_s if record else None,
                resting=guard.phase(standing) is Phase.OPEN,
                tokens_left=guard.tokens_left(standing),
                weight=provider.weight,
                cost=provider.cost_per_call,
                lately=lately.of(provider.pk, dataset.name, moment),
                status=catalogue.status_of(provider, now),
            )
        )
    return found


NOT_HERE = {Missing.code, Unserved.code, Unsupported.code, PlanLimit.code}


def nobody(query: Query, attempts: Sequence[Attempt]) -> GatewayError:
    """The error for a question that no provider answered."""
    rotation_log.warning("%s: nobody answered%s", query.key, _after(attempts))
    idle = "".join(f" {row} could, but {why}." for row, why in roster.idle_for(query))
    if not attempts:
        waiting = roster.current().waiting_for_a_key(query.dataset)
        if not waiting:
            return Unanswered(f"No provider of {query.dataset.name!r} is enabled.{idle}")
        attempts = [Attempt(provider.slug, NoKey.code) for provider in waiting]
        return Unanswered("Only who needs a key could answer this, and has none.", attempts)
    able = [attempt for attempt in attempts if attempt.outcome != NoKey.code]
    if able and all(attempt.outcome in NOT_HERE for attempt in able):
        return NotFound(f"No provider knows what was asked for, or offers it.{idle}", attempts)
    return Unanswered("Every provider that could answer refused or failed.", attempts)


def failed(error: GatewayError) -> list[Attempt]:
    """Who might have known, had they answered."""
    attempts: Sequence[Attempt] = getattr(error, "attempts", ())
    return [a for a in attempts if a.outcome not in (*NOT_HERE, NoKey.code)]


def reason(error: GatewayError) -> str:
    """
    Why a symbol has no price, in one word: what went wrong with the best who might have known it;
    else that somebody was asked and does not, or that nobody offers it.
    """
    if could := failed(error):
        return could[0].outcome
    outcomes = {attempt.outcome for attempt in getattr(error, "attempts", ())}
    told = (Missing.code, Unserved.code, PlanLimit.code, Unsupported.code, NoKey.code)
    return next((outcome for outcome in told if outcome in outcomes), error.code)


def _after(attempts: Sequence[Attempt]) -> str:
    if not attempts:
        return ""
    return " after " + ", ".join(f"{a.provider} ({a.outcome})" for a in attempts)
