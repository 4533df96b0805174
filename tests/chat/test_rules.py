"""Rules are as sure as they are right on the training questions. The held-out ones are not read."""

from __future__ import annotations

from collections import Counter

import pytest

from chat import questions, rules
from chat.categories import Category
from chat.parting import parts
from tests.chat.finding import find

SLACK = 0.02


def judged(text: str) -> str | None:
    verdict = rules.judge(text, find(text))
    return verdict.category if verdict else None


@pytest.mark.slow
def test_a_rule_is_as_right_as_it_says() -> None:
    fired: Counter[str] = Counter()
    right: Counter[str] = Counter()
    for question in questions.train():
        verdict = rules.judge(question.text, find(question.text))
        if verdict is not None:
            fired[verdict.rule] += 1
            right[verdict.rule] += verdict.category is question.category
    for rule in rules.RULES:
        if fired[rule.name] >= 15:
            assert right[rule.name] / fired[rule.name] >= rule.confidence - SLACK, rule.name
    prices = ("price", "widget")
    assert sum(right[n] for n in prices) >= 0.97 * sum(fired[n] for n in prices)
    assert sum(fired.values()) > 900


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("btc", Category.PRICE_QUERY),
        ("ETH/EUR", Category.PRICE_QUERY),
        ("what is the price of near", Category.PRICE_QUERY),
        ("2.5 btc in eur", Category.CONVERSION),
        ("eth gas", Category.GAS),
        ("hello there", Category.SMALLTALK),
        ("What is staking?", Category.EDUCATIONAL),
        ("US inflation", Category.ECONOMIC_INDICATOR),
        ("RSI of Bitcoin", Category.TECHNICAL),
        ("How did Solana do in the past 7 days?", Category.MARKET_DATA),
        ("Should I buy Solana?", Category.ADVICE),
        ("is coingecko up", Category.SYSTEM_STATUS),
        ("what is a hashrate", Category.EDUCATIONAL),
        ("what's the hashrate", None),
        ("will btc reach 200k", None),
        ("why is eth down", None),
        ("the weather in paris", None),
        ("should i buy a house", None),
        ("what determines gas", None),
        ("what does tvl stand for", None),
        ("is btc more volatile than gold", None),
    ],
)
def test_words_settle_what_they_can(text: str, category: str | None) -> None:
    assert judged(text) == category


def test_a_question_of_several_parts_is_cut_where_rules_are_sure() -> None:
    found = parts("btc price, eth gas and latest news", find)
    assert [(p.text, p.category) for p in found] == [
        ("btc price", Category.PRICE_QUERY),
        ("eth gas", Category.GAS),
        ("latest news", Category.NEWS),
    ]
    assert parts("price of btc and eth", find) == []
    assert parts("price of btc and why did it fall so much today", find) == []
