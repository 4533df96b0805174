"""
Every fault of the sandbox, as somebody sees it who asks the API.

Whatever providers do, one is told the truth: the right answer from somebody else and who was passed
over, or an old answer and its age, or a 503 that says who was asked and when to come again.
"""

from __future__ import annotations

import time
from datetime import datetime
from email.utils import formatdate
from math import ceil
from typing import NamedTuple

import pytest

from providers import roster
from providers.models import Provider
from tests.conftest import while_refreshing
from tests.e2e.world import REST_S, SHORT_S, Witness, World, numbers

BLOCK_S = 6 * 3600.0
PATIENCE_S = 4.0  # for everybody to fail in
FORBIDDEN_S = 900.0


class Fault(NamedTuple):
    """A fault, what it makes of a call, what of the provider, and for how many seconds."""

    fault: str
    outcome: str
    status: str = "down"
    rest_s: float = REST_S

    def __str__(self) -> str:
        return self.fault


# Of CoinGecko, which rests two minutes at least after a 429, and has plans of its own.
FAULTS = (
    Fault("status=500", "broken"),
    Fault("status=503", "broken"),
    Fault("status=404", "garbled"),  # the question names nothing that could be missing
    Fault("status=401", "bad_key", "misconfigured", FORBIDDEN_S),
    Fault("status=403", "plan_limit", "unknown", 0),
    Fault("status=403;html", "blocked", "down", BLOCK_S),
    Fault("status=418", "blocked", "down", BLOCK_S),
    Fault("status=451", "blocked", "down", BLOCK_S),
    Fault("status=429", "throttled", "rate_limited", 120),
    Fault("status=429;retry_after=300", "throttled", "rate_limited", 300),
    Fault("delay=5", "timed_out"),
    Fault("drip=0.5", "timed_out"),
    Fault("hang", "timed_out"),
    Fault("reset", "unreachable"),
    Fault("truncate", "garbled"),
    Fault("malformed", "garbled"),
    Fault("html", "garbled"),
    Fault("types", "garbled"),
    Fault("redirect=https://example.org/", "garbled"),
    Fault("redirect=http://169.254.169.254/latest/meta-data", "garbled"),
    Fault("redirect=/api/v3/global", "garbled"),  # to itself, again and again
    Fault("bomb=32", "garbled"),
)
# What CoinPaprika, which knows no plans here, means by the same.
OTHERWISE = {fault: "bad_key" for fault in FAULTS if fault.fault.startswith("status=403")}
every_fault = pytest.mark.parametrize("fault", FAULTS, ids=str)

GLOBAL = "/api/market/global"
PRIMARY, SECONDARY = "coingecko_free", "coinpaprika"


@every_fault
def test_the_secondary_answers_for_a_primary_that_does_not(
    world: World, witness: Witness, fault: Fault
) -> None:
    world.only(PRIMARY, SECONDARY)
    world.spoil(PRIMARY, fault.fault)
    said = world.get(GLOBAL)
    assert said.meta["source"] == SECONDARY
    assert (said.meta["sandbox"], said.meta["stale"], said.meta["cache"]) == (True, False, "miss")
    assert said.outcomes == {PRIMARY: fault.outcome}
    assert numbers(said.data)
    assert numbers(said.data) <= witness.numbers(world.host(SECONDARY))
    assert dict(world.calls()) == {PRIMARY: fault.outcome, SECONDARY: "ok"}


@every_fault
def test_a_provider_that_rests_is_not_asked_again(world: World, fault: Fault) -> None:
    world.only(PRIMARY, SECONDARY)
    world.spoil(PRIMARY, fault.fault)
    world.get(GLOBAL)
    before = world.asked(PRIMARY)
    assert before
    status = world.status(PRIMARY)
    assert (status["status"], world.status(SECONDARY)["status"]) == (fault.status, "healthy")
    assert float(status["resting_s"]) == pytest.approx(fault.rest_s, abs=10)
    world.empty_the_shelf()
    said = world.get(GLOBAL)
    assert said.meta["source"] == SECONDARY
    if fault.rest_s:
        assert world.asked(PRIMARY) == before
        assert said.outcomes == {PRIMARY: "circuit_open"}
        assert float(said.attempts[PRIMARY]["wait_s"]) == pytest.approx(fault.rest_s, abs=10)
    else:
        assert world.asked(PRIMARY) > before


@every_fault
def test_nothing_to_serve_is_a_503_that_says_who_was_asked_and_when_to_come_again(
    world: World, fault: Fault
) -> None:
    world.only(PRIMARY, SECONDARY)
    for slug in (PRIMARY, SECONDARY):
        world.spoil(slug, fault.fault)
    began = time.monotonic()
    said = world.get(GLOBAL)
    assert time.monotonic() - began < PATIENCE_S
    assert (said.status, said.body["code"]) == (503, "unanswered")
    assert "data" not in said.body
    assert said.outcomes == {PRIMARY: fault.outcome, SECONDARY: OTHERWISE.get(fault, fault.outcome)}
    waits = [attempt["wait_s"] for attempt in said.attempts.values() if attempt["wait_s"]]
    assert int(said.headers["Retry-After"]) == said.body["retry_after_s"] == ceil(min(waits))
    assert {outcome for _, outcome in world.calls()} == set(said.outcomes.values())


