"""What holds for candles whoever draws them: order, digits, gaps, ranges and contradictions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.base import Adapter, NoListings
from providers.adapters.candles import (
    Layout,
    candles,
    first_open,
    last_open,
    spans,
    within_reach,
)
from providers.datasets import INTERVALS, Candle, OhlcQuery
from providers.errors import Garbled, Unsupported
from tests.providers.adapters.conftest import NOON, Canned

HOUR = 3600
EPOCH = int(NOON.timestamp())
PLAIN = Layout(width=6, time=0, open=1, high=2, low=3, close=4, volume=5)
HOURS = OhlcQuery("BTC", "1h")


def read(
    rows: Any, query: OhlcQuery = HOURS, layout: Layout = PLAIN, now: datetime = NOON
) -> tuple[Sequence[Candle], Adapter]:
    adapter = Adapter(Canned(), NoListings(), now=lambda: now)
    return candles(adapter, query, rows, layout), adapter


def row(hours: float = 0, **changes: Any) -> list[Any]:
    """A candle that opened so many hours ago."""
    plain = {"time": EPOCH - int(hours * HOUR), "open": "2", "high": "4", "low": "1", "close": "3"}
    return list((plain | {"volume": "5"} | changes).values())


def hours(found: Sequence[Candle]) -> list[float]:
    return [(NOON - candle.time) / timedelta(hours=1) for candle in found]


def test_candles_come_in_the_order_of_time_whatever_the_upstream_does() -> None:
    found, _ = read([row(1), row(0), row(3), row(2)])
    assert hours(found) == [3, 2, 1, 0]


def test_a_time_that_comes_twice_is_kept_once_and_the_later_row_wins() -> None:
    found, _ = read([row(1, close="2"), row(2), row(1, close="3.5")])
    assert [candle.close for candle in found] == [Decimal(3), Decimal("3.5")]


def test_a_gap_stays_a_gap() -> None:
    assert hours(read([row(9), row(1)])[0]) == [9, 1]


def test_only_the_running_candle_is_not_complete() -> None:
    found, _ = read([row(2), row(1), row(0)])
    assert [candle.complete for candle in found] == [True, True, False]
    late, _ = read([row(0)], now=NOON + timedelta(hours=1))
    assert late[0].complete


@pytest.mark.parametrize(
    "lie",
    [
        {"high": "2.5", "close": "3"},
        {"high": "1.5"},
        {"low": "2.5"},
        {"low": "3.5", "high": "2"},
        {"low": "0"},
        {"low": "-1"},
        {"open": "NaN"},
        {"high": "Infinity"},
        {"high": "1e41"},
        {"low": "1e-41"},
        {"volume": "-1"},
        {"volume": "0E-999999"},
        {"volume": None},
        {"close": True},
        {"close": ["3"]},
        {"time": "soon"},
        {"time": 12},
        {"time": EPOCH * 1000},
        {"time": True},
    ],
    ids=str,
)
def test_a_candle_that_contradicts_itself_is_dropped_and_counted(lie: dict[str, Any]) -> None:
    found, adapter = read([row(2), row(1, **lie), row(0)])
    assert hours(found) == [2, 0]
    assert adapter.dropped == 1
    with pytest.raises(Garbled):
        read([row(1, **lie)])


def test_a_row_with_a_column_missing_is_not_read_one_column_off() -> None:
    short = row(1)
    del short[1]
    found, adapter = read([row(2), short])
    assert hours(found) == [2]
    assert adapter.dropped == 1


def test_candles_of_a_shorter_interval_are_not_what_was_asked_for() -> None:
    with pytest.raises(Garbled, match="shorter interval"):
        read([row(1), row(0.5), row(0)])


@pytest.mark.parametrize("other", [None, {}, "text", 7, {"result": []}])
def test_what_is_no_list_is_garbled(other: Any) -> None:
    with pytest.raises(Garbled):
        read(other)


def test_no_candles_are_an_answer_too() -> None:
    assert list(read([])[0]) == []


def test_times_of_the_close_become_times_of_the_open() -> None:
    found, _ = read([row(1)], layout=PLAIN._replace(closing=True))
    assert hours(found) == [2]
    assert found[0].complete


def test_milliseconds_and_numbers_read_like_seconds_and_texts() -> None:
    same = [(EPOCH - HOUR) * 1000, 2, Decimal(4), 1, Decimal("3"), 5]
    assert read([same], layout=PLAIN._replace(unit=1000))[0] == read([row(1)])[0]


def test_a_layout_without_volume_has_none() -> None:
    found, _ = read([row(1)[:5]], layout=PLAIN._replace(width=5, volume=None))
    assert found[0].volume is None


def test_the_range_holds_its_start_and_not_its_end() -> None:
    asked = replace(HOURS, start=NOON - timedelta(hours=3), end=NOON - timedelta(hours=1))
    assert hours(read([row(n) for n in range(5)], asked)[0]) == [3, 2]


def test_a_limit_keeps_the_first_after_a_start_and_else_the_newest() -> None:
    rows = [row(n) for n in range(6)]
    start, end = NOON - timedelta(hours=4), NOON - timedelta(hours=1)
    assert hours(read(rows, replace(HOURS, limit=2))[0]) == [1, 0]
    assert hours(read(rows, replace(HOURS, limit=2, end=end))[0]) == [3, 2]
    assert hours(read(rows, replace(HOURS, limit=2, start=start))[0]) == [4, 3]
    assert hours(read(rows, replace(HOURS, limit=9, start=start, end=end))[0]) == [4, 3, 2]


positive = st.decimals(min_value="1e-12", max_value="1e12", allow_nan=False, allow_infinity=False)


@st.composite
def consistent(draw: st.DrawFn) -> list[list[str]]:
    """Rows of hours in any order, as texts."""
    times = draw(st.lists(st.integers(0, 500), unique=True, max_size=40))
    rows = []
    for hour in times:
        low, *middle, high = sorted(draw(st.tuples(positive, positive, positive, positive)))
        open_, close = draw(st.permutations(middle))
        volume = draw(positive)
        at = str(EPOCH - hour * HOUR)
        rows.append([at, *map(str, (open_, high, low, close, volume))])
    return rows


@given(consistent(), st.booleans())
def test_no_digit_is_lost_and_the_order_is_ascending(rows: list[list[str]], exact: bool) -> None:
    answer = [[row[0], *map(Decimal, row[1:])] for row in rows] if exact else rows
    found, adapter = read(answer, replace(HOURS, limit=1000))
    again = [
        [str(int(c.time.timestamp())), *map(str, (c.open, c.high, c.low, c.close, c.volume))]
        for c in found
    ]
    assert again == sorted(rows, key=lambda row: int(row[0]))
    assert adapter.dropped == 0
    assert all(earlier.time < later.time for earlier, later in pairwise(found))


moments = st.datetimes(datetime(2020, 1, 1), datetime(2026, 5, 18), timezones=st.just(UTC))
asked = st.builds(
    OhlcQuery,
    st.just("BTC"),
    st.sampled_from(sorted(INTERVALS)),
    st.integers(1, 1000),
    st.none() | moments,
    st.none() | moments,
)


@given(asked)
def test_the_candles_meant_are_those_that_open_in_the_range(query: OhlcQuery) -> None:
    now, step = NOON.timestamp(), query.seconds
    first, last = first_open(query, now), last_open(query, now)
    opens = range(first, last + 1, step)
    assert len(opens) <= query.limit
    assert first % step == last % step == 0
    assert all(opened <= now for opened in opens)
    if query.start:
        assert 0 <= first - query.start.timestamp() < step
    if query.end:
        assert all(opened < query.end.timestamp() for opened in opens)
    if not query.start:
        assert len(opens) == query.limit
        end = min(query.end.timestamp(), now) if query.end else now
        assert 0 <= end - last <= step


@given(asked, st.integers(1, 300))
def test_spans_cover_each_candle_once(query: OhlcQuery, most: int) -> None:
    now, step = NOON.timestamp(), query.seconds
    opens = range(first_open(query, now), last_open(query, now) + 1, step)
    covered = [range(first, last + 1, step) for first, last in spans(query, now, most)]
    assert [opened for span in covered for opened in span] == list(opens)
    assert all(len(span) <= most for span in covered)


def test_what_is_no_longer_kept_is_not_asked_for() -> None:
    now = NOON.timestamp()
    within_reach(replace(HOURS, limit=720), now, 720 * HOUR)
    within_reach(replace(HOURS, start=NOON - timedelta(hours=720)), now, 720 * HOUR)
    for query in (
        replace(HOURS, limit=722),
        replace(HOURS, start=NOON - timedelta(hours=721)),
        replace(HOURS, limit=10, end=NOON - timedelta(days=60)),
    ):
        with pytest.raises(Unsupported):
            within_reach(query, now, 720 * HOUR)
