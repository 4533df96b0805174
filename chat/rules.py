"""
Questions whose category their words settle: prices of widgets, conversions, fees, greetings.

Each rule's confidence is the share of the training questions it fires on that have its category
(tests/chat/test_rules.py measures it again). A rule that is seldom right is no rule. Pure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from chat import fits
from chat.categories import Category
from chat.entities import Entities
from chat.masking import words


class Verdict(NamedTuple):
    category: Category
    confidence: float
    rule: str


class Rule(NamedTuple):
    name: str
    category: Category
    confidence: float
    fits: Callable[[str, str, Entities], bool]  # the words, the text, what was found


RULES = (
    Rule("what it is", Category.SMALLTALK, 0.97, fits.me),
    Rule("sources", Category.SYSTEM_STATUS, 0.97, fits.sources),
    Rule("greeting", Category.SMALLTALK, 0.98, fits.greeting),
    Rule("conversion", Category.CONVERSION, 0.96, fits.conversion),
    Rule("study", Category.TECHNICAL, 0.98, fits.study),
    Rule("fear and greed", Category.SENTIMENT, 0.97, fits.fear),
    Rule("fees", Category.GAS, 0.97, fits.fees),
    Rule("headlines", Category.NEWS, 0.98, fits.headlines),
    Rule("indicator", Category.ECONOMIC_INDICATOR, 0.95, fits.indicator),
    Rule("movers", Category.MARKET_DATA, 0.98, fits.moves),
    Rule("advice", Category.ADVICE, 0.97, fits.advice),
    Rule("definition", Category.EDUCATIONAL, 0.97, fits.definition),
    Rule("comparison", Category.COMPARISON, 0.97, fits.compares),
    Rule("performance", Category.MARKET_DATA, 0.95, fits.performance),
    Rule("figures", Category.MARKET_DATA, 0.95, fits.figures),
    Rule("mood", Category.SENTIMENT, 0.97, fits.mood),
    Rule("price of then", Category.MARKET_DATA, 0.95, fits.then),
    Rule("price", Category.PRICE_QUERY, 0.97, fits.price),
    Rule("widget", Category.PRICE_QUERY, 0.97, fits.widget),
)


def judge(text: str, found: Entities) -> Verdict | None:
    """What the first rule that fits says; None when none does."""
    said = words(text)
    for rule in RULES:
        if rule.fits(said, text, found):
            return Verdict(rule.category, rule.confidence, rule.name)
    return None
