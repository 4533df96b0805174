"""What this installation answers with: the classifier that is deployed, and a language model."""

from __future__ import annotations

from functools import partial

from chat import classifier, consulting, privacy
from chat.answering import Means
from chat.models import Conversation, Purpose
from chat.sorting import Prediction


def current(conversation: Conversation) -> Means:
    """For the next question of this conversation."""
    agreed = partial(privacy.may, conversation, Purpose.THIRD_PARTY)
    return Means(classify=classified, model=consulting.model_for(agreed))


def classified(text: str, unit: str) -> Prediction | None:
    """What the deployed classifier says; None where none is, and rules alone decide."""
    try:
        return classifier.classify(text, unit)
    except classifier.NoModel:
        return None
