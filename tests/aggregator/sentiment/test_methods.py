"""Whom a setting has read a text, and who stands in when they do not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from aggregator.sentiment import local, methods
from providers import roster
from providers.adapters.huggingface import HuggingFace
from providers.models import Credential, Provider
from providers.resilience import Deadline

pytestmark = pytest.mark.django_db(transaction=True)

GOOD = "Bitcoin surges to a record high"


def read(*texts: str) -> methods.Reading:
    return methods.read(texts or (GOOD,), Deadline(5))


@pytest.fixture
def token() -> Credential:
    """One at a port where nobody listens."""
    name = HuggingFace.name
    provider = Provider.objects.create(
        slug=name, adapter_name=name, base_url="http://127.0.0.1:9", attempts=1
    )
    found = Credential(provider=provider, label="mine")
    found.set_key("hf_of_a_test")
    found.save()
    roster.forget()
    return found


@pytest.fixture
def folder(settings: Any, tmp_path: Path) -> Path:
    """Where a model might be: a folder with a configuration of none."""
    (tmp_path / "config.json").write_text("{}")
    settings.SENTIMENT_LOCAL_MODEL = str(tmp_path)
    return tmp_path


@pytest.fixture
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "LIBRARIES", ("json",))


def test_by_itself_it_is_the_lexicon() -> None:
    found = read()
    assert (found.method, found.source, found.fallback) == ("lexicon", "lexicon", None)


def test_a_token_brings_the_model_behind_it(token: Credential) -> None:
    assert methods.chosen() == "huggingface"
    Provider.objects.update(enabled=False)
    roster.forget()
    assert methods.chosen() == "lexicon"


def test_a_folder_brings_its_model_unless_there_is_a_token(
    folder: Path, libraries: None, request: pytest.FixtureRequest
) -> None:
    assert methods.chosen() == "local"
    request.getfixturevalue("token")
    assert methods.chosen() == "huggingface"


def test_what_is_set_is_meant(token: Credential, folder: Path, settings: Any) -> None:
    for method in methods.METHODS:
        settings.SENTIMENT_METHOD = method
        assert methods.chosen() == method


def test_without_a_token_the_lexicon_reads_and_says_why(settings: Any) -> None:
    settings.SENTIMENT_METHOD = "huggingface"
    found = read()
    assert found.method == "lexicon"
    assert found.rows[0].label == "bullish"
    assert found.fallback
    assert (found.fallback.method, found.fallback.reason) == ("huggingface", "no_key")
    assert [(a.provider, a.outcome) for a in found.attempts] == [("huggingface", "no_key")]


def test_a_model_out_of_reach_is_stood_in_for(token: Credential) -> None:
    found = read()
    assert (found.method, found.rows[0].label) == ("lexicon", "bullish")
    assert found.fallback
    assert found.fallback.reason == "unreachable"
    assert [(a.provider, a.outcome) for a in found.attempts] == [("huggingface", "unreachable")]


def test_a_token_that_was_set_aside_is_named_as_the_reason(token: Credential) -> None:
    Credential.objects.update(set_aside_at="2026-01-01T00:00:00Z", set_aside_reason="refused")
    roster.forget()
    found = read()
    assert found.fallback
    assert found.fallback.reason == "no_key"


@pytest.mark.parametrize(
    ("model", "libraries", "detail"),
    [
        ("", ("json",), "names no folder"),
        ("/no/such/folder", ("json",), "holds no model"),
        (None, ("json", "no_such_library"), "no_such_library is not installed"),
    ],
)
def test_a_local_model_that_is_not_there_is_stood_in_for(
    settings: Any,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    model: str | None,
    libraries: tuple[str, ...],
    detail: str,
) -> None:
    settings.SENTIMENT_METHOD = "local"
    settings.SENTIMENT_LOCAL_MODEL = str(folder) if model is None else model
    monkeypatch.setattr(local, "LIBRARIES", libraries)
    found = read()
    assert found.method == "lexicon"
    assert found.fallback
    assert (found.fallback.method, found.fallback.reason) == ("local", "no_model")
    assert detail in found.fallback.detail
    assert "/" not in found.fallback.detail, "no path leaves the machine"
