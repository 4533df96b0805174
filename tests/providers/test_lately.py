from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.ages import newest_age_s
from providers.datasets import Candle, PriceRow
from providers.lately import FORGOTTEN, HALF_LIFE_S, Book, Lately, Told
from tests.upstreams import NOON, article

T0 = 1_760_000_000.0

tolds = st.builds(
    Told,
    at=st.floats(T0, T0 + 3 * HALF_LIFE_S),
    outcome=st.sampled_from(["ok", "broken", "throttled", "missing"]),
    seconds=st.floats(0.001, 30),
    age_s=st.none() | st.floats(0, 1e6),
)


def heard(*told: Told) -> Lately:
    known = Lately(told[0].at if told else T0)
    for one in told:
        known = known.heard(one)
    return known


def sums(lately: Lately) -> list[float]:
    faded = lately.faded(T0 + 10 * HALF_LIFE_S)
    return [faded.good, faded.bad, faded.seconds, faded.good_s, faded.dated, faded.age_s]


@given(st.lists(tolds, max_size=8), st.randoms())
def test_in_which_order_calls_are_told_does_not_matter(told: list[Told], chance: Random) -> None:
    shuffled = list(told)
    chance.shuffle(shuffled)
    assert sums(heard(*told)) == pytest.approx(sums(heard(*shuffled)))


@given(st.lists(tolds, min_size=1, max_size=8))
def test_what_is_known_lies_within_what_was_told(told: list[Told]) -> None:
    known = heard(*told)
    good = [one for one in told if one.outcome == "ok"]
    if known.latency_s is not None:
        took = [one.seconds for one in good]
        assert min(took) - 1e-6 <= known.latency_s <= max(took) + 1e-6
    if known.data_age_s is not None:
        ages = [one.age_s for one in good if one.age_s is not None]
        assert min(ages) - 1e-3 <= known.data_age_s <= max(ages) + 1e-3
    if known.success_rate is not None:
        assert 0 <= known.success_rate <= 1
    if not good:
        assert known.latency_s is None
        assert known.data_age_s is None


def test_a_call_counts_half_after_the_half_life() -> None:
    old, new = Told(T0, "ok", 3.0), Told(T0 + HALF_LIFE_S, "ok", 0.6)
    known = heard(old, new)
    assert (known.good, known.good_s) == (1.5, 2.1)
    assert known.latency_s == pytest.approx(1.4)


def test_what_happened_long_ago_is_forgotten() -> None:
    known = heard(Told(T0, "ok", 0.2, 5.0), Told(T0, "broken", 0.1))
    assert known.latency_s == pytest.approx(0.2)
    assert known.success_rate == 0.5
    later = known.faded(T0 + 6 * HALF_LIFE_S)
    assert later.good < FORGOTTEN
    assert (later.latency_s, later.data_age_s, later.success_rate) == (None, None, None)


def test_an_earlier_moment_makes_nothing_heavier() -> None:
    known = heard(Told(T0, "ok", 0.2))
    assert known.faded(T0 - 3600) == known


@pytest.mark.parametrize("outcome", ["missing", "bad_key", "cancelled"])
def test_what_is_no_fault_of_its_own_is_not_held_against_it(outcome: str) -> None:
    assert heard(Told(T0, outcome, 2.0)) == Lately(T0)


def test_a_429_is_no_answer() -> None:
    assert heard(Told(T0, "throttled", 0.1)).success_rate == 0


def test_who_does_not_say_how_old_its_rows_are_is_not_called_fresh() -> None:
    assert heard(Told(T0, "ok", 0.2, None)).data_age_s is None
    assert heard(Told(T0, "ok", 0.2, None), Told(T0, "ok", 0.2, 8.0)).data_age_s == 8


def test_pages_are_kept_apart_by_provider_and_dataset() -> None:
    told = Told(T0, "ok", 0.2)
    book = Book().read([(7, 1, "gas", told), (9, 1, "gas", told), (8, 2, "price", told)])
    assert book.last == 9
    assert book.of(1, "gas", T0) == heard(told, told)
    assert book.of(2, "price", T0 + HALF_LIFE_S) == heard(told).faded(T0 + HALF_LIFE_S)
    assert book.of(2, "gas", T0) is None
    assert book.read([(10, 2, "price", told)]).of(1, "gas", T0) == book.of(1, "gas", T0)


# -- How old rows are --------------------------------------------------------------------------

UPDATED = NOON - timedelta(seconds=90)


def price(updated: datetime | None) -> PriceRow:
    return PriceRow("BTC", Decimal(1), "USD", last_updated=updated)


def test_the_newest_row_counts() -> None:
    rows = [price(None), price(UPDATED), price(UPDATED - timedelta(days=1))]
    assert newest_age_s(rows, NOON) == 90
    assert newest_age_s([article("x", at=UPDATED)], NOON) == 90


def test_who_does_not_say_has_no_age() -> None:
    one = Decimal(1)
    candle = Candle(UPDATED, one, one, one, one, None, complete=True)
    assert newest_age_s([], NOON) is None
    assert newest_age_s([price(None)], NOON) is None
    assert newest_age_s([candle], NOON) is None, "a candle is as old as it was asked for"


def test_a_clock_a_little_ahead_is_now_and_one_far_ahead_tells_nothing() -> None:
    assert newest_age_s([price(NOON + timedelta(seconds=5))], NOON) == 0
    assert newest_age_s([price(NOON + timedelta(hours=5))], NOON) is None
    assert newest_age_s([price(NOON + timedelta(hours=5)), price(UPDATED)], NOON) == 90


@given(st.lists(st.none() | st.datetimes(timezones=st.just(UTC)), max_size=6))
def test_whatever_they_say_an_age_is_never_below_zero(moments: list[datetime | None]) -> None:
    age = newest_age_s([price(moment) for moment in moments], NOON)
    assert age is None or age >= 0
