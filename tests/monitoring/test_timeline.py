from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.timeline import GRAVEST, Interval, Span, day_edges, spans
from providers.standing import Status

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WELL, DOWN = Status.HEALTHY, Status.DOWN


def line(*parts: tuple[Status, float]) -> list[Interval]:
    """Intervals one after the other from noon, so many hours long."""
    found, moment = [], NOON
    for status, hours in parts:
        found.append(Interval(status, moment, moment + hours * HOUR))
        moment = found[-1].ended_at
    return found


def whole(*parts: tuple[Status, float], hours: float = 10) -> Span:
    (found,) = spans(line(*parts), [NOON, NOON + hours * HOUR])
    return found


def test_availability_is_of_the_time_we_know_and_coverage_says_how_much_that_is() -> None:
    span = whole((WELL, 4), (DOWN, 1), (Status.UNKNOWN, 3))
    assert span.availability_percent == 80
    assert span.coverage_percent == 50
    assert span.down_s == 3600


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.RATE_LIMITED, 100),
        (Status.DEGRADED, 100),
        (Status.MISCONFIGURED, None),
        (Status.MAINTENANCE, None),
        (Status.DISABLED, None),
    ],
)
def test_what_is_downtime_and_what_is_not(status: Status, expected: float | None) -> None:
    assert whole((status, 10)).availability_percent == expected


def test_nothing_known_is_none_and_not_well() -> None:
    span = whole()
    assert (span.gravest, span.availability_percent, span.coverage_percent) == (None, None, 0)


def test_a_span_is_called_after_its_gravest_state() -> None:
    assert whole((WELL, 9), (DOWN, 0.1)).gravest is DOWN
    assert whole((WELL, 9), (Status.UNKNOWN, 1)).gravest is WELL
    assert set(GRAVEST) == set(Status)


def test_days_are_those_of_utc_and_end_now() -> None:
    edges = day_edges(NOON, 3)
    assert [edge.isoformat()[:16] for edge in edges] == [
        "2026-02-27T00:00",
        "2026-02-28T00:00",
        "2026-03-01T00:00",
        "2026-03-01T12:00",
    ]


lines = st.lists(st.tuples(st.sampled_from(list(Status)), st.floats(0, 100)), max_size=12)


@given(lines, st.lists(st.floats(-10, 500), min_size=2, max_size=8))
def test_no_second_is_lost_or_counted_twice(
    parts: list[tuple[Status, float]], hours: list[float]
) -> None:
    edges = sorted(NOON + h * HOUR for h in hours)
    (one,) = spans(line(*parts), [edges[0], edges[-1]])
    many = spans(line(*parts), edges)
    for status in Status:
        total = sum(span.seconds.get(status, 0) for span in many)
        assert total == pytest.approx(one.seconds.get(status, 0), abs=1e-3)
    assert sum(one.seconds.values()) <= (edges[-1] - edges[0]).total_seconds() + 1e-3


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_what_was_never_down_was_available_all_the_time(seconds: float) -> None:
    span = Span(NOON, NOON + timedelta(days=1), {Status.HEALTHY: seconds})
    assert span.availability_percent == 100
