"""Who gets into the review queue, and what becomes of a decision."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from hypothesis import given
from hypothesis import strategies as st

from chat import reviewing
from chat.categories import Category
from chat.models import Example, ReviewItem, Route
from chat.reviewing import Decided, Reason, reasons
from chat.scrubbing import scrub
from tests.chat.learners import asked

SURE: dict[str, Any] = {"category": "NEWS", "confidence": 0.9, "route": "classifier"}


def of(unit: str = "no", **given: Any) -> tuple[Reason, ...]:
    return reasons(unit, **(SURE | given))


def test_nothing_is_wrong_with_most() -> None:
    assert of() == ()
    assert of(feedback=["up"], opinions=["NEWS", ""]) == ()


@pytest.mark.parametrize("type_", ["down", "correction", "flag"])
def test_every_bad_word_counts(type_: str) -> None:
    assert of(feedback=["up", type_]) == (Reason.NEGATIVE,)


def test_the_gravest_comes_first() -> None:
    said = of(confidence=0.2, feedback=["flag"], opinions=["GAS"])
    assert said == (Reason.NEGATIVE, Reason.DISAGREEMENT, Reason.LOW_CONFIDENCE)
    priorities = [reviewing.PRIORITY[reason] for reason in Reason]
    assert priorities == sorted(priorities, reverse=True)


def test_what_we_asked_back_about_is_unsure() -> None:
    assert of(route=Route.CLARIFY) == (Reason.LOW_CONFIDENCE,)


def test_two_of_a_hundred_are_drawn_the_same_ones_each_time() -> None:
    drawn = [unit for unit in map(str, range(20_000)) if Reason.RANDOM in of(unit)]
    assert len(drawn) == pytest.approx(400, abs=80)
    assert all(of(unit) == (Reason.RANDOM,) for unit in drawn)


@given(st.text(), st.floats(0, 1), st.lists(st.sampled_from(["up", "down", "flag"])))
def test_a_bad_word_never_gets_lost(unit: str, confidence: float, said: list[str]) -> None:
    found = of(unit, confidence=confidence, feedback=said)
    assert (Reason.NEGATIVE in found) == bool({"down", "flag"} & set(said))


def item(query: str = "news about btc", **given: object) -> ReviewItem:
    about = asked(query, category="NEWS", **given)
    proposed = reviewing.propose(about, [Reason.NEGATIVE], "GAS")
    proposed.save()
    return proposed


@pytest.mark.usefixtures("all_agree")
def test_a_label_makes_an_example_without_what_is_personal() -> None:
    ann = User.objects.create(username="ann")
    row = item("send news to ann@example.org")
    made = reviewing.label(row, Category.GAS, ann)
    assert (made.text, made.category) == ("send news to <email>", "GAS")
    assert (row.state, row.reviewer) == ("accepted", ann)
    assert reviewing.label(item(), Category.NEWS, ann).category == "NEWS"
    assert ReviewItem.objects.filter(state="relabelled").count() == 1


@pytest.mark.usefixtures("all_agree")
def test_a_decision_is_made_once_and_can_be_taken_back() -> None:
    row = item()
    reviewing.reject(row, None)
    with pytest.raises(Decided):
        reviewing.label(row, Category.GAS, None)
    assert not Example.objects.exists()
    reviewing.reopen(row)
    reviewing.label(row, Category.GAS, None)
    reviewing.reopen(row)
    assert not Example.objects.exists()


@pytest.mark.usefixtures("all_agree")
def test_an_example_goes_with_its_question() -> None:
    made = reviewing.label(item(), Category.GAS, None)
    assert made.interaction
    made.interaction.conversation.delete()
    assert not Example.objects.exists()
    assert not ReviewItem.objects.exists()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("mail me at a.b+c@mail.example.com please", "mail me at <email> please"),
        ("what is in 0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe", "what is in <address>"),
        ("bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq?", "<address>?"),
        ("call +44 20 7946 0958 about btc", "call <digits> about btc"),
        ("my card 4111-1111-1111-1111", "my card <digits>"),
        ("see https://example.com/a?b=c now", "see <link> now"),
        ("ask @satoshi_n", "ask <handle>"),
        ("is 1,000,000,000 a lot", "is 1,000,000,000 a lot"),
        ("btc at 86011.36000", "btc at 86011.36000"),
        ("btc since 2021", "btc since 2021"),
        ("Donaudampfschifffahrtsgesellschaft", "Donaudampfschifffahrtsgesellschaft"),
    ],
)
def test_what_is_personal_is_scrubbed(text: str, left: str) -> None:
    assert scrub(text) == left


@given(st.text())
def test_what_was_scrubbed_stays(text: str) -> None:
    assert scrub(scrub(text)) == scrub(text)
