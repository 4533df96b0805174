"""Checks in the admin: edited, paused, started; and nobody writes what was found."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from monitoring import leases, readings
from monitoring.models import CheckResult, Endpoint, Plan
from tests.monitoring.world import endpoint, results, was
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db

ENDPOINTS = "/admin/monitoring/endpoint/"


def act(client: Client, action: str, *rows: Endpoint) -> str:
    asked = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = client.post(ENDPOINTS, asked, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def test_the_plan_is_one_row_and_is_obeyed(admin_client: Client) -> None:
    response = admin_client.get("/admin/monitoring/plan/", follow=True)
    form = response.context["adminform"].form
    assert form.initial["interval_s"] == 300
    edited = {**form.initial, "interval_s": 60, "paused": "on"}
    assert admin_client.post(response.request["PATH_INFO"], edited).status_code == 302
    assert (Plan.current().interval_s, Plan.current().paused) == (60, True)
    assert readings.board().plan.interval_s == 60
    assert admin_client.get("/admin/monitoring/plan/add/").status_code == 403


@pytest.mark.parametrize("field", [("interval_s", "1"), ("timeout_s", "31"), ("down_after", "0")])
def test_a_plan_that_makes_no_sense_is_refused(
    admin_client: Client, field: tuple[str, str]
) -> None:
    response = admin_client.get("/admin/monitoring/plan/", follow=True)
    edited = {**response.context["adminform"].form.initial, field[0]: field[1]}
    again = admin_client.post(response.request["PATH_INFO"], edited)
    assert field[0] in again.context["adminform"].form.errors


def test_checks_are_paused_and_resumed(admin_client: Client) -> None:
    one, other = endpoint("a"), endpoint("b")
    act(admin_client, "pause", one)
    assert [row.paused for row in Endpoint.objects.all()] == [True, False]
    assert LogEntry.objects.get().change_message == "Paused."
    act(admin_client, "resume", one, other)
    assert not Endpoint.objects.filter(paused=True).exists()


@pytest.mark.django_db(transaction=True)
def test_checks_are_started_by_hand(admin_client: Client, upstreams: Upstreams) -> None:
    upstreams.provider("b")
    one = endpoint("a")
    row = Endpoint.objects.get(health__name="b")
    leases.claim([one], now())
    assert "At this moment a is being checked." in act(admin_client, "check_now", one, row)
    assert "1 being checked" in act(admin_client, "check_now", row)
    end = time.monotonic() + 10
    while any(thread.name == "check-now" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert CheckResult.objects.get().endpoint == row


@pytest.mark.parametrize("model", ["endpoint", "checkresult", "statechange"])
def test_a_list_costs_the_same_few_queries_however_long_it_is(
    admin_client: Client, model: str
) -> None:
    assert admin_client.get(f"/admin/monitoring/{model}/").status_code == 200  # empty, too
    for n in range(6):
        one = endpoint(f"p{n}")
        results(one, *["good"] * 5)
        was(one, ("down", 1), ("healthy", 1))
    with CaptureQueriesContext(connection) as found:
        response = admin_client.get(f"/admin/monitoring/{model}/")
    assert response.status_code == 200
    assert "p3" in response.content.decode()
    assert len(found) <= 12, [query["sql"][:100] for query in found]


@pytest.mark.parametrize("model", ["checkresult", "statechange"])
def test_what_was_found_is_written_by_nobody_here(admin_client: Client, model: str) -> None:
    one = endpoint("a")
    results(one, "good")
    was(one, ("healthy", 1))
    pk: Any = {"checkresult": one.results, "statechange": one.changes}[model].get().pk
    assert admin_client.get(f"/admin/monitoring/{model}/add/").status_code == 403
    change = reverse(f"admin:monitoring_{model}_change", args=[pk])
    assert admin_client.get(change).status_code == 200
    assert admin_client.post(change, {}).status_code == 403
    assert admin_client.post(f"/admin/monitoring/{model}/{pk}/delete/").status_code == 403


def test_a_reason_is_text(admin_client: Client) -> None:
    endpoint("a", "down", reason="<b>bold</b>")
    text = admin_client.get(ENDPOINTS).content.decode()
    assert "&lt;b&gt;bold" in text
    assert "<b>bold" not in text
