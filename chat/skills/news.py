"""NEWS: what was published, the newest first, and of that what names the question's subject."""

from __future__ import annotations

from datetime import datetime

from aggregator.answers import Answer
from chat import asking, cues
from chat.facts import Facts, Failure, Passage
from chat.glossary import ASKING
from chat.masking import words
from chat.names import names
from chat.skills import moves
from chat.skills.base import Question
from providers.datasets import NewsQuery, Query

MOST = 5
SHORTEST = 4  # letters of a word that tells what the news should be about
_OF_NEWS = frozenset(
    words(
        "news newest latest recent headline headlines happened happening happen today todays "
        "yesterday week month past last year there going tell show give brief summary update "
        "updates crypto cryptocurrency coin coins token market markets anything something story "
        "stories top breaking about price prices moved moving fall fell falling rise rose rising "
        "down drop dropped pump dump were been more most much many since when next announced "
        "announce announcement events event what which right hour hours days"
    ).split()
)


def facts(asked: Question) -> Facts:
    if moves.asks(asked):
        when = moves.span(asked)
        return moves.facts(asked) + headlines(asked, when.start, when.end, narrow=False)
    period = asked.entities.period
    return headlines(asked, period.start, period.end) if period else headlines(asked)


def headlines(
    asked: Question,
    start: datetime | None = None,
    end: datetime | None = None,
    *,
    narrow: bool = True,
) -> Facts:
    """Of that time, and of those, where it is to be `narrow`, the ones that name what is asked."""
    assets = asked.entities.assets[:3]
    # By the hour, so that those who ask the same share an answer.
    since = start.replace(minute=0, second=0, microsecond=0) if start else None
    queries: list[Query] = [NewsQuery(symbol=known.key, since=since, limit=250) for known in assets]
    titles = [f"news about {known.name}" for known in assets]
    if not queries:
        queries, titles = [NewsQuery(since=since, limit=250)], ["the news"]
    passages: list[Passage] = []
    failures, remarks = list(asked.strangers("news")), []
    subjects = _subjects(asked) if narrow else set()
    for title, said in zip(titles, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(title, said))
            continue
        source = asked.source(said)
        rows = [row for row in asking.rows(said) if end is None or row.published_at < end]
        if not rows:
            of_then = (
                "none of the feeds has any of that time" if start else "none of the feeds has any"
            )
            failures.append(Failure(title, of_then))
        fitting = [row for row in rows if subjects & set(words(row.title).split())]
        if subjects and rows and not fitting:
            remarks.append(
                f"No headline names what you asked about: here is the newest of {title}."
            )
        passages += [
            Passage(row.title, "", source, row.url, row.published_at, row.source)
            for row in (fitting or rows)[:MOST]
        ]
    suggestions = [f"Sentiment of {known.name}" for known in assets[:1]]
    return Facts(
        passages=tuple(passages),
        failures=tuple(failures),
        remarks=tuple(remarks),
        suggestions=(*suggestions, "Fear and greed index"),
    )


_OF_ASKING = frozenset(("news", "today", "past", "what is"))  # cues of it, in any language


def _subjects(asked: Question) -> set[str]:
    """Words that say what the news should be about, besides the assets it names."""
    of_assets = {w for a in asked.entities.assets for w in words(f"{a.name} {a.key}").split()}
    of_assets |= {words(written) for written, _ in asked.entities.typos}
    period = asked.entities.period
    of_assets |= set(words(period.words).split()) if period else set()
    common = ASKING | _OF_NEWS | of_assets | names().plain | set(names().assets)
    said = {w for w in asked.said.split() if len(w) >= SHORTEST and w not in common}
    return {w for w in said if not _OF_ASKING & set(cues.cues(w))}
