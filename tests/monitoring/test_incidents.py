"""Incidents as rows: what opens and closes them, and that it is written together."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from monitoring import cycle, tasks
from monitoring.incidents import actions, keeping
from monitoring.incidents.models import Incident, IncidentUpdate
from monitoring.models import Endpoint, StateChange
from monitoring.notices.models import Channel, MaintenanceWindow, Notice
from providers import calls, roster
from providers.errors import Blocked
from providers.health import Health
from providers.models import Call, Credential, Provider
from tests.monitoring.test_cycle import Calendar, again
from tests.monitoring.world import endpoint
from tests.upstreams import Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)


def channel(name: str = "ops", **fields: Any) -> Channel:
    row = Channel(name=name, **fields)
    row.set_address("https://hooks.example/secret-path-of-mine")
    row.save()
    return row


def put(of: Endpoint, state: str, since: datetime) -> None:
    Health.objects.filter(pk=of.health_id).update(
        status=state, since=since, fresh_until=since + timedelta(days=1)
    )


def events() -> list[str]:
    return list(Notice.objects.order_by("pk").values_list("event", flat=True))


def test_a_provider_that_fails_three_checks_is_an_incident_with_a_notice(
    upstreams: Upstreams,
) -> None:
    calendar = Calendar()
    channel()
    upstreams.provider("a", rests_s=[0.001], rest_ceiling_s=0.001)
    upstreams.provider("b")
    cycle.run(calendar)
    assert not Incident.objects.exists()
    upstreams.play["a"] = status(500)
    for _ in range(3):
        again(calendar)
    incident = Incident.objects.get()
    assert (incident.title, incident.ended_at, incident.automatic) == ("a is down", None, True)
    assert [row.health.name for row in incident.endpoints.all()] == ["a"]
    assert incident.began_at == StateChange.objects.get(status="down").began_at
    assert events() == ["opened"]
    assert any("a: down since" in row.text for row in incident.updates.all())
    del upstreams.play["a"]
    for _ in range(3):
        again(calendar)
    keeping.review(calendar.now)
    incident.refresh_from_db()
    assert incident.ended_at
    assert events() == ["opened", "resolved"]


def test_checks_are_kept_when_incidents_fail(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calendar = Calendar()
    upstreams.provider("a", rests_s=[0.001], rest_ceiling_s=0.001)
    upstreams.provider("b")
    cycle.run(calendar)
    monkeypatch.setattr(keeping, "_seen", lambda *args: 1 / 0)
    upstreams.play["a"] = status(500)
    for _ in range(3):
        again(calendar)
    assert Health.objects.get(name="a").status == "down"
    assert "incidents were not reviewed" in caplog.text
    monkeypatch.undo()
    tasks.watch()
    assert Incident.objects.get().title == "a is down"


def test_looking_again_changes_nothing() -> None:
    put(endpoint("a"), "down", now())
    assert keeping.review(now()) == 1
    assert keeping.review(now()) == 0
    assert Incident.objects.count() == 1


def test_it_grows_and_tells_so() -> None:
    channel()
    first, second = endpoint("a"), endpoint("b")
    for name in "cdefghij":
        endpoint(name)
    put(first, "down", now())
    keeping.review(now())
    put(second, "down", now())
    keeping.review(now() + timedelta(seconds=5))
    incident = Incident.objects.get()
    assert (incident.title, incident.severity) == ("a and b are down", "major")
    assert events() == ["opened", "grew"]


def title() -> str:
    return Incident.objects.get().title


def test_its_title_names_who_is_ill_now_and_in_the_end_who_was() -> None:
    began, rows = now(), [endpoint(name) for name in "abc"]
    for row in rows:
        put(row, "down", began)
        StateChange.objects.create(endpoint=row, status="down", began_at=began)
    for name in "defgh":
        endpoint(name)
    keeping.review(began)
    assert title() == "a, b and c are down"
    put(rows[0], "healthy", began + timedelta(minutes=1))
    put(rows[1], "unknown", began + timedelta(minutes=1))
    keeping.review(began + timedelta(minutes=1))
    assert title() == "c is down"
    put(rows[2], "degraded", began + timedelta(minutes=2))
    keeping.review(began + timedelta(minutes=2))
    assert title() == "c answers slowly or in part"
    put(rows[2], "healthy", began + timedelta(minutes=3))
    keeping.review(began + timedelta(minutes=3))
    assert title() == "b may be well again: nobody knows"
    put(rows[1], "healthy", began + timedelta(minutes=4))
    keeping.review(began + timedelta(minutes=4))
    assert title() == "a, b and c were down"
    keeping.review(began + timedelta(minutes=10))
    incident = Incident.objects.get()
    assert incident.ended_at
    assert incident.title == "a, b and c were down"
    assert "All of it works again" in incident.updates.all()[0].text


def test_half_of_all_at_once_keeps_its_count_when_some_are_back() -> None:
    began, rows = now(), [endpoint(name) for name in "abcdef"]
    for row in rows[:5]:
        put(row, "down", began)
        StateChange.objects.create(endpoint=row, status="down", began_at=began)
    keeping.review(began)
    said = "5 of 6 went down at once: perhaps it is our own network"
    assert title() == said
    for row in rows[:4]:
        put(row, "healthy", began + timedelta(minutes=1))
    keeping.review(began + timedelta(minutes=1))
    assert title() == said


def test_what_nobody_watches_any_more_is_not_said_to_work() -> None:
    began, rows = now(), [endpoint(name) for name in "abcd"]
    for row in rows[:2]:
        put(row, "down", began)
    keeping.review(began)
    Endpoint.objects.filter(pk=rows[0].pk).update(paused=True)
    put(rows[1], "healthy", began)
    keeping.review(began + timedelta(minutes=6))
    last = Incident.objects.get().updates.all()[0].text
    assert last == (
        "The rest works again, after 6 min: a is paused, switched off or in maintenance."
    )


def test_an_incident_of_what_was_deleted_keeps_its_name_and_claims_nothing() -> None:
    began = now()
    put(endpoint("a"), "down", began)
    keeping.review(began)
    Provider.objects.all().delete()
    roster.forget()
    keeping.review(began + timedelta(minutes=1))
    incident = Incident.objects.get()
    assert (bool(incident.ended_at), incident.title) == (True, "a is down")
    assert incident.updates.all()[0].text == "What it was about is deleted, after 1 min."


def test_an_incident_that_opens_again_is_the_same_one() -> None:
    channel()
    row = endpoint("a")
    moment = now()
    put(row, "down", moment)
    keeping.review(moment)
    put(row, "healthy", moment)
    keeping.review(moment + timedelta(minutes=6))
    put(row, "down", moment + timedelta(minutes=10))
    keeping.review(moment + timedelta(minutes=10))
    incident = Incident.objects.get()
    assert (incident.ended_at, incident.opened) == (None, 2)
    assert events() == ["opened", "resolved", "reopened"]
    assert len(set(Notice.objects.values_list("key", flat=True))) == 3


def test_what_flaps_says_so_once_and_then_nothing() -> None:
    channel()
    row = endpoint("a")
    moment = now()
    for number in range(6):
        at = moment + timedelta(minutes=3 * number)
        state = "healthy" if number % 2 else "down"
        put(row, state, at)
        StateChange.objects.filter(endpoint=row, ended_at=None).update(ended_at=at)
        StateChange.objects.create(endpoint=row, status=state, began_at=at)
        keeping.review(at)
    keeping.review(moment + timedelta(minutes=22))
    assert events() == ["opened", "flapping"]
    assert Incident.objects.get().flapping
    keeping.review(moment + timedelta(minutes=50))
    assert events() == ["opened", "flapping", "resolved"]


def test_in_a_maintenance_window_nothing_opens() -> None:
    row, other = endpoint("a"), endpoint("b")
    window = MaintenanceWindow.objects.create(
        title="moving", starts_at=now() - timedelta(hours=1), ends_at=now() + timedelta(hours=1)
    )
    assert row.health.provider
    window.providers.add(row.health.provider)
    put(row, "down", now())
    keeping.review(now())
    assert not Incident.objects.exists()
    put(other, "down", now())
    keeping.review(now())
    assert Incident.objects.get().title == "b is down"
    keeping.review(now() + timedelta(hours=2))  # it is still down when the window ends
    assert Incident.objects.filter(title="a is down").exists()


def test_one_that_was_written_by_hand_is_closed_by_nobody_else() -> None:
    endpoint("a")
    Incident.objects.create(title="we move house", began_at=now() - timedelta(days=1))
    keeping.review(now())
    assert Incident.objects.get().ended_at is None


def test_it_lists_what_was_done_by_itself() -> None:
    first, second = endpoint("a"), endpoint("b")
    ill, other = first.health.provider, second.health.provider
    assert ill
    assert other
    began = now()
    for who, at in ((ill, began - timedelta(hours=2)), (other, began + timedelta(seconds=1))):
        Call.objects.create(provider=who, dataset="price", outcome="ok", seconds=0.1, at=at)
    key = Credential(provider=ill, label="mine", set_aside_at=now(), set_aside_reason="refused")
    key.set_key("sandbox-of-mine")
    key.set_aside_at, key.set_aside_reason = now(), "refused"
    key.save()
    roster.forget()
    calls.flush()
    put(first, "down", began)
    keeping.review(began + timedelta(seconds=2))
    said = list(IncidentUpdate.objects.filter(automatic=True).values_list("text", flat=True))
    assert "price is answered by b meanwhile." in said
    assert "A key of a was set aside: refused." in said
    incident = Incident.objects.get()
    assert actions.taken(incident, now()) == [], "what is listed is not listed again"


def test_what_happens_later_is_listed_too_and_who_is_well_again() -> None:
    first, second, third = endpoint("a"), endpoint("b"), endpoint("c")
    ill, other = first.health.provider, third.health.provider
    assert ill
    assert other
    began = now()
    past = began - timedelta(hours=2)
    Call.objects.create(provider=ill, dataset="price", outcome="ok", seconds=0.1, at=past)
    put(first, "down", began)
    put(second, "down", began)
    keeping.review(began)
    later = began + timedelta(minutes=1)
    for by in (other, second.health.provider):
        assert by
        Call.objects.create(provider=by, dataset="price", outcome="ok", seconds=0.1, at=later)
    put(second, "healthy", later)
    for minutes in (2, 3, 4):
        keeping.review(began + timedelta(minutes=minutes))
    said = (
        IncidentUpdate.objects.filter(automatic=True).order_by("pk").values_list("text", flat=True)
    )
    assert list(said)[1:] == [
        "price is answered by c meanwhile.",
        f"b: well again since {later:%H:%M} UTC.",
    ]


def test_what_it_answered_long_ago_is_answered_by_nobody_instead() -> None:
    first, second = endpoint("a"), endpoint("b")
    began = now()
    for row, at in ((first, began - timedelta(days=2)), (second, began + timedelta(seconds=1))):
        who = row.health.provider
        assert who
        Call.objects.create(provider=who, dataset="price", outcome="ok", seconds=0.1, at=at)
    incident = Incident.objects.create(title="a is down", began_at=began)
    incident.endpoints.add(first)
    assert list(actions.switched(incident, now())) == []


def test_a_rest_that_ends_another_day_says_which() -> None:
    row = endpoint("a")
    incident = Incident.objects.create(title="a is down", began_at=now())
    incident.endpoints.add(row)
    provider = row.health.provider
    assert provider
    with pytest.raises(Blocked), provider.guard.admit():
        raise Blocked("not from here")
    moment = now() - timedelta(days=1)
    (said,) = actions.cooled_down(incident, moment)
    incident.updates.create(at=moment, text=said, automatic=True)
    later = [actions.cooled_down(incident, moment + timedelta(minutes=n)) for n in (5, 59, 61)]
    assert [len(list(lines)) for lines in later] == [0, 0, 1], "once an hour"
    assert re.fullmatch(r"a rests until \d{4}-\d\d-\d\d \d\d:\d\d UTC, then .*", said)
