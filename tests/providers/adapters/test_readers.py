"""The small tools every adapter reads answers with: exact, or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.base import (
    Adapter,
    amount,
    count,
    first_address,
    flag,
    in_order,
    instant,
    listed,
    maybe,
    moment,
    nonzero,
    number,
    positive,
    prose,
    rank,
    text,
    web_address,
    whole,
)
from providers.datasets import HistoryPoint, HistoryQuery, PriceRow
from providers.errors import Garbled, Missing, Unsupported
from tests.providers.adapters.conftest import NOON, adapt

plain = st.decimals(min_value="-1e20", max_value="1e20", allow_nan=False, allow_infinity=False)


@given(plain)
def test_a_number_keeps_every_digit_it_came_with(value: Decimal) -> None:
    if abs(value.adjusted()) <= 40:
        assert number(str(value)).as_tuple() == value.as_tuple()
        assert number(value) is value


JUNK: list[Any] = [
    None,
    True,
    [],
    {},
    "",
    "NaN",
    "sNaN",
    "Infinity",
    "1,5",
    "many",
    "1e41",
    "1e-41",
    10**50,
]


@pytest.mark.parametrize("junk", JUNK, ids=str)
@pytest.mark.parametrize("read", [number, positive, amount, whole, count, moment])
def test_what_is_no_number_is_refused(read: Callable[[Any], Any], junk: Any) -> None:
    with pytest.raises(Garbled):
        read(junk)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (positive, 0),
        (positive, "-1"),
        (amount, "-0.1"),
        (whole, "1.5"),
        (count, -1),
        (rank, -1),
        (rank, True),
        (flag, 1),
        (flag, None),
        (flag, "true"),
        (listed, None),
        (listed, {}),
        (moment, -1),
        (moment, 1_779_105_600_000),
        (instant, 1_779_105_600),
        (instant, "yesterday"),
        (instant, "1969-07-20T20:17:40Z"),
        (text, " \u200b "),
        (text, 7),
        (prose, "<p></p>"),
        (web_address, "javascript:alert(1)"),
        (web_address, "https://a b"),
    ],
)
def test_what_cannot_be_meant_is_refused(read: Callable[[Any], Any], value: Any) -> None:
    with pytest.raises(Garbled):
        read(value)


def test_nothing_is_not_zero() -> None:
    assert maybe(amount, None) is None
    assert maybe(amount, "") is None
    assert maybe(amount, 0) == 0
    assert nonzero(0) is None
    assert rank(0) is None
    assert rank(None) is None


def test_times_are_read_to_the_microsecond() -> None:
    assert moment(int(NOON.timestamp())) == NOON
    assert moment(str(int(NOON.timestamp()) * 1000 + 5), unit=1000) == NOON + timedelta(
        milliseconds=5
    )
    cut = instant("2026-05-18T12:00:00.123456789Z")
    assert cut == NOON + timedelta(microseconds=123456)
    assert instant("2026-05-18T14:00:00+02:00") == NOON
    assert instant("2026-05-18") == datetime(2026, 5, 18, tzinfo=UTC)


def test_the_first_address_is_looked_for_among_blanks() -> None:
    assert first_address(["", None, "ftp://x", "https://a.example/", "https://b.example"]) == (
        "https://a.example/"
    )
    assert first_address([]) is first_address(None) is None


POINTS = [HistoryPoint(NOON - timedelta(days=n), Decimal(n + 1), None, None) for n in range(5)]


def test_history_is_put_in_order_and_cut_to_its_range() -> None:
    def days(query: HistoryQuery) -> list[date]:
        return [point.time.date() for point in in_order(query, [*POINTS, POINTS[2]])]

    may = [date(2026, 5, day) for day in range(14, 19)]
    assert days(HistoryQuery("BTC", days=2)) == may
    assert days(HistoryQuery("BTC", start=POINTS[3].time, end=NOON)) == may[1:4]


def bare(names: dict[str, dict[str, str]] | None = None) -> Adapter:
    adapter: Adapter = adapt(Adapter, names=names)[0]
    return adapter


def test_only_symbols_with_a_name_are_named() -> None:
    adapter = bare({"BTC": {"USDT": "BTC-USDT", "USD": "BTC-USD"}, "ETH": {"EUR": "ETH-EUR"}})
    named = adapter.named(("BTC", "ETH", "NOBODY"), ("USD", "USDT"))
    assert named == {"BTC-USD": ("BTC", "USD")}
    for symbols in ((), ("NOBODY",)):
        with pytest.raises(Unsupported):
            adapter.named(symbols)


def test_rows_without_a_name_are_dropped_and_counted() -> None:
    adapter = bare()
    rows = [{"id": "a"}, {"id": None}, {}, "a", None, {"id": "b"}]
    assert adapter.keyed(rows, "id") == {"a": {"id": "a"}, "b": {"id": "b"}}
    assert adapter.dropped == 4


def test_prices_are_those_that_were_asked_for() -> None:
    def read(item: Any, symbol: str, quote: str) -> PriceRow:
        return PriceRow(symbol, positive(item), quote)

    adapter = bare()
    named = {"x": ("BTC", "USD"), "y": ("ETH", "USD")}
    assert adapter.prices(named, {"y": 2, "z": 3}, read) == [PriceRow("ETH", Decimal(2), "USD")]
    with pytest.raises(Missing):
        adapter.prices(named, {}, read)
    with pytest.raises(Garbled):
        adapter.prices(named, {"z": 3}, read)
    with pytest.raises(Missing):
        adapter.prices(named, {"z": 3}, read, everything=True)
    with pytest.raises(Garbled):
        adapter.prices(named, ["x"], read)
