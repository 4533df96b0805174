"""Resources of the catalogue are looked at: which, when, and what a look says."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from monitoring import (
    byhand,
    cycle,
    leases,
    ranking,
    readings,
    readouts,
    resourcechecks,
    roll,
    silence,
)
from monitoring.incidents.models import Incident
from monitoring.models import CheckResult, Endpoint, Plan
from monitoring.scheduling import next_due
from providers import known, reaching, roster
from providers.health import Health
from providers.models import Call, Provider, Resource
from providers.resilience import Breaker
from tests.monitoring.test_cycle import Calendar
from tests.upstreams import Asked, Said, Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)

# What the names of these tests' own servers are: another host than that of their providers.
HERE = "localhost"


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """All resources here are of one host, and time passes by a calendar."""
    monkeypatch.setattr(reaching, "HOST_PAUSE_S", 1e-4)
    monkeypatch.setattr(reaching, "_BREAKER", Breaker(rests=(1e-4,), ceiling=1e-4))


@pytest.fixture
def nobody() -> str:
    """An address at which nobody listens."""
    return f"http://{HERE}:9/x/look"


def resource(slug: str, upstreams: Upstreams | None = None, **fields: Any) -> Resource:
    url = f"{upstreams.url.replace('127.0.0.1', HERE)}/{slug}/look" if upstreams else ""
    values = {"title": slug, "category": "market", "source": "house", "url": url} | fields
    return Resource.objects.create(slug=slug, **values)


def health(slug: str) -> Health:
    return Health.objects.get(name=f"resource:{slug}")


def later(calendar: Calendar, **spans: float) -> cycle.Round:
    """A round after so long, by default long enough for everybody's turn to have come."""
    roster.forget()
    resourcechecks.sync(calendar.now)
    calendar.tick(**(spans or {"hours": 9}))
    roster.forget()
    readings.forget()
    return cycle.run(calendar)


# -- Which, and when -----------------------------------------------------------------------------


def test_of_the_shipped_catalogue_more_than_a_hundred_are_worth_a_look(shipped: None) -> None:
    resourcechecks.sync(now())
    found = Health.objects.filter(kind="resource").select_related("resource")
    assert 100 < len(found) < Resource.objects.count()
    ours = reaching.hosts_of(roster.current().providers)
    slugs = set(Provider.objects.values_list("slug", flat=True))
    for row in found:
        assert row.resource is not None
        assert not {"retired", "paid_only", "terms_risk"} & set(row.resource.flags)
        assert not known.speakers(row.resource, slugs)
        assert reaching.host_of(row.resource.probe) not in ours or row.resource.kind in (
            "model",
            "dataset",
        )
    assert Endpoint.objects.of_resources().count() == len(found)


def test_endpoints_come_and_go_with_their_resources(calendar: Calendar) -> None:
    one, two = resource("one", url="https://one.example"), resource("two", url="wss://two.example")
    cycle.run(calendar)
    assert list(Health.objects.values_list("name", flat=True)) == ["resource:one"]
    one.flags = ["retired"]
    one.save()
    two.probe_url = "https://two.example/ping"
    two.save()
    cycle.run(calendar)
    assert list(Health.objects.values_list("name", flat=True)) == ["resource:two"]
    Provider.objects.create(
        slug="x", title="x", adapter_name="binance", base_url="https://TWO.example"
    )
    roster.forget()
    resourcechecks.sync(calendar.now)
    assert not Health.objects.filter(kind="resource").exists(), "its host has a provider now"
    two.delete()


