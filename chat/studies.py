"""
Studies computed from closing prices, as traders define them. Pure; oldest price first.

* SMA: the mean of the last n prices.
* EMA: begins with the SMA of the first n, then price * k + previous * (1 - k), k = 2 / (n + 1).
* RSI: Wilder's, with his smoothing (New Concepts in Technical Trading Systems, 1978), 0 to 100.
* Volatility: the sample standard deviation of the logarithmic returns of the last n steps, times
  the square root of how many steps a year has, in percent. Markets of coins never close: 365 days.
* MACD: EMA 12 less EMA 26 (Appel).

Each is None when there are too few prices.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from math import log, sqrt
from statistics import stdev

YEAR_S = 365 * 86400
DIGITS = 10  # significant ones of what is computed, before it is rounded for people


def sma(prices: Sequence[Decimal], n: int) -> Decimal | None:
    if n < 1 or len(prices) < n:
        return None
    return sum(prices[-n:], Decimal(0)) / n


def ema(prices: Sequence[Decimal], n: int) -> Decimal | None:
    value = sma(prices[:n], n)
    if value is None:
        return None
    k = Decimal(2) / (n + 1)
    for price in prices[n:]:
        value += (price - value) * k
    return value


def rsi(prices: Sequence[Decimal], n: int = 14) -> Decimal | None:
    """100 when it only rose, 0 when it only fell, 50 when it did not move."""
    steps = [after - before for before, after in zip(prices, prices[1:], strict=False)]
    if n < 1 or len(steps) < n:
        return None
    gain = sum((max(step, Decimal(0)) for step in steps[:n]), Decimal(0)) / n
    loss = sum((max(-step, Decimal(0)) for step in steps[:n]), Decimal(0)) / n
    for step in steps[n:]:
        gain = (gain * (n - 1) + max(step, Decimal(0))) / n
        loss = (loss * (n - 1) + max(-step, Decimal(0))) / n
    if not gain + loss:
        return Decimal(50)
    return 100 * gain / (gain + loss)


def volatility(prices: Sequence[Decimal], n: int, step_s: float) -> Decimal | None:
    """Annualised, in percent, of the last `n` steps of `step_s` seconds."""
    last = prices[-n - 1 :]
    if n < 2 or len(last) < n + 1 or any(price <= 0 for price in last):
        return None
    returns = [log(after / before) for before, after in zip(last, last[1:], strict=False)]
    return Decimal(repr(100 * stdev(returns) * sqrt(YEAR_S / step_s)))


def macd(prices: Sequence[Decimal]) -> Decimal | None:
    fast, slow = ema(prices, 12), ema(prices, 26)
    return None if fast is None or slow is None else fast - slow


def change_percent(before: Decimal | int, after: Decimal | int) -> Decimal | None:
    """None from nothing."""
    return 100 * (Decimal(after) - before) / before if before > 0 else None


def rounded(value: Decimal, decimals: int = 2) -> Decimal:
    """To so many decimals from 1 upwards, below that to four significant digits."""
    if abs(value) >= 1 or not value:
        return value.quantize(Decimal(1).scaleb(-decimals)) + 0
    return Decimal(format(Decimal(f"{value:.4g}"), "f")) + 0
