from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from providers.resilience import Breaker, Circuit, Phase, Reason

T = 1_760_000_000.0
PLAIN = Breaker()
COINGECKO = Breaker(throttle_rests=(120.0, 240.0, 600.0), throttle_ceiling=600.0, blacklist_after=3)


def failed(circuit: Circuit, now: float, breaker: Breaker = PLAIN) -> Circuit:
    """After one whole call that failed."""
    circuit, wait = breaker.admit(circuit, now)
    assert not wait
    return breaker.failed(circuit, now, since=now)


def succeeded(circuit: Circuit, now: float, breaker: Breaker = PLAIN) -> Circuit:
    circuit, wait = breaker.admit(circuit, now)
    assert not wait
    return breaker.succeeded(circuit, now, since=now)


def throttled(
    circuit: Circuit, now: float, wait: float | None = None, breaker: Breaker = PLAIN
) -> Circuit:
    circuit, refused = breaker.admit(circuit, now)
    assert not refused
    return breaker.throttled(circuit, now, since=now, wait=wait)


def rest(circuit: Circuit, now: float) -> float:
    return round((circuit.open_until or now) - now, 3)


# -- Resting after failures ------------------------------------------------------------------


def test_rests_grow_with_failures_in_a_row_up_to_a_quarter_of_an_hour() -> None:
    circuit, now, rests = Circuit(), T, []
    for _ in range(9):
        circuit = failed(circuit, now)
        rests.append(rest(circuit, now))
        now = circuit.open_until or now
    assert rests == [5, 10, 60, 120, 240, 480, 900, 900, 900]


def test_a_resting_provider_is_not_asked_until_its_rest_is_over() -> None:
    circuit = failed(Circuit(), T)
    assert PLAIN.phase(circuit, T + 4.9) is Phase.OPEN
    assert PLAIN.admit(circuit, T + 2) == (circuit, 3)
    assert PLAIN.phase(circuit, T + 5) is Phase.HALF_OPEN
    assert PLAIN.admit(circuit, T + 5)[1] == 0


def test_a_success_forgets_failures_and_429s() -> None:
    circuit = failed(throttled(Circuit(), T, wait=1), T + 1)
    assert (circuit.failures, circuit.throttles) == (1, 1)
    back = succeeded(circuit, T + 6)
    assert (back.failures, back.throttles, back.reason) == (0, 0, Reason.NONE)
    assert rest(failed(back, T + 7), T + 7) == 5
    assert succeeded(back, T + 60) == Circuit()


def test_a_failed_probe_rests_longer_than_the_failure_before_it() -> None:
    circuit = failed(failed(Circuit(), T), T + 5)
    assert (circuit.failures, rest(circuit, T + 5)) == (2, 10)


# -- The probe -------------------------------------------------------------------------------


def test_one_probe_at_a_time() -> None:
    circuit = failed(Circuit(), T)
    probing, wait = PLAIN.admit(circuit, T + 5)
    assert wait == 0
    assert PLAIN.admit(probing, T + 6) == (probing, 29)


def test_a_probe_that_never_reports_loses_its_lease() -> None:
    probing, _ = PLAIN.admit(failed(Circuit(), T), T + 5)
    again, wait = PLAIN.admit(probing, T + 5 + PLAIN.probe_lease)
    assert wait == 0
    assert again.probed_at == T + 5 + PLAIN.probe_lease


def test_a_probe_without_a_verdict_frees_its_lease() -> None:
    probing, _ = PLAIN.admit(failed(Circuit(), T), T + 5)
    freed = PLAIN.released(probing, since=T + 5)
    assert PLAIN.admit(freed, T + 5.1)[1] == 0


def test_who_has_no_lease_frees_none() -> None:
    probing, _ = PLAIN.admit(failed(Circuit(), T), T + 5)
    assert PLAIN.released(probing, since=T + 1) == probing


# -- Stragglers: calls that left before the circuit opened -----------------------------------


@pytest.mark.parametrize("at", [T + 1, T + 5.5, T + 8, T + 30])
def test_a_straggler_cannot_close_an_open_circuit(at: float) -> None:
    circuit = failed(Circuit(), T)
    assert PLAIN.succeeded(circuit, at, since=T - 1) == circuit


@pytest.mark.parametrize("at", [T + 1, T + 5.5])
def test_a_straggler_does_not_lengthen_a_rest(at: float) -> None:
    circuit = failed(Circuit(), T)
    assert PLAIN.failed(circuit, at, since=T - 1) == circuit


@pytest.mark.parametrize("late", [0.5, 20.0])
def test_a_straggler_cannot_reopen_what_a_probe_has_closed(late: float) -> None:
    back = succeeded(failed(Circuit(), T), T + 6)
    assert PLAIN.failed(back, T + 6 + late, since=T - 1) == back
    assert PLAIN.throttled(back, T + 6 + late, since=T - 1, wait=None) == back


