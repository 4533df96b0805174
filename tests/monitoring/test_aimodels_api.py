"""The routes about AI models, by the public door."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from aggregator import callers, heartbeat
from aggregator.models import Client as Program
from monitoring import aimodels
from monitoring.models import ModelMetric, ModelStats, Scan, ScanPlan
from providers.aimodels import AiModel
from providers.history import Edit
from tests.monitoring.hub import Hub, token
from tests.monitoring.hub import hub as hub
from tests.monitoring.test_api import is_problem, until

pytestmark = pytest.mark.django_db

BASE = "/api/ai-models"
FINBERT = "ProsusAI/finbert"
READ = (
    "scan",
    "models",
    "models/available",
    f"models/{FINBERT}/history",
    f"models/{FINBERT}/stats",
    "models/gpt2/stats",
    "stats/summary",
    "dashboard",
    "agent/status",
    "health",
)
MODEL_FIELDS = {
    *("model_id", "model_key", "task", "category", "provider", "requires_auth", "is_active"),
    *("status", "total_checks", "successful_checks", "failed_checks", "avg_response_time_ms"),
    *("success_rate", "last_success_at", "last_failure_at", "fallback"),
}
CHECK_FIELDS = {
    *("status", "response_time_ms", "success", "error_message"),
    *("test_input", "test_output", "confidence", "checked_at"),
}


def get(client: Client, route: str, **params: Any) -> Any:
    response = client.get(f"{BASE}/{route}", params)
    assert response.status_code == 200, response.content
    return response.json()


def by_id(found: Any) -> dict[str, Any]:
    return {row["model_id"]: row for row in found["models"]}


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def program(**fields: Any) -> dict[str, str]:
    """The header of a program's key."""
    row = Program(name="a program", **fields)
    key = row.new_key()
    row.save()
    callers.forget()
    return {"x-api-key": key}


# -- Before anybody looked ---------------------------------------------------------------------


def test_nothing_is_known_before_the_first_check_and_no_rate_is_made_up(
    shipped: None, client: Client
) -> None:
    found = get(client, "models")
    assert found["total"] == len(found["models"]) == 21
    for row in found["models"]:
        assert set(row) >= MODEL_FIELDS
        assert (row["status"], row["total_checks"]) == ("unknown", 0)
        assert row["success_rate"] is row["avg_response_time_ms"] is None
        assert row["last_success_at"] is row["last_failure_at"] is None
    assert get(client, "models/available") == {"total": 0, "models": []}
    summary = get(client, "stats/summary")
    assert (summary["total_models"], summary["models_with_checks"]) == (21, 0)
    assert summary["overall_success_rate"] is None
    assert {row["avg_success_rate"] for row in summary["by_category"].values()} == {None}
    assert get(client, f"models/{FINBERT}/history") == {
        "model_id": FINBERT,
        "total_records": 0,
        "history": [],
    }
    assert get(client, "health")["status"] == "no scan yet"
    assert get(client, "scan")["run"] is None


def test_nothing_at_all_is_an_answer_too(client: Client) -> None:
    for route in ("scan", "models", "models/available", "stats/summary", "dashboard", "health"):
        get(client, route)
    assert get(client, "stats/summary")["by_category"] == {}