@every_fault
def test_an_old_answer_is_served_at_once_and_says_how_old_it_is(world: World, fault: Fault) -> None:
    world.only(PRIMARY, SECONDARY)
    before = world.get(GLOBAL)
    world.age(7200)
    for slug in (PRIMARY, SECONDARY):
        world.spoil(slug, fault.fault)
    for cache in ("refreshing", "stale"):  # a refresh goes out behind the first, and fails
        began = time.monotonic()
        said = world.get(GLOBAL)
        assert time.monotonic() - began < 2 * SHORT_S  # less than the two would take
        assert (said.meta["cache"], said.meta["stale"]) == (cache, True)
        assert said.data == before.data
        assert said.meta["source"] == PRIMARY
        assert float(said.meta["age_s"]) == pytest.approx(7200, abs=20)
        assert int(said.headers["Age"]) == pytest.approx(7200, abs=20)
        assert (said.meta["fresh_for_s"], said.headers["Cache-Control"]) == (0, "no-cache")
        while_refreshing()
    last = dict(world.calls())
    assert last == {PRIMARY: fault.outcome, SECONDARY: OTHERWISE.get(fault, fault.outcome)}


def test_a_primary_that_saves_the_last_of_its_budget_is_passed_over_and_named(
    world: World,
) -> None:
    world.only(PRIMARY, SECONDARY)
    limits = [{"limit": 40, "per_s": 3600, "burst": 20}]
    Provider.objects.filter(slug=PRIMARY).update(limits=limits)
    roster.forget()
    with Provider.objects.get(slug=PRIMARY).guard.admit(cost=19):
        said = world.get(GLOBAL)
    assert (said.meta["source"], said.outcomes) == (SECONDARY, {PRIMARY: "out_of_tokens"})
    assert world.asked(PRIMARY) == 0
    world.empty_the_shelf()
    world.spoil(SECONDARY, "status=503")  # now it is the last one left, and is asked after all
    assert world.get(GLOBAL).meta["source"] == PRIMARY


# -- Coming back ------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["status=500", "status=429;retry_after=300", "status=451"])
def test_what_retry_after_promises_holds(world: World, fault: str) -> None:
    world.only(SECONDARY)
    world.spoil(SECONDARY, fault)
    wait = world.get(GLOBAL).body["retry_after_s"]
    world.heal()
    world.age(wait - 10)
    early = world.get(GLOBAL)
    assert (early.status, early.outcomes) == (503, {SECONDARY: "circuit_open"})
    assert early.body["retry_after_s"] <= 10
    world.age(10)
    assert world.get(GLOBAL).meta["source"] == SECONDARY
    assert world.asked(SECONDARY) == 2


def test_a_provider_that_recovers_is_asked_first_again(world: World) -> None:
    world.only(PRIMARY, SECONDARY)
    world.spoil(PRIMARY, "status=503", times=1)
    assert world.get(GLOBAL).meta["source"] == SECONDARY
    world.age(REST_S)
    world.empty_the_shelf()
    said = world.get(GLOBAL)
    assert (said.meta["source"], said.outcomes) == (PRIMARY, {})
    assert world.status(PRIMARY)["circuit"] == "returning"


def test_three_429_in_a_row_are_shown_as_a_blacklisting(world: World) -> None:
    world.only(PRIMARY)
    world.spoil(PRIMARY, "status=429")
    for rest in (120, 240, 600, 600):
        said = world.get(GLOBAL)
        assert said.outcomes == {PRIMARY: "throttled"}
        assert said.body["retry_after_s"] == rest
        world.age(rest)
    world.age(-600)
    assert world.get(GLOBAL).outcomes == {PRIMARY: "blacklisted"}
    status = world.status(PRIMARY)
    assert (status["status"], "blacklisted" in status["reason"]) == ("rate_limited", True)
    world.age(600)
    world.heal()
    assert world.get(GLOBAL).meta["source"] == PRIMARY
    world.empty_the_shelf()
    world.spoil(PRIMARY, "status=429")
    assert world.get(GLOBAL).body["retry_after_s"] == 120  # a success has reset the count


def test_a_moment_to_come_back_is_counted_by_the_clock_of_who_names_it(world: World) -> None:
    world.only(SECONDARY)
    theirs = time.time() - 7200
    date = formatdate(theirs + 300, usegmt=True).replace("+0000", "GMT")
    world.spoil(SECONDARY, f"status=429;skew=-7200;retry_after={date}")
    assert world.get(GLOBAL).body["retry_after_s"] == pytest.approx(300, abs=3)


def test_a_clock_that_is_wrong_makes_no_answer_younger_or_older(world: World) -> None:
    world.only(SECONDARY)
    world.spoil(SECONDARY, "skew=-7200")
    said = world.get(GLOBAL)
    assert float(said.meta["age_s"]) < 5
    told = datetime.fromisoformat(said.data[0]["last_updated"])
    assert 7000 < time.time() - told.timestamp() < 8000  # their word, shown as it is


def test_a_redirect_within_the_host_is_followed(world: World, witness: Witness) -> None:
    world.only(SECONDARY)
    world.spoil(SECONDARY, "redirect=/v1/global?moved=1", times=1)
    assert world.get(GLOBAL).meta["source"] == SECONDARY
    assert world.asked(SECONDARY) == 2


def test_a_dropped_connection_is_tried_once_more(world: World) -> None:
    world.only(SECONDARY)
    world.get(GLOBAL)
    world.empty_the_shelf()
    world.spoil(SECONDARY, "reset", times=1)  # of a connection that was kept open
    assert world.get(GLOBAL).meta["source"] == SECONDARY
    assert world.calls() == [(SECONDARY, "ok"), (SECONDARY, "dropped"), (SECONDARY, "ok")]
