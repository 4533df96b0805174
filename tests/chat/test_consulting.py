"""Who is asked to help with a question: models that are well, strangers' only by consent."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from chat import llm, means, privacy
from chat.categories import Category
from chat.models import Conversation, Purpose
from providers import roster
from providers.health import Health, Kind
from providers.models import Provider
from providers.resilience import Phase
from providers.standing import Status
from tests.providers.language import Hosts, hosts

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER, OWN = "api.groq.com", "127.0.0.1:11434"


@pytest.fixture
def world(settings: Any) -> Iterator[Hosts]:
    cache.clear()
    settings.CHAT_LLM = "auto"
    with hosts(settings) as found:
        yield found


def well(world: Hosts, slug: str, how: Status = Status.HEALTHY) -> None:
    row = world.row(slug)
    fields = {"status": how, "kind": Kind.LLM, "fresh_until": now() + timedelta(minutes=5)}
    Health.objects.update_or_create(name=slug, defaults={"provider": row, **fields})
    roster.forget()


def sorted_by(model: llm.Model | None, text: str = "the news, please") -> Category | None:
    return llm.category_of(text, model)


@pytest.fixture
def conversation() -> Conversation:
    return Conversation(pseudonym="somebody")


def agree(conversation: Conversation, granted: bool = True) -> None:
    privacy.agree(privacy.holder(conversation), Purpose.THIRD_PARTY, granted, "page")


def test_off_or_nobody_well_is_nobody_at_no_cost(
    world: Hosts, settings: Any, conversation: Conversation
) -> None:
    world.row("groq")  # not checked yet
    roster.current()
    with CaptureQueriesContext(connection) as found:
        assert means.current(conversation).model is None
        settings.CHAT_LLM = "off"
        assert means.current(conversation).model is None
    assert not found.captured_queries
    well(world, "groq")
    assert means.current(conversation).model is None, "it is off"
    settings.CHAT_LLM = "auto"
    well(world, "groq", Status.DOWN)
    assert means.current(conversation).model is None


def test_nobody_looks_for_leave_until_a_model_would_be_asked(
    world: Hosts, conversation: Conversation
) -> None:
    well(world, "groq")
    roster.current()
    with CaptureQueriesContext(connection) as found:
        assert means.current(conversation).model is not None
    assert not found.captured_queries


def test_a_strangers_model_is_told_nothing_without_leave(
    world: Hosts, conversation: Conversation
) -> None:
    well(world, "groq")
    assert sorted_by(means.current(conversation).model) is None
    assert not world.sandbox.log.last(9)
    agree(conversation)
    assert sorted_by(means.current(conversation).model) is Category.NEWS
    assert world.sandbox.log.last(9, STRANGER)
    agree(conversation, granted=False)
    assert sorted_by(means.current(conversation).model, "news once more") is None
    assert sorted_by(means.current(Conversation(pseudonym="another")).model, "no news") is None
    assert len(world.sandbox.log.last(9)) == 1


def test_one_of_ones_own_needs_none_and_strangers_stand_in_for_it_only_with_leave(
    world: Hosts, conversation: Conversation
) -> None:
    well(world, "groq")
    well(world, "ollama")
    assert sorted_by(means.current(conversation).model) is Category.NEWS
    assert not world.sandbox.log.last(9, STRANGER)
    world.spoil(Provider.objects.get(slug="ollama"), "status=500")
    assert sorted_by(means.current(conversation).model, "any news") is None
    assert not world.sandbox.log.last(9, STRANGER)
    agree(conversation)
    assert sorted_by(means.current(conversation).model, "what news") is Category.NEWS
    assert world.sandbox.log.last(9, STRANGER)


def test_who_is_not_well_is_not_waited_for(world: Hosts, conversation: Conversation) -> None:
    well(world, "groq", Status.DOWN)
    well(world, "gemini")
    agree(conversation)
    model = means.current(conversation).model
    assert sorted_by(model) is Category.NEWS
    world.spoil(Provider.objects.get(slug="gemini"), "status=500")
    assert sorted_by(model, "news again") is None
    assert not world.sandbox.log.last(9, STRANGER)


def test_a_category_is_named_once_an_hour(world: Hosts, conversation: Conversation) -> None:
    well(world, "ollama")
    for _ in range(3):
        assert sorted_by(means.current(conversation).model) is Category.NEWS
    assert len(world.sandbox.log.last(9, OWN)) == 1


def test_models_that_are_late_again_and_again_are_left_alone_for_a_while(
    world: Hosts, settings: Any, conversation: Conversation
) -> None:
    well(world, "ollama")
    settings.CHAT_LLM_BUDGET_S = 0.4
    world.spoil(Provider.objects.get(slug="ollama"), "delay=30")
    began = time.monotonic()
    assert sorted_by(means.current(conversation).model, "news 1") is None
    assert time.monotonic() - began < 1.4
    assert sorted_by(means.current(conversation).model, "news 2") is None
    assert len(world.sandbox.log.last(9, OWN)) == 1
    row = Provider.objects.get(slug="ollama")
    assert row.guard.phase(row.guard.standing()) is Phase.CLOSED, "others may have the time"


def test_words_are_chosen_only_where_that_is_wished_for(
    world: Hosts, settings: Any, conversation: Conversation
) -> None:
    well(world, "ollama")
    for setting, phrases in (("auto", False), ("words", True)):
        settings.CHAT_LLM = setting
        model = means.current(conversation).model
        assert model
        assert (model.phrases, model.budget_s) == (phrases, settings.CHAT_LLM_BUDGET_S)


def test_no_word_of_a_question_is_in_a_log(
    world: Hosts, conversation: Conversation, caplog: pytest.LogCaptureFixture
) -> None:
    well(world, "ollama")
    world.spoil(Provider.objects.get(slug="ollama"), "malformed")
    with caplog.at_level("DEBUG"):
        assert sorted_by(means.current(conversation).model, "flibbertigibbet") is None
    assert "flibbertigibbet" not in json.dumps([r.getMessage() for r in caplog.records])
