"""Incidents by the public door: API and pages, and the banner that is never green meanwhile."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from monitoring.alerts.models import Alert, AlertRule
from monitoring.incidents import showing
from monitoring.incidents.models import Incident, IncidentUpdate
from monitoring.models import MaintenanceWindow
from tests.monitoring.test_api import is_problem
from tests.monitoring.test_pages import banner, page
from tests.monitoring.world import endpoint

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>{{7*7}}\u2028"


@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_user("ann", password="x", is_staff=True)
    client.force_login(user)
    return client


def incident(title: str = "trouble", **fields: Any) -> Incident:
    row = Incident.objects.create(title=title, **fields)
    IncidentUpdate.objects.create(incident=row, text=f"{title}: we look", at=now())
    return row


def test_the_banner_is_never_green_while_an_incident_is_open(client: Client) -> None:
    endpoint("a")
    assert banner(client) == "All 1 work"
    row = incident("Answers of Monday are wrong", severity="minor")
    assert banner(client) == "Answers of Monday are wrong"
    text = page(client)
    assert "banner banner-degraded" in text
    incident("It is worse", severity="critical")
    assert banner(client) == "It is worse, and 1 more"
    Incident.objects.update(ended_at=now())
    assert banner(client) == "All 1 work"
    assert row.pk


def test_a_banner_that_says_worse_stays() -> None:
    rows = [Incident(title="x", severity="minor", began_at=now())]
    assert showing.banner("down", "2 do not work", rows) == ("down", "2 do not work")
    assert showing.banner("unknown", "?", rows) == ("unknown", "?")
    assert showing.banner("none", "No checks yet", rows)[0] == "degraded"


def test_incidents_open_and_past(client: Client) -> None:
    row = incident("one", severity="major")
    row.endpoints.add(endpoint("a"))
    incident("two", began_at=now() - timedelta(hours=2), ended_at=now() - timedelta(hours=1))
    found = client.get("/api/incidents").json()
    assert (found["open"], found["total"]) == (1, 2)
    assert [item["title"] for item in found["incidents"]] == ["one", "two"]
    assert found["incidents"][0]["providers"] == ["a"]
    assert found["incidents"][0]["updates"][0]["automatic"] is False
    only = client.get("/api/incidents?state=past&limit=1").json()["incidents"]
    assert [(item["title"], item["state"]) for item in only] == [("two", "resolved")]
    assert client.get(f"/api/incidents/{row.pk}").json()["title"] == "one"
    assert client.get("/api/incidents?page=3").json()["incidents"] == []


@pytest.mark.parametrize("route", ["incidents", "alerts"])
def test_what_is_asked_wrongly_is_named(client: Client, route: str) -> None:
    for query in ("state=closed", "limit=101", "page=0", "limit=x", "colour=red"):
        body = is_problem(client.get(f"/api/{route}?{query}"), 400, "bad_query")
        assert query.partition("=")[0] in body["errors"]


def test_an_incident_that_is_none_is_404(client: Client) -> None:
    for path in ("/api/incidents/1", "/api/incidents/999999999999999", "/api/incidents/1/updates"):
        is_problem(client.get(path), 404, "not_found")
    assert client.get("/status/incidents/1").status_code == 404


def test_staff_alone_takes_one_and_once(client: Client, django_user_model: Any) -> None:
    row = incident()
    is_problem(client.post(f"/api/incidents/{row.pk}/ack"), 403, "not_authenticated")
    client.force_login(django_user_model.objects.create_user("bob", password="x"))
    is_problem(client.post(f"/api/incidents/{row.pk}/ack"), 403, "permission_denied")
    assert Incident.objects.get().acknowledged_at is None


def test_who_takes_it_first_has_it(staff: Client) -> None:
    row = incident()
    told = staff.post(f"/api/incidents/{row.pk}/ack").json()
    assert told["acknowledged_at"]
    assert "ann" not in str(told), "who works here is nobody's business"
    first = Incident.objects.get()
    assert first.acknowledged_by == "ann"
    staff.post(f"/api/incidents/{row.pk}/ack")
    assert Incident.objects.get().acknowledged_at == first.acknowledged_at
    assert row.updates.filter(automatic=True).count() == 1
    is_problem(staff.post("/api/incidents/77/ack"), 404, "not_found")


def test_alerts_open_and_past(staff: Client) -> None:
    rule = AlertRule.objects.create(name="much", metric="cpu", threshold=90)
    row = Alert.objects.create(
        rule=rule, severity="major", value=95, worst=99, threshold=90, said="CPU busy: 95 %"
    )
    found = staff.get("/api/alerts").json()
    assert (found["open"], found["total"], found["alerts"][0]["said"]) == (1, 1, "CPU busy: 95 %")
    assert found["alerts"][0]["scope"] is None
    assert staff.get("/api/alerts?state=past").json()["alerts"] == []
    assert staff.post(f"/api/alerts/{row.pk}/ack").json()["acknowledged_at"]
    assert Alert.objects.get().acknowledged_by == "ann"


def test_the_pages_tell_what_happened(client: Client) -> None:
    row = incident("kraken is down", severity="major", automatic=True)
    row.endpoints.add(endpoint("kraken", "down"))
    IncidentUpdate.objects.create(incident=row, text="It rests.", automatic=True)
    incident("older", ended_at=now(), began_at=now() - timedelta(hours=3))
    listed = page(client, "/status/incidents")
    assert "kraken is down" in listed
    assert "older" in listed
    assert "for 3 h" in listed
    told = page(client, f"/status/incidents/{row.pk}")
    assert "It rests." in told
    assert "written by hand" in told
    assert 'href="/status/kraken"' in told
    assert "kraken is down" in page(client)


def test_pages_say_when_there_is_nothing(client: Client) -> None:
    text = page(client, "/status/incidents")
    assert "Nothing is wrong that we know of." in text
    assert page(client, "/status/incidents?page=junk") == text


def test_hostile_texts_stay_texts(client: Client) -> None:
    row = incident(HOSTILE[:100])
    MaintenanceWindow.objects.create(
        title=HOSTILE, note=HOSTILE, starts_at=now(), ends_at=now() + timedelta(hours=1)
    )
    for path in ("/status", "/status/incidents", f"/status/incidents/{row.pk}"):
        text = page(client, path)
        assert "<script>alert" not in text
        assert "{{7*7}}" in text


def test_maintenance_that_is_on_or_near_is_shown(client: Client) -> None:
    moment = now()
    for title, start, hours in (
        ("on", -1, 2),
        ("soon", 24, 1),
        ("far", 24 * 20, 1),
        ("over", -5, 1),
    ):
        begins = moment + timedelta(hours=start)
        ends = begins + timedelta(hours=hours)
        MaintenanceWindow.objects.create(title=f"{title}!", starts_at=begins, ends_at=ends)
    text = page(client)
    assert [f"{t}!" in text for t in ("on", "soon", "far", "over")] == [True, True, False, False]


def test_where_answers_need_a_key_so_do_these_pages(client: Client, settings: Any) -> None:
    row = incident("secret trouble")
    settings.ANONYMOUS_ACCESS = False
    for path in ("/status/incidents", f"/status/incidents/{row.pk}"):
        assert "secret trouble" not in page(client, path)
    for path in ("/api/incidents", f"/api/incidents/{row.pk}", "/api/alerts"):
        assert client.get(path).status_code == 401
