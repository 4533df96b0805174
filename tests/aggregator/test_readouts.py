"""What we say of ourselves is the truth of rows and cells, and asks no upstream."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils.timezone import now

from aggregator import answers, heartbeat, readouts, shelf
from aggregator.answers import Answer
from providers import roster
from providers.datasets import GasQuery
from providers.errors import Blocked, Broken, ProviderError, Throttled
from providers.health import Health
from providers.models import Call, Credential, Provider
from providers.resilience import cell
from tests.conftest import Clock

pytestmark = pytest.mark.django_db


def provider(slug: str, adapter: str = "coingecko", **fields: Any) -> Provider:
    return Provider.objects.create(slug=slug, title=slug, adapter_name=adapter, **fields)


def called(by: Provider, *outcomes: str, hours: float = 1, seconds: float = 0.2) -> None:
    at = now() - timedelta(hours=hours)
    Call.objects.bulk_create(
        Call(provider=by, dataset="market", outcome=outcome, seconds=seconds, at=at)
        for outcome in outcomes
    )
    roster.forget()


def fails(by: Provider, error: ProviderError) -> None:
    with pytest.raises(type(error)), by.guard.admit():
        raise error


def status(slug: str) -> dict[str, Any]:
    roster.forget()
    found: dict[str, Any] = readouts.status()["providers"][slug]
    return found


# -- Providers ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "expected"),
    [(Broken(), "down"), (Throttled(wait=60), "rate_limited"), (Blocked(), "down")],
)
def test_one_that_rests_says_why_and_for_how_long(error: ProviderError, expected: str) -> None:
    one = provider("one", rests_s=[60], block_rest_s=60)
    called(one, "ok")
    fails(one, error)
    found = status("one")
    assert (found["status"], found["circuit"], found["active"]) == (expected, "open", True)
    assert found["resting_s"] == pytest.approx(60, abs=2)
    assert found["reason"]


def test_one_that_was_never_asked_is_unknown_and_has_no_figures() -> None:
    provider("one")
    found = status("one")
    assert found["status"] == "unknown"
    assert (found["response_time_ms"], found["success_rate_percent"]) == (None, None)
    said = readouts.status()
    assert (said["health"], said["avg_response_time_ms"]) == ("unknown", None)
    assert said["rotation"] == {}


def test_what_is_off_or_has_no_key_is_not_active() -> None:
    provider("off", enabled=False)
    keyed = provider("keyed", "coingecko_pro")
    for slug in ("off", "keyed"):
        assert (status(slug)["status"], status(slug)["active"]) == ("disabled", False)
    credential = Credential(provider=keyed, label="mine")
    credential.set_key("sandbox-of-mine")
    credential.save()
    found = status("keyed")
    assert (found["status"], found["active"], found["has_key"]) == ("unknown", True, True)


def test_while_the_checks_are_fresh_they_are_gone_by() -> None:
    one = provider("one")
    called(one, "ok")
    fresh = {"fresh_until": now() + timedelta(minutes=1), "reason": "did not answer in time"}
    health = Health.objects.create(name="one", provider=one, status="down", **fresh)
    assert (status("one")["status"], status("one")["reason"]) == ("down", "did not answer in time")
    Health.objects.update(fresh_until=now())
    assert status("one")["status"] == "healthy"
    Health.objects.update(**fresh)
    Provider.objects.update(enabled=False)
    assert status("one")["status"] == "disabled"
    Provider.objects.update(enabled=True)
    Health.objects.filter(pk=health.pk).update(status="disabled")
    assert status("one")["status"] == "healthy"


def test_a_poor_record_is_degraded() -> None:
    one = provider("one")
    called(one, *["ok"] * 8, *["broken"] * 2)
    found = status("one")
    assert (found["status"], found["success_rate_percent"]) == ("degraded", 80.0)


def test_a_429_is_no_downtime() -> None:
    one = provider("one")
    called(one, "ok", *["throttled"] * 9)
    assert status("one")["success_rate_percent"] == 100


def test_a_spent_budget_is_shown() -> None:
    one = provider("one", limits=[{"limit": 2, "per_s": 3600, "burst": 1}])
    called(one, "ok")
    assert status("one")["tokens_left_percent"] == 100
    with one.guard.admit():
        assert status("one")["tokens_left_percent"] < 1


@pytest.mark.parametrize(
    ("well", "ill", "expected"),
    [(2, 0, "online"), (1, 1, "degraded"), (0, 2, "offline"), (0, 0, "unknown")],
)
def test_the_whole_is_judged_by_those_who_were_asked(well: int, ill: int, expected: str) -> None:
    provider("never-asked")
    provider("off", enabled=False)
    for number in range(well):
        called(provider(f"well{number}"), "ok")
    for number in range(ill):
        down = provider(f"ill{number}", rests_s=[60])
        called(down, "broken")
        fails(down, Broken())
    roster.forget()
    said = readouts.status()
    assert said["health"] == expected
    counts = {"healthy": well, "down": ill, "unknown": 1, "disabled": 1}
    assert said["counts"] == {name: number for name, number in counts.items() if number}


def test_the_mean_is_of_those_who_answered() -> None:
    called(provider("one"), "ok", seconds=0.1)
    called(provider("two"), "ok", "broken", seconds=0.3)
    called(provider("three"), "broken", seconds=9)
    assert readouts.status()["avg_response_time_ms"] == 200.0


def test_the_rotation_counts_what_was_served_in_the_last_day() -> None:
    one, two = provider("one"), provider("two")
    called(one, "ok", "ok", "ok", "broken")
    called(two, "ok")
    called(two, *["ok"] * 50, hours=25)
    Call.objects.create(provider=two, dataset="ping", outcome="ok", seconds=0.1, purpose="check")
    rotation = readouts.rotation()
    assert {name: (row["served"], row["share"]) for name, row in rotation.items()} == {
        "one": (3, 75.0),
        "two": (1, 25.0),
    }
    assert list(rotation) == ["one", "two"]
    assert rotation["one"]["last_used"].endswith("Z")
    assert set(readouts.rotation(hours=26)) == {"one", "two"}


# -- The process -------------------------------------------------------------------------------


class Gone:
    """A connection to a database that is out of reach."""

    def ensure_connection(self) -> None:
        raise OperationalError("gone")


def test_it_is_ready_when_database_and_store_answer() -> None:
    said = readouts.readiness(connection)
    assert (said["ready"], said["database"], said["store"]) == (True, "online", "online")


def test_it_is_not_ready_without_its_database() -> None:
    said = readouts.readiness(Gone())  # type: ignore[arg-type]
    assert (said["ready"], said["database"]) == (False, "offline")


def test_it_is_not_ready_while_the_store_is_left_alone() -> None:
    cell.report(OperationalError("gone"))
    said = readouts.readiness(connection)
    assert (said["ready"], said["store"]) == (False, "offline")


def test_a_silent_worker_is_told_and_no_reason_to_send_nobody(clock: Clock) -> None:
    assert readouts.readiness(connection)["worker"] == "silent"
    heartbeat.beat()
    said = readouts.readiness(connection)
    assert (said["ready"], said["worker"]) == (True, "active")


def test_readiness_tells_when_anybody_was_checked_last() -> None:
    assert readouts.readiness(connection)["newest_check"] is None
    at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    for name, checked_at in (("a", at), ("b", at - timedelta(hours=1)), ("c", None)):
        Health.objects.create(name=name, checked_at=checked_at)
    said = readouts.readiness(connection)
    assert (said["ready"], said["newest_check"]) == (True, "2026-03-01T12:00:00.000Z")


def test_a_worker_is_silent_after_three_minutes_without_work(clock: Clock) -> None:
    heartbeat.beat(clock)
    clock.tick(179)
    assert heartbeat.is_active(clock)
    clock.tick(1)
    assert not heartbeat.is_active(clock)
    assert heartbeat.age_s(clock) == 180


def test_a_beat_of_a_clock_that_is_behind_does_not_turn_time_back(clock: Clock) -> None:
    heartbeat.beat(clock)
    heartbeat.beat(lambda: clock.now - 600)
    assert heartbeat.age_s(clock) == 0


def test_the_size_of_the_shelf_is_null_while_nobody_can_tell(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    moment = time.time()
    answer = Answer(GasQuery(), b"[]", "one", moment, moment + 9, moment + 99)
    answers.shelve(answer)
    assert readouts.shelf_size() == 1

    def gone() -> int:
        raise OperationalError("gone")

    monkeypatch.setattr(shelf, "size", gone)
    assert readouts.shelf_size() is None
