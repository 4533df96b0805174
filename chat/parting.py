"""
The parts of a question that asks several things: "btc price, eth gas and the latest news".

A part is a clause that a rule is sure of; clauses that say nothing by themselves belong to the one
before. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from chat import rules
from chat.categories import Category
from chat.entities import Entities
from chat.masking import words

MOST = 4
_CUT = re.compile(r"[,;?!\n]+|\b(?:and|also|plus|und|y|et)\b", re.IGNORECASE)

# A clause that says of something named before it what is asked: "btc price, market cap and rsi".
_ITS = re.compile(
    r"(?:(?:the|its|their|current) )*(?:market ?cap\w*|mcap|capitali[sz]ation|volume|supply|"
    r"circulating supply|rank|rsi|macd|volatility|sentiment|news)(?: of (?:it|them))?"
)
_EMPTY = frozenset(words("please pls now today right the a me too thx thanks both then").split())


class Part(NamedTuple):
    text: str
    category: Category
    entities: Entities
    confidence: float = 1.0


def parts(text: str, find: Callable[[str], Entities]) -> list[Part]:
    """Parts of at least two categories; none for a question that asks one thing."""
    found: list[Part] = []
    pieces: list[str] = []
    for clause in filter(None, (piece.strip() for piece in _CUT.split(text))):
        verdict = rules.judge(clause, find(clause))
        widget = verdict is not None and verdict.rule == "widget"
        if verdict is None and not set(words(clause).split()) <= _EMPTY:
            return []  # something else is asked that no rule is sure of
        if verdict is None or verdict.category is Category.SMALLTALK:
            continue
        if found and (widget or found[-1].category is verdict.category):
            pieces[-1] = f"{pieces[-1]}, {clause}"
            sure = min(found[-1].confidence, verdict.confidence)
            found[-1] = Part(pieces[-1], found[-1].category, find(pieces[-1]), sure)
        else:
            pieces.append(clause)
            found.append(Part(clause, verdict.category, find(clause), verdict.confidence))
    if len({part.category for part in found}) < 2:
        return []
    return [_of_those_before(found, place) for place in range(len(found[:MOST]))]


def _of_those_before(found: list[Part], place: int) -> Part:
    part = found[place]
    if part.entities.assets or not _ITS.fullmatch(words(part.text)):
        return part
    named = [other.entities.assets for other in found[:place] if other.entities.assets]
    if not named:
        return part
    return part._replace(entities=replace(part.entities, assets=named[-1]))