# -- After a scan ------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
class TestAfterAScan:
    @pytest.fixture(autouse=True)
    def _scanned(self, hub: Hub) -> None:
        token()
        self.run = hub.scan()
        self.hub = hub

    def test_the_models_and_how_they_did(self, client: Client) -> None:
        found = by_id(get(client, "models"))
        row = found[FINBERT]
        assert (row["status"], row["success_rate"], row["total_checks"]) == ("available", 100, 1)
        assert row["avg_response_time_ms"] > 0
        assert row["last_success_at"].endswith("Z")
        assert row["fallback"].startswith("mrm8488/")
        assert found["gpt2"]["success_rate"] == 0
        assert found["gpt2"]["avg_response_time_ms"] is None
        assert found["sshleifer/distilbart-cnn-12-6"]["success_rate"] is None

    def test_the_scan_counts_every_state(self, client: Client) -> None:
        found = get(client, "scan")
        states = ("available", "loading", "failed", "auth_required", "not_found", "unserved")
        assert sum(found[state] for state in states) + found["unknown"] == found["total"] == 21
        assert (found["loading"], found["not_found"], found["auth_required"]) == (1, 2, 1)
        assert found["run"]["id"] == self.run.pk
        assert (found["run"]["looked_at"], found["run"]["running"]) == (21, False)
        assert {row["model_id"] for row in found["models"]} == set(by_id(get(client, "models")))

    def test_the_available_can_be_asked(self, client: Client) -> None:
        found = get(client, "models/available")
        assert found["total"] == len(found["models"]) == get(client, "scan")["available"]
        assert {row["status"] for row in found["models"]} == {"available"}
        AiModel.objects.filter(model_id=FINBERT).update(is_active=False)
        assert get(client, "models/available")["total"] == found["total"] - 1

    def test_the_history_of_a_model_with_a_slash(self, client: Client) -> None:
        self.hub.tick(minutes=5)
        self.hub.scan()
        found = get(client, f"models/{FINBERT}/history")
        assert found["total_records"] == 2
        newest, oldest = found["history"]
        assert set(newest) >= CHECK_FIELDS
        assert (newest["way"], newest["response_time_ms"]) == ("hub", None)
        assert (oldest["way"], oldest["test_output"]) == ("trial", "positive")
        assert oldest["checked_at"] < newest["checked_at"]
        assert len(get(client, f"models/{FINBERT}/history", limit=1)["history"]) == 1

    def test_the_numbers_of_one(self, client: Client) -> None:
        found = get(client, f"models/{FINBERT}/stats")
        assert found["model_info"] == by_id(get(client, "models"))[FINBERT]
        assert len(found["recent_checks"]) == 1
        assert get(client, "models/openai-community/gpt2/stats")["model_info"]["model_id"] == "gpt2"

    def test_the_dashboard(self, client: Client) -> None:
        found = get(client, "dashboard")
        assert set(found) == {
            *("summary", "top_models", "failed_models"),
            *("agent_running", "total_models", "timestamp"),
        }
        assert found["total_models"] == found["summary"]["models_with_checks"] == 21
        assert len(found["top_models"]) == 5
        assert {row["status"] for row in found["top_models"]} == {"available"}
        assert "gpt2" in {row["model_id"] for row in found["failed_models"]}
        rate = found["summary"]["overall_success_rate"]
        stats = ModelStats.objects.all()
        good = sum(row.successful_checks for row in stats)
        bad = sum(row.failed_checks for row in stats)
        assert rate == pytest.approx(100 * good / (good + bad), abs=0.01)
        assert good + bad == 19, "of two nothing was learned"

    def test_what_is_old_is_unknown(self, client: Client) -> None:
        AiModel.objects.update(fresh_until=now() - timedelta(seconds=1))
        assert get(client, "scan")["unknown"] == 21
        assert by_id(get(client, "models"))[FINBERT]["reason"] == "not looked at for too long"
        assert get(client, "models/available")["total"] == 0

    def test_the_health_of_the_scans(self, client: Client) -> None:
        found = get(client, "health")
        assert (found["status"], found["hub_answered"]) == ("healthy", True)
        Scan.objects.update(started_at=now() - timedelta(minutes=16))
        assert get(client, "health")["status"] == "stale"
        ScanPlan(paused=True).save()
        assert get(client, "health")["status"] == "stopped"


# -- Starting one ------------------------------------------------------------------------------


def test_a_visitor_starts_nothing(shipped: None, client: Client) -> None:
    get(client, "scan")
    plain = program()
    assert client.get(f"{BASE}/scan", headers=plain).status_code == 200
    for route in ("scan", "agent/start", "agent/stop"):
        is_problem(client.post(f"{BASE}/{route}"), 403, "permission_denied")
        is_problem(client.post(f"{BASE}/{route}", headers=plain), 403, "permission_denied")
    client.force_login(User.objects.create_user("visitor"))
    is_problem(client.post(f"{BASE}/scan"), 403, "permission_denied")
    assert not Scan.objects.exists()


