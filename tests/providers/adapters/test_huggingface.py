from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import UNREADABLE, Reply
from providers.adapters.huggingface import MOST, TASKS, HuggingFace
from providers.datasets import ClassificationQuery, PingQuery, Trial, TrialQuery
from providers.errors import (
    BadKey,
    Broken,
    Garbled,
    Loading,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
    Unserved,
    Unsupported,
)
from tests.providers.adapters.conftest import PAYLOADS, adapt, encode

BODY = (PAYLOADS / "huggingface/classification.json").read_bytes()
MODEL = "ProsusAI/finbert"
ONE = [{"label": "positive", "score": 0.75}, {"label": "negative", "score": 0.25}]


def asked(*texts: str, model: str = MODEL) -> ClassificationQuery:
    return ClassificationQuery(texts=texts, model=model)


def test_each_text_has_a_row_in_its_place() -> None:
    adapter, http = adapt(HuggingFace, BODY)
    found = adapter.classification(asked("up", "down"))
    assert [row.label for row in found] == ["bullish", "bearish"]
    assert found[0].score == Decimal("0.8139")
    assert found[0].confidence == Decimal("0.8412")
    assert {row.model for row in found} == {MODEL}
    body = {"inputs": ["up", "down"], "parameters": {"top_k": 5}}
    assert http.asked == [(f"/models/{MODEL}", {"json": body})]


@pytest.mark.parametrize("body", [[ONE], ONE])
def test_one_text_goes_as_a_text_and_comes_back_in_a_list_or_not(body: Any) -> None:
    adapter, http = adapt(HuggingFace, body)
    assert [row.label for row in adapter.classification(asked("up"))] == ["bullish"]
    assert http.asked[0][1]["json"]["inputs"] == "up"


@pytest.mark.parametrize("body", [[], [ONE, ONE, ONE], ONE, {"labels": ONE}, "up"])
def test_labels_of_other_texts_are_garbled(body: Any) -> None:
    with pytest.raises(Garbled):
        adapt(HuggingFace, body)[0].classification(asked("up", "down"))


def test_a_text_is_cut_to_what_its_models_can_read() -> None:
    adapter, http = adapt(HuggingFace, [ONE])
    adapter.classification(asked("x" * 5000))
    assert len(http.asked[0][1]["json"]["inputs"]) == MOST


@pytest.mark.parametrize(
    "model", ["", "../../v1/models", "a/b/c", "a b", "a?b=c", ".hidden/x", "é/x"]
)
def test_a_model_is_no_path(model: str) -> None:
    adapter, http = adapt(HuggingFace, [ONE])
    with pytest.raises(Unsupported):
        adapter.classification(asked("up", model=model))
    assert not http.asked


@pytest.mark.parametrize(
    ("status", "body", "meant"),
    [
        (401, {"error": "Invalid username or password."}, BadKey),
        (402, {"error": "You have exceeded your monthly included credits"}, Throttled),
        (403, {"error": "This authentication method does not have permissions"}, PlanLimit),
        (404, {"error": "Not Found"}, Unserved),
        (410, {"error": "Model x is deprecated and no longer supported"}, Unserved),
        (410, {"error": "no longer supported. Please use https://router.huggingface.co"}, Broken),
        (400, {"error": "Model not supported by provider hf-inference"}, Unserved),
        (400, {"error": "The size of tensor a (600) must match"}, Missing),
        (413, {"error": "Payload too large"}, Missing),
        (422, {"error": ["`inputs`: field required"]}, Missing),
        (503, {"error": "Model x is currently loading", "estimated_time": 20.0}, Loading),
        (200, {"error": "unknown error"}, Broken),
    ],
)
def test_an_error_of_the_model_is_none_of_the_provider(
    status: int, body: Any, meant: type[ProviderError]
) -> None:
    assert type(HuggingFace.diagnose(Reply(status, {}, encode(body)))) is meant


@pytest.mark.parametrize(("said", "wait"), [(20.0, 20), (0, 1), (9999, 60)])
def test_a_model_that_is_loading_may_be_asked_again_soon(said: float, wait: float) -> None:
    body = {"error": "Model x is currently loading", "estimated_time": said}
    error = HuggingFace.diagnose(Reply(503, {}, encode(body)))
    assert error
    assert error.wait == wait
    assert error.healthy is None


