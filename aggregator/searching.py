"""
A search over everything: a provider finds coins, and what is no coin is found among our own assets.

A share or an index comes first where the words are its id, symbol or name, else after the coins.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from operator import itemgetter

from aggregator import asking
from aggregator.answers import Answer, Cached, Source
from aggregator.encoding import encode
from providers import roster
from providers.assets import Asset, Kind
from providers.datasets import SearchHit, SearchQuery
from providers.errors import GatewayError, NotFound
from providers.resilience import Deadline

OURS = "catalogue"  # the source of what we know ourselves
AGAIN_S = 60.0  # what we know ourselves is cheap, and an administrator may add to it


def find(query: SearchQuery, deadline: Deadline) -> Answer:
    """The hits of one provider and ours; raises when nobody answers and we know nothing either."""
    exact, rest = hits(query, roster.others().items())
    ours = [*exact, *rest]
    if query.kind not in ("", Kind.CRYPTO):
        return _ours(query, ours)
    try:
        coins = asking.first(query, deadline)
    except GatewayError as error:
        if not ours:
            raise
        return _without_coins(_ours(query, ours), error)
    if not ours:
        return coins
    rows = [*exact, *coins.records(), *rest]
    latency_ms = round(coins.latency_ms or 0.0, 1)
    return replace(
        coins,
        data=encode(rows),
        rows=rows,
        source=f"{OURS},{coins.source}",
        sources=(
            Source(OURS, coins.fetched_at, 0.0, len(ours)),
            Source(coins.source, coins.fetched_at, latency_ms, len(coins.records())),
        ),
    )


def _ours(query: SearchQuery, rows: list[SearchHit]) -> Answer:
    now = time.time()
    return Answer(
        query=query,
        data=encode(rows),
        source=OURS,
        fetched_at=now,
        fresh_until=now + AGAIN_S,
        stale_until=now + AGAIN_S + query.stale_s,
        latency_ms=0.0,
        cached=Cached.MISS,
        rows=rows,
    )


def _without_coins(answer: Answer, error: GatewayError) -> Answer:
    """Nobody told the coins; that nobody has any is no lack."""
    attempts = tuple(getattr(error, "attempts", ()))
    lack = {"symbol": "", "part": "coins", "reason": error.code}
    missing = () if isinstance(error, NotFound) else (lack,)
    return replace(answer, attempts=attempts, missing=missing)


# -- Pure ------------------------------------------------------------------------------------


def hits(
    query: SearchQuery, assets: Iterable[tuple[str, Asset]]
) -> tuple[list[SearchHit], list[SearchHit]]:
    """
    Those of `assets` (what queries call them -> asset) whose id, symbol or name is what is
    searched, in this order; and those of which one of these, or a word of the name, begins with it.
    """
    exact: list[tuple[int, SearchHit]] = []
    rest: list[SearchHit] = []
    for key, asset in assets:
        if query.kind not in ("", asset.kind):
            continue
        name = asset.name.lower()
        whole = (asset.slug.lower(), asset.symbol.lower(), name)
        hit = SearchHit(asset.slug, key, asset.name, None, asset.kind)
        if query.q in whole:
            exact.append((whole.index(query.q), hit))
        elif any(word.startswith(query.q) for word in (*whole, *name.split())):
            rest.append(hit)
    return [hit for _, hit in sorted(exact, key=itemgetter(0))], rest