def test_a_session_is_not_enough_without_its_token_and_its_get_starts_nothing(
    shipped: None,
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    is_problem(strict.post(f"{BASE}/scan"), 403, "permission_denied")
    assert strict.get(f"{BASE}/scan").status_code == 200
    assert not Scan.objects.exists()


def over() -> bool:
    return not any(thread.name == "model-scan" for thread in threading.enumerate())


@pytest.mark.django_db(transaction=True)
def test_staff_start_one_and_who_comes_then_joins_it(client: Client, hub: Hub) -> None:
    client.force_login(User.objects.create_superuser("root"))
    going_on, _ = aimodels.begin("somebody", now())
    response = client.post(f"{BASE}/scan")
    assert response.status_code == 202
    assert response.json()["run"]["id"] == going_on.pk
    assert response.json()["run"]["running"] is True
    aimodels.run(going_on, hub.clock, hub.sleep)
    response = client.post(f"{BASE}/scan")
    assert response.status_code == 202
    run = response.json()["run"]
    assert (run["by"], run["id"]) == ("root", going_on.pk + 1)
    until(lambda: Scan.objects.get(pk=run["id"]).finished_at)
    until(over)
    assert Scan.objects.count() == 2
    assert ModelMetric.objects.count() == 42


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_program_that_is_an_operator_starts_one(client: Client, hub: Hub, method: str) -> None:
    response = getattr(client, method)(f"{BASE}/scan", headers=program(is_operator=True))
    assert response.status_code == 202
    assert response.json()["run"]["by"].startswith("client:")
    until(lambda: Scan.objects.get().finished_at)
    until(over)


# -- The agent ---------------------------------------------------------------------------------


def test_the_agent_is_stopped_and_started(staff: Client) -> None:
    assert get(staff, "agent/status") == {
        "running": False,
        "status": "the worker is silent",
        "interval_minutes": 5.0,
        "last_scan": None,
    }
    heartbeat.beat()
    assert get(staff, "agent/status")["running"] is True
    assert staff.post(f"{BASE}/agent/stop").json()["status"] == "stopped"
    assert get(staff, "agent/status")["running"] is False
    assert ScanPlan.current().paused
    assert staff.post(f"{BASE}/agent/stop").json()["running"] is False
    assert staff.post(f"{BASE}/agent/start").json()["running"] is True
    assert not ScanPlan.current().paused
    assert [edit.who for edit in Edit.objects.all()] == ["root", "root"]


def test_a_program_that_is_an_operator_stops_it(client: Client) -> None:
    headers = program(is_operator=True)
    assert client.post(f"{BASE}/agent/stop", headers=headers).status_code == 200
    assert ScanPlan.current().paused
    client.post(f"{BASE}/agent/start", headers=headers)
    assert not ScanPlan.current().paused


# -- Bad questions, and the cost of good ones --------------------------------------------------


@pytest.mark.parametrize("route", READ)
def test_unknown_parameters_are_named(shipped: None, client: Client, route: str) -> None:
    body = is_problem(client.get(f"{BASE}/{route}?colour=red"), 400, "bad_query")
    assert "colour" in body["errors"]
    assert client.get(f"{BASE}/{route}/").status_code == 200


@pytest.mark.parametrize("route", ["scan", "agent/start", "agent/stop"])
def test_unknown_parameters_of_a_post_too(staff: Client, route: str) -> None:
    is_problem(staff.post(f"{BASE}/{route}?colour=red"), 400, "bad_query")
    assert not Scan.objects.exists()


@pytest.mark.parametrize("limit", ["0", "1001", "x", "-1"])
def test_a_history_has_an_end(shipped: None, client: Client, limit: str) -> None:
    response = client.get(f"{BASE}/models/{FINBERT}/history", {"limit": limit})
    assert "limit" in is_problem(response, 400, "bad_query")["errors"]


@pytest.mark.parametrize(
    "name", ["nobody/knows-it", "nobody", "%3Cscript%3E", "a%00b", "%F0%9F%98%80"]
)
@pytest.mark.parametrize("route", ["history", "stats"])
def test_a_model_nobody_knows_is_a_404(
    shipped: None, client: Client, name: str, route: str
) -> None:
    is_problem(client.get(f"{BASE}/models/{name}/{route}"), 404, "not_found")


def test_paths_that_lead_nowhere_are_problems(client: Client) -> None:
    for route in ("", "nothing", "models/a/b/c/stats", f"models/{FINBERT}"):
        is_problem(client.get(f"{BASE}/{route}"), 404, "not_found")
    assert client.post(f"{BASE}/models").status_code in (403, 405)


@pytest.mark.parametrize("route", READ)
def test_a_route_costs_a_handful_of_queries(shipped: None, client: Client, route: str) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        get(client, route)
    assert len(queries) <= 6, [q["sql"] for q in queries.captured_queries]


@pytest.mark.parametrize("route", READ)
def test_who_has_the_answer_is_not_sent_it_again(shipped: None, client: Client, route: str) -> None:
    etag = client.get(f"{BASE}/{route}")["ETag"]
    assert client.get(f"{BASE}/{route}", headers={"if-none-match": etag}).status_code == 304


def test_the_schema_has_every_route(client: Client) -> None:
    paths = client.get("/api/schema?format=json").json()["paths"]
    found = {path.removeprefix(f"{BASE}/") for path in paths if path.startswith(BASE)}
    assert found == {
        *("scan", "models", "models/available", "models/{model_id}/history"),
        *("models/{model_id}/stats", "stats/summary", "dashboard", "agent/status"),
        *("agent/start", "agent/stop", "health"),
    }
