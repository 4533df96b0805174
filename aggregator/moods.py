"""
The mood about one asset: what voters say and what the news say, each from where it is known.

Both halves are answers of their own with shelves of their own; one that cannot be had is null, and
named, and the other is served.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import TimeoutError as Late
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aggregator import fanout
from aggregator.answers import Answer, Cached, Source
from aggregator.encoding import encode
from providers.datasets import (
    Article,
    AssetSentiment,
    AssetSentimentQuery,
    Coin,
    CoinQuery,
    Headline,
    NewsMood,
    NewsQuery,
    Query,
    Votes,
)
from providers.errors import Attempt, GatewayError, NotFound, Unanswered
from providers.resilience import Deadline
from providers.resilience.store import let_go

Ask = Callable[[Query, Deadline], Answer]
Half = Answer | GatewayError

MOST_ARTICLES = 250
NEWEST = 5  # articles that are named
AGAIN_S = 30.0  # an answer that lacks a half is fresh for no longer
PLACES = Decimal("0.001")  # of a mean score, as many as the scores have


def gather(query: AssetSentimentQuery, deadline: Deadline, ask: Ask) -> Answer:
    """Both halves at once; raises when neither can be had."""
    coin = fanout.submit(lambda: _half(CoinQuery(query.symbol), deadline, ask))
    news = _half(NewsQuery(symbol=query.symbol, limit=MOST_ARTICLES), deadline, ask)
    let_go()
    try:
        votes = coin.result(timeout=deadline.left() + 0.05)
    except Late:
        votes = Unanswered("nobody told the votes in time")
    return together(query, votes, news)


def _half(query: Query, deadline: Deadline, ask: Ask) -> Half:
    try:
        return ask(query, deadline)
    except GatewayError as error:
        return error


def together(query: AssetSentimentQuery, votes: Half, news: Half) -> Answer:
    """One answer of the halves there are: as old as the older, and as fresh as the first to go."""
    halves = [half for half in (votes, news) if isinstance(half, Answer)]
    attempts = [attempt for half in (votes, news) for attempt in _attempts(half)]
    if not halves:
        raise Unanswered("Neither votes nor news of it can be had.", attempts)
    now = time.time()
    fresh_until = min(half.fresh_until for half in halves)
    if any(_may_come_back(half) for half in (votes, news)):
        fresh_until = min(fresh_until, now + AGAIN_S)
    row = AssetSentiment(
        symbol=query.symbol,
        votes=_votes(votes) if isinstance(votes, Answer) else None,
        news=_news(news) if isinstance(news, Answer) else None,
    )
    return Answer(
        query=query,
        data=encode([row]),
        source=",".join(dict.fromkeys(name for h in halves for name in h.source.split(","))),
        fetched_at=min(half.fetched_at for half in halves),
        fresh_until=fresh_until,
        stale_until=fresh_until + query.stale_s,
        latency_ms=max(half.latency_ms or 0.0 for half in halves),
        attempts=tuple(attempts),
        sources=tuple(source for half in halves for source in _sources(half)),
        missing=tuple(
            {"symbol": query.symbol, "part": name, "reason": half.code}
            for name, half in (("votes", votes), ("news", news))
            if isinstance(half, GatewayError)
        ),
        cached=Cached.MISS,
        rows=[row],
    )


def _attempts(half: Half) -> Sequence[Attempt]:
    found: Sequence[Attempt] = getattr(half, "attempts", ())
    return found


def _may_come_back(half: Half) -> bool:
    """Is it missing although somebody may have it?"""
    return isinstance(half, GatewayError) and not isinstance(half, NotFound)


def _sources(half: Answer) -> Sequence[Source]:
    latency_ms = round(half.latency_ms or 0.0, 1)
    return half.sources or (Source(half.source, half.fetched_at, latency_ms, len(half.records())),)


def _votes(answer: Answer) -> Votes | None:
    """None of a provider that counts no votes."""
    coin: Coin | None = next(iter(answer.records()), None)
    if coin is None or coin.votes_up_percent is coin.votes_down_percent is None:
        return None
    at = _moment(answer.fetched_at)
    return Votes(coin.votes_up_percent, coin.votes_down_percent, answer.source, at)


def _news(answer: Answer) -> NewsMood:
    return mood_of(answer.records(), _moment(answer.fetched_at))


def mood_of(articles: Sequence[Article], fetched_at: datetime) -> NewsMood:
    """Of articles, newest first; those whose mood nobody read do not count."""
    told = [(article, article.sentiment) for article in articles if article.sentiment]
    scores = [_exact(tone["score"]) for _, tone in told]
    labels = Counter(tone["label"] for _, tone in told)
    methods = Counter(tone["method"] for _, tone in told)
    return NewsMood(
        articles=len(told),
        bullish=labels["bullish"],
        neutral=labels["neutral"],
        bearish=labels["bearish"],
        score=(sum(scores, Decimal(0)) / len(scores)).quantize(PLACES) if scores else None,
        methods=dict(sorted(methods.items())),
        since=min((article.published_at for article, _ in told), default=None),
        newest=tuple(_headline(article, tone) for article, tone in told[:NEWEST]),
        fetched_at=fetched_at,
    )


def _headline(article: Article, tone: dict[str, Any]) -> Headline:
    return Headline(
        id=article.id,
        title=article.title,
        url=article.url,
        source=article.source,
        published_at=article.published_at,
        label=tone["label"],
        score=_exact(tone["score"]),
        method=tone["method"],
    )


def _exact(score: Any) -> Decimal:
    """A score by its shortest digits, whether it was worked out here or read off the shelf."""
    return Decimal(repr(score)) if isinstance(score, float) else Decimal(score)


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
