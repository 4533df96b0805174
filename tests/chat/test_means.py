"""The classifier that is deployed answers; without one rules alone do."""

from __future__ import annotations

import pytest

from chat import classifier, means
from chat.models import Conversation

pytestmark = pytest.mark.django_db


def test_without_a_model_nobody_classifies() -> None:
    classifier.forget()
    assert means.classified("what is up with bitcoin", "") is None


def test_what_the_deployed_model_says_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    said, asked = object(), []

    def classify(text: str, unit: str) -> object:
        asked.append((text, unit))
        return said

    monkeypatch.setattr(classifier, "classify", classify)
    found: object = means.current(Conversation()).classify("hi", "unit")
    assert (found, asked) == (said, [("hi", "unit")])
