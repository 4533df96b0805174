"""Studies against vectors others published, and by what must hold of any prices."""

from __future__ import annotations

from decimal import Decimal
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import studies

D = Decimal
PRICES = st.lists(
    st.decimals("0.01", "100000", places=2, allow_nan=False), min_size=40, max_size=90
)
# The closing prices of the worked example of the RSI that StockCharts' ChartSchool gives (QQQQ).
WILDER = """
    44.3389 44.0902 44.1497 43.6124 44.3278 44.8264 45.0955 45.4245 45.8433 46.0826
    45.8931 46.0328 45.6140 46.2820 46.2820 46.0028 46.0328 46.4116 46.2222 45.6439
""".split()  # noqa: SIM905 (a table)


def test_rsi_is_that_of_the_published_example() -> None:
    closes = [D(price) for price in WILDER]
    found = [studies.rsi(closes[:end]) for end in range(15, 21)]
    expected = [70.53, 66.32, 66.55, 69.41, 66.36, 57.97]
    for value, known in zip(found, expected, strict=True):
        assert value is not None
        assert abs(float(value) - known) < 0.01


def test_averages_of_a_known_row() -> None:
    row = [D(n) for n in (22, 24, 26, 28, 30)]
    assert studies.sma(row, 5) == 26
    assert studies.sma(row, 2) == 29
    # (22 + 24 + 26) / 3 = 24, then 28 / 2 + 24 / 2 = 26, then 30 / 2 + 26 / 2 = 28
    assert studies.ema(row, 3) == 28
    assert studies.sma(row, 6) is None


def test_volatility_of_a_known_row() -> None:
    """Returns of +10 % and back have a deviation one can do by hand."""
    row = [D(100), D(110), D(100), D(110), D(100)]
    step = 0.0953101798  # ln 1.1
    by_hand = 100 * step * (4 / 3) ** 0.5 * 365**0.5
    found = studies.volatility(row, 4, 86400)
    assert found is not None
    assert isclose(float(found), by_hand, rel_tol=1e-6)


@given(PRICES, st.integers(2, 30))
def test_an_average_is_between_the_lowest_and_the_highest(prices: list[Decimal], n: int) -> None:
    slack = D("1e-15")
    for average in (studies.sma(prices, n), studies.ema(prices, n)):
        assert average is not None
        assert min(prices) - slack <= average <= max(prices) + slack


@given(PRICES)
def test_rsi_is_a_percentage_and_turns_with_the_prices(prices: list[Decimal]) -> None:
    value = studies.rsi(prices)
    assert value is not None
    assert 0 <= value <= 100
    mirrored = studies.rsi([max(prices) + min(prices) - price for price in prices])
    assert mirrored is not None
    assert isclose(float(value + mirrored), 100, abs_tol=1e-9)


@given(PRICES, st.decimals("0.1", "1000", places=1, allow_nan=False))
def test_scale_changes_no_ratio(prices: list[Decimal], by: Decimal) -> None:
    scaled = [price * by for price in prices]
    one, other = studies.rsi(prices), studies.rsi(scaled)
    assert one is not None
    assert other is not None
    assert isclose(float(one), float(other), abs_tol=1e-9)
    calm, wild = studies.volatility(prices, 30, 86400), studies.volatility(scaled, 30, 86400)
    assert calm is not None
    assert wild is not None
    assert isclose(float(calm), float(wild), rel_tol=1e-9, abs_tol=1e-9)


def test_prices_that_stand_still() -> None:
    still = [D(5)] * 40
    assert studies.rsi(still) == 50
    assert studies.volatility(still, 30, 86400) == 0
    assert studies.macd(still) == 0
    assert studies.rsi([D(n) for n in range(1, 40)]) == 100


def test_too_few_prices_are_no_figure() -> None:
    assert studies.rsi([D(1)] * 14) is None
    assert studies.volatility([D(1)] * 30, 30, 86400) is None
    assert studies.macd([D(1)] * 25) is None
    assert studies.change_percent(0, 5) is None


@pytest.mark.parametrize(
    ("value", "shown"), [("29.6449", "29.64"), ("0.0000123456", "0.00001235"), ("0", "0.00")]
)
def test_what_is_computed_is_rounded_once(value: str, shown: str) -> None:
    assert str(studies.rounded(D(value))) == shown
