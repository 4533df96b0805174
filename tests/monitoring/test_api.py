"""The routes about providers, by the public door."""

from __future__ import annotations

import csv
import io
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now

from monitoring import leases, readings, readouts
from monitoring.models import CheckResult, Endpoint, Plan
from providers import roster
from providers.health import Health
from providers.models import Provider
from tests.monitoring.world import called, endpoint, results
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db

ROUTES = (
    "status",
    "status/a",
    "best",
    "history",
    "history/a",
    "health",
    "a/stats",
)


def get(client: Client, route: str, **params: Any) -> Any:
    response = client.get(f"/api/providers/{route}", params)
    assert response.status_code == 200, response.content
    return response.json()


def is_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert (body["status"], body["code"]) == (status, code)
    return body


# -- Status ------------------------------------------------------------------------------------


def test_the_status_of_every_provider(client: Client) -> None:
    one = endpoint("a", error_message="", endpoint_up=True)
    endpoint("b", "down", failures=3, error_message="did not answer in time", endpoint_up=False)
    results(one, "good", "good", "fault", "good", "limited")
    found = get(client, "status")
    assert found["timestamp"].endswith("Z")
    assert set(found["providers"]) == {"a", "b"}
    row = found["providers"]["a"]
    assert (row["status"], row["response_time_ms"], row["uptime_percent"]) == ("healthy", 100, 75)
    assert (row["error_message"], row["endpoint_up"], row["kind"]) == (None, True, "data")
    assert row["latency"] == {"min": 100, "max": 100, "avg": 100, "p50": 100, "p95": 100}
    other = found["providers"]["b"]
    assert (other["status"], other["consecutive_failures"]) == ("down", 3)
    assert other["uptime_percent"] is None
    assert other["latency"]["p95"] is None
    assert other["error_message"] == "did not answer in time"


def test_the_status_of_one_is_the_same_and_flat(client: Client) -> None:
    endpoint("a")
    row = get(client, "status")["providers"]["a"]
    flat = get(client, "status/a")
    assert flat.pop("provider_name") == "a"
    flat.pop("timestamp")
    assert flat == row


def test_what_is_old_is_unknown_and_what_was_never_checked_too(client: Client) -> None:
    endpoint("old", fresh_until=now() - timedelta(seconds=1))
    endpoint("new", "unknown", checked_at=None, fresh_until=None, reason="")
    found = get(client, "status")["providers"]
    assert [found[name]["status"] for name in ("old", "new")] == ["unknown", "unknown"]
    assert found["new"]["reason"] == "not checked yet"


def test_a_switch_is_obeyed_before_the_next_check(client: Client) -> None:
    endpoint("a")
    Provider.objects.update(enabled=False)
    roster.forget()
    readings.forget()
    assert get(client, "status/a")["status"] == "disabled"
    Health.objects.update(status="disabled")
    Provider.objects.update(enabled=True)
    roster.forget()
    readings.forget()
    assert get(client, "status/a")["status"] == "unknown"


def test_a_kind_and_a_window_can_be_asked_for(client: Client) -> None:
    one = endpoint("a")
    results(one, "good", at=now() - timedelta(hours=20))
    results(one, "fault")
    assert get(client, "status", kind="llm")["providers"] == {}
    assert get(client, "status/a")["uptime_percent"] == 50
    assert get(client, "status/a", window="1h")["uptime_percent"] == 0


def test_a_used_up_rate_limit_is_shown(client: Client) -> None:
    endpoint("a")
    provider = Provider.objects.get()
    assert get(client, "status/a")["rate_limit_percent"] is None
    provider.limits = [{"limit": 4, "per_s": 86400, "burst": 2}]
    provider.save()
    roster.forget()
    with Provider.objects.get().guard.admit():
        readings.forget()
        assert get(client, "status/a")["rate_limit_percent"] == pytest.approx(50, abs=1)


# -- The best, the watch, the numbers ----------------------------------------------------------


def test_the_best_and_why(client: Client) -> None:
    endpoint("a", response_time_ms=50)
    endpoint("b", response_time_ms=500)
    assert get(client, "best") == {
        "best_provider": "a",
        "reason": "healthy, 50 ms",
        "alternatives": ["b"],
    }


def test_nobody_to_ask_is_a_503_that_says_why(client: Client) -> None:
    endpoint("a", "down")
    body = is_problem(client.get("/api/providers/best"), 503, "unanswered")
    assert body["detail"] == "nobody can be asked: a down"
    is_problem(client.get("/api/providers/best?kind=llm"), 404, "not_found")


def test_before_the_first_check_nobody_is_called_missing(client: Client) -> None:
    is_problem(client.get("/api/providers/best"), 404, "not_found")
    Provider.objects.create(slug="a", title="a", adapter_name="binance")
    roster.forget()
    for query in ("", "?kind=data", "?dataset=price"):
        body = is_problem(client.get(f"/api/providers/best{query}"), 503, "unanswered")
        assert body["detail"] == "no checks yet"


