"""
What another tracker of providers got wrong, each as a test by its number: with its rule put in the
place of ours, the test fails.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from monitoring import cycle, leases, probing, ranking, readings, roll, tasks
from monitoring.health import Finding, Rules, Seen, State, verdict
from monitoring.models import CheckResult, Endpoint, Plan
from monitoring.probing import Task
from providers import calls, registry, roster
from providers.catalogue import load
from providers.health import Health
from providers.models import Provider
from providers.standing import Status
from tests.aggregator.visitors import get as ask
from tests.monitoring.test_cycle import Calendar, again, health, key_of
from tests.monitoring.world import endpoint, results
from tests.providers.language import hosts
from tests.providers.misbehaviour import Authority
from tests.providers.peer import always, peer, reply
from tests.upstreams import Keyed, Said, Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)

START = datetime(2026, 3, 1, tzinfo=UTC)


def get(route: str, **params: Any) -> Any:
    readings.forget()
    response = Client().get(f"/api/providers/{route}", params)
    assert response.status_code == 200, response.content
    return response.json()


# -- 1: stuck down for ever --------------------------------------------------------------------
# It counted a failure whenever the status before was not healthy, whatever the check said.


def replay(findings: Sequence[tuple[Finding, float]]) -> State:
    """The state after checks with these findings and 95th percentiles, five minutes apart."""
    state = State(START)
    for n, (found, p95_ms) in enumerate(findings, 1):
        seen = Seen(START + timedelta(minutes=5 * n), found, p95_ms=p95_ms, samples=9)
        state = verdict(state, seen, Rules())
    return state


BAD, GOOD, SLOW = (Finding.FAULT, 20.0), (Finding.GOOD, 20.0), (Finding.GOOD, 3000.0)


@pytest.mark.parametrize("before", [[BAD] * 2, [BAD] * 9, [SLOW] * 3, [SLOW, BAD, SLOW]])
def test_1_success_after_trouble_is_health(before: list[tuple[Finding, float]]) -> None:
    found = replay([*before, GOOD, GOOD])
    assert (found.status, found.failures) == (Status.HEALTHY, 0)


def test_1_slow_answers_are_no_failures() -> None:
    found = replay([SLOW] * 5)
    assert (found.status, found.failures) == (Status.DEGRADED, 0)


@given(st.lists(st.tuples(st.sampled_from(list(Finding)), st.sampled_from([20.0, 3000.0]))))
def test_1_no_past_is_so_bad_that_success_does_not_end_it(
    before: list[tuple[Finding, float]],
) -> None:
    assert replay([*before, GOOD, GOOD]).status is Status.HEALTHY


# -- 2: an uptime of nought shown as a hundred -------------------------------------------------
# `uptime or 100.0`; what was degraded counted as an outage; the check just made was not counted.


def test_2_an_uptime_of_nought_is_nought() -> None:
    results(endpoint("a", "down"), "fault", "fault")
    assert get("status/a")["uptime_percent"] == 0.0


def test_2_nothing_measured_is_null_and_not_a_hundred() -> None:
    endpoint("a", "unknown", checked_at=None, fresh_until=None)
    assert get("status/a")["uptime_percent"] is None


def test_2_what_answers_in_part_is_no_outage() -> None:
    results(endpoint("a", "degraded"), "good", "partial", "partial", "good")
    assert get("status/a")["uptime_percent"] == 100.0


def test_2_the_check_just_made_counts(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    upstreams.provider("b")
    upstreams.play["a"] = status(500)
    tasks.run_checks()
    assert get("status/a")["uptime_percent"] == 0.0
    assert get("status/b")["uptime_percent"] == 100.0


# -- 3: 500 for an unknown name ----------------------------------------------------------------


@pytest.mark.parametrize("route", ["status/nobody", "history/nobody", "nobody/stats"])
def test_3_an_unknown_name_is_a_404(route: str) -> None:
    response = Client().get(f"/api/providers/{route}")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


# -- 4: rate_limit_percent was always 0.0 ------------------------------------------------------


def test_4_a_rate_limit_is_what_the_headers_say(upstreams: Upstreams) -> None:
    upstreams.provider("a", limits=[{"limit": 100, "per_s": 60, "burst": 100}])
    upstreams.play["a"] = lambda asked: Said(headers={"X-Left": "25"})
    tasks.run_checks()
    assert get("status/a")["rate_limit_percent"] == pytest.approx(75, abs=3)


def test_4_an_unknown_rate_limit_is_null_and_not_nought(upstreams: Upstreams) -> None:
    upstreams.provider("a", limits=[])
    tasks.run_checks()
    assert get("status/a")["rate_limit_percent"] is None


# -- 5: a wrong key, refused in 20 ms, was the best --------------------------------------------


def test_5_who_refuses_our_key_at_once_is_not_the_best(upstreams: Upstreams) -> None:
    key_of(upstreams.provider("quick", Keyed, priority=90))
    upstreams.provider("sound", priority=10)
    upstreams.play["quick"] = status(401)
    tasks.run_checks()
    assert get("status/quick")["status"] == "misconfigured"
    found = get("best")
    assert (found["best_provider"], found["alternatives"]) == ("sound", [])
    assert ask().meta["source"] == "sound"


def test_5_when_every_key_is_refused_nobody_is_best(upstreams: Upstreams) -> None:
    key_of(upstreams.provider("only", Keyed))
    upstreams.play["only"] = status(403)
    tasks.run_checks()
    readings.forget()
    choice = ranking.get_healthiest_provider()
    assert (choice.name, choice.reason) == (None, "nobody can be asked: only misconfigured")


# -- 6: five providers that were all one local address, asked without a time limit -------------


def test_6_each_provider_is_asked_at_its_own_address(upstreams: Upstreams) -> None:
    names = ["main", "groq", "grok", "gemini", "nvidia"]
    for name in names:
        upstreams.provider(name)
    cycle.run()
    assert Counter(asked.slug for asked in upstreams.asked) == Counter(names)


def test_6_one_that_hangs_ends_at_its_time_limit_and_holds_nobody_up(
    upstreams: Upstreams,
) -> None:
    for name in ("a", "b", "c"):
        upstreams.provider(name, timeout_s=30)
    upstreams.play["a"] = upstreams.hang
    roll.sync()
    Endpoint.objects.update(timeout_s=0.4)
    began = time.monotonic()
    cycle.run()
    assert time.monotonic() - began < 3
    assert [health(name).status for name in "abc"] == ["degraded", "healthy", "healthy"]
    assert health("a").outcome == "timed_out"
    assert Plan().timeout_s == 10, "unless an operator says otherwise"


def test_6_relays_are_at_an_address_each_and_off_until_somebody_wants_them() -> None:
    relays = [row for row in load().providers if row.slug.startswith("g4f")]
    assert len(relays) == 5
    assert len({row.base_url for row in relays}) == 5
    assert all(row.base_url.startswith("https://") for row in relays)
    assert not any(row.enabled for row in relays)
    assert all(row.notes.startswith("Off by default: ") for row in relays)


# -- 7: one address under two names, a project's id sent as a key, an array nobody expected ----


def test_7_no_two_providers_are_the_same_question_to_the_same_address() -> None:
    asked = [
        (row.base_url or adapter.base_url, adapter.auth is not None)
        for row in load().providers
        for adapter in [registry.get(row.adapter)]
    ]
    assert len(asked) > 50
    assert [question for question, count in Counter(asked).items() if count > 1] == []


def test_7_a_key_goes_only_to_whom_it_was_given_for(upstreams: Upstreams) -> None:
    one = upstreams.provider("one", Keyed)
    upstreams.provider("other", Keyed)
    key_of(one)
    cycle.run()
    assert [(asked.slug, asked.key) for asked in upstreams.asked] == [("one", "sandbox-of-mine")]
    assert (health("other").status, health("other").reason) == ("disabled", "no key")


@pytest.mark.parametrize("body", [b"[]", b'"up"', b"7", b"null", b"<html>", b""])
def test_7_a_reply_of_another_shape_is_a_fault_and_no_crash(
    upstreams: Upstreams, body: bytes
) -> None:
    upstreams.play["a"] = lambda asked: Said(body=body)
    Provider.objects.create(
        slug="a", title="a", adapter_name="coingecko", base_url=f"{upstreams.url}/a"
    )
    cycle.run()
    row = CheckResult.objects.get()
    assert (row.finding, row.outcome) == ("fault", "garbled")
    assert health("a").endpoint_up is True


def test_7_a_list_of_models_without_a_wrapping_is_understood(settings: Any) -> None:
    """Together sends a bare array."""
    with hosts(settings) as world:
        row = world.row("together")
        found = probing.look(Task(row, 5, now() - timedelta(minutes=5)), now())
        assert (found.finding, found.key_accepted) == (Finding.GOOD, True)


def test_7_who_has_no_key_of_its_own_is_sent_none() -> None:
    """Gemini CLI got a project's id for one; it is not served any more, and asked by nobody."""
    row = next(row for row in load().providers if row.slug == "gemini_cli")
    assert (row.enabled, list(row.key_env)) == (False, [])
    assert registry.get(row.adapter).is_retired


