from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.scheduling import AGAIN_S, affordable_s, next_due, slot_after
from providers.models import Provider

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
names = st.text(min_size=1, max_size=20)
moments = st.datetimes(datetime(2021, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))
intervals = st.floats(10, 86400)
HAIR = timedelta(milliseconds=1)


def of(*limits: dict[str, float]) -> Provider:
    return Provider(slug="one", adapter_name="binance", limits=list(limits))


@given(names, moments, intervals)
def test_a_turn_comes_within_one_and_a_half_intervals_and_not_at_once(
    name: str, moment: datetime, interval_s: float
) -> None:
    after = slot_after(name, moment, interval_s) - moment
    assert timedelta(seconds=interval_s / 2) - HAIR <= after
    assert after <= timedelta(seconds=interval_s * 1.5) + HAIR


@given(names, moments, intervals)
def test_turns_are_one_interval_apart(name: str, moment: datetime, interval_s: float) -> None:
    first = slot_after(name, moment, interval_s)
    gap = (slot_after(name, first, interval_s) - first).total_seconds()
    assert abs(gap - interval_s) < 0.01


def test_endpoints_are_spread_over_the_interval() -> None:
    turns = {slot_after(f"provider-{n}", NOON, 300).minute % 5 for n in range(100)}
    assert turns == {0, 1, 2, 3, 4}


def test_at_most_a_share_of_every_limit_is_spent() -> None:
    assert affordable_s(of(), 300, 5) == 300
    assert affordable_s(of({"limit": 30, "per_s": 60}), 300, 5) == 300
    assert affordable_s(of({"limit": 25, "per_s": 86400}), 300, 5) == 86400 / 1.25
    both = of({"limit": 30, "per_s": 60}, {"limit": 10_000, "per_s": 30 * 86400})
    assert affordable_s(both, 300, 5) == 30 * 86400 / 500


@given(names, moments, st.booleans(), st.one_of(st.none(), st.floats(0, 1e6)))
def test_the_next_check_is_never_later_than_its_turn_nor_at_once(
    name: str, moment: datetime, unsettled: bool, resting_s: float | None
) -> None:
    due = next_due(name, moment, 300, wanted_s=300, unsettled=unsettled, resting_s=resting_s)
    assert moment + timedelta(seconds=1) <= due <= slot_after(name, moment, 300) + HAIR


def test_a_surprise_is_looked_at_again_soon_unless_the_quota_forbids_it() -> None:
    soon = NOON + timedelta(seconds=AGAIN_S)
    assert next_due("a", NOON, 300, wanted_s=300, unsettled=True) == soon
    slow = next_due("a", NOON, 900, wanted_s=300, unsettled=True, least_s=900)
    assert slow >= NOON + timedelta(seconds=900)


turns = st.lists(st.tuples(st.booleans(), st.none() | st.floats(0.5, 900)), max_size=60)


@given(names, moments, turns, st.integers(1, 5000), st.sampled_from([60, 3600, 86400]))
def test_whatever_is_found_questions_spend_at_most_a_share_of_a_limit(
    name: str, moment: datetime, found: list[tuple[bool, float | None]], limit: int, per_s: int
) -> None:
    """Where it rests it is not asked; else it is, and may fail every time."""
    least_s = affordable_s(of({"limit": limit, "per_s": per_s}), 0, 5)
    interval_s, began, asked = max(300.0, least_s), moment, 0
    for unsettled, resting_s in found:
        asked += resting_s is None
        moment = next_due(
            name,
            moment,
            interval_s,
            wanted_s=300,
            unsettled=unsettled,
            resting_s=resting_s,
            least_s=least_s,
        )
    spent_s = (moment - began).total_seconds()
    assert asked <= 0.05 * limit / per_s * spent_s * 1.000001 or asked == 0


def test_a_provider_that_fails_all_the_time_is_not_asked_more_than_its_quota_allows() -> None:
    """Its interval is as wanted, and yet there is no room for a second look half a minute later."""
    least_s = affordable_s(of({"limit": 7200, "per_s": 86400}), 0, 5)
    assert least_s == 240
    due = next_due("a", NOON, 300, wanted_s=300, unsettled=True, least_s=least_s)
    assert due == NOON + timedelta(seconds=240)


def test_a_check_comes_when_the_rest_is_over() -> None:
    assert next_due("a", NOON, 300, wanted_s=300, resting_s=60) == NOON + timedelta(seconds=60.5)
    resting_long = next_due("a", NOON, 9000, wanted_s=300, resting_s=6 * 3600)
    assert resting_long == NOON + timedelta(seconds=300.5)
