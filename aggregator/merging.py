"""
Datasets that several providers answer together: each is asked, their rows are merged, and a
provider that fails is stood in for by what it last said.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from concurrent.futures import TimeoutError as Late
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from aggregator import answers, asking, fanout
from aggregator.answers import Answer, Cached, Source
from aggregator.encoding import encode
from aggregator.sentiment import Sentiment, analyze
from providers import roster
from providers.datasets import Article, NewsQuery, Query
from providers.errors import Attempt, TimedOut
from providers.models import Provider
from providers.resilience import Deadline
from providers.resilience.store import let_go
from providers.tagging import symbols_in


@dataclass(frozen=True)
class PartQuery(NewsQuery):
    """What one provider gave for a merged query: a place of its own on the shelf."""

    provider: str = ""

    def upstream(self) -> PartQuery:
        return self


def ask_all(query: Query, deadline: Deadline) -> Answer:
    """One answer out of the rows of every provider of the dataset."""
    providers = asking.candidates(query.dataset)
    futures = fanout.each(lambda provider: _part(provider, deadline), providers)
    let_go()
    parts: list[Answer] = []
    attempts: list[Attempt] = []
    for provider, future in zip(providers, futures, strict=True):
        try:
            part, failed = future.result(timeout=deadline.left() + 0.05)
        except Late:
            part, failed = answers.find(_of(provider)), [Attempt(provider.slug, TimedOut.code)]
        attempts.extend(failed)
        if part is not None:
            parts.append(part)
    if not any(part.is_fresh(time.time()) for part in parts):
        raise asking.nobody(query, attempts)  # what the shelf has is no worse than these
    return _together(query, parts, attempts)


def _of(provider: Provider) -> PartQuery:
    return PartQuery(limit=250, provider=provider.slug)


def _part(provider: Provider, deadline: Deadline) -> tuple[Answer | None, list[Attempt]]:
    query = _of(provider)
    known = answers.find(query)
    if known and known.is_fresh(time.time()):
        return known, []
    attempts: list[Attempt] = []
    fetched = asking.attempt(provider, NewsQuery(limit=250), deadline, attempts)
    if fetched is None:
        return known, attempts
    part = asking.made(query, provider, fetched, ())
    answers.shelve(part)
    return part, []


def _together(query: Query, parts: Sequence[Answer], attempts: Sequence[Attempt]) -> Answer:
    """As old as the oldest part that is fresh, and as fresh as its youngest neighbour allows."""
    newest = max(parts, key=lambda part: part.fetched_at)
    rows = merged(row for part in parts for row in part.records())
    now = time.time()
    fresh = [part.fresh_until for part in parts if part.is_fresh(now)]
    return replace(
        newest,
        query=query,
        data=encode(rows),
        rows=rows,
        source=",".join(sorted(part.source for part in parts)),
        fetched_at=min(part.fetched_at for part in parts),
        fresh_until=min(fresh, default=now),
        latency_ms=max(part.latency_ms or 0.0 for part in parts),
        attempts=tuple(attempts),
        sources=tuple(
            Source(
                part.source, part.fetched_at, round(part.latency_ms or 0.0, 1), len(part.records())
            )
            for part in parts
        ),
        cached=Cached.MISS,
    )


def merged(articles: Iterable[Article]) -> list[Any]:
    """
    Newest first; of one address, or one headline of a day, only what was published first. Each is
    tagged with the assets it speaks of, and with the mood of its headline, unless its feed has one.
    """
    known = roster.symbols()
    kept: dict[str, Article] = {}
    headlines: set[tuple[str, date]] = set()  # a column has the same headline every week
    for article in sorted(articles, key=lambda a: (a.published_at, a.id)):
        headline = " ".join(article.title.lower().split()), article.published_at.date()
        if article.id in kept or headline in headlines:
            continue
        headlines.add(headline)
        text = f"{article.title} {article.summary or ''}"
        symbols = tuple(sorted({*article.symbols, *symbols_in(text, known)}))
        tone = article.sentiment or _tone(article.title)
        kept[article.id] = article._replace(symbols=symbols, sentiment=tone)
    return sorted(kept.values(), key=lambda a: (a.published_at, a.id), reverse=True)


# A feed repeats itself from refresh to refresh, so few headlines are new. Models are not asked
# here: news must not wait for them, and their credit is small.
@lru_cache(maxsize=4000)
def _read(headline: str) -> Sentiment:
    return analyze(headline)


def _tone(headline: str) -> dict[str, Any]:
    found = _read(headline)
    return {"label": found.label, "score": found.score, "method": found.method}
