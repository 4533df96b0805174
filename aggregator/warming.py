"""Keep the most asked answers fresh before anybody has to wait for them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django.conf import settings

from aggregator import answers, asking, batching, demand, gateway
from aggregator.answers import Answer
from providers import purposes, roster
from providers.datasets import CONSENSUS, PriceQuery, Query
from providers.errors import GatewayError
from providers.resilience import Deadline

logger = logging.getLogger(__name__)

MOST = 40  # questions of one round
AHEAD_S = 20.0  # an answer that goes stale sooner than this is refreshed now
TIME_S = 45.0  # of one round: less than a task may take


def warm(clock: Callable[[], float] = time.time) -> tuple[int, int]:
    """Refresh what is asked often and about to go stale: how many were, and how many failed."""
    deadline = Deadline(TIME_S)
    done = failed = 0
    for query in _upstream(demand.most_asked(MOST)):
        if not deadline.left():
            break
        due = _due(query, clock())
        if due is None:
            continue
        try:
            with asking.ahead_of_visitors(), purposes.serving("warming"):
                _refresh(due)
            done += 1
        except GatewayError as error:
            logger.info("%s: not warmed: %s", query.key, error)
            failed += 1
    return done, failed


def _due(query: Query, now: float) -> Query | None:
    """What of a question is to be asked again now; of prices, only those that are due."""
    if isinstance(query, PriceQuery):
        singles = answers.find_many([query.of(symbol) for symbol in query.symbols])
        pairs = zip(query.symbols, singles, strict=True)
        symbols = [symbol for symbol, known in pairs if known is None or _is_due(known, now)]
        return query.of(*symbols) if symbols else None
    known = answers.find(query)
    return query if known is None or _is_due(known, now) else None


def _is_due(known: Answer, now: float) -> bool:
    """
    Short-lived answers (gas: 15 s) are left to their readers; a minute's are kept warm, but never
    before their provider may be asked again.
    """
    least = {row.slug: row.min_fresh_s for row in roster.current().providers}
    may_ask_at = known.fetched_at + max(least.get(slug, 0.0) for slug in known.source.split(","))
    lifetime = known.fresh_until - known.fetched_at
    return lifetime > AHEAD_S and now >= max(known.fresh_until - AHEAD_S, may_ask_at)


def _refresh(query: Query) -> None:
    if not isinstance(query, PriceQuery):
        gateway.refresh(query)
        return
    found = batching.ask(query, Deadline(settings.UPSTREAM_PATIENCE_S))
    errors = [error for error in found.values() if isinstance(error, GatewayError)]
    if len(errors) == len(found):
        raise errors[0]


def _upstream(queries: list[Query]) -> list[Query]:
    """Upstream questions, each once; all prices of a currency in one."""
    prices: dict[str, list[str]] = {}
    others: dict[str, Query] = {}
    for query in queries:
        if query.dataset is CONSENSUS:
            continue  # it costs a call of everybody: only for those who are there to read it
        if isinstance(query, PriceQuery):
            prices.setdefault(query.currency, []).extend(query.symbols)
        else:
            others[query.upstream().key] = query.upstream()
    batches = [
        PriceQuery(tuple(dict.fromkeys(symbols))[:100], currency)
        for currency, symbols in prices.items()
    ]
    return [*others.values(), *batches]