def test_the_health_of_the_watch(client: Client) -> None:
    assert get(client, "health")["status"] == "no checks yet"
    endpoint("a")
    endpoint("off", "disabled")
    Provider.objects.filter(slug="off").update(enabled=False)
    roster.forget()
    readings.forget()
    found = get(client, "health")
    assert (found["status"], found["running"]) == ("healthy", True)
    assert (found["providers_monitored"], found["check_interval_minutes"]) == (1, 5)
    Plan(paused=True).save()
    readings.forget()
    assert get(client, "health")["status"] == "paused"
    Plan(interval_s=10).save()
    Health.objects.update(checked_at=now() - timedelta(seconds=31))
    readings.forget()
    assert (get(client, "health")["status"], get(client, "health")["running"]) == ("stale", False)


def test_the_numbers_of_one(client: Client) -> None:
    endpoint("a", failures=1)
    provider = Provider.objects.get()
    outcomes = ["ok"] * 6 + ["broken", "timed_out", "throttled", "cancelled"]
    called(provider, *outcomes)
    found = get(client, "a/stats")
    assert (found["name"], found["status"], found["priority"]) == ("a", "healthy", 50)
    assert (found["total_requests"], found["failure_count"]) == (10, 2)
    assert (found["success_rate"], found["rate_limit_hits"]) == (75, 1)
    assert found["last_success"]
    assert found["last_failure"]
    assert (found["cooldown_until"], found["quota_exhausted_at"]) == (None, None)


def test_a_quota_that_is_spent_faster_than_it_comes_back_has_an_end(client: Client) -> None:
    endpoint("a")
    provider = Provider.objects.get()
    provider.limits = [{"limit": 1000, "per_s": 86400, "burst": 500}]
    provider.save()
    roster.forget()
    readings.forget()
    assert get(client, "a/stats")["quota_exhausted_at"] is None
    called(provider, *["ok"] * 90)
    # 0.1 a second goes out, 500 a day come back, 500 are left.
    seconds = 500 / (0.1 - 500 / 86400)
    moment = readings.quota_exhausted_at(Provider.objects.get(), 0.1, now())
    assert moment
    assert (moment - now()).total_seconds() == pytest.approx(seconds, rel=0.01)
    assert get(client, "a/stats")["quota_exhausted_at"].endswith("Z")


# -- History -----------------------------------------------------------------------------------


def test_the_history_is_of_single_results_where_there_are_few(client: Client) -> None:
    one = endpoint("a")
    endpoint("b")
    results(one, "good", "fault", "good", ms=42)
    found = get(client, "history")
    assert found["b"] == []
    assert [(row["status"], row["response_time_ms"]) for row in found["a"]] == [
        ("healthy", 42),
        ("down", None),
        ("healthy", 42),
    ]
    assert {row["resolution"] for row in found["a"]} == {"raw"}
    assert get(client, "history/a", hours=1) == {"a": found["a"]}


