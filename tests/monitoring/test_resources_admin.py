"""Resources in the admin: whether they are looked at, why not, and a look at somebody's word."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.timezone import now

from monitoring import leases, resourcechecks
from monitoring.models import Endpoint, Plan
from providers import reaching
from providers.health import Health
from providers.models import Resource
from providers.resilience import Breaker
from tests.providers.operator import text_of
from tests.upstreams import Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/providers/resource/"


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaching, "HOST_PAUSE_S", 1e-4)
    monkeypatch.setattr(reaching, "_BREAKER", Breaker(rests=(1e-4,), ceiling=1e-4))


def resource(slug: str, url: str, **fields: Any) -> Resource:
    values = {"title": slug, "category": "market", "source": "house", "url": url} | fields
    return Resource.objects.create(slug=slug, **values)


def page_of(row: Resource) -> str:
    return reverse("admin:providers_resource_change", args=[row.pk])


def check(client: Client, row: Resource) -> str:
    form = client.get(page_of(row)).context["adminform"].form
    sent = {name: value for name, value in form.initial.items() if value is not None}
    lists = ("topics", "addresses", "chains", "key_env", "limits", "providers")
    sent |= dict.fromkeys(lists, "[]") | {"_check": "Save and check now", "flags": row.flags}
    response = client.post(page_of(row), sent, follow=True)
    assert response.status_code == 200
    assert response.redirect_chain, response.context["adminform"].form.errors
    return text_of(response)


def test_its_page_looks_now_and_says_what_was_found(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = resource("a", f"{upstreams.url}/a/look")
    assert 'name="_check"' in admin_client.get(page_of(row)).content.decode()
    assert "a: healthy, answers." in check(admin_client, row)
    upstreams.play["a"] = status(404)
    assert "answers: nothing is at this address (HTTP 404)." in check(admin_client, row)
    upstreams.play["a"] = status(503)
    assert "a: degraded, answered with an error of its own: HTTP 503." in check(admin_client, row)
    shown = text_of(admin_client.get(page_of(row)))
    assert "looked at" in shown
    assert "how often, and when next" in shown


def test_why_one_is_not_looked_at(admin_client: Client) -> None:
    row = resource("a", "https://a.example", flags=["retired"])
    assert "No: it has ended." in text_of(admin_client.get(page_of(row)))
    assert "a is not looked at: it has ended." in check(admin_client, row)
    assert not Health.objects.exists()


def test_who_is_being_looked_at_is_not_looked_at_twice(
    admin_client: Client, upstreams: Upstreams
) -> None:
    row = resource("a", f"{upstreams.url}/a/look")
    resourcechecks.sync(now())
    leases.claim(list(Endpoint.objects.all()), now())
    assert "At this moment resource:a is being checked." in check(admin_client, row)
    assert not upstreams.asked


def test_a_host_that_was_just_asked_is_left_alone(
    admin_client: Client, upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaching, "HOST_PAUSE_S", 60.0)
    row = resource("a", f"{upstreams.url}/a/look")
    assert "healthy" in check(admin_client, row)
    assert "its host was asked a moment ago" in check(admin_client, row)
    assert len(upstreams.asked) == 1


def test_several_are_looked_at_from_the_list(admin_client: Client, upstreams: Upstreams) -> None:
    rows = [resource(slug, f"{upstreams.url}/{slug}/look") for slug in ("a", "b")]
    rows.append(resource("gone", "https://gone.example", flags=["retired"]))
    asked = {"action": "check_now", "_selected_action": [row.pk for row in rows]}
    said = text_of(admin_client.post(LIST, asked, follow=True))
    assert "1 not looked at: see their pages." in said
    assert "2 being checked" in said
    end = time.monotonic() + 10
    while any(thread.name == "check-now" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.02)
    assert upstreams.asked


def test_the_plan_says_how_often_and_whether(admin_client: Client) -> None:
    response = admin_client.get("/admin/monitoring/plan/", follow=True)
    initial = response.context["adminform"].form.initial
    assert (initial["check_resources"], initial["resource_interval_s"]) == (True, 21600)
    sent = {**initial, "resource_interval_s": 43200}
    del sent["check_resources"], sent["paused"]
    assert admin_client.post(response.request["PATH_INFO"], sent).status_code == 302
    assert (Plan.current().check_resources, Plan.current().resource_interval_s) == (False, 43200)