# -- 8: nothing routed on the choice, runs overlapped, the first one was lost ------------------


def test_8_the_gateway_routes_by_what_the_checks_find(upstreams: Upstreams) -> None:
    for slug, priority in (("a", 90), ("b", 10)):
        upstreams.provider(slug, priority=priority, rests_s=[0.001], rest_ceiling_s=0.001)
    upstreams.play["a"] = status(500)
    calendar = Calendar()
    for _ in range(3):
        again(calendar)
    del upstreams.play["a"]
    time.sleep(0.01)  # its circuit lets us through again: only the checks speak against it
    roster.forget()
    assert ask().meta["source"] == "b"
    again(calendar)
    again(calendar)
    roster.forget()
    assert ask("/api/search?q=later").meta["source"] == "a"


def test_8_a_run_does_not_begin_beside_another(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    roll.sync()
    assert len(leases.claim_due(now(), 9)) == 1
    assert cycle.run().checked == 0
    assert upstreams.asked == []


def test_8_what_is_found_while_the_database_is_away_is_written_later(
    upstreams: Upstreams, monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path
) -> None:
    """The memory that was to keep it was never written."""
    settings.DATA_DIR = tmp_path
    upstreams.provider("a")
    roll.sync()

    def away(*args: Any) -> None:
        raise OperationalError("the server is gone")

    monkeypatch.setattr("monitoring.cycle.recording.write", away)
    assert cycle.run().kept == 1
    assert not CheckResult.objects.exists()
    monkeypatch.undo()
    settings.DATA_DIR = tmp_path
    cycle.run()
    assert CheckResult.objects.count() == 1
    assert health("a").status == "healthy"


def test_8_the_first_round_is_written_like_every_other(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    cycle.run()
    assert CheckResult.objects.count() == 1
    assert get("history/a")["a"][0]["status"] == "healthy"


# -- 9: local times without a zone, and whole replies kept as error messages -------------------


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts(item)]
    return [value] if isinstance(value, str) else []


def test_9_every_time_says_its_zone(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Tokyo"
    results(endpoint("a"), "good", "fault", "good")
    for route in ("status", "status/a", "history", "health", "a/stats"):
        times = [text for text in texts(get(route)) if text[:2] == "20" and "T" in text]
        assert times or route == "a/stats"
        for text in times:
            assert text.endswith("Z"), f"{route}: {text}"
            assert abs(datetime.fromisoformat(text) - now()) < timedelta(hours=1), text


def test_9_what_an_upstream_said_is_not_kept(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    body = b'{"error": "Bearer sk-live-4242 is not allowed for joe@example.com"}' * 50
    upstreams.play["a"] = lambda asked: Said(500, body)
    tasks.run_checks()
    kept = [health("a").error_message, health("a").reason, CheckResult.objects.get().error]
    calls.flush()
    assert all(text and len(text) <= 200 for text in kept)
    for text in (*kept, str(get("status/a")), Client().get("/status/a").content.decode()):
        assert "4242" not in text
        assert "joe@" not in text


# -- 10: certificates were not looked at -------------------------------------------------------


def test_10_a_certificate_nobody_vouches_for_is_a_fault(tmp_path: Path) -> None:
    with peer(always(reply(b"{}")), Authority(tmp_path).server("localhost")) as server:
        address = f"https://localhost:{server.port}"
        Provider.objects.create(slug="a", title="a", adapter_name="binance", base_url=address)
        endpoint("b")
        Endpoint.objects.filter(health__name="b").update(next_due=now() + timedelta(hours=1))
        roster.forget()
        Provider.objects.filter(slug="b").update(enabled=False)
        cycle.run()
    assert server.requests == []
    found = Health.objects.get(name="a")
    assert (found.outcome, found.endpoint_up) == ("unreachable", False)
