"""What is made ready beforehand says what its reader would have added up, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from monitoring import drawing, pasts, prepared, rollups
from monitoring.models import Endpoint, Prepared, Rollup, StateChange
from monitoring.pasts import LETTERS
from monitoring.timeline import Interval, day_edges, spans
from providers.health import Health
from providers.standing import Status
from tests.monitoring.world import endpoint, results, was

DAY = timedelta(days=1)


def live(window: str, moment: datetime) -> Any:
    return rollups.figures(rollups.between(moment - prepared.WINDOWS[window], moment))


@pytest.mark.django_db
@pytest.mark.parametrize("window", prepared.WINDOWS)
def test_a_window_is_what_its_rollups_add_up_to(window: str) -> None:
    one, other = endpoint("a"), endpoint("b")
    results(one, "good", "good", "fault", "limited", ms=250)
    results(other, *["good"] * 5, at=now() - timedelta(hours=30))
    moment = now()
    prepared.prepare(moment)
    assert prepared.figures(window, moment) == live(window, moment)
    assert prepared.figures("24h", moment)[one.pk].ok == 2


@pytest.mark.django_db
def test_a_window_is_read_and_not_added_up_again(django_assert_num_queries: Any) -> None:
    results(endpoint("a"), "good")
    moment = now()
    prepared.prepare(moment)
    Rollup.objects.all().delete()
    with django_assert_num_queries(1):
        assert prepared.figures("7d", moment)


@pytest.mark.django_db
@pytest.mark.parametrize("off", [1, -1])
def test_what_is_too_old_or_of_the_future_is_not_told(off: int) -> None:
    results(endpoint("a"), "good")
    moment = now()
    prepared.prepare(moment + off * (prepared.FRESH_FOR + timedelta(seconds=1)))
    Rollup.objects.all().delete()
    assert prepared.figures("24h", moment) == {}


@pytest.mark.django_db
def test_rolling_up_makes_ready_what_is_told() -> None:
    one = endpoint("a")
    results(one, "good")
    prepared.roll_up(now())
    assert set(Prepared.objects.values_list("name", flat=True)) == {
        *(set(prepared.WINDOWS) - set(prepared.BRIEF)),
        prepared.DAYS,
    }
    results(one, "good")
    prepared.roll_up(now())
    assert prepared.figures("90d", now())[one.pk].ok == 2


# -- Days ------------------------------------------------------------------------------------------


def whole(one: Endpoint, moment: datetime) -> pasts.Past:
    """All ninety days, added up at once."""
    edges = day_edges(moment, pasts.DAYS)
    return pasts.past(spans(pasts.intervals([one], edges[0], moment)[one.pk], edges))


@pytest.mark.django_db
@pytest.mark.parametrize("is_ready", [True, False])
def test_days_that_are_over_and_today_are_the_whole(is_ready: bool) -> None:
    one = endpoint("a")
    was(one, ("healthy", 700), ("down", 60), ("healthy", 30), ("rate_limited", 2), ("healthy", 1))
    moment = now()
    if is_ready:
        prepared.prepare(moment)
    assert bool(Prepared.objects.count()) is is_ready
    found = pasts.of([one], prepared.days([one], moment), moment)
    assert found[one.pk] == whole(one, moment)
    assert "x" in found[one.pk].shapes


@pytest.mark.django_db
def test_what_happens_today_shows_at_once() -> None:
    one = endpoint("a")
    was(one, ("healthy", 72))
    prepared.prepare(now())
    StateChange.objects.update(ended_at=now())
    StateChange.objects.create(endpoint=one, status="down", began_at=now() - timedelta(seconds=9))
    found = pasts.of([one], prepared.days([one], now()), now())[one.pk]
    assert found == whole(one, now())
    assert found.availability != "100"


@pytest.mark.django_db
def test_who_came_after_it_was_made_ready_is_shown_too() -> None:
    was(endpoint("a"), ("healthy", 72))
    prepared.prepare(now())
    late = endpoint("late")
    was(late, ("down", 72))
    assert pasts.of([late], prepared.days([late], now()), now())[late.pk] == whole(late, now())


@pytest.mark.django_db
def test_a_day_that_ended_since_is_added_up_anew() -> None:
    one = endpoint("a")
    was(one, ("healthy", 72))
    Health.objects.update(fresh_until=now() + 2 * DAY)
    prepared.prepare(now())
    one, tomorrow = Endpoint.objects.get(), now() + DAY
    assert not pasts.unpacked(Prepared.objects.get(name=prepared.DAYS).body, tomorrow)
    found = pasts.of([one], prepared.days([one], tomorrow), tomorrow)
    assert found[one.pk] == whole(one, tomorrow)


NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOURS = st.floats(0.01, 24 * 95)


@given(st.lists(st.tuples(st.sampled_from(Status), HOURS), max_size=8))
def test_a_letter_is_the_shape_of_its_day(past: list[tuple[Status, float]]) -> None:
    end, intervals = NOON, []
    for status, hours in past:
        start = end - timedelta(hours=hours)
        intervals.append(Interval(status, start, end))
        end = start
    days = spans(intervals, day_edges(NOON, pasts.DAYS))
    found = pasts.past(days)
    assert len(found.shapes) == pasts.DAYS
    assert [LETTERS[drawing.shape(day)] for day in days] == list(found.shapes)
    drawn = {state for state, _ in found.bars("a").paths}
    assert drawn == {drawing.shape(day) for day in days}