def test_a_long_history_is_of_rollups(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    one = endpoint("a")
    last_hour = now().replace(minute=30) - timedelta(hours=1)  # all of them within one
    results(one, *["good", "fault"] * 5, at=last_hour, ms=42)
    monkeypatch.setattr("monitoring.histories.MOST_ROWS", 200)
    (*_, row) = get(client, "history/a", hours=24)["a"]
    assert (row["resolution"], row["status"], row["response_time_ms"]) == ("1h", "degraded", 42)


def test_a_history_ends_at_a_week(client: Client) -> None:
    endpoint("a")
    for hours in ("0", "169", "x"):
        response = client.get("/api/providers/history", {"hours": hours})
        assert "hours" in is_problem(response, 400, "bad_query")["errors"]


# -- CSV ---------------------------------------------------------------------------------------


def table(client: Client, **headers: str) -> list[list[str]]:
    response = client.get("/api/providers/export/csv", headers=headers)
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response.streaming
    return list(csv.reader(io.StringIO(response.getvalue().decode())))


def test_the_export_is_a_table_best_first(client: Client) -> None:
    for name, found, ms in (("poor", "fault", 1), ("slow", "good", 900), ("fast", "good", 90)):
        results(endpoint(name, response_time_ms=ms), "good", found)
    endpoint("never", "unknown", checked_at=None, response_time_ms=None)
    header, *rows = table(client)
    assert header == list(readouts.COLUMNS)
    assert [row[0] for row in rows] == ["fast", "slow", "poor", "never"]
    assert rows[2][3] == "50.0"
    assert rows[3][2:6] == ["", "", "", ""]
    assert rows[0][5].endswith("Z")


def test_the_export_is_given_to_who_asks_for_csv(client: Client) -> None:
    endpoint("a")
    assert len(table(client, accept="text/csv")) == 2


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@sum", "\tx", "\rx", "\nx"])
def test_no_cell_is_a_formula(name: str) -> None:
    row = {name: {"last_check": None} | dict.fromkeys(readouts.COLUMNS, None)}
    ((_, line),) = [list(readouts.csv_lines(row))]
    assert next(csv.reader(io.StringIO(line, newline="")))[0] == f"'{name}"


def test_the_export_is_made_line_by_line() -> None:
    told = {f"p{n}": {"last_check": None} | dict.fromkeys(readouts.COLUMNS, None) for n in range(9)}
    lines = readouts.csv_lines(told)
    assert next(lines).startswith("provider_name")
    assert next(lines).startswith("p0")


# -- What holds for all ------------------------------------------------------------------------


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "best"])
def test_what_has_not_changed_is_not_sent_again(client: Client, route: str) -> None:
    results(endpoint("a"), "good")
    first = client.get(f"/api/providers/{route}")
    assert first.status_code == 200
    readings.forget()
    again = client.get(f"/api/providers/{route}", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    Health.objects.update(status="down", checked_at=now() + timedelta(seconds=1))
    CheckResult.objects.all().delete()
    readings.forget()
    other = client.get(f"/api/providers/{route}", headers={"If-None-Match": first["ETag"]})
    assert other.status_code == 200


@pytest.mark.parametrize("route", [*ROUTES, "export/csv"])
def test_an_unknown_parameter_is_named(client: Client, route: str) -> None:
    endpoint("a")
    body = is_problem(client.get(f"/api/providers/{route}?colour=red"), 400, "bad_query")
    assert "colour" in body["errors"]


@pytest.mark.parametrize("route", ["status/x", "history/x", "x/stats"])
def test_an_unknown_name_is_a_404(client: Client, route: str) -> None:
    is_problem(client.get(f"/api/providers/{route}"), 404, "not_found")


@pytest.mark.parametrize("route", ["status", "status/a", "export/csv", "health", "best"])
def test_a_handful_of_queries_whatever_the_history(client: Client, route: str) -> None:
    for n in range(12):
        results(endpoint(f"p{n}" if n else "a"), *["good"] * 20)
    client.get(f"/api/providers/{route}")
    readings.forget()
    roster.forget()
    with CaptureQueriesContext(connection) as found:
        assert client.get(f"/api/providers/{route}").status_code == 200
    assert len(found) <= 10, [query["sql"][:120] for query in found]
    with CaptureQueriesContext(connection) as again:  # hundreds poll within a second
        client.get(f"/api/providers/{route}")
    assert len(again) <= 2, [query["sql"][:120] for query in again]


def test_an_installation_without_anonymous_access_keeps_it_to_itself(
    client: Client, settings: Any
) -> None:
    endpoint("a")
    settings.ANONYMOUS_ACCESS = False
    for route in (*ROUTES, "export/csv"):
        assert client.get(f"/api/providers/{route}").status_code in (401, 403)


# -- By hand -----------------------------------------------------------------------------------


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("root"))
    return client


def until(what: Callable[[], Any], patience: float = 10) -> None:
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def check(client: Client, **body: Any) -> Any:
    return client.post("/api/providers/check", body, content_type="application/json")


def test_only_staff_may_start_checks(client: Client) -> None:
    is_problem(check(client), 403, "not_authenticated")
    client.force_login(User.objects.create_user("visitor"))
    is_problem(check(client), 403, "permission_denied")
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    is_problem(check(strict), 403, "permission_denied")
    assert client.get("/api/providers/check").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_staff_check_now(staff: Client, upstreams: Upstreams) -> None:
    for slug in ("a", "b"):
        upstreams.provider(slug)
    response = check(staff)
    assert (response.status_code, response.json()) == (202, {"started": ["a", "b"]})
    until(lambda: Health.objects.filter(status="healthy").count() == 2)
    until(lambda: not Endpoint.objects.exclude(lease_until=None).exists())
    assert check(staff, providers=["a"]).json() == {"started": ["a"]}
    until(lambda: CheckResult.objects.count() == 3)
    until(lambda: not any(t.name == "check-now" for t in threading.enumerate()))


@pytest.mark.django_db(transaction=True)
def test_what_is_being_checked_is_not_checked_twice(staff: Client, upstreams: Upstreams) -> None:
    for slug in ("a", "b"):
        upstreams.provider(slug)
    endpoint("c")
    leases.claim([Endpoint.objects.get(health__name="a")], now())
    body = is_problem(check(staff), 409, "check_running")
    assert body["detail"] == "At this moment a is being checked."
    assert Endpoint.objects.exclude(lease_until=None).count() == 1
    assert upstreams.asked == []


def test_what_cannot_be_checked_is_named(staff: Client) -> None:
    assert "providers" in is_problem(check(staff, providers=["x"]), 400, "bad_query")["errors"]
    assert "colour" in is_problem(check(staff, colour="red"), 400, "bad_query")["errors"]
