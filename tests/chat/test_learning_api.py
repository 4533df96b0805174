"""The staff routes of the chat: the loop from a bad answer to a promoted model, and who may not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from aggregator.models import Client as ApiClient
from chat import datasets, questions
from chat.api.learning_urls import ROUTES
from chat.models import Example, Experiment, Feedback, ModelVersion, ReviewItem
from tests.chat.learners import asked, model
from tests.chat.test_reviewing import item

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("all_agree")]
Role = ModelVersion.Role

READ = ("review", "datasets", "training-runs", "models", "experiments", "analytics")


def post(client: Client, path: str, body: Any = None, status: int = 200) -> dict[str, Any]:
    reply = client.post(f"/api/chat/{path}", body or {}, content_type="application/json")
    assert reply.status_code == status, reply.content
    said: dict[str, Any] = reply.json()
    return said


def get(client: Client, path: str, status: int = 200) -> dict[str, Any]:
    reply = client.get(f"/api/chat/{path}")
    assert reply.status_code == status, reply.content
    said: dict[str, Any] = reply.json()
    return said


@pytest.mark.parametrize("path", READ)
def test_strangers_and_client_keys_see_nothing(client: Client, path: str) -> None:
    assert get(client, path, 403)["code"] in ("not_authenticated", "permission_denied")
    program = ApiClient(name="widget")
    key = program.new_key()
    program.save()
    assert client.get(f"/api/chat/{path}", headers={"X-API-Key": key}).status_code == 403


@pytest.mark.parametrize("path", READ)
def test_staff_needs_the_permission(client: Client, path: str) -> None:
    client.force_login(User.objects.create(username="ann", is_staff=True))
    assert "permission chat.view_" in get(client, path, 403)["detail"]


@pytest.mark.parametrize("path", READ)
def test_every_list_is_well_formed_when_it_is_empty(admin_client: Client, path: str) -> None:
    said = get(admin_client, path)
    assert said.get("data", []) == []
    assert get(admin_client, f"{path}?frobnicate=1", 400)["errors"]["frobnicate"]


def test_review_label_freeze(admin_client: Client) -> None:
    row = item("what do fees on the zebra chain cost")
    [told] = get(admin_client, "review")["data"]
    assert (told["query"], told["suggested"]) == (row.interaction.query, "GAS")
    assert post(admin_client, f"review/{row.pk}", {"decision": "accept"})["state"] == "accepted"
    assert get(admin_client, "review")["total"] == 0
    assert get(admin_client, "review?state=accepted")["total"] == 1
    assert post(admin_client, f"review/{row.pk}", {"decision": "reject"}, 409)["code"] == "decided"
    frozen = post(admin_client, "datasets", {"note": "one more"}, 201)
    assert frozen["questions"] == len(questions.train()) + 1
    assert post(admin_client, "datasets")["number"] == frozen["number"]
    reply = admin_client.get(f"/api/chat/datasets/{frozen['number']}.jsonl")
    assert reply["ETag"] == f'"{frozen["sha256"]}"'
    lines = reply.content.decode().splitlines()
    assert {"text": row.interaction.query, "category": "GAS", "lang": "en"} in map(
        json.loads, lines
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"decision": "maybe"},
        {"decision": "relabel"},
        {"decision": "relabel", "category": "NONSENSE"},
        {"decision": "accept", "category": "GAS"},
        {"decision": "accept", "by": "me"},
        [],
        "accept",
    ],
)
def test_a_bad_decision_is_refused_and_changes_nothing(admin_client: Client, body: Any) -> None:
    row = item()
    reply = admin_client.post(
        f"/api/chat/review/{row.pk}", json.dumps(body), content_type="application/json"
    )
    assert reply.status_code == 422
    assert reply.json()["errors"]
    row.refresh_from_db()
    assert row.state == ReviewItem.State.OPEN
    assert not Example.objects.exists()


def test_a_training_is_started_and_watched(admin_client: Client) -> None:
    version, _ = datasets.freeze()
    run = post(admin_client, "training-runs", {"dataset": version.number, "seed": 3}, 202)
    assert (run["state"], run["progress_percent"], run["model"]) == ("queued", 0, None)
    assert get(admin_client, f"training-runs/{run['id']}")["seed"] == 3
    assert get(admin_client, "training-runs")["total"] == 1
    post(admin_client, "training-runs", {"dataset": 99}, 404)
    post(admin_client, "training-runs", {"dataset": "x"}, 422)


@pytest.mark.slow
def test_promote_and_roll_back_by_one_call(admin_client: Client) -> None:
    first, second = model(0), model(1)
    for row in (first, second):
        said = post(admin_client, f"models/{row.code}/promote", {"why": "better"})
        assert said["role"] == Role.CHAMPION
    post(admin_client, f"models/{second.code}/promote", status=409)
    assert post(admin_client, "models/roll-back")["code"] == first.code
    assert post(admin_client, f"models/{second.code}/shadow")["role"] == Role.SHADOW
    assert {row["code"] for row in get(admin_client, "models")["data"]} == {first.code, second.code}
    post(admin_client, "models/000000000000/promote", status=404)


def test_an_experiment_begins_and_stops(admin_client: Client) -> None:
    model(0, Role.CHAMPION)
    begin = {"name": "b", "challenger": model(1).code, "share_percent": 10}
    said = post(admin_client, "experiments", begin, 201)
    assert said["verdict"]["champion"]["helpful"]["value"] is None
    post(admin_client, "experiments", begin | {"name": "c"}, 409)
    assert post(admin_client, f"experiments/{said['id']}/stop")["state"] == "stopped"
    post(admin_client, f"experiments/{said['id']}/stop", status=409)
    assert Experiment.objects.get().verdict["by"] == "admin"


def test_analytics_count_what_was_asked(admin_client: Client) -> None:
    champion = model(0, Role.CHAMPION)
    for query in ("zebra?", "Zebra", "a rare one"):
        asked(query, category="OUT_OF_SCOPE", route="clarify", latency_ms=7.0)
    Feedback.objects.create(interaction=asked(model_version=champion.code), type="up")
    said = get(admin_client, "analytics?days=1")
    assert said["questions"] == 4
    assert said["by_category"] == {"OUT_OF_SCOPE": 3, "PRICE_QUERY": 1}
    assert said["clarification_rate"] == 0.75
    assert said["feedback"] == {"up": 1, "down": 0, "correction": 0, "flag": 0, "helpful_rate": 1}
    assert said["latency_ms"] == {"p50": 7, "p95": 7}
    [row] = said["by_model"]
    assert (row["model"], row["role"], row["helpful_rate"]) == (champion.code, "champion", 1)
    assert said["unanswered"][0]["times"] == 2
    assert said["drift"]["population_stability_index"] is None


def test_words_of_questions_need_their_own_permission(client: Client) -> None:
    ann = User.objects.create(username="ann", is_staff=True)
    ann.user_permissions.add(Permission.objects.get(codename="view_modelversion"))
    client.force_login(ann)
    assert "unanswered" not in get(client, "analytics")


def test_every_route_of_ours_is_tested_here() -> None:
    assert len(ROUTES) == 12
