"""
How words make a headline good news or bad: rules after VADER (Hutto and Gilbert, 2014), with one of
our own. In markets a word that moves says nothing until one knows what moves: falling prices are
bad, falling inflation is good. So a mover takes its sign from the thing it moves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import sqrt

from aggregator.sentiment.lexicon import Kind, Lexicon, Word

# Tuned on tests/aggregator/sentiment/tuning.tsv alone. Distances are in tokens.
REACH = 7  # between a mover and what it moves
REACH_BEHIND = 4  # the same, where it stands behind the mover
REACH_OF_NOT = 3  # between a "not" and what it turns
HEADSTART = 1.5  # so much nearer is what stands behind a word
NOT = -0.7  # "not good" is less bad than "bad"
MORE, LESS = 1.4, 0.7
OF_THE_THING = 0.5  # what a mover takes over of the strength of what it moves
BEFORE_BUT, AFTER_BUT = 0.4, 1.4
CONCEDED = 0.1  # "despite the hack"
ASKED = FLAT = 0.15  # what is asserted of a question, and of what is yet to happen
NORM = 8.0  # of x / sqrt(x*x + NORM), which keeps a score within -1 and 1

MOVERS: Mapping[Kind, float] = {Kind.UP: 1.0, Kind.DOWN: -1.0}
EVENTS: Mapping[Kind, float] = {Kind.GOOD: 1.0, Kind.BAD: -1.0}
MEASURES: Mapping[Kind, float] = {Kind.STRAIGHT: 1.0, Kind.INVERSE: -1.0}
THINGS = {**EVENTS, **MEASURES}
SIGNS = {**MOVERS, **THINGS}
BAD_SIGNS = {kind: sign for kind, sign in SIGNS.items() if sign < 0}
HEALERS = (Kind.UNDO, Kind.HEAL)
MODIFIERS = {Kind.NOT: NOT, Kind.MORE: MORE, Kind.LESS: LESS}
BREAKS = (Kind.BREAK, Kind.CONTRAST, Kind.CONCEDE)

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


@dataclass
class Hit:
    """
    The word of this `number` in its clause, the `place` of its token in the text, by how much it is
    changed, and whether another word has told what it has to say.
    """

    number: int
    place: int
    word: Word
    factor: float = 1.0
    told: bool = False


def score(text: str, lexicon: Lexicon) -> float:
    """
    From -1 (bad news) to 1 (good news); 0 where the lexicon finds neither. Of several sentences,
    the mean of those that say something.
    """
    scores = [_score(sentence, lexicon) for sentence in _SENTENCE.split(text)]
    telling = [one for one in scores if one]
    return sum(telling) / len(telling) if telling else 0.0


def _score(sentence: str, lexicon: Lexicon) -> float:
    found = list(lexicon.words(sentence))
    kinds = {word.kind for place, word in found if word.kind is not Kind.OPENING or place == 0}
    total = sum(weight * _value(hits) for weight, hits in _clauses(found))
    if kinds & {Kind.ASK, Kind.OPENING}:
        total *= ASKED
    if Kind.FLAT in kinds:
        total *= FLAT
    return total / sqrt(total * total + NORM)


def _clauses(found: Sequence[tuple[int, Word]]) -> Iterator[tuple[float, list[Hit]]]:
    """The parts between breaks with their weights: a "but" favours what follows it."""
    but = max((n for n, (_, word) in enumerate(found) if word.kind is Kind.CONTRAST), default=-1)
    side = 1.0 if but < 0 else BEFORE_BUT
    weight, hits = side, list[Hit]()
    for number, (place, word) in enumerate(found):
        if word.kind not in BREAKS:
            hits.append(Hit(len(hits), place, word))
            continue
        yield weight, hits
        if number == but:
            side = AFTER_BUT
        weight, hits = side * (CONCEDED if word.kind is Kind.CONCEDE else word.strength), []
    yield weight, hits


def _value(hits: list[Hit]) -> float:
    """Of one clause. What takes something back goes first, as it may take back a mover."""
    _modify(hits)
    total = sum(_undone(hit, hits) for hit in hits if hit.word.kind in HEALERS)
    for hit in hits:
        if hit.word.kind in MOVERS and not hit.told:
            total += _moved(hit, hits)
    left = (hit for hit in hits if hit.word.kind in EVENTS and not hit.told)
    return total + sum(EVENTS[hit.word.kind] * hit.factor * hit.word.strength for hit in left)


def _modify(hits: list[Hit]) -> None:
    for hit in hits:
        if hit.word.kind in MODIFIERS and (target := _modified(hit, hits)):
            target.factor *= MODIFIERS[hit.word.kind]


def _modified(hit: Hit, hits: list[Hit]) -> Hit | None:
    """The mover before an adverb (rises sharply), else the next hit that has a value."""
    before = hits[hit.number - 1] if hit.number else hit
    is_adverb = hit.word.kind is not Kind.NOT and before.place == hit.place - 1
    if is_adverb and before.word.kind in MOVERS:
        return before
    for later in hits[hit.number + 1 : hit.number + 1 + REACH_OF_NOT]:
        if later.place - hit.place > REACH_OF_NOT:
            return None
        if later.word.kind in SIGNS or later.word.kind in HEALERS:
            return later
    return None


def _undone(hit: Hit, hits: list[Hit]) -> float:
    """The opposite of what is undone; where nothing is, what the word says alone."""
    signs = BAD_SIGNS if hit.word.kind is Kind.HEAL else SIGNS
    thing = _nearest(hit, hits, lambda other: other.word.kind in signs)
    if thing is None:
        return hit.factor * hit.word.strength
    sign = signs[thing.word.kind]
    for other in _around(hit, hits):
        if signs.get(other.word.kind) == sign:
            other.told = True
    weight = max(1.0, abs(hit.word.strength)) + OF_THE_THING * thing.word.strength
    return -sign * hit.factor * thing.factor * weight


def _moved(mover: Hit, hits: list[Hit]) -> float:
    """What a mover says of what it moves, or alone."""
    mover.told = True
    direction, strength = MOVERS[mover.word.kind], mover.word.strength
    thing = _nearest(mover, hits, _movable(mover, hits))
    if thing is None:
        return direction * mover.factor * strength
    thing.told = True
    for other in _around(thing, hits):  # a compound is one thing: hack fears, loan losses
        if other.word.kind in THINGS and abs(other.place - thing.place) <= 1:
            other.told = True
    weight = strength + OF_THE_THING * thing.word.strength
    return THINGS[thing.word.kind] * direction * mover.factor * thing.factor * weight


def _movable(mover: Hit, hits: list[Hit]) -> Callable[[Hit], bool]:
    """
    What stands before a mover moves (inflation falls), unless the mover has an object: then what
    stands behind it (cuts rates), and measures also before it (guidance was cut). Without an
    object, what is behind moves after "in" (a fall in demand), and measures at once (rising costs).
    """
    joined = any(
        hit.word.kind is Kind.OF and hit.place == mover.place + 1 for hit in _around(mover, hits)
    )

    def fits(other: Hit) -> bool:
        ahead = other.place - mover.place
        if other.word.kind not in THINGS or ahead > REACH_BEHIND:
            return False
        if other.word.kind in MEASURES:
            return ahead <= 1 or joined or mover.word.has_object
        return (ahead > 0) == mover.word.has_object or (ahead > 0 and joined)

    return fits


def _nearest(hit: Hit, hits: list[Hit], fits: Callable[[Hit], bool]) -> Hit | None:
    fitting = filter(fits, _around(hit, hits))
    return min(fitting, key=lambda other: _distance(hit, other), default=None)


def _around(hit: Hit, hits: list[Hit]) -> Iterator[Hit]:
    """The others within reach. Every hit is a token at least, so that few need to be looked at."""
    for other in hits[max(0, hit.number - REACH) : hit.number + REACH + 1]:
        if other is not hit and abs(other.place - hit.place) <= REACH:
            yield other


def _distance(hit: Hit, other: Hit) -> float:
    """What stands behind a verb is rather meant than what stands before it."""
    ahead = other.place - hit.place
    return ahead - HEADSTART if ahead > 0 else -ahead
