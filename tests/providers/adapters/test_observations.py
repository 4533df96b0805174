from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.adapters.observations import ascending, day, figure, fred_id, stamp
from providers.datasets import EconomicQuery, Observation
from providers.errors import Garbled, Unsupported

DAYS = st.dates()
OBSERVATIONS = st.lists(DAYS.map(lambda one: Observation(one, None, None, None)))


def test_a_day_is_written_in_one_way_alone() -> None:
    assert day("1946-01-01") == date(1946, 1, 1)
    for other in ("19460101", "1946-W01-1", "1946-1-1", "1946-02-30", "", 19460101, None):
        with pytest.raises(Garbled):
            day(other)


@given(DAYS)
def test_every_day_is_read_back(one: date) -> None:
    assert day(one.isoformat()) == one


def test_a_figure_is_a_text_and_a_gap_is_none() -> None:
    assert str(figure("243.1640")) == "243.1640"
    assert figure("-0.5") == Decimal("-0.5")
    assert figure(".") is None
    assert figure("", gaps=("", ".")) is None


@pytest.mark.parametrize("value", ["", "n/a", "NaN", "1e999", 4.33, 4, None, True, []])
def test_what_is_neither_is_garbled(value: Any) -> None:
    with pytest.raises(Garbled):
        figure(value)


def test_a_stamp_may_be_older_than_any_coin_and_says_its_offset() -> None:
    assert stamp("2005-01-07 15:16:00-06") == datetime(2005, 1, 7, 21, 16, tzinfo=UTC)
    for other in ("2005-01-07 15:16:00", "yesterday", "", None):
        with pytest.raises(Garbled):
            stamp(other)


@pytest.mark.parametrize("series", ["", "US/NY.GDP.MKTP.CD", "GDP,CPI", "GDP'--", "X" * 41, "ß"])
def test_what_can_be_no_id_of_fred_is_asked_of_somebody_else(series: str) -> None:
    with pytest.raises(Unsupported):
        fred_id(series)


def test_an_id_of_fred_is_known_in_any_case() -> None:
    assert fred_id("cpiaucsl") == "CPIAUCSL"


@given(OBSERVATIONS, st.none() | DAYS, st.none() | DAYS)
def test_what_comes_is_in_order_once_and_within_both_ends(
    rows: list[Observation], start: date | None, end: date | None
) -> None:
    found = [row.date for row in ascending(EconomicQuery("X", start, end), rows)]
    assert found == sorted(set(found))
    wanted = {r.date for r in rows if (start or r.date) <= r.date <= (end or r.date)}
    assert set(found) == wanted
