"""Incidents, rules, channels and windows in the admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now

from monitoring.alerts import defaults
from monitoring.alerts.models import Alert, AlertRule, Measured, Slo
from monitoring.incidents.models import Incident, IncidentUpdate
from monitoring.notices import outbox
from monitoring.notices.message import Message
from monitoring.notices.models import Channel, MaintenanceWindow, Notice
from monitoring.notices.sending import Sent
from providers.history import Edit
from tests.monitoring.test_incidents import channel
from tests.monitoring.world import endpoint

pytestmark = pytest.mark.django_db

ADMIN = "/admin/monitoring"
SECRET = "slack://TokenOfMine1/TokenOfMine2/TokenOfMine3"


def page(client: Client, path: str) -> str:
    response = client.get(f"{ADMIN}/{path}", follow=True)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def act(client: Client, model: str, action: str, *rows: Any) -> str:
    asked = {"action": action, "_selected_action": [row.pk for row in rows]}
    response = client.post(f"{ADMIN}/{model}/", asked, follow=True)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def add(client: Client, model: str, **fields: Any) -> Any:
    return client.post(f"{ADMIN}/{model}/add/", fields, follow=True)


# -- Channels ----------------------------------------------------------------------------------


def test_an_address_goes_in_and_never_comes_out(admin_client: Client) -> None:
    response = add(
        admin_client, "channel", name="ops", address=SECRET, least_severity="minor", enabled="on"
    )
    assert b"TokenOfMine" not in response.content
    row = Channel.objects.get()
    assert (row.kind, row.address()) == ("slack", SECRET)
    assert "TokenOfMine" not in row.secret
    for path in ("channel/", f"channel/{row.pk}/change/", f"channel/{row.pk}/history/"):
        text = page(admin_client, path)
        assert "TokenOfMine" not in text
        assert row.secret not in text
        assert row.fingerprint not in text
    assert not Edit.objects.filter(after__icontains="TokenOfMine").exists()


@pytest.mark.parametrize("bad", ["dbus://", "hunter22", "file:///etc/passwd", "fcm://a?keyfile=/x"])
def test_an_address_that_may_not_be_is_refused_without_quoting_it(
    admin_client: Client, bad: str
) -> None:
    response = add(admin_client, "channel", name="x", address=bad, least_severity="minor")
    assert not Channel.objects.exists()
    assert bad.encode() not in response.content


def test_a_new_address_starts_with_a_clean_record(admin_client: Client) -> None:
    row = channel()
    outbox.switch_off(row, "gone", now())
    assert "switched off" in page(admin_client, "channel/")
    old = row.secret
    form = {"name": "ops", "least_severity": "minor", "enabled": "on", "address": ""}
    admin_client.post(f"{ADMIN}/channel/{row.pk}/change/", form)
    row.refresh_from_db()
    assert (row.secret, bool(row.switched_off_at)) == (old, True)
    admin_client.post(f"{ADMIN}/channel/{row.pk}/change/", {**form, "address": SECRET})
    row.refresh_from_db()
    assert (row.address(), row.switched_off_at) == (SECRET, None)


def test_a_test_goes_the_way_of_all_notices(admin_client: Client) -> None:
    row = channel()
    assert "sends a test to ops" in act(admin_client, "channel", "test", row)
    form = {"name": "ops", "least_severity": "minor", "enabled": "on", "_test": "1"}
    admin_client.post(f"{ADMIN}/channel/{row.pk}/change/", form)
    assert Notice.objects.filter(event="test", fate="pending").count() == 2
    got: list[Message] = []

    def post(to: Channel, message: Message) -> Sent:
        got.append(message)
        return Sent(True)

    outbox.drain(sender=post)
    assert got[0].kind == "success"
    assert "This is a test" in got[0].body
    assert "sent" in page(admin_client, "notice/")


def test_a_channel_that_was_switched_off_is_used_again(admin_client: Client) -> None:
    row = channel()
    outbox.switch_off(row, "gone", now())
    assert "switched off: nothing is sent" in act(admin_client, "channel", "test", row)
    act(admin_client, "channel", "use_again", row)
    row.refresh_from_db()
    assert row.switched_off_at is None


def test_addresses_get_the_new_encryption_key(settings: Any) -> None:
    row = channel()
    new = "bmV3LWtleS1mb3ItdGVzdHMtb25seS0zMi1ieXRlczE="
    settings.ENCRYPTION_KEYS = [new, *settings.ENCRYPTION_KEYS]
    call_command("rotatekeys")
    settings.ENCRYPTION_KEYS = [new]
    row.refresh_from_db()
    assert row.address().startswith("https://hooks.example/")


def test_notices_are_only_looked_at(admin_client: Client) -> None:
    channel()
    row = Incident.objects.create(title="trouble")
    outbox.tell("opened", "major", now(), incident=row)  # type: ignore[arg-type]
    assert "trouble" in page(admin_client, "notice/")
    assert admin_client.get(f"{ADMIN}/notice/add/").status_code == 403
    assert "no_delete" not in page(admin_client, "notice/")


# -- Incidents ---------------------------------------------------------------------------------

LINES = {
    "updates-TOTAL_FORMS": "1",
    "updates-INITIAL_FORMS": "0",
    "updates-MIN_NUM_FORMS": "0",
    "updates-MAX_NUM_FORMS": "1000",
}


def test_an_incident_by_hand_is_told_written_to_and_closed(admin_client: Client) -> None:
    channel()
    row = endpoint("a")
    moment = now()
    fields = {
        "title": "Prices of Monday are wrong",
        "severity": "major",
        "began_at_0": f"{moment:%Y-%m-%d}",
        "began_at_1": f"{moment:%H:%M:%S}",
        "endpoints": [row.pk],
        **LINES,
    }
    add(admin_client, "incident", **fields)
    incident = Incident.objects.get()
    assert (incident.automatic, list(incident.endpoints.all())) == (False, [row])
    line = {
        "updates-0-at_0": f"{moment:%Y-%m-%d}",
        "updates-0-at_1": f"{moment:%H:%M:%S}",
        "updates-0-text": "We found out why.",
        "updates-0-incident": incident.pk,
    }
    admin_client.post(f"{ADMIN}/incident/{incident.pk}/change/", {**fields, **line})
    assert IncidentUpdate.objects.get().text == "We found out why."
    assert "1 closed." in act(admin_client, "incident", "close", incident)
    told = list(Notice.objects.order_by("pk").values_list("event", flat=True))
    assert told == ["opened", "update", "resolved"]


def test_one_that_opened_by_itself_is_written_to_and_taken(admin_client: Client) -> None:
    row = Incident.objects.create(title="a is down", automatic=True)
    IncidentUpdate.objects.create(incident=row, text="It rests.", automatic=True)
    text = page(admin_client, f"incident/{row.pk}/change/")
    assert 'name="title"' not in text
    assert "It rests." in text
    assert "updates-0-text" in text or "updates-1-text" in text
    assert "1 left" in act(admin_client, "incident", "close", row)
    act(admin_client, "incident", "take", row)
    row.refresh_from_db()
    assert row.acknowledged_by == "admin"
    assert row.ended_at is None


# -- Rules -------------------------------------------------------------------------------------


def test_rules_say_what_they_mean_and_measure(admin_client: Client) -> None:
    AlertRule.objects.all().delete()
    defaults.sync()
    rule = AlertRule.objects.get(slug="cpu")
    Measured.objects.create(rule=rule, value=42.0)
    other = AlertRule.objects.create(name="Of an app that is gone", metric="gone", threshold=1)
    Measured.objects.create(rule=other, note="no such metric yet: nothing measured")
    text = page(admin_client, "alertrule/")
    assert "CPU busy, since the last look above 90 % for 5 min" in text
    assert "42 %" in text
    assert "no such metric yet" in text
    assert "Forecast: Quota lasts for below 6 h" in text
    change = page(admin_client, f"alertrule/{other.pk}/change/")
    assert "nobody measures it yet" in change


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"metric": "of_nobody"}, "metric"),
        ({"scope": "kraken"}, "scope"),
        ({"metric": "provider_down", "scope": "nobody"}, "scope"),
        ({"clear_at": "95"}, "clear_at"),
        ({"threshold": "nan"}, "threshold"),
    ],
)
def test_a_rule_that_means_nothing_is_refused(
    admin_client: Client, fields: dict[str, str], wrong: str
) -> None:
    good = {
        "name": "mine",
        "metric": "cpu",
        "direction": "above",
        "threshold": "90",
        "for_s": "60",
        "clear_for_s": "60",
        "severity": "minor",
    }
    response = add(admin_client, "alertrule", **{**good, **fields})
    assert wrong in response.context["adminform"].form.errors
    assert add(admin_client, "alertrule", **good).status_code == 200
    assert AlertRule.objects.filter(name="mine").exists()


def test_what_is_shipped_is_switched_off_and_not_deleted(admin_client: Client) -> None:
    AlertRule.objects.all().delete()
    defaults.sync()
    shipped = AlertRule.objects.get(slug="cpu")
    assert admin_client.post(f"{ADMIN}/alertrule/{shipped.pk}/delete/").status_code == 403
    own = AlertRule.objects.create(name="own", metric="cpu", threshold=1)
    assert admin_client.get(f"{ADMIN}/alertrule/{own.pk}/delete/").status_code == 200


def test_alerts_are_taken_in_their_list(admin_client: Client) -> None:
    rule = AlertRule.objects.create(name="much", metric="cpu", threshold=90)
    row = Alert.objects.create(
        rule=rule, severity="major", value=95, worst=99, threshold=90, said="CPU busy: 95 %"
    )
    assert "CPU busy: 95 %" in page(admin_client, "alert/?state=open")
    assert "CPU busy: 95 %" not in page(admin_client, "alert/?state=over")
    act(admin_client, "alert", "take", row)
    row.refresh_from_db()
    assert row.acknowledged_by == "admin"


def test_service_levels_tell_what_is_left_of_their_budget(admin_client: Client) -> None:
    defaults.sync()
    assert "nothing measured" in page(admin_client, "slo/")


def test_a_service_level_promises_what_is_counted(admin_client: Client) -> None:
    fields = {"name": "Gas", "objective_percent": 99, "window_days": 3, "enabled": "on"}
    response = add(admin_client, "slo", **fields, within_ms="800.0", dataset="status")
    assert response.content.count(b"Select a valid choice") == 2
    add(admin_client, "slo", **fields, within_ms="250.0", dataset="gas")
    row = Slo.objects.get(name="Gas")
    assert (row.within_ms, row.dataset) == (250, "gas")
    text = page(admin_client, f"slo/{row.pk}/change/")
    assert '<option value="250.0" selected>250 ms</option>' in text
    assert '<option value="gas" selected>gas</option>' in text


def test_a_window_ends_after_it_starts(admin_client: Client) -> None:
    moment = now()
    fields = {"title": "move", "starts_at_0": f"{moment:%Y-%m-%d}", "starts_at_1": "12:00:00"}
    wrong = {**fields, "ends_at_0": f"{moment:%Y-%m-%d}", "ends_at_1": "11:00:00"}
    assert b"It ends before it starts." in add(admin_client, "maintenancewindow", **wrong).content
    add(admin_client, "maintenancewindow", **{**wrong, "ends_at_1": "13:00:00"})
    row = MaintenanceWindow.objects.get()
    assert row.ends_at - row.starts_at == timedelta(hours=1)
    assert "everything" in page(admin_client, "maintenancewindow/")