def test_a_straggler_says_when_to_come_again_and_is_believed() -> None:
    circuit = failed(Circuit(), T)
    told = PLAIN.throttled(circuit, T + 2, since=T - 1, wait=60)
    assert (told.failures, told.throttles, rest(told, T + 2)) == (1, 0, 60)
    back = succeeded(circuit, T + 6)
    told = PLAIN.throttled(back, T + 7, since=T - 1, wait=60)
    assert PLAIN.phase(told, T + 66) is Phase.OPEN
    assert (told.throttles, told.reason) == (0, Reason.THROTTLED)


def test_a_straggler_that_moves_the_rest_leaves_no_lease_behind() -> None:
    probing, _ = PLAIN.admit(failed(Circuit(), T), T + 5)
    told = PLAIN.throttled(probing, T + 5.5, since=T - 1, wait=3)
    assert PLAIN.admit(told, T + 8.5)[1] == 0


# -- The gradual return ----------------------------------------------------------------------


def admitted(breaker: Breaker, circuit: Circuit, now: float) -> tuple[Circuit, int]:
    """How many calls get through at `now`, one after the other."""
    count = 0
    while count < 1000:
        circuit, wait = breaker.admit(circuit, now)
        if wait:
            break
        count += 1
    return circuit, count


def test_a_provider_that_is_back_gets_a_growing_share_and_then_everything() -> None:
    circuit = succeeded(failed(Circuit(), T), T + 5)
    seen = []
    for second in range(0, 10, 2):
        circuit, count = admitted(PLAIN, circuit, T + 5 + second)
        seen.append(count)
    assert seen == [2, 2, 4, 8, 16]
    assert admitted(PLAIN, circuit, T + 15)[1] == 1000


@given(st.floats(0, 9.99), st.integers(0, 64))
def test_waiting_as_told_is_enough_while_a_provider_returns(elapsed: float, others: int) -> None:
    circuit = replace(succeeded(failed(Circuit(), T), T + 5), admitted=others)
    now = T + 5 + elapsed
    _, wait = PLAIN.admit(circuit, now)
    assert wait <= PLAIN.ramp_s
    assert PLAIN.admit(circuit, now + wait)[1] == 0


def test_a_failure_while_returning_opens_again_at_once() -> None:
    back = succeeded(failed(Circuit(), T), T + 5)
    assert PLAIN.phase(failed(back, T + 6), T + 7) is Phase.OPEN


# -- 429, blocks, keys -----------------------------------------------------------------------


def test_coingecko_rests_two_minutes_then_four_and_is_then_blacklisted_for_ten() -> None:
    circuit, now, seen = Circuit(), T, []
    for _ in range(5):
        circuit = throttled(circuit, now, breaker=COINGECKO)
        seen.append((rest(circuit, now), circuit.reason))
        now = circuit.open_until or now
        assert COINGECKO.phase(circuit, now - 1) is Phase.OPEN
        assert COINGECKO.phase(circuit, now) is Phase.HALF_OPEN
    assert seen == [
        (120, Reason.THROTTLED),
        (240, Reason.THROTTLED),
        (600, Reason.BLACKLISTED),
        (600, Reason.BLACKLISTED),
        (600, Reason.BLACKLISTED),
    ]


def test_after_a_blacklisting_one_probe_decides() -> None:
    circuit, now = Circuit(), T
    for _ in range(3):
        circuit = throttled(circuit, now, breaker=COINGECKO)
        now = circuit.open_until or now
    probing, wait = COINGECKO.admit(circuit, now)
    assert wait == 0
    assert COINGECKO.admit(probing, now)[1] > 0
    back = COINGECKO.succeeded(probing, now + 1, since=now)
    assert back.throttles == 0
    circuit = throttled(back, now + 20, breaker=COINGECKO)
    assert (rest(circuit, now + 20), circuit.reason) == (120, Reason.THROTTLED)


def test_a_ladder_is_the_least_and_what_the_provider_says_may_be_more() -> None:
    assert rest(throttled(Circuit(), T, wait=30, breaker=COINGECKO), T) == 120
    assert rest(throttled(Circuit(), T, wait=4000, breaker=COINGECKO), T) == 4000


def test_without_a_ladder_it_is_as_told_or_a_minute_and_doubling() -> None:
    assert rest(throttled(Circuit(), T, wait=7), T) == 7
    circuit, now, rests = Circuit(), T, []
    for _ in range(8):
        circuit = throttled(circuit, now)
        rests.append(rest(circuit, now))
        now = circuit.open_until or now
    assert rests == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert circuit.reason is Reason.THROTTLED, "without a number of 429s there is no blacklist"


