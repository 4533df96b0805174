"""The sandbox's Hub: every model of the catalogue, in the states that models are found in."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from providers.catalogue import ai_models
from providers.sandbox.hosts.huggingface_hub import CARDS, RENAMED
from tests.providers.sandbox.asking import Asker

HUB = "https://huggingface.co/api/models"
ROUTER = "https://router.huggingface.co/hf-inference/models"
TOKEN = {"authorization": "Bearer sandbox-1"}
FIELDS = "expand[]=inferenceProviderMapping&expand[]=gated&expand[]=pipeline_tag"


def test_it_knows_the_models_of_the_catalogue_but_for_the_two_that_nobody_found() -> None:
    names = {entry.canonical_id or entry.model_id for entry in ai_models.load()}
    assert names - set(CARDS) == {
        "mayurjadhav/crypto-sentiment-model",
        "FurkanGozukara/Crypto-Financial-News-Summarizer",
    }


@pytest.mark.parametrize("model", CARDS)
def test_a_card_says_who_runs_it(asker: Asker, model: str) -> None:
    found = asker.get(f"{HUB}/{model}?{FIELDS}")
    assert found["id"] == model
    mapping = found["inferenceProviderMapping"]
    assert mapping.get("hf-inference", {}).get("status") == CARDS[model].served
    assert "disabled" not in found, "it was not asked for"


@pytest.mark.parametrize("name", RENAMED)
def test_an_old_name_is_redirected(asker: Asker, name: str) -> None:
    reply = asker.ask(f"{HUB}/{name}?{FIELDS}")
    assert (reply.status, reply.headers["location"]) == (307, f"/api/models/{RENAMED[name]}")


def test_a_model_that_does_not_exist_is_a_401_without_a_token(asker: Asker) -> None:
    reply = asker.ask(f"{HUB}/nobody/knows-it")
    assert (reply.status, reply.headers["X-Error-Code"]) == (401, "RepoNotFound")
    reply = asker.ask(f"{HUB}/nobody/knows-it", headers=TOKEN)
    assert (reply.status, reply.headers["X-Error-Code"]) == (404, "RepoNotFound")
    status, body = asker.refused(f"{HUB}/ProsusAI/finbert", authorization="Bearer hf_a_real_one")
    assert (status, "credentials" in body["error"]) == (401, True)


def test_every_answer_tells_what_is_left(asker: Asker) -> None:
    first, second = (asker.ask(f"{HUB}/ProsusAI/finbert") for _ in range(2))
    left = [int(r.headers["ratelimit"].split("r=")[1].split(";")[0]) for r in (first, second)]
    assert left[0] - left[1] == 1
    assert first.headers["ratelimit-policy"] == '"fixed window";"api";q=500;w=300'
    with_token = asker.ask(f"{HUB}/ProsusAI/finbert", headers=TOKEN)
    assert "q=1000" in with_token.headers["ratelimit-policy"]


def test_its_limit_is_kept_where_limits_are() -> None:
    asker = Asker(limits=True, coins=[])
    found = [asker.ask(f"{HUB}/ProsusAI/finbert").status for _ in range(501)]
    assert found.count(429) == 1
    assert found[-1] == 429


# -- Tasks beside telling a mood ---------------------------------------------------------------


def read(asker: Asker, model: str, text: str, **parameters: Any) -> tuple[int, Any]:
    body = orjson.dumps({"inputs": text, "parameters": parameters})
    reply = asker.ask(f"{ROUTER}/{model}", "POST", body, TOKEN)
    return reply.status, orjson.loads(reply.body)


def test_a_model_is_loaded_when_somebody_asks_and_forgotten_when_nobody_does() -> None:
    asker, bart = Asker(coins=[]), "facebook/bart-large-cnn"
    status, body = read(asker, bart, "One. Two.")
    assert (status, body["estimated_time"]) == (503, 2.0)
    asker.now += 2
    assert read(asker, bart, "One. Two.") == (200, [{"summary_text": "One."}])
    asker.now += 901
    assert read(asker, bart, "One. Two.")[0] == 503


def test_one_is_never_done_with_loading() -> None:
    asker = Asker(coins=[])
    for _ in range(3):
        status, body = read(asker, "sshleifer/distilbart-cnn-12-6", "One. Two.")
        assert (status, body["estimated_time"]) == (503, 60.0)
        asker.now += 60


def test_labels_of_ones_own_are_weighed(asker: Asker) -> None:
    status, found = read(asker, "facebook/bart-large-mnli", "mkt", candidate_labels=["mkt", "zzz"])
    assert status == 200
    assert [row["label"] for row in found] == ["mkt", "zzz"]
    assert sum(row["score"] for row in found) == pytest.approx(1)
