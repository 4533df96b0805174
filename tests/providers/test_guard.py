from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.base import Reading
from providers.errors import (
    BadKey,
    Blacklisted,
    Blocked,
    Broken,
    CircuitOpen,
    Dropped,
    Garbled,
    Missing,
    OutOfTokens,
    PlanLimit,
    ProviderError,
    Throttled,
    TimedOut,
    Unreachable,
    Unsupported,
)
from providers.resilience import (
    Breaker,
    Cell,
    Circuit,
    Guard,
    Phase,
    Reason,
    Standing,
    Tokens,
    Window,
    standings,
)
from tests.conftest import Clock, use_redis

pytestmark = pytest.mark.django_db

MINUTE = Window(60, 60, burst=10)


def guard(clock: Clock, *windows: Window, breaker: Breaker | None = None) -> Guard:
    return Guard("someone", breaker or Breaker(), windows, clock=clock)


def ask(someone: Guard, error: BaseException | None = None, cost: float = 1) -> None:
    """One call that ends with `error`; raises what the guard raises."""
    with someone.admit(cost):
        if error:
            raise error


def fail(someone: Guard, error: BaseException) -> BaseException:
    with pytest.raises(type(error)) as caught:
        ask(someone, error)
    return caught.value


def level(someone: Guard) -> float:
    return someone.standing().tokens["60"].level


# -- What an ending means --------------------------------------------------------------------


@pytest.mark.parametrize("kind", [Broken, TimedOut, Unreachable, Garbled])
def test_a_failure_of_theirs_rests_them(clock: Clock, kind: type[ProviderError]) -> None:
    someone = guard(clock)
    fail(someone, kind("no"))
    assert someone.phase(someone.standing()) is Phase.OPEN
    with pytest.raises(CircuitOpen) as refused:
        ask(someone)
    assert refused.value.wait == 5
    assert str(refused.value) == "failed"


@pytest.mark.parametrize("kind", [Missing, PlanLimit])
def test_who_does_not_have_it_is_in_good_health(clock: Clock, kind: type[ProviderError]) -> None:
    someone = guard(clock)
    fail(someone, Broken())
    clock.tick(5)
    fail(someone, kind())
    assert someone.phase(someone.standing()) is Phase.RETURNING


@pytest.mark.parametrize(
    "error", [ZeroDivisionError(), KeyboardInterrupt(), Unsupported(), Dropped(), GeneratorExit()]
)
def test_what_is_not_their_doing_is_no_failure_of_theirs(
    clock: Clock, error: BaseException
) -> None:
    someone = guard(clock)
    fail(someone, error)
    assert someone.standing().circuit == Circuit()


def test_our_own_bug_in_a_probe_leaves_the_probe_to_the_next(clock: Clock) -> None:
    someone = guard(clock)
    fail(someone, Broken())
    clock.tick(5)
    fail(someone, ZeroDivisionError())
    ask(someone)
    assert someone.phase(someone.standing()) is Phase.RETURNING


def test_a_429_rests_them_as_told_and_counts_apart(clock: Clock) -> None:
    someone = guard(clock)
    fail(someone, Throttled(wait=17))
    circuit = someone.standing().circuit
    assert (circuit.failures, circuit.throttles, circuit.reason) == (0, 1, Reason.THROTTLED)
    clock.tick(16.9)
    with pytest.raises(CircuitOpen):
        ask(someone)
    clock.tick(0.1)
    ask(someone)


def test_the_third_429_in_a_row_is_refused_as_a_blacklisting(clock: Clock) -> None:
    coingecko = Breaker(throttle_rests=(120, 240, 600), throttle_ceiling=600, blacklist_after=3)
    someone = guard(clock, breaker=coingecko)
    for rest in (120, 240, 600, 600):
        assert fail(someone, Throttled()).wait == rest  # type: ignore[attr-defined]
        clock.tick(rest - 1)
        with pytest.raises(CircuitOpen) as refused:
            ask(someone)
        assert isinstance(refused.value, Blacklisted) == (rest == 600)
        clock.tick(1)
    ask(someone)
    assert someone.standing().circuit.throttles == 0


@pytest.mark.parametrize(
    ("error", "reason", "hours"),
    [(Blocked(), Reason.BLOCKED, 6), (BadKey(), Reason.FORBIDDEN, 0.25)],
)
def test_blocks_last_for_hours_and_a_wanted_key_for_a_quarter(
    clock: Clock, error: ProviderError, reason: Reason, hours: float
) -> None:
    someone = guard(clock)
    fail(someone, error)
    circuit = someone.standing().circuit
    assert (circuit.reason, circuit.open_until) == (reason, clock() + hours * 3600)


def test_a_refused_key_of_ours_says_nothing_of_them(clock: Clock) -> None:
    someone, error = guard(clock), BadKey()
    error.keyed = True
    fail(someone, error)
    assert someone.standing().circuit == Circuit()


def test_what_a_passage_excuses_is_not_held_against_them(clock: Clock) -> None:
    someone = guard(clock)
    with suppress(Throttled), someone.admit() as passage:
        passage.excused = True
        raise Throttled(wait=60)
    ask(someone)


def test_a_failure_says_when_asking_again_may_help(clock: Clock) -> None:
    """Nobody is told to come back while the provider still rests."""
    someone = guard(clock)
    error = fail(someone, Broken())
    assert isinstance(error, Broken)
    assert error.wait == 5
    clock.tick(5)
    told = fail(someone, Throttled(wait=600))
    assert isinstance(told, Throttled)
    assert told.wait == 600


# -- The budget ------------------------------------------------------------------------------


