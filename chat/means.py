"""What this installation answers with: the classifier that is deployed, and a language model."""

from __future__ import annotations

from chat import classifier
from chat.answering import Means
from chat.sorting import Prediction


def current() -> Means:
    return Means(classify=classified)


def classified(text: str, unit: str) -> Prediction | None:
    """What the deployed classifier says; None where none is, and rules alone decide."""
    try:
        return classifier.classify(text, unit)
    except classifier.NoModel:
        return None
