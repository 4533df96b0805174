"""Rules are as sure as they are right on the training questions. The held-out ones are not read."""

from __future__ import annotations

from collections import Counter

import pytest

from chat import questions, rules
from chat.categories import Category
from chat.parting import NONE, TOO_MANY, parts
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
        ("bitcoin in germany", None),
        ("btc on halloween", Category.MARKET_DATA),
        ("eth price in 2030", None),
        ("what does tvl stand for", None),
        ("is btc more volatile than gold", None),
    ],
)
def test_words_settle_what_they_can(text: str, category: str | None) -> None:
    assert judged(text) == category


def test_a_question_of_several_parts_is_cut_where_rules_are_sure() -> None:
    found = parts("btc price, eth gas and latest news", find).parts
    assert [(p.text, p.category) for p in found] == [
        ("btc price", Category.PRICE_QUERY),
        ("eth gas", Category.GAS),
        ("latest news", Category.NEWS),
    ]
    assert parts("price of btc and eth", find) == NONE
    assert parts("price of btc and why did it fall so much today", find) == NONE


def test_parts_of_one_category_stay_apart_where_each_asks_something_else() -> None:
    found = parts("SMA 200 of BTC and RSI of ETH", find).parts
    assert [[asset.key for asset in part.entities.assets] for part in found] == [["BTC"], ["ETH"]]
    assert parts("price of btc, price of eth and sol, price of ada", find) == NONE
    assert parts("btc price, eth gas, " * 40, find) == NONE


def test_what_is_none_of_ours_is_left_out_and_one_word_is_not() -> None:
    foreign = "none of ours".format  # of every clause that no rule is sure of
    found = parts("price of btc and who wins the election, and where", find, foreign)
    assert [part.text for part in found.parts] == ["price of btc"]
    assert found.left == [("who wins the election, and where", "none of ours")]
    assert parts("news about btc and war", find, foreign) == NONE
    assert parts("what is bread and btc", find, foreign) == NONE
    many = (
        "btc price, eth gas, latest news, us inflation, rsi of btc, fear and greed index, eth gas"
    )
    assert parts(many, find).left == [("eth gas", TOO_MANY)]


def test_names_that_follow_a_part_belong_to_it() -> None:
    [part] = parts("rsi 14 of btc, eth and sol and who wins the election", find, "no".format).parts
    assert [asset.key for asset in part.entities.assets] == ["BTC", "ETH", "SOL"]
    assert part.category is Category.TECHNICAL
