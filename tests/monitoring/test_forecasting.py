"""Drift and exhaustion: what is called one, and what is not."""

from __future__ import annotations

import random
from math import exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts.forecasting import LEAST_BASELINE, drift, exhausted_in_s

FLAT = [100.0] * 60
POINTS = st.lists(st.floats(0.001, 1e6), max_size=100)


def test_without_a_baseline_there_is_no_drift() -> None:
    assert drift([100.0] * LEAST_BASELINE) is None
    assert drift([]) is None


def test_what_stays_is_none_and_what_climbs_is_one() -> None:
    assert drift(FLAT) == 0
    climbing = FLAT + [100 * 1.1**n for n in range(1, 9)]
    found = drift(climbing)
    assert found
    assert found > 1


def test_one_spike_is_no_drift() -> None:
    for place in range(8):
        lately = [100.0] * 8
        lately[place] = 100_000.0
        found = drift([*FLAT, *lately])
        assert found is not None
        assert found < 1


@given(POINTS, st.floats(0.01, 100))
def test_it_does_not_depend_on_the_unit(points: list[float], factor: float) -> None:
    one, other = drift(points), drift([point * factor for point in points])
    assert (one is None) == (other is None)
    if one is not None and other is not None:
        assert one == pytest.approx(other, abs=1e-6)


@given(POINTS)
def test_it_is_never_negative(points: list[float]) -> None:
    found = drift(points)
    assert found is None or found >= 0


def test_an_even_pace_ends_when_it_ends() -> None:
    used = [(60.0 * n, 10.0 * n) for n in range(6)]
    assert exhausted_in_s(used, 110) == pytest.approx(360)
    assert exhausted_in_s(used, 40) == 0
    assert exhausted_in_s(used[:3], 110) is None


def test_a_burst_a_moment_ago_does_not_turn_it() -> None:
    chance = random.Random(1)
    used, total = [], 0.0
    for n in range(13):
        total += 10 * exp(chance.gauss(0, 0.1)) + (500 if n == 11 else 0)
        used.append((900.0 * n, total))
    left = exhausted_in_s(used, total + 100)
    assert left == pytest.approx(9000, rel=0.3)


@given(st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)), max_size=12), st.floats(0, 1e6))
def test_a_forecast_lies_ahead(used: list[tuple[float, float]], limit: float) -> None:
    found = exhausted_in_s(sorted(used), limit)
    assert found is None or found >= 0
