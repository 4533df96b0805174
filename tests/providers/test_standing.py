from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.resilience import Phase, Reason
from providers.standing import Facts, Status, status

WELL = Facts(
    enabled=True,
    needs_key=False,
    has_key=False,
    phase=Phase.CLOSED,
    reason=Reason.NONE,
    failures=0,
    tokens_left=1.0,
    success_rate=1.0,
)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (WELL, Status.HEALTHY),
        (replace(WELL, enabled=False), Status.DISABLED),
        (replace(WELL, needs_key=True), Status.DISABLED),
        (replace(WELL, needs_key=True, has_key=True), Status.HEALTHY),
        (replace(WELL, needs_key=True, keys_set_aside=True), Status.MISCONFIGURED),
        (replace(WELL, success_rate=None), Status.UNKNOWN),
        (replace(WELL, success_rate=0.5), Status.DEGRADED),
        (replace(WELL, tokens_left=0.0), Status.RATE_LIMITED),
        (replace(WELL, phase=Phase.RETURNING), Status.DEGRADED),
        (replace(WELL, phase=Phase.OPEN, reason=Reason.FAILED, failures=2), Status.DOWN),
        (replace(WELL, phase=Phase.OPEN, reason=Reason.THROTTLED), Status.RATE_LIMITED),
        (replace(WELL, phase=Phase.OPEN, reason=Reason.BLACKLISTED), Status.RATE_LIMITED),
        (replace(WELL, phase=Phase.OPEN, reason=Reason.BLOCKED), Status.DOWN),
        (replace(WELL, phase=Phase.OPEN, reason=Reason.FORBIDDEN), Status.MISCONFIGURED),
    ],
)
def test_the_status_follows_from_the_facts(facts: Facts, expected: Status) -> None:
    assert status(facts)[0] is expected


facts = st.builds(
    Facts,
    enabled=st.booleans(),
    needs_key=st.booleans(),
    has_key=st.booleans(),
    phase=st.sampled_from(Phase),
    reason=st.sampled_from(Reason),
    failures=st.integers(0, 10),
    tokens_left=st.none() | st.floats(0, 1),
    success_rate=st.none() | st.floats(0, 1),
)


@given(facts)
def test_nothing_is_called_healthy_that_was_not_asked_or_is_resting(known: Facts) -> None:
    found, reason = status(known)
    assert reason
    if found is Status.HEALTHY:
        assert known.enabled
        assert known.success_rate is not None
        assert known.phase is Phase.CLOSED


def test_what_said_nothing_of_its_health_was_asked_all_the_same() -> None:
    unsure = replace(WELL, success_rate=None)
    assert status(unsure)[1] == "not asked in the last 24 hours"
    assert status(replace(unsure, calls=3))[1].startswith("asked, without a verdict")


def test_a_blacklisting_is_called_one() -> None:
    blacklisted = replace(WELL, phase=Phase.OPEN, reason=Reason.BLACKLISTED)
    assert "blacklisted" in status(blacklisted)[1]
