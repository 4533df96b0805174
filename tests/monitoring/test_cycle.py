"""A round of checks, from what is due to what is written, with upstreams that really answer."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils.timezone import now

from monitoring import cycle, leases, roll, tasks
from monitoring.cycle import Round
from monitoring.models import MOST_TIMEOUT_S, CheckResult, Endpoint, Plan, StateChange
from monitoring.parallel import WORKERS
from providers import calls, roster
from providers.errors import OutOfTokens
from providers.health import Health
from providers.models import Call, Credential, Provider
from tests.upstreams import Keyed, Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)


class Calendar:
    """A clock for rounds: it starts at the real time, as calls are dated by that."""

    def __init__(self) -> None:
        self.now = now()

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **spans: float) -> None:
        self.now += timedelta(**spans)


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


def health(name: str) -> Health:
    return Health.objects.get(name=name)


def again(calendar: Calendar, minutes: float = 10) -> Round:
    """A later round: after ten minutes it is everybody's turn."""
    calendar.tick(minutes=minutes)
    roster.forget()
    return cycle.run(calendar)


def visited(by: Provider, *outcomes: str, seconds: float = 0.2, at: datetime | None = None) -> None:
    Call.objects.bulk_create(
        Call(provider=by, dataset="market", outcome=o, seconds=seconds, at=at or now())
        for o in outcomes
    )


def key_of(provider: Provider, **fields: Any) -> None:
    credential = Credential(provider=provider, label="mine", **fields)
    credential.set_key("sandbox-of-mine")
    credential.save()
    roster.forget()


def test_the_first_round_checks_everything(upstreams: Upstreams, calendar: Calendar) -> None:
    for slug in ("a", "b"):
        upstreams.provider(slug)
    done = cycle.run(calendar)
    assert (done.checked, done.well, done.changed) == (2, 2, 2)
    assert [asked.dataset for asked in upstreams.asked] == ["ping", "ping"]
    found = health("a")
    assert (found.status, found.endpoint_up, found.credential_valid) == ("healthy", True, None)
    assert found.response_time_ms
    assert found.response_time_ms > 0
    assert CheckResult.objects.count() == 2
    assert StateChange.objects.filter(status="healthy", ended_at=None).count() == 2


def test_nothing_is_checked_before_its_turn(upstreams: Upstreams, calendar: Calendar) -> None:
    upstreams.provider("a")
    assert cycle.run(calendar).checked == 1
    calendar.tick(seconds=100)
    assert cycle.run(calendar).checked == 0
    assert again(calendar).checked == 1


def test_three_failures_are_down_and_two_good_checks_are_not(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    for slug in ("a", "well"):
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)
    upstreams.play["a"] = status(500)
    said = []
    for _ in range(3):
        again(calendar)
        said.append(health("a").status)
    assert said == ["degraded", "degraded", "down"]
    assert "answered with an error of its own" in health("a").error_message
    assert health("a").endpoint_up is True
    del upstreams.play["a"]
    again(calendar)
    assert health("a").status == "down"
    again(calendar)
    assert (health("a").status, health("a").error_message) == ("healthy", "")
    changes = StateChange.objects.filter(endpoint__health__name="a").order_by("began_at")
    assert [row.status for row in changes] == ["healthy", "degraded", "down", "healthy"]
    ends = [row.ended_at for row in changes]
    assert ends[:-1] == [row.began_at for row in changes][1:]
    assert ends[-1] is None
    assert health("well").status == "healthy"


@pytest.mark.parametrize(
    ("number", "expected", "up"), [(429, "rate_limited", True), (403, "misconfigured", True)]
)
def test_what_is_no_downtime(
    upstreams: Upstreams, calendar: Calendar, number: int, expected: str, up: bool
) -> None:
    upstreams.provider("a")
    cycle.run(calendar)
    upstreams.play["a"] = status(number)
    again(calendar)
    again(calendar)
    assert (health("a").status, health("a").endpoint_up) == (expected, up)


def test_a_refused_key_is_our_configuration(upstreams: Upstreams, calendar: Calendar) -> None:
    key_of(upstreams.provider("k", Keyed))
    cycle.run(calendar)
    assert (health("k").status, health("k").credential_valid) == ("healthy", True)
    upstreams.play["k"] = status(401)
    again(calendar)
    assert (health("k").status, health("k").credential_valid) == ("misconfigured", False)
    again(calendar)
    assert health("k").reason == "every key was refused"