def test_a_spent_budget_refuses_with_the_time_to_wait(clock: Clock) -> None:
    someone = guard(clock, MINUTE)
    ask(someone, cost=10)
    with pytest.raises(OutOfTokens) as refused:
        ask(someone)
    assert refused.value.wait == pytest.approx(1.2)
    clock.tick(refused.value.wait or 0)
    ask(someone)


def test_an_open_circuit_takes_no_token_and_an_empty_bucket_no_probe(clock: Clock) -> None:
    someone = guard(clock, MINUTE)
    fail(someone, Broken())
    spent = someone.standing()
    with pytest.raises(CircuitOpen):
        ask(someone)
    assert someone.standing() == spent
    clock.tick(5)
    ask(someone, cost=4)
    fail(someone, Broken())
    drained = Standing(someone.standing().circuit, {"60": Tokens(0, clock() + 90)})
    someone.cell.update(lambda _: (drained.to_json(), None))
    clock.tick(60)
    with pytest.raises(OutOfTokens):
        ask(someone)
    assert someone.standing().circuit.probed_at is None


def test_a_call_that_was_not_made_after_all_costs_nothing(clock: Clock) -> None:
    someone = guard(clock, MINUTE)
    ask(someone, cost=2)
    fail(someone, Unsupported())
    assert level(someone) == 8
    fail(someone, Missing())
    assert level(someone) == 7


def test_headers_are_learned_from_also_when_the_call_fails(clock: Clock) -> None:
    someone = guard(clock, MINUTE)
    with suppress(Missing), someone.admit() as passage:
        passage.read([Reading(60, remaining=2, limit=30), Reading(3600, remaining=0)])
        raise Missing()
    tokens = someone.standing().tokens
    assert tokens == {"60": Tokens(2, clock(), limit=30)}


def test_what_is_used_counts_from_the_limit_they_name(clock: Clock) -> None:
    someone = guard(clock, MINUTE)
    with someone.admit() as passage:
        passage.read([Reading(60, used=57)])
    assert level(someone) == 3
    with someone.admit() as passage:
        passage.read([Reading(60, used=29, limit=30)])
    assert level(someone) == 1


def test_a_learned_limit_also_holds_while_calls_are_under_way(clock: Clock) -> None:
    """Nothing flows in at the old, higher rate between a call's start and its end."""
    someone = guard(clock, MINUTE)
    granted = 0
    for _ in range(240):
        try:
            with someone.admit() as passage:
                granted += 1
                clock.tick(0.25)
                passage.read([Reading(60, limit=6)])
        except OutOfTokens:
            clock.tick(0.25)
    assert granted <= 8


def test_a_budget_that_they_say_is_spent_is_spent_until_they_say(clock: Clock) -> None:
    someone = guard(clock, MINUTE)
    with someone.admit() as passage:
        passage.read([Reading(60, remaining=0, resets_in_s=40)])
    clock.tick(39)
    with pytest.raises(OutOfTokens):
        ask(someone)
    clock.tick(3)
    ask(someone)
    assert someone.tokens_left(someone.standing()) == pytest.approx(0, abs=0.2)


# -- What is remembered ----------------------------------------------------------------------


def test_a_reset_forgets_everything(clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    someone = guard(clock, MINUTE)
    fail(someone, Blocked())
    someone.reset()
    ask(someone)
    assert "reset by hand" in caplog.text


def test_how_a_circuit_moves_is_told_in_the_log(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "providers.health")
    someone = guard(clock)
    fail(someone, Broken())
    clock.tick(5)
    ask(someone)
    ask(someone)
    clock.tick(10)
    ask(someone)
    ask(someone)
    assert [record.message for record in caplog.records] == [
        "someone: circuit open for 5 s (failed)",
        "someone: circuit returning",
        "someone: circuit closed",
    ]


def test_many_standings_are_read_in_one_round_trip(
    clock: Clock, settings: Any, django_assert_num_queries: Any
) -> None:
    use_redis(settings, "")
    fail(guard(clock), Broken())
    with django_assert_num_queries(1):
        found = standings(["someone", "other"])
    assert found["someone"].circuit.failures == 1
    assert found["other"] == Standing()


numbers = st.floats(allow_nan=False, allow_infinity=False)
whens = st.none() | numbers


@given(
    st.builds(
        Standing,
        st.builds(
            Circuit,
            st.integers(0, 99),
            st.integers(0, 99),
            whens,
            st.sampled_from(Reason),
            whens,
            whens,
            st.integers(0, 64),
        ),
        st.dictionaries(st.text(max_size=5), st.builds(Tokens, numbers, numbers, whens)),
    )
)
def test_a_standing_survives_being_written_down(standing: Standing) -> None:
    assert Standing.from_json(standing.to_json()) == standing


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
almost = st.fixed_dictionaries(
    {},
    optional={
        "circuit": st.dictionaries(
            st.sampled_from(["failures", "throttles", "open_until", "reason", "odd"]), json
        )
        | json,
        "tokens": st.dictionaries(
            st.just("60"),
            st.dictionaries(st.sampled_from(["level", "at", "limit", "odd"]), json) | json,
        )
        | json,
    },
)


@given(json | almost)
def test_a_shape_of_another_version_counts_as_nothing_or_can_be_used(value: Any) -> None:
    standing, now = Standing.from_json(value), 1_760_000_000.0
    circuit, _ = Breaker().admit(standing.circuit, now)
    Breaker().failed(circuit, now, since=now)
    Breaker().throttled(circuit, now, since=now, wait=3)
    MINUTE.refill(standing.tokens.get("60"), now)


def test_another_version_s_standing_is_overwritten(clock: Clock) -> None:
    someone = guard(clock, MINUTE)
    Cell(someone.cell.key, ttl=60).update(lambda _: ({"circuit": {"failures": "many"}}, None))
    ask(someone)
    assert level(someone) == 9
