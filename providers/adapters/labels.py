"""
What a classifier's labels mean for a market. Models agree on nothing: some say `POSITIVE`, some
`Bullish`, some count stars, and `LABEL_1` is the good news of one and the bad news of another.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from enum import StrEnum

from providers.adapters.base import number, text
from providers.datasets import Classified
from providers.errors import Garbled


class Side(StrEnum):
    BULLISH = "bullish"
    NEUTRAL = "neutral"
    BEARISH = "bearish"


MEANINGS: Mapping[str, Side] = {
    **dict.fromkeys(("bullish", "positive", "pos"), Side.BULLISH),
    **dict.fromkeys(("neutral", "neu"), Side.NEUTRAL),
    **dict.fromkeys(("bearish", "negative", "neg"), Side.BEARISH),
}
# Models that number their labels; the order is on their cards, and is different for each.
NUMBERED: Mapping[str, Mapping[str, Side]] = {
    "kk08/CryptoBERT": {"label_0": Side.BEARISH, "label_1": Side.BULLISH},
}
STARS = re.compile(r"([1-5]) stars?")
MIDDLE = 3  # stars that say neither

CLEAR = Decimal("0.2")  # a head without a neutral label says nothing below this score
SLACK = Decimal("0.01")  # probabilities add up to 1, but for so much
PLACES = Decimal("0.0001")
MOST_LABELS = 10


def classified(
    labels: Iterable[tuple[object, object]], model: str, meanings: Mapping[str, str] | None = None
) -> Classified:
    """
    One row out of (label, probability) of all a model's labels; Garbled when they mean nothing
    here, or do not add up. `meanings` is what its labels mean, where somebody said so.
    """
    told = {name.casefold(): Side(side) for name, side in (meanings or {}).items()}
    chances: dict[str, Decimal] = {}
    for name, chance in labels:
        label = text(name, most=60).casefold()
        if label in chances or len(chances) == MOST_LABELS:
            raise Garbled("a label stands there twice, or very many do")
        chances[label] = _probability(chance)
    if abs(_total(chances.values()) - 1) > SLACK:
        raise Garbled("probabilities that do not add up")
    sides = {label: told.get(label) or _side(label, model) for label in chances}
    if not {Side.BULLISH, Side.BEARISH} <= set(sides.values()):
        raise Garbled("labels that tell no two sides apart")
    weight = dict.fromkeys(Side, Decimal(0))
    for label, chance in chances.items():
        weight[sides[label]] += chance
    score = _score(chances, weight)
    label, confidence = _verdict(weight, score, Side.NEUTRAL in sides.values())
    return Classified(label, _short(score), _short(confidence), model)


def _total(numbers: Iterable[Decimal]) -> Decimal:
    return sum(numbers, Decimal(0))


def _probability(value: object) -> Decimal:
    found = number(value)
    if not 0 <= found <= 1:
        raise Garbled("a probability is 0 to 1")
    return found


def _side(label: str, model: str) -> Side:
    if stars := STARS.fullmatch(label):
        count = int(stars[1])
        if count == MIDDLE:
            return Side.NEUTRAL
        return Side.BULLISH if count > MIDDLE else Side.BEARISH
    found = NUMBERED.get(model, {}).get(label) or MEANINGS.get(label)
    if found is None:
        raise Garbled("a label that means nothing here")
    return found


def _score(chances: Mapping[str, Decimal], weight: Mapping[Side, Decimal]) -> Decimal:
    """Of stars their mean, else how much likelier good news is than bad; -1 to 1."""
    if all(map(STARS.fullmatch, chances)):
        counted = _total(int(label[0]) * chance for label, chance in chances.items())
        return (counted / _total(chances.values()) - MIDDLE) / 2
    return weight[Side.BULLISH] - weight[Side.BEARISH]


def _verdict(
    weight: Mapping[Side, Decimal], score: Decimal, knows_neutral: bool
) -> tuple[Side, Decimal]:
    """The likeliest label and its probability; two sides that are about as likely are neutral."""
    if not knows_neutral and abs(score) < CLEAR:
        return Side.NEUTRAL, 1 - abs(score)
    label = max(Side, key=lambda side: (weight[side], side is Side.NEUTRAL))
    if weight[Side.BULLISH] == weight[Side.BEARISH]:
        label = Side.NEUTRAL  # as likely good news as bad
    return label, weight[label]


def _short(value: Decimal) -> Decimal:
    """Four decimals, within what a score or a probability can be."""
    return min(max(value, Decimal(-1)), Decimal(1)).quantize(PLACES)
