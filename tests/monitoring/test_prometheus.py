"""/metrics as Prometheus reads it, and the dashboard that asks for nothing that is not there."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from aggregator import callers, heartbeat
from aggregator.answers import Cached
from aggregator.models import Client as ClientRow
from aggregator.models import hash_key
from aggregator.traffic import Traffic
from monitoring import prometheus, readings
from monitoring.exposition import Family, page
from monitoring.health import Finding, codes
from monitoring.models import Endpoint
from providers import outcomes, roster
from providers.errors import Throttled
from providers.models import Provider
from providers.resilience import Phase
from providers.standing import Status
from tests.monitoring.world import called, endpoint

pytestmark = pytest.mark.django_db

DASHBOARD = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "aggregator.json"


@pytest.fixture(autouse=True)
def _open(settings: Any) -> None:
    settings.METRICS = "open"


def told(client: Client) -> dict[str, list[Any]]:
    """Samples by their name, read by the field's own parser."""
    readings.forget()
    roster.forget()
    prometheus.forget()
    response = client.get("/metrics", headers={"Accept": "application/openmetrics-text, */*;q=0.1"})
    assert response.status_code == 200
    assert response["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    found: dict[str, list[Any]] = {}
    for family in text_string_to_metric_families(response.content.decode()):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample)
    return found


def value(found: dict[str, list[Any]], name: str, **labels: str) -> float | None:
    fitting = [s for s in found.get(name, ()) if labels.items() <= s.labels.items()]
    assert len(fitting) <= 1, fitting
    return fitting[0].value if fitting else None


def test_requests_and_answers_are_of_all_processes(client: Client) -> None:
    for _ in range(2):
        process = Traffic()
        process.asked("market", 200, 0.003)
        process.asked("market", 503, 30.0)
        process.answered("coalesced")
        process.settle()
    found = told(client)
    assert value(found, "aggregator_http_requests_total", route="market", status="200") == 2
    assert value(found, "aggregator_answers_total", cache="coalesced") == 2
    took = "aggregator_http_request_duration_seconds"
    buckets = {s.labels["le"]: s.value for s in found[f"{took}_bucket"]}
    assert (buckets["0.001"], buckets["0.005"], buckets["10"], buckets["+Inf"]) == (0, 2, 2, 4)
    assert list(buckets.values()) == sorted(buckets.values())
    assert value(found, f"{took}_count", route="market") == 4
    assert value(found, f"{took}_sum", route="market") == pytest.approx(60.006)


def test_calls_are_counted_and_never_fewer(client: Client) -> None:
    endpoint("a")
    called(Provider.objects.get(), "ok", "ok", "broken", seconds=0.5)
    called(Provider.objects.get(), "ok", hours=300, seconds=0.5)
    name = "aggregator_upstream_calls_total"
    before = told(client)
    outcomes.fold(now())
    for found in (before, told(client)):
        assert value(found, name, provider="a", outcome="ok") == 3
        assert value(found, name, provider="a", outcome="broken") == 1
        seconds = "aggregator_upstream_call_seconds_total"
        assert value(found, seconds, provider="a", outcome="ok") == 1.5


def test_an_endpoint_has_one_status_and_says_how_old_it_is(client: Client) -> None:
    checked = now() - timedelta(seconds=90)
    endpoint("a", "down", endpoint_up=False, failures=4, checked_at=checked)
    endpoint("b", "unknown", checked_at=None, fresh_until=None, response_time_ms=None)
    found = told(client)
    statuses = [s for s in found["aggregator_endpoint_status"] if s.labels["endpoint"] == "a"]
    assert [s.labels["status"] for s in statuses if s.value] == ["down"]
    assert value(found, "aggregator_endpoint_up", endpoint="a") == 0
    assert value(found, "aggregator_endpoint_up", endpoint="b") is None
    assert value(found, "aggregator_endpoint_consecutive_failures", endpoint="a") == 4
    last = "aggregator_endpoint_last_check_timestamp_seconds"
    assert value(found, last, endpoint="a") == pytest.approx(checked.timestamp())
    assert value(found, last, endpoint="b") is None
    assert value(found, "aggregator_endpoint_response_seconds", endpoint="a") == 0.1


def test_circuits_budgets_and_quotas(client: Client) -> None:
    endpoint("a")
    Provider.objects.update(limits=[{"limit": 100, "per_s": 3600, "burst": 2}])
    called(Provider.objects.get(), *["ok"] * 25)
    with pytest.raises(Throttled), Provider.objects.get().guard.admit():
        raise Throttled(wait=600)
    found = told(client)
    assert value(found, "aggregator_circuit_state", provider="a", state="open") == 1
    assert value(found, "aggregator_circuit_state", provider="a", state="closed") == 0
    left = value(found, "aggregator_tokens_left_ratio", provider="a")
    assert left == pytest.approx(0.5, abs=0.05)
    assert value(found, "aggregator_quota_used_ratio", guard="a") == pytest.approx(0.25, abs=0.05)


