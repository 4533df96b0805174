from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.drawing import _SHAPES, Point, band, bars, ceiling, gathered, shape, two_decimals
from monitoring.timeline import Span
from providers.standing import Status

START = datetime(2026, 3, 1, tzinfo=UTC)
DAY_S = 86400.0


def day(**hours: float) -> Span:
    seconds = {Status(name): 3600 * value for name, value in hours.items()}
    return Span(START, START + timedelta(days=1), seconds)


def test_each_state_has_a_shape_of_its_own() -> None:
    drawn = [draw(0) for draw in _SHAPES.values()]
    assert len(set(drawn)) == len(drawn)
    assert set(_SHAPES) == {status.value for status in Status} - {"disabled"}


@pytest.mark.parametrize(
    ("span", "expected"),
    [
        (day(healthy=24), "healthy"),
        (day(healthy=23, down=1), "degraded"),  # 95.8 % available
        (day(healthy=12, down=12), "down"),
        (day(down=1), "down"),
        (day(), "unknown"),
        (day(disabled=24), "unknown"),
        (day(healthy=20, misconfigured=4), "misconfigured"),
    ],
)
def test_what_a_day_looks_like(span: Span, expected: str) -> None:
    assert shape(span) == expected


def test_every_day_is_in_the_path_of_its_state() -> None:
    found = bars(["healthy", "down", "healthy"], "in words")
    paths = dict(found.paths)
    assert set(paths) == {"healthy", "down"}
    assert (paths["healthy"].count("z"), found.width, found.label) == (2, 22, "in words")


def test_a_hundred_per_cent_is_never_rounded_up_to() -> None:
    assert [two_decimals(v) for v in (None, 100, 99.999, 99.9, 0)] == [
        None,
        "100",
        "99.99",
        "99.90",
        "0.00",
    ]


def test_days_together_are_the_sum_of_their_seconds() -> None:
    whole = gathered([day(healthy=20, down=4), day(healthy=24)])
    assert whole.seconds == {Status.HEALTHY: 44 * 3600, Status.DOWN: 4 * 3600}


def test_a_band_has_gaps_where_there_is_no_data() -> None:
    drawn = band([[Point(0, 10, 20), Point(0.1, 10, 30)], [Point(0.9, 10, 20)]])
    assert drawn
    assert drawn.area.count("M") == drawn.line.count("M") == 2
    assert drawn.ticks[0] == (160.0, "0 ms")
    assert drawn.ticks[-1] == (0.0, "40 ms")
    assert band([]) is None


@given(st.floats(0.01, 1e6))
def test_the_axis_ends_at_a_round_number_not_far_above(value: float) -> None:
    top = ceiling(value)
    assert value <= top
    assert top <= max(2 * value, 1) * 1.0001
