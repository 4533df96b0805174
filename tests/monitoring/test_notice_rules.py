"""When a notice is sent again, reminded of and left out: the pure rules."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.notices.models import Event
from monitoring.notices.rules import (
    GIVEN_UP_AFTER,
    LEAST_ATTEMPTS,
    MOST_S,
    MOST_WAIT_S,
    Waiting,
    is_hopeless,
    pause_s,
    reminders,
    sift,
)

NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)


@given(st.integers(1, 10_000), st.one_of(st.none(), st.floats(0, 1e9)), st.integers())
def test_a_pause_is_bounded_and_never_shorter_than_asked(
    attempts: int, asked: float | None, seed: int
) -> None:
    found = pause_s(attempts, asked, random.Random(seed))
    assert 20 <= found <= max(1.25 * MOST_S, MOST_WAIT_S)
    if asked is not None:
        assert found >= min(asked, MOST_WAIT_S)


def test_pauses_grow() -> None:
    middle = [pause_s(n, rng=random.Random(1)) for n in range(1, 9)]
    assert middle == sorted(middle)


def test_a_channel_is_given_up_after_a_day_of_trying() -> None:
    day_ago = NOON - GIVEN_UP_AFTER
    assert is_hopeless(day_ago, LEAST_ATTEMPTS, NOON)
    assert not is_hopeless(day_ago, 2, NOON), "a worker that slept has not tried"
    assert not is_hopeless(NOON - timedelta(hours=23), 500, NOON)
    assert not is_hopeless(None, 500, NOON)


def test_a_channel_that_says_it_is_gone_is_believed_the_third_time() -> None:
    assert [is_hopeless(NOON, n, NOON, permanent=True) for n in (1, 2, 3)] == [False, False, True]


def test_reminders_come_after_1_4_and_24_hours_and_daily() -> None:
    hours = [0.9, 1, 3.9, 4, 23.9, 24, 47.9, 48, 72]
    found = [reminders(NOON, NOON + timedelta(hours=h)) for h in hours]
    assert found == [0, 1, 1, 2, 2, 3, 3, 4, 5]


def waiting(*events: str, subject: str = "incident-1", held: bool = False) -> list[Waiting]:
    return [Waiting(n, subject, event, held) for n, event in enumerate(events)]


def test_what_is_over_is_told_in_one_line() -> None:
    found = sift(waiting("opened", "grew", "reminder", "resolved"), [])
    assert (found.send, found.merged) == ((3,), (0, 1, 2))


def test_what_began_and_ended_in_a_window_is_told_to_nobody() -> None:
    found = sift(waiting("opened", "resolved", held=True), [])
    assert (found.send, found.silenced) == ((), (0, 1))
    heard = sift(waiting("resolved", held=True), ["incident-1"])
    assert heard.send == (0,), "who heard of it hears that it is over"


def test_that_it_is_over_goes_where_it_was_told() -> None:
    assert sift(waiting("resolved"), []).send == ()
    assert sift(waiting("resolved"), ["incident-1"]).send == (0,)


def test_a_subject_has_one_line() -> None:
    found = sift(waiting("opened", "grew", "grew"), [])
    assert (found.send, found.merged) == ((0,), (1, 2))


@given(
    st.lists(
        st.tuples(st.sampled_from(list(Event)), st.sampled_from("abc"), st.booleans()), max_size=12
    ),
    st.sets(st.sampled_from("abc")),
)
def test_every_notice_has_one_fate(rows: list[tuple[Event, str, bool]], told: set[str]) -> None:
    items = [Waiting(n, subject, event, held) for n, (event, subject, held) in enumerate(rows)]
    found = sift(items, told)
    fates = [*found.send, *found.merged, *found.silenced]
    assert sorted(fates) == [item.key for item in items]
    for item in items:  # who heard that it began hears that it is over
        if item.event is Event.RESOLVED and item.subject in told:
            assert item.key in found.send
