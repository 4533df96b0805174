"""The sandbox's Hugging Face: every model has labels of its own, and errors are its own."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.sandbox.hosts.huggingface import GATED, MODELS, RETIRED, UNSERVED
from tests.providers.sandbox.asking import Asker

ROUTER = "https://router.huggingface.co/hf-inference/models"
TOKEN = {"authorization": "Bearer sandbox-1"}
GOOD, BAD = "Bitcoin climbs to a record", "Coins slip after a hack"


def ask(asker: Asker, model: str, body: Any, **headers: str) -> tuple[int, Any]:
    sent = body if isinstance(body, bytes) else orjson.dumps(body)
    reply = asker.ask(f"{ROUTER}/{model}", "POST", sent, {**TOKEN, **headers})
    return reply.status, orjson.loads(reply.body)


@pytest.mark.parametrize("model", MODELS)
def test_labels_are_the_models_own_and_their_scores_add_up(asker: Asker, model: str) -> None:
    status, (labels,) = ask(asker, model, {"inputs": GOOD})
    assert status == 200
    assert {row["label"] for row in labels} == set(MODELS[model])
    assert sum(row["score"] for row in labels) == pytest.approx(1)
    scores = [row["score"] for row in labels]
    assert scores == sorted(scores, reverse=True)


def test_several_texts_are_read_in_their_order(asker: Asker) -> None:
    _, found = ask(asker, "ProsusAI/finbert", {"inputs": [GOOD, BAD, "Coins"]})
    assert [labels[0]["label"] for labels in found] == ["positive", "negative", "neutral"]


def test_no_more_labels_come_than_are_wanted(asker: Asker) -> None:
    asked = {"inputs": GOOD, "parameters": {"top_k": 1}}
    assert len(ask(asker, "ProsusAI/finbert", asked)[1][0]) == 1


@pytest.mark.parametrize(
    ("model", "status"),
    [(UNSERVED[0], 400), (RETIRED[0], 410), (GATED[0], 403), ("nobody/knows-it", 404)],
)
def test_a_model_that_is_not_served_is_an_error_of_the_model(
    asker: Asker, model: str, status: int
) -> None:
    found, body = ask(asker, model, {"inputs": GOOD})
    assert found == status
    assert body["error"]


@pytest.mark.parametrize("token", ["", "Bearer hf_a_real_one", "Basic sandbox-1", "sandbox-1"])
def test_without_its_token_it_answers_nobody(asker: Asker, token: str) -> None:
    found = ask(asker, "ProsusAI/finbert", {"inputs": GOOD}, authorization=token)
    assert found == (401, {"error": "Invalid username or password."})


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        ({}, 422),
        ([], 422),
        ({"inputs": 7}, 422),
        ({"inputs": []}, 422),
        ({"inputs": GOOD, "parameters": {"top_k": 0}}, 422),
        ({"inputs": "word " * 600}, 400),
    ],
)
def test_a_body_it_cannot_read_is_refused(asker: Asker, body: Any, status: int) -> None:
    found, said = ask(asker, "ProsusAI/finbert", body)
    assert found == status
    assert said["error"]


def test_a_model_that_is_loading_says_for_how_long(asker: Asker) -> None:
    fault = {"x-sandbox-fault": "status=503"}
    status, body = ask(asker, "ProsusAI/finbert", {"inputs": GOOD}, **fault)
    assert (status, body["estimated_time"]) == (503, 20.0)
    assert "currently loading" in body["error"]


def test_the_old_address_says_where_the_new_one_is(asker: Asker) -> None:
    fault = {"x-sandbox-fault": "status=410"}
    status, body = ask(asker, "ProsusAI/finbert", {"inputs": GOOD}, **fault)
    assert status == 410
    assert "router.huggingface.co" in body["error"]
