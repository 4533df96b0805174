from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from providers.ages import newest_age_s
from providers.datasets import Observation, PriceRow
from tests.upstreams import article

NOW = datetime(2026, 5, 18, 12, tzinfo=UTC)


def prices(*ages: float | None) -> list[Any]:
    stamps = [None if age is None else NOW - timedelta(seconds=age) for age in ages]
    return [PriceRow("BTC", Decimal(1), "USD", last_updated=stamp) for stamp in stamps]


@given(st.lists(st.none() | st.integers(0, 10**6), max_size=9))
def test_rows_are_as_old_as_the_newest_that_tells(ages: list[int | None]) -> None:
    told = [age for age in ages if age is not None]
    assert newest_age_s(prices(*ages), NOW) == (min(told) if told else None)


def test_a_clock_that_is_ahead_makes_nothing_younger_than_new() -> None:
    assert newest_age_s(prices(-30), NOW) == 0


def test_a_clock_that_is_far_ahead_tells_nothing() -> None:
    assert newest_age_s(prices(-3600), NOW) is None
    assert newest_age_s(prices(-3600, 50), NOW) == 50


def test_news_are_from_when_they_were_published() -> None:
    assert newest_age_s([article("A", at=NOW - timedelta(minutes=2))], NOW) == 120


def test_what_does_not_tell_has_no_age() -> None:
    assert newest_age_s([], NOW) is None
    assert newest_age_s([Observation(NOW.date(), Decimal(1), None, None)], NOW) is None
