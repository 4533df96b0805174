"""The feed, the summary and badges: what happened, escaped, and kept from whom it is none of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from xml.etree import ElementTree as Xml

import feedparser
import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils.timezone import now

from monitoring import happenings, readings, system
from monitoring.incidents.models import Incident
from monitoring.models import StateChange
from providers import roster
from providers.health import Health
from providers.models import Provider
from tests.monitoring.world import endpoint, results, was

pytestmark = pytest.mark.django_db

PATHS = ("/status/feed.atom", "/status/summary.json", "/badge/a.svg", "/badge/all.svg")
EVIL = '"><svg onload=alert(1)>\x07\u2028{{ 7 }}'


def get(client: Client, path: str, **headers: str) -> Any:
    readings.forget()
    roster.forget()
    return client.get(path, headers=headers)


def parsed(page: bytes) -> Xml.Element:
    return Xml.fromstring(page)  # noqa: S314 (it is our own)


# -- What happened -----------------------------------------------------------------------------


def changes(*states: str) -> list[StateChange]:
    moment = now()
    return [
        StateChange(pk=n, status=state, began_at=moment + timedelta(hours=n), reason=f"it is {n}")
        for n, state in enumerate(states)
    ]


def test_what_is_ill_from_the_first_sign_to_the_last_is_one_happening() -> None:
    states = changes("healthy", "degraded", "down", "degraded", "healthy", "rate_limited")
    first, second = happenings.of("a", states)
    assert (first.id, first.title, first.impact) == (1, "a: was down", "major")
    assert (first.began_at, first.ended_at) == (states[1].began_at, states[4].began_at)
    assert [update.text for update in first.updates][-1] == "Healthy: it is 4."
    assert (second.title, second.impact, second.ended_at) == ("a: rate limited", "minor", None)


@pytest.mark.parametrize("end", ["unknown", "disabled", "maintenance"])
def test_a_silence_ends_a_happening_and_is_none_itself(end: str) -> None:
    (one,) = happenings.of("a", changes(end, "down", end))
    assert one.ended_at is not None


# -- Feed --------------------------------------------------------------------------------------


def test_the_feed_tells_what_happened_newest_first_with_lasting_ids(client: Client) -> None:
    was(endpoint("a"), ("healthy", 30), ("down", 2), ("healthy", 5))
    was(endpoint("b", "down"), ("healthy", 5), ("degraded", 1), ("down", 1))
    was(endpoint("old"), ("down", 24 * 20), ("healthy", 24 * 15))
    feed = feedparser.parse(get(client, "/status/feed.atom").content)
    assert not feed.bozo
    assert [entry.title for entry in feed.entries] == ["b: down", "a: was down"]
    ids = [entry.id for entry in feed.entries]
    assert all(one.startswith("tag:testserver,2026:status/") for one in ids)
    assert feed.entries[0].link == "http://testserver/status/b"
    assert "Degraded: it was degraded." in feed.entries[0].summary
    StateChange.objects.filter(status="down", endpoint__health__name="b").update(ended_at=now())
    again = feedparser.parse(get(client, "/status/feed.atom").content)
    assert [entry.id for entry in again.entries] == ids


# -- Summary -----------------------------------------------------------------------------------


def test_the_summary_has_the_shape_of_status_pages(client: Client) -> None:
    endpoint("a")
    was(endpoint("b", "down"), ("healthy", 5), ("down", 1))
    endpoint("c", "unknown", checked_at=None, fresh_until=None)
    endpoint("off", "disabled")
    Provider.objects.filter(slug="off").update(enabled=False)
    found = get(client, "/status/summary.json").json()
    assert found["status"] == {"indicator": "major", "description": "1 of 3 does not work"}
    assert [(row["id"], row["status"]) for row in found["components"]] == [
        ("a", "operational"),
        ("b", "major_outage"),
        ("c", "unknown"),
    ]
    (incident,) = found["incidents"]
    assert (incident["name"], incident["impact"]) == ("b: down", "major")
    assert incident["incident_updates"][0]["body"] == "Down: it was down."
    assert datetime.fromisoformat(incident["started_at"]) < now()
    assert found["scheduled_maintenances"] == []


def test_nothing_is_operational_before_the_first_check(client: Client) -> None:
    found = get(client, "/status/summary.json").json()
    assert found["status"] == {"indicator": "unknown", "description": "No checks yet"}
    assert found["page"]["updated_at"] is None


# -- Badges ------------------------------------------------------------------------------------


def test_a_badge_says_name_status_and_uptime(client: Client) -> None:
    results(endpoint("a"), *["good"] * 2999, "fault")
    page = get(client, "/badge/a.svg")
    assert page["Content-Type"] == "image/svg+xml"
    root = parsed(page.content)
    assert root.attrib["aria-label"].startswith("a: healthy, 99.9")
    assert "#12693d" in page.content.decode()
    whole = parsed(get(client, "/badge/all.svg").content)
    assert whole.attrib["aria-label"] == "status: All 1 work"


def test_a_badge_is_never_green_on_old_checks(client: Client) -> None:
    endpoint("a", fresh_until=now())
    Health.objects.update(checked_at=now() - timedelta(hours=1))
    for name in ("a", "all"):
        assert "#12693d" not in get(client, f"/badge/{name}.svg").content.decode()


def test_nothing_is_green_while_an_incident_is_open(client: Client) -> None:
    endpoint("a")
    Incident.objects.create(title="Prices are late")
    summary = get(client, "/status/summary.json").json()
    assert summary["status"]["indicator"] != "none"
    assert "#12693d" not in get(client, "/badge/all.svg").content.decode()
    system.forget()
    assert "All 1 work" not in client.get("/status/drawer").content.decode()


# -- What holds for all ------------------------------------------------------------------------


def test_what_an_upstream_says_is_text(client: Client) -> None:
    was(endpoint("a", "down", reason=EVIL), ("healthy", 1), ("down", 1))
    StateChange.objects.update(reason=EVIL)
    Health.objects.filter(name="a").update(name="a<svg onload=1>")
    Provider.objects.update(title=EVIL)
    for path in (*PATHS[:2], "/badge/a%3Csvg onload=1%3E.svg"):
        page = get(client, path)
        assert page.status_code == 200
        assert b"<svg onload" not in page.content or path.endswith(".json")
        if not path.endswith(".json"):
            parsed(page.content)


@pytest.mark.parametrize("path", PATHS)
def test_it_is_kept_for_a_minute_and_not_sent_twice(client: Client, path: str) -> None:
    endpoint("a")
    first = get(client, path)
    assert first["Cache-Control"] == "public, max-age=60"
    assert first["Access-Control-Allow-Origin"] == "*"
    if "feed" not in path:  # whose time is that of the reading
        assert get(client, path, If_None_Match=first["ETag"]).status_code == 304


@pytest.mark.parametrize("path", [*PATHS, "/badge/nobody.svg"])
def test_where_answers_need_a_key_it_is_as_if_there_were_none(
    client: Client, settings: Any, path: str
) -> None:
    endpoint("a")
    settings.ANONYMOUS_ACCESS = False
    absent = client.get("/nowhere")
    kept = get(client, path)
    assert kept.status_code == absent.status_code == 404
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert get(client, path).status_code == (404 if "nobody" in path else 200)


def test_an_unknown_name_is_a_404(client: Client) -> None:
    assert get(client, "/badge/nobody.svg").status_code == 404
