"""What this installation answers with: the classifier that is deployed, and a language model."""

from __future__ import annotations

from chat.answering import Means


def current() -> Means:
    return Means()
