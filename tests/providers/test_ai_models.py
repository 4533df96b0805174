"""The AI models of the catalogue, and which of them stands in for which."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from providers import standins
from providers.aimodels import SENTIMENT, AiModel, ModelStatus, Task, chain
from providers.catalogue import CatalogueError, ai_models
from providers.loading import load
from providers.tables import AI_MODELS

MODELS = {entry.model_id: entry for entry in ai_models.load()}


def row(model_id: str, **fields: Any) -> AiModel:
    values = {"canonical_id": model_id, "task": Task.CLASSIFICATION, "category": SENTIMENT[0]}
    return AiModel(model_id=model_id, model_key=model_id, **values | fields)


def test_there_are_twenty_one() -> None:
    assert len(MODELS) == 21
    assert len({entry.model_key for entry in MODELS.values()}) == 21


def test_a_model_of_sentiment_tells_good_news_from_bad_or_says_that_nobody_knows() -> None:
    for entry in MODELS.values():
        if entry.category in SENTIMENT and entry.labels:
            assert {"bullish", "bearish"} <= set(entry.labels.values()), entry.model_id
    silent = {e.model_id for e in MODELS.values() if e.category in SENTIMENT and not e.labels}
    assert silent == {
        "mayurjadhav/crypto-sentiment-model",
        "burakutf/finetuned-finbert-crypto",
    }


def test_labels_stand_in_the_order_of_the_models_head() -> None:
    assert list(MODELS["ProsusAI/finbert"].labels) == ["positive", "negative", "neutral"]
    assert MODELS["yiyanghkust/finbert-tone"].row()["labels"][0] == ["Neutral", "neutral"]
    assert MODELS["kk08/CryptoBERT"].labels == {"LABEL_0": "bearish", "LABEL_1": "bullish"}


def test_each_task_with_two_models_has_one_to_fall_back_to() -> None:
    for task in Task.values:
        entries = [entry for entry in MODELS.values() if entry.task == task]
        assert entries, task
        without = [entry for entry in entries if not entry.fallback]
        assert len(entries) == 1 or len(without) < len(entries), task


def test_who_stands_in_for_whom_has_an_end() -> None:
    rows = {name: row(name, fallback=entry.fallback) for name, entry in MODELS.items()}
    found = [m.model_id for m in chain(rows, "ProsusAI/finbert")]
    assert found == [
        "ProsusAI/finbert",
        "mrm8488/distilroberta-finetuned-financial-news-sentiment-analysis",
        "cardiffnlp/twitter-roberta-base-sentiment-latest",
        "distilbert-base-uncased-finetuned-sst-2-english",
    ]
    rows["ProsusAI/finbert"].is_active = False
    assert [m.model_id for m in chain(rows, "ProsusAI/finbert")] == found[1:]


@given(st.dictionaries(st.sampled_from("abcde"), st.sampled_from(["", *"abcdef"])))
def test_a_chain_ends_whatever_an_operator_wrote(fallbacks: dict[str, str]) -> None:
    rows = {name: row(name, fallback=other) for name, other in fallbacks.items()}
    for name in "abcdef":
        found = [m.model_id for m in chain(rows, name)]
        assert len(set(found)) == len(found)
        assert bool(found) == (name in rows)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {model_id: a/b/c, model_key: a, task: fill-mask, category: language, notes: x}", "id"),
        ("- {model_id: a, model_key: A, task: fill-mask, category: language, notes: x}", "key is"),
        ("- {model_id: a, model_key: a, task: sing, category: language, notes: x}", "task is"),
        ("- {model_id: a, model_key: a, task: fill-mask, category: language}", "missing: notes"),
        (
            "- {model_id: a, model_key: a, task: fill-mask, category: language, notes: x,"
            " fallback: b}",
            "no model 'b'",
        ),
        (
            "- {model_id: a, model_key: a, task: fill-mask, category: language, notes: x,"
            " labels: {up: good}}",
            "a label means",
        ),
    ],
)
def test_a_file_that_says_something_else_is_refused(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "ai_models.yaml"
    file.write_text(text)
    with pytest.raises(CatalogueError, match=said):
        ai_models.load(file)


@pytest.mark.django_db
def test_an_operators_edit_survives_an_upgrade_and_the_scans_findings_are_no_edit(
    shipped: None,
) -> None:
    assert AiModel.objects.count() == 21
    AiModel.objects.filter(model_id="gpt2").update(notes="mine", is_active=False)
    AiModel.objects.filter(model_id="ProsusAI/finbert").update(status=ModelStatus.AVAILABLE)
    done = load()[AI_MODELS.name]
    assert done.same == 21
    assert done.kept == ["gpt2.is_active", "gpt2.notes"]
    assert AiModel.objects.get(model_id="ProsusAI/finbert").status == ModelStatus.AVAILABLE


@pytest.mark.django_db
def test_a_model_is_found_by_its_old_name_and_by_its_new(shipped: None) -> None:
    for name in ("gpt2", "openai-community/gpt2"):
        assert AiModel.objects.called(name).get().model_id == "gpt2"


@pytest.mark.django_db
def test_a_fallback_does_the_same_task(shipped: None) -> None:
    found = AiModel.objects.get(model_id="gpt2")
    found.full_clean()
    for other, said in (
        ("ProsusAI/finbert", "another task"),
        ("gpt2", "another model"),
        ("a/b", "another model"),
    ):
        found.fallback = other
        with pytest.raises(ValidationError, match=said):
            found.full_clean()


@pytest.mark.parametrize(
    "labels", ["up", [["up"]], [["up", "good"]], [["a", "bullish"], ["A", "bearish"]], [[1, "x"]]]
)
def test_labels_that_nobody_can_read_are_refused(labels: Any) -> None:
    with pytest.raises(ValidationError) as found:
        row("a", labels=labels).clean_fields()
    assert "labels" in found.value.message_dict


def test_a_status_that_nobody_looked_at_for_long_is_unknown() -> None:
    moment = now()
    found = row("a", status=ModelStatus.AVAILABLE)
    assert found.status_at(moment) is ModelStatus.UNKNOWN
    found.fresh_until = moment + timedelta(seconds=1)
    assert found.status_at(moment) is ModelStatus.AVAILABLE
    assert found.status_at(found.fresh_until) is ModelStatus.UNKNOWN


# -- Who is asked ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_who_stands_in_is_who_can_be_asked(shipped: None) -> None:
    moment = now()
    fresh = moment + timedelta(minutes=5)

    def line(name: str) -> list[str]:
        standins.forget()
        return [found.model_id for found in standins.in_line(name, moment)]

    whole = line("ProsusAI/finbert")
    assert len(whole) == 4
    found = AiModel.objects.filter(model_id__in=whole)
    for status in ("available", "loading", "auth_required", "unknown"):
        found.update(status=status, fresh_until=fresh)
        assert line("ProsusAI/finbert") == whole, status
    for status in ("not_found", "unserved", "failed"):
        found.filter(model_id=whole[0]).update(status=status)
        assert line("ProsusAI/finbert") == whole[1:], status
    found.update(status="failed")
    assert line("ProsusAI/finbert") == whole[:1], "better in vain than nobody"
    found.update(fresh_until=moment)
    assert line("ProsusAI/finbert") == whole, "what is old says nothing"
    assert line("openai-community/gpt2") == ["gpt2", "distilgpt2"]
    assert line("nobody/knows-it") == []


def test_without_a_database_no_model_has_a_stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def out() -> Any:
        raise OperationalError("gone")

    monkeypatch.setattr(standins._rows, "load", out)
    assert standins.in_line("ProsusAI/finbert") == []
    assert standins.find("ProsusAI/finbert") is None