@given(st.sets(st.text("abcdefghij-", min_size=1, max_size=12), min_size=150, max_size=250))
def test_the_first_looks_are_spread_over_an_hour(slugs: set[str]) -> None:
    moment = datetime(2026, 11, 21).astimezone()
    due = [resourcechecks.first_due(f"resource:{slug}", moment) for slug in slugs]
    assert all(moment <= one < moment + timedelta(hours=1) for one in due)
    minutes = [int((one - moment).total_seconds() // 60) for one in due]
    assert max(minutes.count(minute) for minute in minutes) <= len(slugs) / 60 * 5 + 3


def test_no_round_looks_at_more_than_a_few_whatever_has_piled_up(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    for number in range(resourcechecks.A_ROUND + 5):
        resource(f"r{number}", upstreams)
    assert cycle.run(calendar).checked <= resourcechecks.A_ROUND
    assert later(calendar, hours=30).checked == resourcechecks.A_ROUND, "a day without a worker"


def test_providers_come_first(upstreams: Upstreams, calendar: Calendar) -> None:
    resource("r", upstreams)
    upstreams.provider("p")
    cycle.run(calendar)
    later(calendar, hours=2)
    assert [asked.slug for asked in upstreams.asked][-2:] == ["p", "r"]


@given(
    name=st.text(min_size=1, max_size=20),
    interval_s=st.floats(600, 86400),
    wait_s=st.none() | st.floats(0, 7 * 86400),
    unsettled=st.booleans(),
)
def test_the_next_look_is_after_this_one_and_within_an_interval_and_a_half(
    name: str, interval_s: float, wait_s: float | None, unsettled: bool
) -> None:
    moment = now()
    due = next_due(
        name,
        moment,
        interval_s,
        wanted_s=interval_s,
        unsettled=unsettled,
        resting_s=wait_s,
        again_s=resourcechecks.AGAIN_S,
    )
    assert moment < due <= moment + timedelta(seconds=1.5 * interval_s + 1)
    if unsettled and wait_s is None:
        assert due <= moment + timedelta(seconds=resourcechecks.AGAIN_S)


def test_it_is_switched_off_altogether_or_for_one_alone(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    for slug in ("a", "b"):
        resource(slug, upstreams)
    Plan(check_resources=False).save()
    resourcechecks.sync(calendar.now)
    calendar.tick(hours=9)
    cycle.run(calendar)
    assert not upstreams.asked
    Plan(check_resources=True).save()
    resourcechecks.sync(calendar.now)
    Endpoint.objects.filter(health__name="resource:a").update(paused=True)
    later(calendar)
    assert {asked.slug for asked in upstreams.asked} == {"b"}


# -- What a look says ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (200, "answers"),
        (401, "answers: it wants a key (HTTP 401)"),
        (403, "answers: it forbids this (HTTP 403)"),
        (404, "answers: nothing is at this address (HTTP 404)"),
        (302, "answers, and sends on to parked.example (HTTP 302)"),
    ],
)
def test_whoever_answers_is_up_and_says_how(
    upstreams: Upstreams, calendar: Calendar, number: int, reason: str
) -> None:
    resource("a", upstreams)
    upstreams.play["a"] = status(number, location="https://parked.example/")
    later(calendar)
    later(calendar)
    found = health("a")
    assert (found.status, found.reason, found.endpoint_up) == ("healthy", reason, True)
    assert found.error_message == ""
    assert found.response_time_ms
    assert found.credential_valid is None, "no key was sent"
    assert not Call.objects.exists(), "it is nobody's question"


def test_a_fault_is_looked_at_again_soon_until_it_is_sure(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    resource("a", upstreams)
    later(calendar)
    assert health("a").status == "healthy"
    upstreams.play["a"] = status(503)
    later(calendar)
    assert (health("a").status, health("a").endpoint_up) == ("degraded", True)
    for _ in range(2):
        later(calendar, minutes=11)
    assert health("a").status == "down"
    assert health("a").error_message.startswith("answered with an error of its own")
    assert later(calendar, minutes=11).checked == 0, "what is down for sure waits for its turn"
    upstreams.play["a"] = status(200)
    later(calendar)
    later(calendar, minutes=11)
    assert health("a").status == "healthy"


def test_who_throttles_is_left_alone_for_as_long_as_it_says(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    resource("a", upstreams)
    upstreams.play["a"] = status(429, retry_after=7200)
    later(calendar)
    assert health("a").status == "rate_limited"
    due = Endpoint.objects.get(health__name="resource:a").next_due
    assert due is not None
    assert timedelta(hours=1.9) < due - calendar.now < timedelta(hours=2.1)


def test_who_blocks_us_is_down_and_told(upstreams: Upstreams, calendar: Calendar) -> None:
    resource("a", upstreams)
    upstreams.play["a"] = status(451)
    later(calendar)
    assert (health("a").status, health("a").endpoint_up) == ("down", True)
    assert "blocks this host" in health("a").reason


def test_who_hangs_has_a_fault_within_the_time_out(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    resource("a", upstreams)
    upstreams.play["a"] = upstreams.hang
    Plan(timeout_s=0.2).save()
    later(calendar)
    found = health("a")
    assert (found.status, found.outcome, found.endpoint_up) == ("degraded", "timed_out", False)


def test_what_was_not_looked_at_for_three_of_its_own_intervals_is_unknown(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    resource("a", upstreams)
    later(calendar)
    Endpoint.objects.update(paused=True)
    later(calendar, hours=17)
    assert health("a").status == "healthy"
    later(calendar, hours=2)
    assert health("a").status == "unknown"


def test_a_huge_page_is_an_answer(upstreams: Upstreams, calendar: Calendar) -> None:
    def page(asked: Asked) -> Said:
        return Said(200, b"<html>" + b" " * (32 << 20))

    resource("a", upstreams)
    upstreams.play["a"] = page
    later(calendar)
    assert health("a").status == "healthy"


# -- Our own network -----------------------------------------------------------------------------


def test_a_silent_resource_says_nothing_while_nobody_answers(
    upstreams: Upstreams, calendar: Calendar, nobody: str
) -> None:
    resource("a", upstreams)
    for slug in ("p", "q", "s"):
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)
    later(calendar)
    heard = health("a").heard_at
    Resource.objects.update(url=nobody)
    Provider.objects.update(base_url="http://127.0.0.1:9")
    later(calendar)
    assert health("a").heard_at == heard, "held"
    assert health("a").error_message == silence.OUR_NETWORK


def test_a_silent_resource_is_at_fault_while_a_provider_answers_and_nobody_is_asked_for_it(
    upstreams: Upstreams, calendar: Calendar, nobody: str
) -> None:
    resource("a", upstreams, url=nobody)
    upstreams.provider("p")
    later(calendar)
    asked = len(upstreams.asked)
    later(calendar, minutes=11)
    assert health("a").failures >= 1
    assert len(upstreams.asked) == asked + 1, "the provider's own turn"


def test_what_was_dead_before_is_no_witness_of_our_network(
    upstreams: Upstreams, calendar: Calendar, nobody: str
) -> None:
    """Else three dead resources would hold the verdict on whoever is checked beside them."""
    for slug in ("a", "b", "c"):
        resource(slug, url=nobody)
    resourcechecks.sync(calendar.now)
    Health.objects.update(status="down", failures=3)
    upstreams.provider("p")
    Provider.objects.update(base_url="http://127.0.0.1:9")
    roster.forget()
    roll.sync()
    everything = Endpoint.objects.select_related("health__provider", "health__resource")
    claimed = leases.claim(list(everything), calendar.now)
    cycle.check(claimed, Plan.current(), calendar)
    assert Health.objects.get(name="p").status == "degraded"
    assert silence.OUR_NETWORK not in Health.objects.get(name="p").error_message


# -- They are a list of their own ----------------------------------------------------------------


def test_they_count_in_nothing_that_is_said_of_the_whole(
    upstreams: Upstreams, calendar: Calendar, client: Client, nobody: str
) -> None:
    upstreams.provider("p")
    resource("dead", url=nobody)
    for _ in range(4):
        later(calendar)
        later(calendar, minutes=2)
    assert health("dead").status == "down"
    assert Health.objects.get(name="p").status == "healthy"
    readings.forget()
    board = readings.board()
    assert set(board.readings) == {"p"}
    assert readouts.banner(list(board.readings.values()), board)[0] == "healthy"
    assert ranking.get_healthiest_provider("resource").name is None
    assert client.get("/api/providers/best", {"kind": "resource"}).status_code == 404
    assert not Incident.objects.exists()
    assert set(client.get("/api/providers/status").json()["providers"]) == {"p"}
    listed = client.get("/api/providers/status", {"kind": "resource"}).json()["providers"]
    assert {name: row["status"] for name, row in listed.items()} == {"resource:dead": "down"}
    one = client.get("/api/providers/status/resource:dead").json()
    assert (one["kind"], one["status"]) == ("resource", "down")
    assert set(client.get("/api/providers/history/resource:dead").json()) == {"resource:dead"}
    assert client.get("/api/providers/resource:dead/stats").status_code == 200
    assert b"resource:dead" in client.get("/status/resource:dead").content
    assert b"down" in client.get("/badge/resource:dead.svg").content
    table = client.get("/api/providers/export/csv", {"kind": "resource"}).getvalue().decode()
    assert "resource:dead,down" in table
    assert client.get("/api/resources", {"status": "down"}).json()["total"] == 1


def test_a_list_of_all_costs_a_handful_of_queries(
    shipped: None, client: Client, django_assert_max_num_queries: Any
) -> None:
    resourcechecks.sync(now())
    client.get("/api/providers/status")  # what is remembered for longer is read
    readings.forget()
    with django_assert_max_num_queries(8):
        body = client.get("/api/providers/status", {"kind": "resource"}).json()
    assert len(body["providers"]) > 100
    with django_assert_max_num_queries(12):
        assert client.get("/api/resources").json()["total"] >= 243


def test_a_round_without_anything_due_costs_a_handful_of_queries(
    shipped: None, django_assert_max_num_queries: Any, calendar: Calendar
) -> None:
    Endpoint.objects.all().delete()
    resourcechecks.sync(calendar.now)
    Endpoint.objects.update(next_due=calendar.now + timedelta(hours=1))
    with django_assert_max_num_queries(4):
        resourcechecks.sync(calendar.now)
        assert not leases.claim_due_resources(calendar.now, resourcechecks.A_ROUND)


def test_by_hand_one_is_looked_at_and_all_means_the_providers(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    resource("a", upstreams)
    upstreams.provider("p")
    cycle.run(calendar)
    assert byhand.start() == ["p"]
    assert byhand.start(["resource:a"]) == ["resource:a"]
    for thread in threading.enumerate():
        if thread.name == "check-now":
            thread.join(20)


def test_what_was_set_for_one_alone_is_configuration(
    upstreams: Upstreams, calendar: Calendar, tmp_path: Any
) -> None:
    resource("a", upstreams)
    cycle.run(calendar)
    Endpoint.objects.update(paused=True)
    file = tmp_path / "config.yaml"
    call_command("exportconfig", str(file))
    assert "resource:a" in file.read_text()
    Health.objects.all().delete()
    call_command("importconfig", str(file))
    assert Endpoint.objects.get(health__name="resource:a").paused


def test_results_are_kept_like_those_of_providers(upstreams: Upstreams, calendar: Calendar) -> None:
    resource("a", upstreams)
    later(calendar)
    found = CheckResult.objects.get()
    assert (found.finding, found.outcome, found.status) == ("good", "ok", "healthy")
