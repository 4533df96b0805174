"""Roll-ups say what the results say, whenever these come and however often they are made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import pruning, rollups
from monitoring.histograms import Summary, bucket, middle
from monitoring.models import CheckResult, Endpoint, Plan, Rollup, Size, StateChange, Watermark
from monitoring.rollups import between, figures, parts, start_of
from providers.health import Health
from tests.monitoring.world import endpoint, results

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


# -- Histograms --------------------------------------------------------------------------------

times = st.floats(0.01, 120_000)


@given(times)
def test_what_stands_for_a_bucket_is_within_5_percent(ms: float) -> None:
    assert abs(middle(bucket(ms)) - ms) <= 0.05 * ms


def summed(values: Sequence[float]) -> Summary:
    found = Summary()
    for ms in values:
        found.count("ok", ms)
    return found


@given(st.lists(times, min_size=1, max_size=60), st.floats(0.01, 1))
def test_a_percentile_is_within_5_percent(values: list[float], share: float) -> None:
    exact = sorted(values)[max(0, ceil(len(values) * share) - 1)]
    assert summed(values).percentile(share) == pytest.approx(exact, rel=0.0501)


@given(st.lists(times, max_size=30), st.lists(times, max_size=30))
def test_two_spans_add_up_to_both(one: list[float], other: list[float]) -> None:
    both = summed(one)
    both.merge(summed(other))
    whole = summed(one + other)
    assert both.sum_ms == pytest.approx(whole.sum_ms)
    both.sum_ms = whole.sum_ms
    assert both == whole


def test_nothing_measured_is_none_and_not_nought() -> None:
    empty = Summary()
    assert (empty.uptime_percent, empty.avg_ms, empty.percentile(0.5)) == (None, None, None)
    limited = Summary(limited=3, other=2)
    assert (limited.uptime_percent, limited.checks) == (None, 5)
    assert Summary(ok=3, fault=1, limited=9).uptime_percent == 75


# -- Rows --------------------------------------------------------------------------------------


@pytest.fixture
def one(db: None) -> Endpoint:
    return Endpoint.objects.create(health=Health.objects.create(name="one"))


_runs = iter(range(1, 1_000_000))


def found(
    by: Endpoint, at: datetime, finding: str = "good", ms: float | None = 100, *, written: datetime
) -> None:
    CheckResult.objects.create(
        endpoint=by,
        run=next(_runs),
        at=at,
        finding=finding,
        status="healthy",
        outcome="ok",
        response_time_ms=ms,
        written_at=written,
    )


def rollup(size: Size, start: datetime) -> Rollup:
    return Rollup.objects.get(size=size, start=start)


def test_results_are_summed_up_by_five_minutes_hours_and_days(one: Endpoint) -> None:
    for minutes, finding, ms in [
        (0, "good", 100.0),
        (4, "partial", 300.0),
        (5, "fault", None),
        (61, "limited", None),
        (62, "nothing", None),
    ]:
        at = NOON + minutes * MINUTE
        found(one, at, finding, ms, written=at)
    assert rollups.run(NOON + 2 * HOUR) == 3 + 2 + 1
    first = rollup(Size.MINUTES, NOON)
    assert (first.ok, first.fault, first.answers, first.min_ms, first.max_ms) == (2, 0, 2, 100, 300)
    day = rollup(Size.DAY, start_of(NOON, Size.DAY))
    assert (day.ok, day.fault, day.limited, day.other) == (2, 1, 1, 1)
    assert (day.sum_ms, day.answers) == (400, 2)
    assert rollups.summary(day).percentile(0.95) == pytest.approx(300, rel=0.05)


def test_to_run_again_changes_nothing(one: Endpoint) -> None:
    for minutes in range(0, 120, 7):
        found(one, NOON + minutes * MINUTE, written=NOON + minutes * MINUTE)
    rollups.run(NOON + 2 * HOUR)
    values = list(Rollup.objects.order_by("size", "start").values("size", "start", "ok", "sum_ms"))
    Watermark.objects.all().delete()
    rollups.run(NOON + 2 * HOUR)
    again = list(Rollup.objects.order_by("size", "start").values("size", "start", "ok", "sum_ms"))
    assert again == values


def test_only_what_is_new_is_made_anew(one: Endpoint) -> None:
    found(one, NOON, written=NOON)
    assert rollups.run(NOON + MINUTE) == 3
    # Each size once more, in case a transaction ended late; and then there is nothing to do.
    assert [rollups.run(NOON + hours * HOUR) for hours in (1, 2, 3, 4)] == [3, 2, 1, 0]


def test_a_result_that_is_written_late_finds_its_bucket(one: Endpoint) -> None:
    found(one, NOON, written=NOON)
    for hours in (1, 2, 3):
        rollups.run(NOON + hours * HOUR)
    found(one, NOON + MINUTE, "fault", None, written=NOON + 4 * HOUR)
    rollups.run(NOON + 4 * HOUR + MINUTE)
    for size in Size:
        row = rollup(size, start_of(NOON, size))
        assert (row.ok, row.fault) == (1, 1)


def test_a_row_whose_transaction_ended_late_is_not_missed(one: Endpoint) -> None:
    rollups.run(NOON)
    found(one, NOON - MINUTE, written=NOON - MINUTE)  # dated before that run, and seen after it
    rollups.run(NOON + 5 * MINUTE)
    assert rollup(Size.MINUTES, NOON - 5 * MINUTE).ok == 1


def test_what_has_been_pruned_is_not_made_anew_of_what_is_left(one: Endpoint) -> None:
    found(one, NOON, written=NOON)
    rollups.run(NOON + HOUR)
    found(one, NOON + MINUTE, written=NOON + 8 * DAY)
    rollups.run(NOON + 8 * DAY)
    assert rollup(Size.MINUTES, NOON).ok == 1


def test_old_rows_go_when_they_have_been_summed_up(one: Endpoint) -> None:
    StateChange.objects.create(endpoint=one, status="healthy", began_at=NOON)
    found(one, NOON, written=NOON)
    later = NOON + 100 * DAY
    assert pruning.prune(later)["results"] == 0
    rollups.run(NOON + HOUR)
    rollups.run(later)
    found(one, later - DAY, written=later)
    assert pruning.prune(later) == {
        "results": 1,
        "five-minute roll-ups": 1,
        "hourly roll-ups": 1,
        "notices": 0,
        "alerts": 0,
    }
    assert {row.size for row in Rollup.objects.all()} == {Size.DAY}
    assert StateChange.objects.count() == CheckResult.objects.count() == 1


def test_how_long_they_are_kept_can_be_edited(one: Endpoint) -> None:
    found(one, NOON, written=NOON)
    for hours in (1, 24 * 8):
        rollups.run(NOON + hours * HOUR)
    Plan(keep_results_days=30).save()
    assert pruning.prune(NOON + 8 * DAY)["results"] == 0


# -- Reading -----------------------------------------------------------------------------------


@given(
    st.datetimes(datetime(2021, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.timedeltas(MINUTE, 120 * DAY),
)
def test_the_parts_of_a_span_neither_overlap_nor_leave_a_gap(
    start: datetime, span: timedelta
) -> None:
    found = parts(start, start + span)
    assert found[0][1] <= start
    assert start - found[0][1] < max(span / 6, 10 * MINUTE)
    assert [part[2] for part in found[:-1]] == [part[1] for part in found[1:]]
    assert all(start_of(begin, size) == begin for size, begin, _ in found)


def test_the_figures_of_a_day_are_those_of_its_results(one: Endpoint) -> None:
    for minutes in range(0, 48 * 60, 5):
        at = NOON - minutes * MINUTE
        found(one, at, "fault" if minutes % 60 == 0 else "good", 50 + minutes % 7, written=at)
    rollups.run(NOON + MINUTE)
    day = figures(between(NOON - DAY, NOON + MINUTE))[one.pk]
    assert (day.checks, day.fault) == (289, 25)
    hour = figures(between(NOON - HOUR, NOON + MINUTE))[one.pk]
    assert (hour.checks, hour.fault) == (13, 2)


@pytest.mark.django_db
def test_figures_are_what_merging_one_after_the_other_comes_to() -> None:
    one, other = endpoint("one"), endpoint("other")
    results(one, *["good", "fault", "limited", "nothing"] * 8, ms=70)
    results(one, *["good"] * 9, ms=900)
    results(other, "fault")
    rows = Rollup.objects.all()
    merged: dict[int, Summary] = {}
    for row in rows:
        merged.setdefault(row.endpoint_id, Summary()).merge(rollups.summary(row))
    assert figures(rows) == merged
    assert merged[other.pk].min_ms is None
    assert merged[one.pk].max_ms == 900
