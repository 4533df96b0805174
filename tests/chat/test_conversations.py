"""The rows of the chat: what is kept, how, and what cannot be kept twice."""

from __future__ import annotations

from decimal import Decimal

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.db import IntegrityError, connection
from pytest_django import Settings

from aggregator.models import Client
from chat.categories import Category
from chat.models import Conversation, Feedback, Interaction, Route
from providers.secrets import SecretUnreadable

pytestmark = pytest.mark.django_db

QUESTION = "what is btc worth to Mrs Miller?"


def interaction(**given: object) -> Interaction:
    fields: dict[str, object] = {
        "conversation": Conversation.objects.create(),
        "query": QUESTION,
        "category": Category.PRICE_QUERY,
        "confidence": 0.9,
        "route": Route.RULE,
        "answer": "Bitcoin costs 1 USD.",
        "latency_ms": 1.5,
    }
    return Interaction.objects.create(**fields | given)


def stored(column: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM chat_interaction")
        value: str = cursor.fetchone()[0]
        return value


def test_a_question_is_encrypted_where_it_lies() -> None:
    kept = interaction()
    assert "Miller" not in stored("query")
    assert Interaction.objects.get(pk=kept.pk).query == QUESTION
    assert QUESTION not in str(kept)


def test_nobody_can_look_for_what_is_encrypted() -> None:
    with pytest.raises(FieldError):
        Interaction.objects.filter(query=QUESTION).exists()
    assert Interaction.objects.filter(query__isnull=False).count() == 0


def test_questions_get_the_new_key_when_keys_are_rotated(settings: Settings) -> None:
    kept = interaction()
    settings.ENCRYPTION_KEYS = [new := Fernet.generate_key().decode(), *settings.ENCRYPTION_KEYS]
    call_command("rotatekeys")
    settings.ENCRYPTION_KEYS = [new]
    assert Interaction.objects.get(pk=kept.pk).query == QUESTION
    settings.ENCRYPTION_KEYS = [Fernet.generate_key().decode()]
    with pytest.raises(SecretUnreadable):
        Interaction.objects.get(pk=kept.pk)


def test_a_figure_keeps_its_digits() -> None:
    kept = interaction(data=[{"value": Decimal("86011.36000"), "rank": 1, "none": None}])
    [fact] = Interaction.objects.get(pk=kept.pk).data
    assert str(fact["value"]) == "86011.36000"
    assert fact["rank"] == 1
    assert fact["none"] is None


def test_a_conversation_has_one_holder() -> None:
    client = Client(name="widget")
    client.new_key()
    client.save()
    Conversation.objects.create(client=client, pseudonym="")
    one, other = Conversation.objects.create(), Conversation.objects.create()
    assert one.pseudonym != other.pseudonym
    assert len(one.pseudonym) == 32
    with pytest.raises(IntegrityError):
        Conversation.objects.create(client=client)


def test_a_type_of_feedback_is_given_once() -> None:
    kept = interaction()
    Feedback.objects.create(interaction=kept, type=Feedback.Type.UP)
    with pytest.raises(IntegrityError):
        Feedback.objects.create(interaction=kept, type=Feedback.Type.UP)
