"""EDUCATIONAL: what something is, out of the glossary, or as a provider describes a coin."""

from __future__ import annotations

import re

from aggregator.answers import Answer
from chat import asking, glossary
from chat.facts import Facts, Failure, Passage, Source
from chat.masking import words
from chat.skills.base import Question
from providers.datasets import CoinQuery

MOST = 2
ENOUGH = 0.4  # of what the question says, for an entry that is no name in it
NAMED = 0.9  # for an entry that is what is asked for, and nothing beside it
SHORT = 40  # characters of a question about the coin itself
ABOUT = r"what|whats|who|tell|explain|about|describe|info|information|purpose|is"
_SIDES = re.compile(r"\b(?:vs|versus|against|compared (?:to|with)|between|and|or)\b")
LONGEST = 600  # characters of a provider's description


def facts(asked: Question) -> Facts:
    found = of_sides(asked.text) or entries(asked.text)
    if found:
        return Facts(passages=found, suggestions=_suggestions(asked))
    # What a provider says of a coin answers what the coin is, and nothing else about it.
    about = asked.entities.assets[:1] if asked.mentions(ABOUT) and len(asked.said) < SHORT else ()
    for known in about:
        said = asking.one(CoinQuery(known.id), asked.deadline)
        if not isinstance(said, Answer):
            return Facts(failures=(asking.failure(f"what {known.name} is", said),))
        for coin in asking.rows(said):
            if coin.description:
                source = asked.source(said)
                text = shortened(coin.description)
                return Facts(passages=(Passage(coin.name, text, source, coin.homepage or ""),))
    return Facts(
        failures=(Failure("an explanation", "the glossary has no entry that fits"),),
        suggestions=("What is staking?", "What is a stablecoin?", "How does Bitcoin mining work?"),
    )


def entries(text: str, most: int = MOST, enough: float = ENOUGH) -> tuple[Passage, ...]:
    """Entries of the glossary that a text asks for."""
    return tuple(
        Passage(
            match.entry.term,
            match.entry.answer,
            Source("glossary", "glossary", url=match.entry.source_url),
            match.entry.source_url,
            by=match.entry.source_name,
        )
        for match in glossary.search(text, most)
        if match.score >= enough
    )


def of_sides(text: str) -> tuple[Passage, ...]:
    """Entries of what is set side by side, "proof of stake vs proof of work"; none for one."""
    sides = filter(str.strip, _SIDES.split(words(text)))
    found = tuple(dict.fromkeys(entry for side in sides for entry in entries(side, 1, NAMED)))
    return found if len(found) > 1 else ()


def shortened(text: str, most: int = LONGEST) -> str:
    """Whole sentences of it, as many as there is room for."""
    text = " ".join(text.split())
    if len(text) <= most:
        return text
    end = text.rfind(". ", 0, most)
    return text[: end + 1] if end > 0 else text[: most - 1].rsplit(" ", 1)[0] + "…"


def _suggestions(asked: Question) -> tuple[str, ...]:
    return tuple(f"Price of {known.name}" for known in asked.entities.assets[:1])
