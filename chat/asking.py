"""
What the gateway says to several questions at once; errors come back as values.

Each is asked as a visitor would ask it, and noted like one, so that what people ask here is kept
fresh too.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import TimeoutError as Late
from functools import lru_cache
from typing import Any

from aggregator import answers, demand, fanout, gateway
from aggregator.answers import Answer
from chat.facts import Failure, Source
from providers.datasets import PriceQuery, Query
from providers.errors import GatewayError, NotFound, Unanswered
from providers.resilience import Deadline
from providers.resilience.store import let_go

Said = Answer | GatewayError


def ask(queries: Sequence[Query], deadline: Deadline) -> list[Said]:
    """What each of the queries brought, in their order; the first in this thread."""
    if not queries:
        return []
    first, *others = queries
    futures = fanout.aside(lambda query: one(query, deadline), others)
    found = [one(first, deadline)]
    if futures:
        let_go()
    for future in futures:
        try:
            found.append(future.result(timeout=deadline.left() + 0.05))
        except Late:
            future.cancel()
            found.append(Unanswered("no answer in time"))
    return found


def one(query: Query, deadline: Deadline) -> Said:
    demand.note(query)
    try:
        return gateway.answer(query, deadline)
    except GatewayError as error:
        return error


def prices(keys: Sequence[str], currency: str, deadline: Deadline) -> dict[str, Said]:
    """The price of each key by itself, so that each has its own source; asked for in one call."""
    query = PriceQuery(tuple(keys), currency)
    together = one(query, deadline)
    if isinstance(together, GatewayError):
        return dict.fromkeys(keys, together)
    singles = answers.find_many([query.of(key) for key in keys])
    reasons = {lack.get("symbol", ""): lack.get("reason", "") for lack in together.missing}
    return {
        key: single if single is not None else NotFound(reasons.get(key, "no provider has it"))
        for key, single in zip(keys, singles, strict=True)
    }


def rows(answer: Answer) -> Sequence[Any]:
    """An answer's records; read once, however often it is asked for."""
    return _rows(answer.query, answer.fetched_at, answer.data)


@lru_cache(maxsize=64)
def _rows(query: Query, fetched_at: float, data: bytes) -> Sequence[Any]:
    return tuple(Answer(query, data, "", fetched_at, 0.0, 0.0).records())


def source_of(answer: Answer, now: float) -> Source:
    return Source(
        answer.source, answer.query.dataset.name, answer.fetched_at, not answer.is_fresh(now)
    )


def failure(part: str, error: GatewayError) -> Failure:
    """A failed part in words that tell people what happened, and nothing of the inside."""
    if isinstance(error, NotFound):
        return Failure(part, "no provider has it")
    if isinstance(error, Unanswered):
        return Failure(part, "no provider could answer just now")
    return Failure(part, error.title.lower())
