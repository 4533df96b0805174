"""What alert rules measure of the chat, and when they say nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from chat import figures
from chat.models import Conversation, Feedback, Interaction, Route

pytestmark = pytest.mark.django_db


def asked(number: int, **fields: Any) -> list[Interaction]:
    values: dict[str, Any] = {
        "conversation": Conversation.objects.create(),
        "query": "?",
        "category": "price_query",
        "confidence": 0.5,
        "route": Route.CLASSIFIER,
        "answer": "",
        "latency_ms": 1.0,
    }
    return [Interaction.objects.create(**values | fields) for _ in range(number)]


def test_confidence_is_of_what_was_left_to_the_classifier() -> None:
    asked(19)
    asked(30, route=Route.RULE, confidence=1.0)
    asked(30, at=now() - timedelta(hours=2))
    assert figures.classification_confidence(now()) == {"": None}, "too few"
    asked(1, route=Route.CLARIFY, confidence=0.1)
    assert figures.classification_confidence(now())[""] == pytest.approx(48)


def test_negative_feedback_is_a_share_of_votes() -> None:
    rows = asked(10)
    for row in rows[:9]:
        Feedback.objects.create(interaction=row, type=Feedback.Type.UP)
        Feedback.objects.create(interaction=row, type=Feedback.Type.FLAG)
    assert figures.negative_feedback(now()) == {"": None}, "flags are no votes"
    Feedback.objects.create(interaction=rows[9], type=Feedback.Type.DOWN)
    assert figures.negative_feedback(now()) == {"": 10.0}
