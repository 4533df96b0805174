"""NEWS: what was published, the newest first."""

from __future__ import annotations

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Passage
from chat.skills.base import Question
from providers.datasets import NewsQuery, Query

MOST = 5


def facts(asked: Question) -> Facts:
    period, assets = asked.entities.period, asked.entities.assets[:3]
    since = None
    if period is not None:  # by the hour, so that those who ask the same share an answer
        since = period.start.replace(minute=0, second=0, microsecond=0)
    queries: list[Query] = [
        NewsQuery(symbol=known.key, since=since, limit=MOST) for known in assets
    ]
    names = [f"news about {known.name}" for known in assets]
    if not queries:
        queries, names = [NewsQuery(since=since, limit=MOST)], ["the news"]
    passages: list[Passage] = []
    failures = []
    for name, said in zip(names, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(name, said))
            continue
        source, rows = asked.source(said), asking.rows(said)
        passages += [
            Passage(row.title, "", source, row.url, row.published_at, row.source) for row in rows
        ]
        if not rows:
            failures.append(Failure(name, "none of the feeds has any"))
    suggestions = [f"Sentiment of {known.name}" for known in assets[:1]]
    return Facts(
        passages=tuple(passages),
        failures=tuple(failures),
        suggestions=(*suggestions, "Fear and greed index"),
    )