def test_a_429_is_no_failure_and_a_failure_no_429() -> None:
    assert throttled(Circuit(), T).failures == 0
    circuit = failed(throttled(Circuit(), T, wait=1), T + 1)
    assert (circuit.failures, rest(circuit, T + 1), circuit.reason) == (1, 5, Reason.FAILED)
    circuit = throttled(circuit, T + 6, breaker=COINGECKO)
    assert (circuit.throttles, rest(circuit, T + 6)) == (2, 240)


def test_a_block_lasts_for_hours_or_as_told() -> None:
    circuit = PLAIN.blocked(Circuit(), T, wait=None)
    assert (rest(circuit, T), circuit.reason) == (6 * 3600, Reason.BLOCKED)
    assert rest(PLAIN.blocked(Circuit(), T, wait=259_200), T) == 259_200


def test_what_comes_later_never_shortens_a_rest() -> None:
    blocked = PLAIN.blocked(Circuit(), T, wait=None)
    assert PLAIN.forbidden(blocked, T + 1) == blocked
    assert PLAIN.blocked(blocked, T + 1, wait=60) == blocked
    assert PLAIN.failed(blocked, T + 1, since=T - 1) == blocked
    assert PLAIN.throttled(blocked, T + 1, since=T - 1, wait=5) == blocked


def test_a_provider_that_wants_a_key_we_have_not_rests_long() -> None:
    circuit = PLAIN.forbidden(Circuit(), T)
    assert (rest(circuit, T), circuit.reason) == (900, Reason.FORBIDDEN)


def test_who_is_excused_rests_no_more_but_for_what_it_said_itself() -> None:
    circuit = failed(throttled(Circuit(), T, wait=1), T + 1)
    assert PLAIN.excused(circuit) == Circuit(throttles=1)
    asked_to_wait = throttled(failed(Circuit(), T), T + 5, wait=600)
    assert PLAIN.excused(asked_to_wait) == replace(asked_to_wait, failures=0)
    for circuit in (PLAIN.blocked(Circuit(), T, wait=None), PLAIN.forbidden(Circuit(), T)):
        assert PLAIN.excused(circuit) == circuit


# -- Random histories ------------------------------------------------------------------------


class Histories(RuleBasedStateMachine):
    """Callers who come, go, fail, hang and report late, at a provider with one circuit."""

    breaker = PLAIN

    @initialize(breaker=st.sampled_from([PLAIN, COINGECKO, Breaker(rests=(1.0,), ramp_s=3.0)]))
    def begin(self, breaker: Breaker) -> None:
        self.breaker = breaker
        self.now = T
        self.circuit = Circuit()
        self.out: list[float] = []  # when calls left that have not reported
        self.probes: list[float] = []

    @rule(seconds=st.sampled_from([0.001, 0.4, 1.0, 3.0, 7.0, 29.0, 61.0, 700.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def call(self) -> None:
        before = self.breaker.phase(self.circuit, self.now)
        circuit, wait = self.breaker.admit(self.circuit, self.now)
        if wait:
            assert circuit == self.circuit
            return
        if before is Phase.HALF_OPEN:
            lease = self.now - self.breaker.probe_lease
            assert not [since for since in self.probes if since in self.out and since > lease]
            self.probes.append(self.now)
        self.circuit = circuit
        self.out.append(self.now)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), how=st.sampled_from(["well", "badly", "429", "told", "bug"]))
    def report(self, data: st.DataObject, how: str) -> None:
        since = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        was, old = self.circuit, since < (self.circuit.open_until or 0.0)
        self.circuit = self._after(how, since)
        if old and how in ("well", "badly", "429"):
            assert self.circuit == was, "a straggler moved the circuit"
        if how in ("badly", "429", "told") and not old:
            assert self.breaker.phase(self.circuit, self.now) is Phase.OPEN

    def _after(self, how: str, since: float) -> Circuit:
        breaker, circuit, now = self.breaker, self.circuit, self.now
        match how:
            case "well":
                return breaker.succeeded(circuit, now, since=since)
            case "badly":
                return breaker.failed(circuit, now, since=since)
            case "bug":
                return breaker.released(circuit, since=since)
        return breaker.throttled(circuit, now, since=since, wait=42.0 if how == "told" else None)

    @invariant()
    def waiting_as_told_is_enough(self) -> None:
        if hasattr(self, "circuit"):
            told = self.breaker.admit(self.circuit, self.now)[1]
            if self.breaker.phase(self.circuit, self.now) is Phase.OPEN:
                assert self.breaker.admit(self.circuit, self.now + told)[1] == 0
            elif told:  # the lease of somebody's probe, or the ramp
                assert told <= max(self.breaker.probe_lease, self.breaker.ramp_s)
                assert self.breaker.admit(self.circuit, self.now + told)[1] == 0

    @invariant()
    def no_rest_is_longer_than_the_longest(self) -> None:
        if hasattr(self, "circuit") and self.circuit.open_until:
            most = max(self.breaker.ceiling, self.breaker.throttle_ceiling)
            assert self.circuit.open_until - self.now <= most


TestHistories = Histories.TestCase
