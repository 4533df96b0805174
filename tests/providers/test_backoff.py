from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.resilience import Backoff


@given(st.integers(1, 8), st.floats(0.001, 5), st.floats(0.001, 30), st.integers(0, 2**32).map(str))
def test_pauses_are_one_fewer_than_attempts_and_double_up_to_the_ceiling(
    attempts: int, initial: float, ceiling: float, seed: str
) -> None:
    pauses = list(Backoff(attempts, initial, ceiling).pauses(random.Random(seed)))
    assert len(pauses) == attempts - 1
    for n, pause in enumerate(pauses):
        assert 0 <= pause <= min(ceiling, initial * 2**n)


def test_callers_spread_out() -> None:
    """Full jitter: callers who failed together do not come back together."""
    backoff = Backoff(attempts=2, initial=1.0)
    first = [next(backoff.pauses(random.Random(seed))) for seed in range(200)]
    assert min(first) < 0.1
    assert max(first) > 0.9


@pytest.mark.parametrize("attempts", [0, 1])
def test_one_attempt_has_no_pause(attempts: int) -> None:
    assert not list(Backoff(attempts).pauses())
