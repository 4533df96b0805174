"""A question to an answer, with a classifier and a language model of the test's own."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from django.core.cache import cache

from chat import answering, llm
from chat.answering import Means
from chat.categories import Category
from chat.models import Conversation, Interaction
from providers.datasets import NewsQuery
from providers.resilience import Deadline
from tests.chat import shelved
from tests.upstreams import article

pytestmark = pytest.mark.django_db(transaction=True)

HARD = "tell me everything there is on the subject of bitcoin trends, would you kindly"


@pytest.fixture(autouse=True)
def _answered() -> None:
    cache.clear()
    shelved.coins()
    shelved.everything()


@dataclass(frozen=True)
class Said:
    category: Category
    confidence: float
    scores: Mapping[Category, float]
    sure: bool
    model: str = "0123456789ab"


def classifying(category: Category, confidence: float, sure: bool) -> Any:
    other = Category.NEWS if category is not Category.NEWS else Category.ADVICE
    scores = {category: confidence, other: 1 - confidence}
    return lambda text, unit: Said(category, confidence, scores, sure)


def modelled(**said: object) -> llm.Model:
    """By what its schema asks for: a category, or a text."""

    def complete(
        messages: Sequence[llm.Message], schema: dict[str, Any], deadline: Deadline
    ) -> str:
        [name] = schema["properties"]
        return json.dumps({name: said[name]})

    return llm.Model(complete)


def reply(text: str, **means: Any) -> Interaction:
    return answering.reply(text, Conversation(), Means(**means), is_new=True)


def test_what_the_classifier_is_sure_of_is_answered() -> None:
    found = reply(HARD, classify=classifying(Category.MARKET_DATA, 0.81, sure=True))
    assert (found.route, found.category, found.confidence) == ("classifier", "MARKET_DATA", 0.81)
    assert found.model_version == "0123456789ab"
    assert "market capitalisation" in found.answer


def test_what_it_is_unsure_of_is_asked_back_with_the_likeliest_two() -> None:
    found = reply(HARD, classify=classifying(Category.MARKET_DATA, 0.55, sure=False))
    assert (found.route, found.confidence) == ("clarify", 0.55)
    assert found.data == []
    assert found.suggestions == ["How did Bitcoin do in the past 7 days?", "News about Bitcoin"]


def test_or_a_language_model_decides_but_is_not_believed_to_be_sure() -> None:
    found = reply(
        HARD,
        classify=classifying(Category.MARKET_DATA, 0.55, sure=False),
        model=modelled(category="NEWS", text="x"),
    )
    assert (found.route, found.category, found.confidence) == ("llm", "NEWS", 0.5)
    assert shelved.HOSTILE in found.answer


def test_a_rule_asks_nobody() -> None:
    def never(text: str, unit: str) -> None:
        raise AssertionError("it was asked")

    assert reply("price of btc", classify=never).route == "rule"


def test_a_lying_model_changes_no_figure() -> None:
    plain = reply("price of btc").answer
    lie = reply("price of btc", model=modelled(text="Bitcoin costs 99,999 USD.", category="NEWS"))
    assert lie.answer == plain
    half = reply("price of btc", model=modelled(text="You pay 86,011.36 USD for Bitcoin."))
    assert half.answer == plain, "it has left the change out"
    whole = "You pay 86,011.36 USD for Bitcoin, which is down 1.34728 % in 24 h."
    honest = reply("price of btc", model=modelled(text=whole))
    assert honest.answer.startswith(f"{whole}\nSources: kraken, ")
    values = [[row["value"] for row in found.data] for found in (honest, reply("price of btc"))]
    assert values[0] == values[1]


def test_a_model_that_hangs_costs_its_budget_once() -> None:
    def hang(messages: Sequence[llm.Message], schema: dict[str, Any], deadline: Deadline) -> str:
        time.sleep(1.5)
        return "{}"

    began = time.monotonic()
    found = reply(
        HARD,
        classify=classifying(Category.MARKET_DATA, 0.55, sure=False),
        model=llm.Model(hang, budget_s=0.2),
    )
    assert found.route == "clarify"
    assert time.monotonic() - began < 1.0


def test_what_the_glossary_lacks_a_model_may_explain_without_figures() -> None:
    text = "It is a made-up word for a thing that nobody needs."
    sure = classifying(Category.EDUCATIONAL, 0.9, sure=True)
    question = "what on earth would a flibbertigibbet be then"
    found = reply(question, classify=sure, model=modelled(text=text))
    assert found.answer == f"Unchecked: {text} (written by a language model)"
    assert [source["provider"] for source in found.sources] == ["language model"]
    assert "glossary has no entry" in reply(question, classify=sure).answer
    lie = modelled(text="It was invented in 1999.")
    assert "glossary has no entry" in reply(question, classify=sure, model=lie).answer


def test_news_about_something_are_those_that_name_it() -> None:
    shelved.shelve(
        NewsQuery(),
        [
            article("Coinbase lists a coin", at=datetime.now(UTC)),
            article("Something else altogether", at=datetime.now(UTC)),
        ],
    )
    sure = classifying(Category.NEWS, 0.9, sure=True)
    found = reply("what new products did coinbase present the other day", classify=sure)
    assert [row["title"] for row in found.data] == ["Coinbase lists a coin"]
    found = reply("what did the audit of the bridges find out", classify=sure)
    assert found.answer.startswith("No headline names what you asked about")
    assert len(found.data) == 2


def test_an_explanation_of_a_coin_answers_no_other_question_about_it() -> None:
    sure = classifying(Category.EDUCATIONAL, 0.9, sure=True)
    found = reply(
        "what did become of the silk road's bitcoin that was seized back then", classify=sure
    )
    assert found.answer.startswith("Not answered: an explanation")


def test_usual_figures_say_that_they_may_not_be_what_was_asked_for() -> None:
    sure = classifying(Category.MARKET_DATA, 0.9, sure=True)
    found = reply("when did bitcoin last stay below twenty bucks", classify=sure)
    assert found.answer.startswith(
        "These are the usual figures: I may not have what you asked for."
    )