def test_what_needs_a_key_and_has_none_is_disabled(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    provider = upstreams.provider("k", Keyed)
    upstreams.provider("off", enabled=False)
    cycle.run(calendar)
    assert (health("k").status, health("k").reason) == ("disabled", "no key")
    assert (health("off").status, health("off").reason) == ("disabled", "switched off")
    assert (upstreams.asked, CheckResult.objects.count()) == ([], 0)
    key_of(provider)
    again(calendar, minutes=2)  # it is looked at soon, as that costs nothing
    assert health("k").status == "healthy"


# -- Visitors first ----------------------------------------------------------------------------


def test_what_visitors_were_just_answered_by_is_not_asked(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    visited(upstreams.provider("a"), "ok", "ok", "missing", seconds=0.3)
    calendar.now = now()
    cycle.run(calendar)
    assert upstreams.asked == []
    row = CheckResult.objects.get()
    assert (row.source, row.finding, row.response_time_ms) == ("visitors", "good", 300)
    assert health("a").status == "healthy"


@pytest.mark.parametrize("outcomes", [["cancelled"], ["throttled"], ["broken"], []])
def test_anything_but_answers_is_worth_a_question(
    upstreams: Upstreams, calendar: Calendar, outcomes: list[str]
) -> None:
    visited(upstreams.provider("a"), *outcomes)
    calendar.now = now()
    cycle.run(calendar)
    assert len(upstreams.asked) == 1
    assert health("a").status == "healthy"


def test_a_provider_that_fails_part_of_its_visitors_is_degraded(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    visited(upstreams.provider("a"), *["ok"] * 6, *["broken"] * 2)
    calendar.now = now()
    cycle.run(calendar)
    assert len(upstreams.asked) == 1
    assert health("a").status == "degraded"
    assert health("a").reason == "25% of what visitors asked lately failed"


def test_slow_answers_to_visitors_are_degraded(upstreams: Upstreams, calendar: Calendar) -> None:
    provider = upstreams.provider("a")
    visited(provider, *["ok"] * 5, seconds=1.5)
    calendar.now = now()
    cycle.run(calendar)
    assert (health("a").status, health("a").p95_ms) == ("degraded", 1500)
    Endpoint.objects.update(threshold_ms=2000)
    again(calendar)
    again(calendar)
    assert health("a").status == "healthy"


def test_the_check_after_a_rest_is_the_probe_that_ends_it(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    provider = upstreams.provider("a", rests_s=[1.0])
    upstreams.provider("well")
    upstreams.play["a"] = status(500)
    cycle.run(calendar)
    assert health("a").status == "degraded"
    calls.flush()
    again(calendar)  # it rests, and is not asked
    assert len(upstreams.of("a")) == 1
    said = "rests after a failure; the last: answered with an error of its own: HTTP 500"
    assert health("a").reason == said
    due = Endpoint.objects.get(health__name="a").next_due
    assert due
    assert due - calendar.now <= timedelta(seconds=2)
    del upstreams.play["a"]
    time.sleep(1.05)
    again(calendar)
    assert len(upstreams.of("a")) == 2
    assert provider.guard.standing().circuit.back_at is not None


def test_a_check_that_has_to_wait_a_moment_is_put_off(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 1, "per_s": 10}])
    with provider.guard.admit():
        pass
    cycle.run(calendar)
    assert (health("a").status, health("a").checked_at) == ("unknown", None)
    due = Endpoint.objects.get().next_due
    assert due
    assert timedelta(seconds=8) < due - calendar.now < timedelta(seconds=11)
    assert not CheckResult.objects.exists()


def test_a_budget_that_is_spent_for_long_is_a_rate_limit(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    provider = upstreams.provider("a", limits=[{"limit": 1, "per_s": 86400}])
    with provider.guard.admit():
        pass
    cycle.run(calendar)
    assert health("a").status == "rate_limited"
    assert upstreams.asked == []


def test_checks_that_are_held_back_for_visitors_say_nothing_of_the_provider(
    upstreams: Upstreams, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams.provider("a", limits=[{"limit": 100, "per_s": 86400}])

    def paced(*args: Any, **kwargs: Any) -> None:
        raise OutOfTokens("kept for visitors", wait=7200)

    monkeypatch.setattr("monitoring.probing.call", paced)
    cycle.run(calendar)
    assert health("a").status == "unknown"
    assert not CheckResult.objects.exists()


# -- By hand, paused, in maintenance -----------------------------------------------------------


def test_what_is_paused_is_not_checked_and_becomes_unknown(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    upstreams.provider("a")
    cycle.run(calendar)
    Endpoint.objects.update(paused=True)
    done = again(calendar, minutes=16)
    assert (done.checked, done.stale) == (0, 1)
    assert health("a").status == "unknown"
    Endpoint.objects.update(paused=False)
    Plan(paused=True).save()
    assert again(calendar).checked == 0


def test_what_is_in_maintenance_is_not_asked(upstreams: Upstreams, calendar: Calendar) -> None:
    upstreams.provider("a")
    roll.sync()
    Endpoint.objects.update(maintenance_until=datetime(2100, 1, 1, tzinfo=UTC))
    cycle.run(calendar)
    assert (health("a").status, health("a").reason) == ("maintenance", "until 2100-01-01 00:00 UTC")
    assert upstreams.asked == []


def test_a_mistake_of_ours_says_nothing_of_the_provider(
    upstreams: Upstreams, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    upstreams.provider("a")
    cycle.run(calendar)

    def trip(*args: Any) -> None:
        raise RuntimeError("a slip")

    monkeypatch.setattr("monitoring.probing.look", trip)
    again(calendar)
    assert (health("a").status, health("a").outcome) == ("healthy", "error")


# -- The roll, the loop, the task --------------------------------------------------------------


def test_the_roll_follows_the_catalogue(upstreams: Upstreams) -> None:
    provider = upstreams.provider("a")
    roll.sync()
    roll.sync()
    assert Endpoint.objects.get().health.name == "a"
    provider.slug = "better"
    provider.save()
    roster.forget()
    roll.sync()
    assert Endpoint.objects.get().health.name == "better"
    provider.delete()
    assert not Endpoint.objects.exists()


def test_a_task_and_a_command_do_the_same(upstreams: Upstreams, capsys: Any) -> None:
    upstreams.provider("a")
    assert tasks.run_checks().startswith("1 checked in ")
    assert not calls._waiting
    call_command("runchecks", "--once")
    assert "0 checked in" in capsys.readouterr().out


def test_a_lease_outlasts_the_longest_batch() -> None:
    rounds = cycle.BATCH / WORKERS
    assert timedelta(seconds=rounds * MOST_TIMEOUT_S) < leases.LEASE


def test_a_round_says_what_it_does(
    upstreams: Upstreams, calendar: Calendar, caplog: pytest.LogCaptureFixture
) -> None:
    upstreams.provider("a")
    with caplog.at_level("DEBUG", "monitoring.checks"):
        cycle.run(calendar)
    said = [record.getMessage() for record in caplog.records]
    assert said[0] == "checking 1 endpoints"
    assert any(line.startswith("a: healthy ") and "ms by probe" in line for line in said)
    assert said[-1].startswith("1 checked in")


@pytest.mark.parametrize(
    ("before", "now", "is_told"),
    [
        ("unknown", "healthy", False),
        ("unknown", "disabled", False),
        ("healthy", "healthy", False),
        ("unknown", "down", True),
        ("healthy", "degraded", True),
        ("down", "healthy", True),
    ],
)
def test_a_terminal_reads_what_changed_not_what_is_as_it_was(
    before: str, now: str, is_told: bool
) -> None:
    assert cycle._is_news(before, now) is is_told


def test_time_that_we_lost_ourselves_is_not_held_against_a_provider(
    upstreams: Upstreams, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A database that hangs, say, before the question goes out."""
    upstreams.provider("a")
    upstreams.provider("well")
    cycle.run(calendar)
    usual = roster.names_for

    def slow(provider: Provider) -> Any:
        if provider.slug == "a":
            time.sleep(0.4)
        return usual(provider)

    monkeypatch.setattr(roster, "names_for", slow)
    Endpoint.objects.update(timeout_s=0.4, interval_s=60)
    for _ in range(4):
        again(calendar, minutes=2)
    assert (health("a").status, health("a").failures) == ("healthy", 0)
    assert CheckResult.objects.filter(finding="fault").count() == 0
    assert Provider.objects.get(slug="a").guard.standing().circuit.failures == 0