def test_the_house_and_its_checks(client: Client) -> None:
    found = told(client)
    assert value(found, "aggregator_worker_up") == 0
    assert value(found, "aggregator_check_lag_seconds") is None
    heartbeat.beat()
    endpoint("a")
    Endpoint.objects.update(next_due=now() - timedelta(seconds=40))
    found = told(client)
    assert value(found, "aggregator_database_up") == value(found, "aggregator_worker_up") == 1
    assert value(found, "aggregator_check_lag_seconds") == pytest.approx(40, abs=2)
    assert value(found, "aggregator_check_interval_seconds") == 300


@given(st.text(), st.floats())
def test_whatever_a_label_says_it_is_read_as_it_was_meant(text: str, number: float) -> None:
    family = Family("some_metric", "gauge", "Some.")
    family.add(number, name=text, other="x")
    (read,) = text_string_to_metric_families(page([family]))
    (sample,) = read.samples
    assert sample.labels == {"name": text, "other": "x"}
    assert sample.value == number or number != number  # NaN


def test_the_dashboard_asks_for_what_there_is(client: Client) -> None:
    names = set(re.findall(r"^# TYPE (\S+)", client.get("/metrics").content.decode(), re.MULTILINE))
    names |= {f"{name}_bucket" for name in names if name.endswith("_duration_seconds")}
    board = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    assert len(asked) >= 15
    wanted = {name for expr in asked for name in re.findall(r"aggregator_\w+", expr)}
    assert wanted <= names
    assert {"aggregator_tokens_left_ratio", "aggregator_check_lag_seconds"} <= wanted


CODES = codes(frozenset(Finding))
# What the values of a label may be, where they are a list of ours.
VALUES: dict[tuple[str, str], set[str]] = {
    ("aggregator_endpoint_status", "status"): set(map(str, Status)),
    ("aggregator_circuit_state", "state"): set(map(str, Phase)),
    ("aggregator_answers_total", "cache"): set(map(str, Cached)),
    ("aggregator_upstream_calls_total", "outcome"): {"ok", "cancelled", *CODES},
}


def test_the_dashboard_asks_by_labels_and_values_that_there_are(client: Client) -> None:
    endpoint("a")
    called(Provider.objects.get(), "ok")
    web = Traffic()
    web.asked("market", 200, 0.01)
    web.answered("hit")
    web.settle()
    labels = {name: set(rows[0].labels) for name, rows in told(client).items()}
    board = json.loads(DASHBOARD.read_text())
    compared = 0
    for expr in (target["expr"] for panel in board["panels"] for target in panel["targets"]):
        names = re.findall(r"aggregator_\w+", expr)
        for by in re.findall(r"by \(([^)]*)\)", expr):
            assert set(by.split(", ")) <= set.union(*(labels[name] for name in names)), expr
        for name, selected in re.findall(r"(aggregator_\w+)\{([^}]*)\}", expr):
            for label, value in re.findall(r'(\w+)(?:=~|!~|!=|=)"([^"]*)"', selected):
                assert label in labels[name], expr
                if (name, label) in VALUES:
                    compared += 1
                    assert set(value.split("|")) <= VALUES[name, label], expr
    assert compared >= 5


def test_the_queries_do_not_grow_with_the_providers(client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            told(client)
        return len(found)

    endpoint("p")
    few = queries()
    for n in range(8):
        called(Provider.objects.get(slug=endpoint(f"p{n}").health.name), "ok", "broken")
    assert queries() <= few <= 20


# -- Who may look ------------------------------------------------------------------------------


def test_it_takes_a_key_also_where_data_is_for_everybody(client: Client, settings: Any) -> None:
    settings.METRICS = "key"
    assert client.get("/metrics").status_code in (401, 403)
    row = ClientRow(name="prometheus")
    key = row.new_key()
    row.save()
    assert row.key_hash == hash_key(key)
    callers.forget()
    for header in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        assert client.get("/metrics", headers=header).status_code == 200
    assert client.get("/metrics", headers={"X-API-Key": "agg_wrong"}).status_code == 401


@pytest.mark.parametrize("everybody", [True, False])
def test_open_is_open_and_off_is_off(client: Client, settings: Any, everybody: bool) -> None:
    settings.ANONYMOUS_ACCESS = everybody
    assert client.get("/metrics").status_code == 200
    settings.METRICS = "off"
    assert client.get("/metrics").status_code in (401, 403, 404)
