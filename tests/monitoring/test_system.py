"""GET /api/system/status: true, cheap, and null where nothing was measured."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from aggregator import heartbeat, schedules
from aggregator.traffic import Traffic
from monitoring import machine, mishaps, prepared, readings, system
from providers import roster
from providers.errors import Throttled
from providers.health import Health
from providers.models import Provider, Resource
from providers.resources import Source
from providers.standing import Status
from tests.monitoring.world import called, endpoint, results

pytestmark = pytest.mark.django_db

URL = "/api/system/status"


def get(client: Client) -> Any:
    forget()
    response = client.get(URL)
    assert response.status_code == 200, response.content
    return response.json()


def forget() -> None:
    readings.forget()
    roster.forget()
    system.forget()


def test_a_new_installation_knows_nothing_and_says_so(client: Client) -> None:
    found = get(client)
    assert found["overall_health"] is None
    assert found["providers_detailed"] == found["error_details"] == []
    assert set(found["performance"].values()) == {None}
    assert found["ai_models"] == {
        "transformers_loaded": False,
        "sentiment_models": 0,
        "hf_api_active": None,
    }
    assert found["infrastructure"] == {
        "database_status": "online",
        "database_entries": 0,
        "background_worker": "silent",
        "worker_next_run": None,
        "websocket_active": False,
    }
    assert found["resource_breakdown"] == {"total": 0, "by_source": {}, "by_category": {}}
    assert found["timestamp"].endswith("Z")


def test_it_tells_of_each_provider_what_its_own_route_tells(client: Client) -> None:
    endpoint("a")
    called(Provider.objects.get(), "ok", "ok", "broken", "throttled", "missing")
    found = get(client)["providers_detailed"]
    alone = client.get("/api/providers/a/stats").json()
    assert alone.pop("rate_limits") == []
    assert found == [alone]
    (row,) = found
    assert (row["total_requests"], row["failure_count"], row["rate_limit_hits"]) == (5, 1, 1)
    assert row["success_rate"] == 66.67


def test_calls_of_more_than_a_week_ago_count_no_more(client: Client) -> None:
    endpoint("a")
    called(Provider.objects.get(), "ok", hours=7 * 24 + 1)
    called(Provider.objects.get(), "broken", hours=6 * 24)
    (row,) = get(client)["providers_detailed"]
    assert (row["total_requests"], row["success_rate"], row["last_success"]) == (1, 0, None)


# -- The whole ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([], None),
        (["disabled"], None),
        (["unknown", "unknown"], None),
        (["healthy", "disabled"], "online"),
        (["healthy", "maintenance"], "online"),
        (["healthy", "unknown"], "degraded"),
        (["healthy", "rate_limited"], "degraded"),
        (["degraded"], "degraded"),
        (["healthy", "down"], "partial"),
        (["rate_limited", "misconfigured"], "partial"),
        (["down", "misconfigured", "unknown"], "offline"),
    ],
)
def test_the_whole_is_as_well_as_its_parts(statuses: Sequence[str], expected: str | None) -> None:
    assert system.overall(map(Status, statuses)) == expected


@given(st.lists(st.sampled_from(Status)))
def test_it_is_online_only_when_nobody_is_ill_and_somebody_well(statuses: list[Status]) -> None:
    online = system.overall(statuses) == "online"
    allowed = {Status.HEALTHY, Status.MAINTENANCE, Status.DISABLED}
    assert online == (Status.HEALTHY in statuses and set(statuses) <= allowed)


def test_it_is_never_well_on_old_checks(client: Client) -> None:
    endpoint("a")
    assert get(client)["overall_health"] == "online"
    Health.objects.update(checked_at=now() - timedelta(minutes=16))
    assert get(client)["overall_health"] is None


# -- What went wrong ---------------------------------------------------------------------------


def test_errors_of_a_day_are_counted_by_kind_with_what_was_done(client: Client) -> None:
    for slug in ("a", "b", "off"):
        endpoint(slug)
    a, b, off = Provider.objects.order_by("slug")
    called(a, "broken", hours=3, detail="502 Bad Gateway")
    called(a, "broken", "broken", hours=2, detail="503 <b>later</b>")
    called(a, "ok", "missing", "plan_limit", "cancelled")
    called(a, "timed_out", hours=26)
    called(b, "throttled")
    called(off, "broken")
    Provider.objects.filter(slug="off").update(enabled=False)
    with pytest.raises(Throttled), Provider.objects.get(slug="b").guard.admit():
        raise Throttled(wait=600)
    first, second = get(client)["error_details"]
    assert (first["provider"], first["count"], first["type"]) == ("a", 3, "broken")
    assert first["message"] == "503 <b>later</b>"
    assert "longer after each failure" in first["action"]
    assert (second["provider"], second["type"]) == ("b", "throttled")
    assert second["message"] == "asked us to slow down (429)"
    assert second["action"].startswith("Rests until ")


@given(st.text(max_size=20))
def test_every_error_has_an_action(code: str) -> None:
    assert mishaps.action(code, None).endswith("others in line were asked.")


# -- Infrastructure and performance ------------------------------------------------------------


def test_a_worker_that_works_says_when_it_does_so_next(client: Client) -> None:
    schedules.sync()
    heartbeat.beat()
    found = get(client)["infrastructure"]
    assert found["background_worker"] == "active"
    assert found["worker_next_run"] in ("Next run now", "Next run 1m")


def test_the_performance_is_of_what_is_watched(client: Client) -> None:
    fast, slow = endpoint("fast", response_time_ms=40), endpoint("slow", response_time_ms=900)
    endpoint("down", "down", response_time_ms=1)
    results(fast, "good", "good", "good", ms=50)
    results(slow, "good", ms=850)
    found = get(client)["performance"]
    assert (found["fastest_provider"], found["fastest_time_ms"]) == ("fast", 40)
    assert found["avg_response_ms"] == 250
    assert found["p95_response_ms"] == pytest.approx(850, rel=0.05)


def test_the_hit_rate_is_of_all_processes(client: Client) -> None:
    one, other = Traffic(), Traffic()
    for process, results_ in ((one, ["hit", "stale", "miss"]), (other, ["hit", "coalesced"])):
        for cached in results_:
            process.answered(cached)
        process.settle()
    assert get(client)["performance"]["cache_hit_rate"] == 60


def test_the_load_of_the_machine_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_before", None)
    assert machine.load()["cpu_percent"] is None
    sum(n * n for n in range(300_000))
    found = machine.load()
    assert found["cpu_percent"] is None or 0 <= found["cpu_percent"] <= 100
    assert 0 < found["memory_percent"] <= 100
    assert len(found["load_avg"]) == 3


def test_the_catalogue_is_counted(client: Client) -> None:
    endpoint("a")
    Resource.objects.create(slug="r", title="R", category="news", source=Source.OPERATOR)
    found = get(client)["resource_breakdown"]
    assert found["total"] == 2
    assert sum(found["by_source"].values()) == sum(found["by_category"].values()) == 2
    assert found["by_category"]["news"] == 1


# -- What holds for all ------------------------------------------------------------------------


def test_hundreds_may_poll(client: Client) -> None:
    for n in range(12):
        one = endpoint(f"p{n}")
        results(one, *["good"] * 20)
        called(Provider.objects.get(slug=f"p{n}"), *["ok", "broken"] * 10)
    prepared.prepare(now())
    forget()
    with CaptureQueriesContext(connection) as found:
        assert client.get(URL).status_code == 200
    assert len(found) <= 25, [query["sql"][:120] for query in found]
    with CaptureQueriesContext(connection) as again:
        first = client.get(URL)
    assert len(again) == 0, [query["sql"][:120] for query in again]
    same = client.get(URL, headers={"If-None-Match": first["ETag"]})
    assert (same.status_code, same.content) == (304, b"")


def test_the_queries_do_not_grow_with_the_providers(client: Client) -> None:
    def queries() -> int:
        forget()
        with CaptureQueriesContext(connection) as found:
            assert client.get(URL).status_code == 200
        return len(found)

    endpoint("p")
    few = queries()
    for n in range(10):
        called(Provider.objects.get(slug=endpoint(f"p{n}").health.name), "ok", "broken")
    assert queries() <= few


def test_an_outage_of_the_database_is_told_by_what_was_known(client: Client) -> None:
    endpoint("a")
    get(client)
    system._now.outdate()

    def refuse(*args: Any) -> Any:
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        found = client.get(URL).json()
    assert found["infrastructure"]["database_status"] == "offline"
    assert found["providers_detailed"][0]["name"] == "a"


def test_it_is_kept_from_those_who_may_not_ask(client: Client, settings: Any) -> None:
    settings.ANONYMOUS_ACCESS = False
    assert client.get(URL).status_code in (401, 403)


def test_an_unknown_parameter_is_named(client: Client) -> None:
    response = client.get(f"{URL}?colour=red")
    assert (response.status_code, list(response.json()["errors"])) == (400, ["colour"])
