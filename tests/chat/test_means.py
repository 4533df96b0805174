"""The classifier that is deployed answers; without one rules alone do."""

from __future__ import annotations

from typing import Any

import pytest

from chat import classifier, means

pytestmark = pytest.mark.django_db


def test_without_a_model_nobody_classifies() -> None:
    classifier.forget()
    assert means.classified("what is up with bitcoin", "") is None


def test_what_the_deployed_model_says_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    said: Any = object()
    monkeypatch.setattr(classifier, "classify", lambda text, unit: (said, text, unit))
    told: Any = means.current().classify("hi", "unit")
    assert told == (said, "hi", "unit")
