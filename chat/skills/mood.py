"""SENTIMENT: fear and greed, and what voters and the news make of an asset."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Figure, Source
from chat.skills.base import Question
from providers.datasets import AssetSentimentQuery, SentimentQuery

INDEX = "the fear and greed index"
MOST_DAYS = 365
DAY = timedelta(days=1)


def facts(asked: Question) -> Facts:
    assets = asked.entities.assets[:3]
    if not assets or asked.mentions(r"fear|greed|index|fng|f g"):
        return fear_and_greed(asked)
    figures: list[Figure] = []
    failures = []
    queries = [AssetSentimentQuery(known.key) for known in assets]
    for known, said in zip(assets, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"the sentiment of {known.name}", said))
            continue
        for row in asking.rows(said):
            figures += _of_asset(known.name, row, asked)
    if assets and not figures and not failures:
        failures.append(Failure("the sentiment", "neither votes nor news say anything"))
    return Facts(tuple(figures), failures=tuple(failures), suggestions=("Fear and greed index",))


def _of_asset(name: str, row: object, asked: Question) -> list[Figure]:
    found: list[Figure] = []
    votes, news = getattr(row, "votes", None), getattr(row, "news", None)
    if votes is not None and votes.up_percent is not None:
        source = Source(votes.source, "coin", votes.fetched_at.timestamp())
        found.append(Figure(name, "votes that it will rise", votes.up_percent, "%", source))
    if news is not None and news.articles:
        source = Source("news", "news", news.fetched_at.timestamp())
        for label in ("bullish", "neutral", "bearish"):
            found.append(Figure(name, f"{label} articles", getattr(news, label), "", source))
        if isinstance(news.score, Decimal):
            found.append(
                Figure(name, "mean tone of the news, from -1 to 1", news.score, "", source)
            )
    return found


def fear_and_greed(asked: Question) -> Facts:
    period = asked.entities.period
    days = min(period.days(asked.now), MOST_DAYS) if period else 1
    [said] = asking.ask([SentimentQuery(days=days)], asked.deadline)
    if not isinstance(said, Answer):
        return Facts(failures=(asking.failure(INDEX, said),))
    source = asked.source(said)
    # The newest first. Of a time that is over, what was then; else how it is now, too.
    rows = [
        row
        for row in asking.rows(said)
        if period is None or row.time >= period.start - DAY
        if period is None or period.end is None or period.start <= row.time < period.end
    ]
    if not rows:
        return Facts(failures=(Failure(INDEX, f"{source.provider} has none of that time"),))
    figures = [Figure(INDEX, "value", row.value, "of 100", source, row.time) for row in rows[:1]]
    if len(rows) > 1:
        last = rows[-1]
        figures.append(Figure(INDEX, "value", last.value, "of 100", source, last.time))
    remarks = tuple(f"That is called {row.classification.lower()}." for row in rows[:1])
    return Facts(tuple(figures), remarks=remarks, suggestions=("Sentiment of Bitcoin",))
