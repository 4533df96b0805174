"""
The gateway in one verb: `answer(query)`.

A fresh answer comes off the shelf. A stale one does too, while one caller refreshes it behind the
scenes. Only when there is nothing to serve does anybody wait: one caller asks the providers, best
first, and the others wait for what it brings. When nobody answers, what we have is better than
nothing; and when we have nothing, `Unanswered` says who was asked and why each did not answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings

from aggregator import answers, asking, batching, consensus, flights, merging, moods, searching
from aggregator.afterwards import Settle, at_once
from aggregator.answers import Answer, Cached
from providers.datasets import CONSENSUS, NEWS, AssetSentimentQuery, PriceQuery, Query, SearchQuery
from providers.errors import GatewayError, Unanswered
from providers.resilience import Deadline

# Who makes one answer out of what everybody says.
MERGED: Mapping[str, Callable[[Any, Deadline], Answer]] = {
    NEWS.name: merging.ask_all,
    CONSENSUS.name: consensus.ask_all,
}


def answer(query: Query, deadline: Deadline | None = None, *, settle: Settle = at_once) -> Answer:
    """
    The answer to `query`; raises NotFound, Unanswered or BadQuery. Who asks for nothing else may
    `settle` by `afterwards.later`: then what a provider said is shelved when it is on its way.
    """
    deadline = deadline or Deadline(settings.UPSTREAM_PATIENCE_S)
    if isinstance(query, PriceQuery):
        return batching.answer(query, deadline, settle)
    now = time.time()
    known = answers.find(query)
    if known and known.is_fresh(now):
        return known.as_(Cached.HIT)
    if known:
        return known.as_(refresh_behind(query))
    found = once(query.upstream(), deadline, looked_at=now, settle=settle).narrowed(query)
    answers.board.put(found)  # where the edge finds it
    return found


def refresh_behind(query: Query) -> Cached:
    """
    Have one thread bring a newer answer. What to call the old one meanwhile: `refreshing`, or
    `stale` when the last try failed and it is too early for another.
    """
    upstream = query.upstream()
    deadline = Deadline(settings.UPSTREAM_PATIENCE_S)
    under_way = flights.behind(upstream.key, lambda: once(upstream, deadline))
    return Cached.REFRESHING if under_way else Cached.STALE


def refresh(query: Query) -> Answer:
    """Ask for `query` again whatever is shelved; a failure leaves what is shelved as it is."""
    return once(query, Deadline(settings.UPSTREAM_PATIENCE_S), anew=True)


def once(
    query: Query,
    deadline: Deadline,
    *,
    anew: bool = False,
    looked_at: float = 0.0,
    settle: Settle = at_once,
) -> Answer:
    """
    The answer to an upstream query, asked for by one caller of all processes; `anew` even when
    what is shelved is fresh. Nothing fresh was on the shelf at `looked_at`.
    """
    return flights.join(
        query.key, deadline, lambda: _claimed(query, deadline, anew, looked_at, settle)
    )


def _claimed(
    query: Query, deadline: Deadline, anew: bool, looked_at: float, settle: Settle
) -> Answer:
    began = time.time()
    while True:
        since = time.time()
        with answers.claim(query, settings.UPSTREAM_PATIENCE_S, settle) as mine:
            if mine:
                known = None if mine.lacks(looked_at) else answers.find(query)
                is_new = known and (known.fetched_at >= began or not anew)
                if known and is_new and known.is_fresh(time.time()):
                    return known.as_(Cached.COALESCED)  # it came while we were on our way
                found = _found(query, deadline)
                answers.shelve(found, settle)
                return found
        if found_elsewhere := answers.wait_for(query, deadline, since=since - 0.001):
            return found_elsewhere.as_(Cached.COALESCED)
        if not deadline.allows(0.025):
            raise Unanswered("another process is asking, and has not heard back in time")


def newest(query: Query, deadline: Deadline) -> Answer:
    """A fresh answer, waited for if need be; an old one only when nobody brings it."""
    known = answers.find(query)
    if known and known.is_fresh(time.time()):
        return known.as_(Cached.HIT)
    try:
        return once(query.upstream(), deadline).narrowed(query)
    except GatewayError as error:
        if known is None:
            raise
        return replace(known, cached=Cached.STALE, attempts=getattr(error, "attempts", ()))


def _found(query: Query, deadline: Deadline) -> Answer:
    if isinstance(query, AssetSentimentQuery):
        return moods.gather(query, deadline, newest)
    if isinstance(query, SearchQuery):
        return searching.find(query, deadline)
    if query.dataset.merged:
        return MERGED[query.dataset.name](query, deadline)
    return asking.first(query, deadline)