def test_spent_credit_is_looked_at_again_the_next_day_and_no_key_is_set_aside() -> None:
    error = HuggingFace.diagnose(Reply(402, {}, b"{}"))
    assert error
    assert error.wait == 86400


@pytest.mark.parametrize("status", [429, 500, 503])
def test_other_errors_are_what_their_status_says(status: int) -> None:
    assert HuggingFace.diagnose(Reply(status, {}, b"<html>busy</html>")) is None
    assert HuggingFace.diagnose(Reply(200, {}, BODY)) is None


def test_every_text_is_paid_for() -> None:
    assert HuggingFace.cost(asked(*["up"] * 50)) == 50
    assert HuggingFace.cost(asked()) == HuggingFace.cost(PingQuery()) == 1


def test_a_ping_asks_for_one_word() -> None:
    adapter, http = adapt(HuggingFace, [ONE])
    adapter.ping()
    assert http.asked[0][1]["json"]["inputs"] == "ping"


def test_what_is_asked_is_not_in_the_key_that_logs_show() -> None:
    secret = asked("my secret plan")
    assert "secret" not in secret.key
    assert secret.key == asked("my secret plan").key
    assert len({secret.key, asked("another").key, asked("my secret plan", model="m").key}) == 3


# -- Trials ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "body", "output", "confidence"),
    [
        ("text-classification", [ONE], "positive", 0.75),
        ("text-classification", ONE, "positive", 0.75),
        ("zero-shot-classification", ONE, "positive", 0.75),
        (
            "zero-shot-classification",
            {"sequence": "x", "labels": ["markets", "sports"], "scores": [0.9, 0.1]},
            "markets",
            0.9,
        ),
        ("summarization", [{"summary_text": "short"}], "short", None),
        ("summarization", {"summary_text": "short"}, "short", None),
        ("text-generation", [{"generated_text": "Bitcoin is\x00 <b>a</b>"}], "Bitcoin is a", None),
        (
            "fill-mask",
            [{"sequence": "s", "score": 0.5, "token": 1, "token_str": " high"}],
            "high",
            0.5,
        ),
    ],
)
def test_a_trial_is_read_in_every_shape_that_a_task_has(
    task: str, body: Any, output: str, confidence: float | None
) -> None:
    adapter, http = adapt(HuggingFace, body)
    (found,) = adapter.trial(TrialQuery(MODEL, task, "a text"))
    assert found.output == output
    assert found.confidence == (None if confidence is None else Decimal(str(confidence)))
    assert http.asked[0][0] == f"/models/{MODEL}"
    assert http.asked[0][1]["json"]["inputs"] == "a text"


@pytest.mark.parametrize(
    "body", [[], {}, "x", None, [[]], [{"label": "x"}], [{"label": 7, "score": 1}]]
)
@pytest.mark.parametrize("task", list(TASKS))
def test_what_is_no_answer_to_a_task_is_garbled(task: str, body: Any) -> None:
    adapter, _ = adapt(HuggingFace, body)
    with pytest.raises(UNREADABLE):
        adapter.trial(TrialQuery(MODEL, task, "a text"))


@pytest.mark.parametrize("score", [-0.1, 1.1, "much", None, True])
def test_a_probability_is_zero_to_one(score: Any) -> None:
    adapter, _ = adapt(HuggingFace, [{"label": "x", "score": score}])
    with pytest.raises(Garbled):
        adapter.trial(TrialQuery(MODEL, "text-classification", "a text"))


@pytest.mark.parametrize(
    "query", [TrialQuery("a b", "fill-mask", "x"), TrialQuery("a", "sing", "x")]
)
def test_a_trial_of_nothing_is_not_asked(query: TrialQuery) -> None:
    adapter, http = adapt(HuggingFace, [])
    with pytest.raises(Unsupported):
        adapter.trial(query)
    assert not http.asked


def test_a_long_answer_is_cut() -> None:
    adapter, _ = adapt(HuggingFace, [{"summary_text": "x" * 5000}])
    (found,) = adapter.trial(TrialQuery(MODEL, "summarization", "a text"))
    assert found == Trial("x" * 300, None)
