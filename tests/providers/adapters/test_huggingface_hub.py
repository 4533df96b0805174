"""What the Hub says of models: who runs them, who may use them, and how often it may be asked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.base import UNREADABLE, Reading, Reply
from providers.adapters.huggingface_hub import FIELDS, HuggingFaceHub
from providers.datasets import ModelFacts, ModelFactsQuery
from providers.errors import BadKey, Missing, PlanLimit, ProviderError, Unsupported
from tests.providers.adapters.conftest import adapt, encode

MODEL = "ProsusAI/finbert"
LIVE = {
    "id": MODEL,
    "pipeline_tag": "text-classification",
    "gated": False,
    "disabled": False,
    "inferenceProviderMapping": {"hf-inference": {"status": "live", "providerId": MODEL}},
}


def facts(*bodies: Any, model: str = MODEL) -> ModelFacts:
    adapter, _ = adapt(HuggingFaceHub, *bodies)
    found: ModelFacts = adapter.model_facts(ModelFactsQuery(model))[0]
    return found


def test_what_is_asked_for_and_what_is_read() -> None:
    adapter, http = adapt(HuggingFaceHub, LIVE)
    (found,) = adapter.model_facts(ModelFactsQuery(MODEL))
    assert found == ModelFacts(MODEL, "text-classification", "live", gated=False, disabled=False)
    assert http.asked == [(f"/api/models/{MODEL}", {"expand[]": list(FIELDS)})]


@pytest.mark.parametrize(
    ("mapping", "served"),
    [
        ({}, None),
        (None, None),
        ({"together": {"status": "live"}}, None),
        ({"hf-inference": {"status": "staging"}}, "staging"),
        ({"hf-inference": {"status": "error"}}, "error"),
        ({"hf-inference": {"status": "something new"}}, "error"),
        ([{"provider": "hf-inference", "status": "live"}], "live"),
        ([{"provider": "together", "status": "live"}, "x"], None),
    ],
)
def test_only_what_hf_inference_runs_counts(mapping: Any, served: str | None) -> None:
    assert facts(LIVE | {"inferenceProviderMapping": mapping}).served == served


def test_what_it_does_not_say_is_not_made_up() -> None:
    assert facts({"id": MODEL}) == ModelFacts(MODEL, None, None, gated=False, disabled=False)


@pytest.mark.parametrize(("said", "gated"), [(False, False), ("auto", True), ("manual", True)])
def test_a_gate_of_any_kind_is_one(said: Any, gated: bool) -> None:
    assert facts(LIVE | {"gated": said}).gated is gated


def test_after_a_redirect_it_is_asked_by_its_new_name() -> None:
    new = "openai-community/gpt2"
    adapter, http = adapt(HuggingFaceHub, {"id": new}, LIVE | {"id": new})
    (found,) = adapter.model_facts(ModelFactsQuery("gpt2"))
    assert (found.id, found.served) == (new, "live")
    assert [path for path, _ in http.asked] == ["/api/models/gpt2", f"/api/models/{new}"]


@pytest.mark.parametrize(
    "body", [[], "x", None, {}, {"id": 7}, {"id": "../../whoami"}, {"id": "a b"}]
)
def test_what_is_no_model_is_garbled(body: Any) -> None:
    with pytest.raises(UNREADABLE):
        facts(body)


@pytest.mark.parametrize("model", ["", "../x", "a/b/c", "a?b", "é"])
def test_a_model_is_no_path(model: str) -> None:
    with pytest.raises(Unsupported):
        facts(LIVE, model=model)


@pytest.mark.parametrize(
    ("status", "code", "error", "meant"),
    [
        (401, "RepoNotFound", "Invalid username or password.", Missing),
        (401, "", "Invalid username or password.", Missing),
        (401, "", "Invalid credentials in Authorization header", BadKey),
        (401, "", "User Access Token is expired", BadKey),
        (401, "GatedRepo", "Access to this model is restricted", PlanLimit),
        (403, "GatedRepo", "", PlanLimit),
        (403, "", "Forbidden", PlanLimit),
        (404, "", "Not Found", Missing),
        (404, "RepoNotFound", "Repository not found", Missing),
    ],
)
def test_who_does_not_exist_is_told_from_who_may_not_be_seen(
    status: int, code: str, error: str, meant: type[ProviderError]
) -> None:
    headers = {"X-Error-Code": code} if code else {}
    found = HuggingFaceHub.diagnose(Reply(status, headers, encode({"error": error})))
    assert type(found) is meant


@pytest.mark.parametrize("status", [200, 429, 500, 503])
def test_other_statuses_mean_what_they_always_do(status: int) -> None:
    assert HuggingFaceHub.diagnose(Reply(status, {}, b"<html>")) is None


# -- Its limits --------------------------------------------------------------------------------


def test_its_headers_tell_what_is_left() -> None:
    headers = {
        "RateLimit": '"api";r=489;t=201',
        "RateLimit-Policy": '"fixed window";"api";q=500;w=300',
    }
    assert list(HuggingFaceHub.readings(headers)) == [
        Reading(300, remaining=489, limit=500, resets_in_s=201)
    ]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, []),
        ("", []),
        ("junk", []),
        ('"api";r=x;t=201', []),
        ('"api";t=55', []),
        ('"api";r=0;t=55', [Reading(300, remaining=0, limit=None, resets_in_s=55)]),
        ('"api"; r=7', [Reading(300, remaining=7, limit=None, resets_in_s=None)]),
    ],
)
def test_what_is_not_told_is_not_known(header: str | None, expected: list[Reading]) -> None:
    headers = {} if header is None else {"RateLimit": header}
    assert list(HuggingFaceHub.readings(headers)) == expected


@given(st.text(max_size=100), st.text(max_size=100))
def test_no_header_is_too_strange(limit: str, policy: str) -> None:
    found = list(HuggingFaceHub.readings({"RateLimit": limit, "RateLimit-Policy": policy}))
    assert all(reading.remaining is not None for reading in found)


def test_no_token_is_needed() -> None:
    assert HuggingFaceHub.auth is not None
    assert not HuggingFaceHub.auth.required
