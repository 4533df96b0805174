"""The verdict: quick to see trouble, slow to cry wolf, and never stuck."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.health import Finding, Rules, Seen, State, aged, finding, verdict
from providers import errors
from providers.standing import Status

START = datetime(2026, 3, 1, tzinfo=UTC)
RULES = Rules()
GOOD, FAULT = Finding.GOOD, Finding.FAULT


def after(*findings: Finding | Seen, state: State | None = None, rules: Rules = RULES) -> State:
    """The state after these checks, five minutes apart."""
    state = state or State(START)
    moment = state.heard_at or START
    for found in findings:
        moment += timedelta(minutes=5)
        seen = found if isinstance(found, Seen) else Seen(moment, found, "because")
        state = verdict(state, replace(seen, at=moment), rules)
    return state


def slow(p95_ms: float = 1500, samples: int = 5) -> Seen:
    return Seen(START, GOOD, p95_ms=p95_ms, samples=samples)


# -- By example --------------------------------------------------------------------------------


def test_the_first_good_check_is_enough_for_what_was_never_ill() -> None:
    assert after(GOOD).status is Status.HEALTHY


def test_one_failure_is_degraded_and_three_in_a_row_are_down() -> None:
    assert after(GOOD, FAULT).status is Status.DEGRADED
    assert after(GOOD, FAULT, FAULT).status is Status.DEGRADED
    assert after(GOOD, FAULT, FAULT, FAULT).status is Status.DOWN


def test_what_is_down_is_well_after_two_good_checks_and_not_after_one() -> None:
    down = after(FAULT, FAULT, FAULT)
    once = after(GOOD, state=down)
    assert (once.status, once.reason) == (Status.DOWN, "recovering: 1 of 2 good checks")
    assert after(GOOD, FAULT, GOOD, state=down).status is Status.DOWN
    assert after(GOOD, GOOD, state=down).status is Status.HEALTHY


def test_failures_that_visitors_saw_count() -> None:
    """The circuit has counted them: a check need not see each of them again."""
    assert after(GOOD, Seen(START, FAULT, in_a_row=3)).status is Status.DOWN
    assert after(GOOD, Seen(START, Finding.RESTING, in_a_row=3)).status is Status.DOWN
    assert after(GOOD, Seen(START, Finding.RESTING, in_a_row=1)).status is Status.DEGRADED


def test_a_rest_is_no_failure_of_its_own() -> None:
    resting = Seen(START, Finding.RESTING, in_a_row=1)
    assert after(GOOD, *[resting] * 9).status is Status.DEGRADED


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Finding.LIMITED, Status.RATE_LIMITED),
        (Finding.SPENT, Status.RATE_LIMITED),
        (Finding.OURS, Status.MISCONFIGURED),
        (Finding.BLOCKED, Status.DOWN),
        (Finding.PARTIAL, Status.DEGRADED),
        (Finding.LOADING, Status.DEGRADED),
        (Finding.OFF, Status.DISABLED),
        (Finding.MAINTENANCE, Status.MAINTENANCE),
    ],
)
def test_what_needs_no_second_look(found: Finding, expected: Status) -> None:
    state = after(GOOD, found)
    assert (state.status, state.reason) == (expected, "because")


def test_that_our_budget_is_spent_does_not_make_well_what_is_down() -> None:
    down = after(FAULT, FAULT, FAULT)
    assert after(Finding.SPENT, state=down) == down


def test_slow_answers_are_degraded_when_there_are_enough_of_them() -> None:
    assert after(GOOD, slow(samples=4)).status is Status.HEALTHY
    assert after(GOOD, slow(p95_ms=1000)).status is Status.HEALTHY
    state = after(GOOD, slow())
    assert (state.status, state.reason) == (
        Status.DEGRADED,
        "95 % of answers within 1,500 ms, not 1,000 ms",
    )
    assert after(GOOD, state=state).status is Status.DEGRADED
    assert after(GOOD, GOOD, state=state).status is Status.HEALTHY


def test_what_comes_back_slowly_is_degraded() -> None:
    down = after(FAULT, FAULT, FAULT)
    assert after(slow(), state=down).status is Status.DOWN
    back = after(slow(), slow(), state=down)
    assert back.status is Status.DEGRADED
    assert after(GOOD, state=back).status is Status.DEGRADED
    assert after(GOOD, GOOD, state=back).status is Status.HEALTHY


def test_silence_is_unknown_from_the_moment_that_the_last_result_is_too_old() -> None:
    state = after(GOOD)
    assert state.fresh_until
    assert aged(state, state.fresh_until - timedelta(seconds=1)) == state
    silent = aged(state, state.fresh_until + timedelta(days=3))
    assert (silent.status, silent.since) == (Status.UNKNOWN, state.fresh_until)
    assert after(GOOD, state=silent).status is Status.HEALTHY


def test_what_is_switched_off_does_not_become_unknown() -> None:
    state = after(Finding.OFF)
    assert aged(state, START + timedelta(days=30)) == state


def test_every_code_of_the_errors_says_what_it_says_of_the_provider() -> None:
    """429 is not downtime, 401 is our configuration, and what we did not ask says nothing."""

    def codes(kind: type[errors.ProviderError]) -> set[str]:
        return {kind.code}.union(*(codes(below) for below in kind.__subclasses__()))

    known = {code: finding(code) for code in codes(errors.ProviderError)}
    nothing = {code for code, found in known.items() if found is Finding.NOTHING}
    # The reason of an open circuit is looked at by whoever asked.
    silent = ("provider_error", "refused", "unsupported", "circuit_open", "cached_only")
    assert nothing == {*silent, "rejected", "unwell"}
    assert known["throttled"] is Finding.LIMITED
    assert known["loading"] is Finding.LOADING
    assert known["bad_key"] is known["no_key"] is Finding.OURS
    assert known["broken"] is known["garbled"] is known["timed_out"] is FAULT
    assert finding("cancelled") is Finding.NOTHING


# -- By property -------------------------------------------------------------------------------

seens = st.builds(
    Seen,
    st.just(START),
    st.sampled_from(list(Finding)),
    st.just("because"),
    st.integers(0, 5),
    st.one_of(st.none(), st.floats(1, 5000)),
    st.integers(0, 20),
)
histories = st.lists(seens, max_size=30)
rules = st.builds(Rules, st.integers(1, 6), st.integers(1, 4))


@given(histories, rules)
def test_it_is_never_stuck(history: list[Seen], rules: Rules) -> None:
    state = after(*history, rules=rules)
    assert after(*[GOOD] * rules.up_after, state=state, rules=rules).status is Status.HEALTHY
    assert after(*[FAULT] * rules.down_after, state=state, rules=rules).status is Status.DOWN
    assert state.fresh_until is None or aged(state, state.fresh_until).status in (
        Status.UNKNOWN,
        Status.DISABLED,
        Status.MAINTENANCE,
    )


@given(histories, rules)
def test_down_needs_failures_in_a_row_or_a_block(history: list[Seen], rules: Rules) -> None:
    state = State(START)
    for seen in history:
        before, state = state, after(seen, state=state, rules=rules)
        if state.status is Status.DOWN and before.status is not Status.DOWN:
            assert state.failures >= rules.down_after or seen.finding is Finding.BLOCKED
            assert seen.finding in (FAULT, Finding.RESTING, Finding.BLOCKED)


@given(histories, rules)
def test_nothing_recovers_by_fewer_good_checks_than_the_rule_says(
    history: list[Seen], rules: Rules
) -> None:
    """From down, degraded, limited or misconfigured: so many good ones, and no other between."""
    ill = (Status.DOWN, Status.DEGRADED, Status.RATE_LIMITED, Status.MISCONFIGURED)
    state, good = State(START), 0
    for seen in history:
        before, state = state, after(seen, state=state, rules=rules)
        if seen.finding not in (Finding.NOTHING, Finding.SPENT):
            good = good + 1 if seen.finding is GOOD else 0
        if before.status in ill and state.status is Status.HEALTHY:
            assert good >= rules.up_after


@given(histories, rules)
def test_since_moves_with_the_status_alone(history: list[Seen], rules: Rules) -> None:
    state = State(START)
    for seen in history:
        before, state = state, after(seen, state=state, rules=rules)
        assert (state.since != before.since) == (state.status is not before.status)


@given(histories, rules)
def test_our_own_failure_changes_nothing(history: list[Seen], rules: Rules) -> None:
    state = after(*history, rules=rules)
    assert after(Finding.NOTHING, state=state, rules=rules) is state


@given(histories)
def test_no_429_and_no_refused_key_leads_to_down(history: list[Seen]) -> None:
    harmless = [s for s in history if s.finding not in (FAULT, Finding.RESTING, Finding.BLOCKED)]
    assert after(*harmless).status is not Status.DOWN
