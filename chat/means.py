"""What this installation answers with: the classifier that is deployed, and a language model."""

from __future__ import annotations

from chat import classifier, consulting
from chat.answering import Means
from chat.models import Conversation
from chat.sorting import Prediction


def current(conversation: Conversation) -> Means:
    """For the next question of this conversation."""
    return Means(classify=classified, model=consulting.model_for(lambda: False))


def classified(text: str, unit: str) -> Prediction | None:
    """What the deployed classifier says; None where none is, and rules alone decide."""
    try:
        return classifier.classify(text, unit)
    except classifier.NoModel:
        return None
