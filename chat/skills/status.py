"""SYSTEM_STATUS: how our sources are, what is kept, where more stands."""

from __future__ import annotations

from collections import Counter

from chat.facts import Facts, Failure, Figure, Source
from chat.masking import words
from chat.skills.base import Question
from monitoring import readings
from monitoring.readings import Reading

SOURCE = "monitoring"
MOST_NAMED = 3
NOT_OF_HEALTH = (
    r"store|keep|save|privacy|personal|delete|gdpr|remember|limits?|quota|docs?|documentation|"
    r"api|endpoint\w*|openapi|swagger"
)


def facts(asked: Question) -> Facts:
    board = readings.board()
    newest = board.newest
    source = Source(SOURCE, "health", newest.timestamp() if newest else None)
    named = [item for item in board.readings.values() if _is_named(item, asked)]
    if named:
        return _of_each(named[:MOST_NAMED])
    remarks = list(_remarks(asked))
    watched = [item for item in board.readings.values() if item.is_watched]
    if newest is None:
        failure = Failure("the health of the sources", "nothing was checked yet")
        failures = () if asked.mentions(NOT_OF_HEALTH) else (failure,)
        return Facts(failures=failures, remarks=tuple(remarks))
    counted = Counter(str(item.status) for item in watched)
    figures = [Figure("the sources", "watched", len(watched), "", source)]
    figures += [
        Figure("the sources", status.replace("_", " "), number, "", source)
        for status, number in counted.most_common()
    ]
    return Facts(tuple(figures), remarks=tuple(remarks), suggestions=("Is CoinGecko up?",))


def _is_named(item: Reading, asked: Question) -> bool:
    """By its first word: "is coingecko up" means each of its plans."""
    first = item.name.partition("_")[0]
    return len(first) > 2 and first in words(asked.text).split()


def _of_each(items: list[Reading]) -> Facts:
    remarks, figures = [], []
    for item in items:
        status = str(item.status).replace("_", " ")
        remarks.append(f"{item.name} is {status}.")
        checked, ms = item.health.checked_at, item.health.response_time_ms
        if ms is not None and checked is not None:
            source = Source(SOURCE, "health", checked.timestamp())
            figures.append(Figure(item.name, "response time", round(ms), "ms", source))
    return Facts(tuple(figures), remarks=tuple(remarks), suggestions=("How are your sources?",))


def _remarks(asked: Question) -> list[str]:
    """Sentences for what people ask about this service, by their words."""
    found = []
    if asked.mentions(r"where|sources?|data from|providers?|come from|get your"):
        found.append("Every answer names the provider it came from and how old it is.")
    if asked.mentions(r"store|keep|save|privacy|personal|log|train|delete|gdpr|remember"):
        found.append(
            "Questions are kept encrypted, without your address, and belong to your client or to "
            "a random pseudonym."
        )
    if asked.mentions(r"limits?|rate limit\w*|how often|quota|429"):
        found.append("How often you may ask stands in the X-RateLimit headers of every response.")
    if asked.mentions(r"docs?|documentation|api|endpoint\w*|openapi|swagger"):
        found.append("The API is described at /docs.")
    if asked.mentions(r"fresh|old|age|delay\w*|update\w*|real ?time|accura\w*|exact|sure|trust"):
        found.append(
            "Figures are as their provider sent them, with their age; what is stale says so."
        )
    return [*found, "All of them, with their past, are at /status."]
