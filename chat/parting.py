"""
The parts of a question that asks several things: "btc price, eth gas and the latest news".

A part is a clause that a rule is sure of; clauses that say nothing by themselves belong to the one
before. What is none of ours is left out: "price of btc and who wins the election". Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from chat import rules
from chat.categories import Category
from chat.entities import Entities
from chat.following import is_bare, rest
from chat.masking import words

MOST, MOST_CLAUSES = 6, 30
TOO_MANY = "I answer six things at once"
_CUT = re.compile(
    r"[,;?!\n]+|\.(?=\s)|\s&\s|\b(?<!fear )(?<!head )(?<!cup )(?:and|also|plus|und|y|et)\b",
    re.IGNORECASE,
)
SHORTEST = 2  # words of what is left out: one word may belong to the clause before

Find = Callable[[str], Entities]
Foreign = Callable[[str], str]  # why a clause is none of ours, "" where it may be

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


class Parted(NamedTuple):
    """`left` are texts that are not answered, each with the reason."""

    parts: list[Part]
    left: list[tuple[str, str]]


NONE = Parted([], [])


def parts(text: str, find: Find, foreign: Foreign = lambda clause: "") -> Parted:
    """What a question asks, if it asks several things, or something and what is none of ours."""
    cut, clauses = _Cut(text, find, foreign), list(_clauses(text))
    if len(clauses) > MOST_CLAUSES or not all(cut.takes(*clause) for clause in clauses):
        return NONE
    if not cut.found or (len(cut.found) < 2 and not cut.left):
        return NONE
    first = [_of_those_before(cut.found, place) for place in range(len(cut.found[:MOST]))]
    more = [(part.text, TOO_MANY) for part in cut.found[MOST:]]
    return Parted(first, [(text[a:b], why) for a, b, why in cut.left] + more)


def _clauses(text: str) -> Iterator[tuple[int, int]]:
    """Where they stand, without the spaces around them."""
    begin = 0
    for start, end in [*(m.span() for m in _CUT.finditer(text)), (len(text), len(text))]:
        clause = text[begin:start]
        if clause.strip():
            yield begin + len(clause) - len(clause.lstrip()), begin + len(clause.rstrip())
        begin = end


@dataclass
class _Cut:
    """What was found so far, clause by clause."""

    text: str
    find: Find
    foreign: Foreign
    found: list[Part] = field(default_factory=list)
    left: list[tuple[int, int, str]] = field(default_factory=list)
    _was_left: bool = False  # the clause before
    _asked: set[str] = field(default_factory=set)  # by clauses of the last part, without names

    def takes(self, start: int, end: int) -> bool:
        """False for a clause that no rule is sure of, and that is not none of ours."""
        clause = self.text[start:end]
        verdict = rules.judge(clause, self.find(clause))
        is_widget = verdict is not None and verdict.rule == "widget"
        if verdict is None or (is_widget and self._was_left):  # "bread and btc" is no price
            return set(words(clause).split()) <= _EMPTY or self._leaves(start, end)
        self._was_left = False
        if verdict.category is not Category.SMALLTALK:
            self._add(
                Part(clause, verdict.category, self.find(clause), verdict.confidence), is_widget
            )
        return True

    def _leaves(self, start: int, end: int) -> bool:
        why = self.foreign(self.text[start:end])
        if self._was_left:
            start, _, why = self.left.pop()
        self._was_left = bool(why) and len(words(self.text[start:end]).split()) >= SHORTEST
        if self._was_left:
            self.left.append((start, end, why))
        return self._was_left

    def _add(self, part: Part, is_widget: bool) -> None:
        before = self.found[-1] if self.found else None
        joins = before is not None and (is_widget or before.category is part.category)
        said = rest(part.text, part.entities)
        if before is None or not joins or (not is_widget and self._is_whole(part, said)):
            self.found.append(part)
            self._asked = {said}
            return
        self._asked.add(said)
        text = f"{before.text}, {part.text}"
        sure = min(before.confidence, part.confidence)
        self.found[-1] = Part(text, before.category, self.find(text), sure)

    def _is_whole(self, part: Part, said: str) -> bool:
        """Does it ask something else than the part before, of something that it names itself?"""
        before = self.found[-1]
        names_it = bool(part.entities.assets or part.entities.series)
        return names_it and said not in self._asked and not is_bare(before.text, before.entities)


def _of_those_before(found: Sequence[Part], place: int) -> Part:
    part = found[place]
    if part.entities.assets or not _ITS.fullmatch(words(part.text)):
        return part
    named = [other.entities.assets for other in found[:place] if other.entities.assets]
    if not named:
        return part
    return part._replace(entities=replace(part.entities, assets=named[-1]))
