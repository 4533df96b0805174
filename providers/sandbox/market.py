"""
The sandbox's market: prices, candles and volumes as pure functions of coin, moment and seed.

Nothing is remembered. A day runs from its opening price to the next day's by way of a low and a
high; an hour does the same inside its day, and the ten-second ticks stay inside their hour. So
every candle is exactly the sum of the smaller ones in it, and a closed candle never changes.
Figures are invented and only look plausible; no value of it stands for a real price.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from providers.sandbox.coins import Coin

TICK_S, MINUTE_S, HOUR_S, DAY_S = 10, 60, 3600, 86400
TICKS, MINUTES, HOURS = MINUTE_S // TICK_S, HOUR_S // MINUTE_S, DAY_S // HOUR_S

# What one unit is worth in dollars: fixed and round.
FIAT = {
    "usd": 1.0, "eur": 1.08, "gbp": 1.27, "chf": 1.13, "aud": 0.66, "cad": 0.73, "nzd": 0.6,
    "jpy": 0.0067, "cny": 0.139, "krw": 0.00073, "inr": 0.0119, "brl": 0.18, "mxn": 0.055,
    "sek": 0.094, "nok": 0.092, "dkk": 0.145, "pln": 0.25, "czk": 0.043, "huf": 0.0027,
    "try": 0.029, "zar": 0.055, "sgd": 0.745, "hkd": 0.128, "twd": 0.031, "thb": 0.029,
    "idr": 0.000062, "php": 0.0175, "vnd": 0.00004, "aed": 0.2723, "ils": 0.27, "uah": 0.024,
    "ars": 0.001, "xau": 2650.0, "xag": 31.0,
}  # fmt: skip
# Quotes that trade at a dollar here: the spread between providers is wider than their deviation.
DOLLARS = ("usd", "usdt", "usdc")

# The part of a coin's volume that one exchange sees; aggregators see all of it.
SHARES = {
    "binance": 0.30, "bybit": 0.14, "okx": 0.12, "coinbase": 0.10, "gateio": 0.06, "kucoin": 0.05,
    "kraken": 0.04, "bitstamp": 0.02, "bitfinex": 0.02,
}  # fmt: skip
SPREAD_BPS = 4.0  # a provider's price is at most this far from the market's

# Slow waves of a price: period in days and height in logarithms.
WAVES = ((397.0, 0.30), (89.0, 0.12), (23.0, 0.05))
JITTER = 0.03  # from day to day, in logarithms
DAY_REACH, HOUR_REACH = 0.02, 0.004  # how far a high or low lies outside open and close
REACH = sum(height for _, height in WAVES) + JITTER + DAY_REACH
EARLIEST = 1_502_928_000  # 2017-08-17: no provider has candles from before

_MASK = (1 << 64) - 1


def uniform(*keys: int) -> float:
    """A number in [0, 1) that depends on the keys alone (the mixing steps of SplitMix64)."""
    x = 0x9E3779B97F4A7C15
    for key in keys:
        x = ((x ^ key) * 0xBF58476D1CE4E5B9) & _MASK
        x = ((x ^ (x >> 29)) * 0x94D049BB133111EB) & _MASK
    return float((x ^ (x >> 32)) >> 11) / (1 << 53)


@lru_cache(4096)
def number_of(text: str) -> int:
    """The same 64-bit number for the same text, in every process."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")


class Bar(NamedTuple):
    """What a price did in a stretch of time; volume in units of the base."""

    open: float
    high: float
    low: float
    close: float
    volume: float

    def scaled(self, price: float, volume: float = 1.0) -> Bar:
        return Bar(
            self.open * price,
            self.high * price,
            self.low * price,
            self.close * price,
            self.volume * volume,
        )

    def then(self, later: Bar) -> Bar:
        high, low = max(self.high, later.high), min(self.low, later.low)
        return Bar(self.open, high, low, later.close, self.volume + later.volume)


def inside(value: float, low: float, high: float) -> float:
    """What overshoots a bound is turned back by as much."""
    if value > high:
        return max(2 * high - value, low)
    return min(2 * low - value, high) if value < low else value


class Leg(NamedTuple):
    """A course in whole steps: from open to end by way of two turning points, inside low..high."""

    knots: tuple[tuple[int, float], ...]
    low: float
    high: float
    key: tuple[int, ...]

    def at(self, step: int) -> float:
        for (left, before), (right, after) in zip(self.knots, self.knots[1:], strict=False):
            if step == left:
                return before
            if step < right:
                part = (step - left) / (right - left)
                wobble = (uniform(*self.key, step) - 0.5) * (self.high - self.low)
                value = before + (after - before) * part + wobble * 2 * part * (1 - part)
                return inside(value, self.low, self.high)
        return self.knots[-1][1]


def leg(
    key: tuple[int, ...], steps: int, ends: tuple[float, float], bounds: tuple[float, float]
) -> Leg:
    """A leg whose turning points are its low and its high, in either order."""
    half = steps // 2
    first_at = 2 + int(uniform(*key, 1001) * (half - 3))
    second_at = half + 1 + int(uniform(*key, 1002) * (half - 3))
    first, second = bounds if uniform(*key, 1003) < 0.5 else bounds[::-1]
    knots = ((0, ends[0]), (first_at, first), (second_at, second), (steps, ends[1]))
    return Leg(knots, *bounds, key)


_DAY, _HOUR, _TICK, _VOLUME = 1, 2, 3, 4


class Course:
    """
    The price of one coin in dollars. `price` is its middle, `swing` how much of the usual ups and
    downs it takes part in (a stablecoin: hardly any), `turnover` its volume a day in own units.
    """

    def __init__(self, key: int, price: float, swing: float, turnover: float) -> None:
        self.key = key
        self.price = price
        self.swing = swing
        self.turnover = turnover
        # Pure functions of a number: remembering some of them only saves time.
        self.day: Callable[[int], Leg] = lru_cache(1024)(self._day)
        self.hour: Callable[[int], Leg] = lru_cache(256)(self._hour)
        self.minute: Callable[[int], Bar] = lru_cache(256)(self._minute)
        self._tick: Callable[[int], float] = lru_cache(256)(self._at_tick)
        self._span: Callable[[int, int], Bar] = lru_cache(32)(self._spanned)

    @property
    def ceiling(self) -> float:
        """No price ever rises above this."""
        return self.price * math.exp(self.swing * REACH)

    @property
    def floor(self) -> float:
        return self.price * math.exp(-self.swing * REACH)

    def at(self, moment: float) -> float:
        """The price of the last tick at or before `moment` (Unix seconds)."""
        return self._tick(int(moment // TICK_S))

    def _at_tick(self, tick: int) -> float:
        minute, step = divmod(tick, TICKS)
        return self._ticks(minute, step, step + 1)[0]

    def dawn(self, day: int) -> float:
        """The price at 00:00 UTC of a day counted from 1970, at little cost."""
        return self._anchor(day)

    def span(self, start: int, end: int) -> Bar:
        """Everything from `start` to `end`, both rounded down to a tick."""
        return self._span(start - start % TICK_S, end - end % TICK_S)

    def _spanned(self, start: int, end: int) -> Bar:
        price = self.at(start)
        bar = Bar(price, price, price, price, 0.0)
        while start < end:
            for unit, make in self._units():
                if start % unit == 0 and start + unit <= end:
                    bar = bar.then(make(start // unit))
                    start += unit
                    break
        return bar

    def volume(self, moment: float) -> float:
        """The volume of the 24 hours before `moment`, smoothed over two days."""
        day, part = divmod(moment / DAY_S, 1)
        before, now = self._day_volume(int(day) - 1), self._day_volume(int(day))
        return before * (1 - part) + now * part

    def _units(self) -> tuple[tuple[int, Callable[[int], Bar]], ...]:
        return (
            (DAY_S, self._day_bar),
            (HOUR_S, self._hour_bar),
            (MINUTE_S, self.minute),
            (TICK_S, self._tick_bar),
        )

    def _anchor(self, day: int) -> float:
        """The price at 00:00 UTC of a day, counted from 1970."""
        height = JITTER * (2 * uniform(self.key, _DAY, day, 2001) - 1)
        for number, (period, wave) in enumerate(WAVES):
            phase = uniform(self.key, number)
            height += wave * math.sin(2 * math.pi * (day / period + phase))
        return self.price * math.exp(self.swing * height)

    def _day(self, day: int) -> Leg:
        key = (self.key, _DAY, day)
        ends = self._anchor(day), self._anchor(day + 1)
        reach = self.swing * DAY_REACH
        low = min(ends) * math.exp(-reach * uniform(*key, 3001))
        high = max(ends) * math.exp(reach * uniform(*key, 3002))
        return leg(key, HOURS, ends, (low, high))

    def _hour(self, hour: int) -> Leg:
        key = (self.key, _HOUR, hour)
        day, step = self.day(hour // HOURS), hour % HOURS
        ends = day.at(step), day.at(step + 1)
        reach = self.swing * HOUR_REACH
        low = max(min(ends) * (1 - reach * uniform(*key, 3001)), day.low)
        high = min(max(ends) * (1 + reach * uniform(*key, 3002)), day.high)
        return leg(key, MINUTES, ends, (low, high))

    def _minute(self, minute: int) -> Bar:
        prices = self._ticks(minute, 0, TICKS + 1)
        volume = self._minute_volume(minute)
        return Bar(prices[0], max(prices), min(prices), prices[-1], volume)

    def _ticks(self, minute: int, first: int, end: int) -> list[float]:
        """Prices of the ticks of a minute; the last possible one opens the next minute."""
        hour, step = divmod(minute, MINUTES)
        course = self.hour(hour)
        before, after = course.at(step), course.at(step + 1)
        reach = (course.high - course.low) / 8
        prices = []
        for tick in range(first, end):
            part = tick / TICKS
            wobble = (uniform(self.key, _TICK, minute, tick) - 0.5) * reach * (0 < part < 1)
            price = before + (after - before) * part + wobble
            prices.append(inside(price, course.low, course.high))
        return prices

    def _day_bar(self, day: int) -> Bar:
        course = self.day(day)
        return Bar(course.at(0), course.high, course.low, course.at(HOURS), self._day_volume(day))

    def _hour_bar(self, hour: int) -> Bar:
        course = self.hour(hour)
        volume = self._hour_volume(hour)
        return Bar(course.at(0), course.high, course.low, course.at(MINUTES), volume)

    def _tick_bar(self, tick: int) -> Bar:
        before, after = self.at(tick * TICK_S), self.at((tick + 1) * TICK_S)
        volume = self._minute_volume(tick // TICKS) / TICKS
        return Bar(before, max(before, after), min(before, after), after, volume)

    def _day_volume(self, day: int) -> float:
        return self.turnover * (0.6 + 0.8 * uniform(self.key, _VOLUME, day))

    def _hour_volume(self, hour: int) -> float:
        day, step = divmod(hour, HOURS)
        return self._day_volume(day) * self._share(hour - step, step, HOURS)

    def _minute_volume(self, minute: int) -> float:
        hour, step = divmod(minute, MINUTES)
        return self._hour_volume(hour) * self._share(minute - step, step, MINUTES)

    def _share(self, block: int, step: int, steps: int) -> float:
        """Shares of a block come in pairs that make up for each other, so they sum to 1."""
        half = steps // 2
        surplus = uniform(self.key, _VOLUME, block, step % half, steps) - 0.5
        return (1 + surplus if step < half else 1 - surplus) / steps


class Market:
    """All coins, seen through the eyes of a provider (`venue`) and in any currency (`quote`)."""

    def __init__(self, coins: Sequence[Coin], seed: int = 1) -> None:
        self.coins = tuple(coins)
        self.seed = seed
        self.courses = {coin.id: self._course(coin) for coin in self.coins}
        self.by_symbol = {coin.symbol.lower(): coin for coin in reversed(self.coins)}
        self.ranked: Callable[[int], tuple[Coin, ...]] = lru_cache(8)(self._ranked)

    @property
    def currencies(self) -> list[str]:
        """Every currency that a price can be asked in, lower-case."""
        crypto = ("btc", "eth", "bnb", "xrp", "sol", "ltc", "bch", "dot", "link", "xlm")
        return [*(c for c in crypto if c in self.by_symbol), *FIAT, "bits", "sats"]

    def price(self, coin: Coin, moment: float, quote: str = "usd", venue: str = "") -> float:
        return self.courses[coin.id].at(moment) * self._edge(coin, venue) / self.rate(quote, moment)

    def bar(self, coin: Coin, start: float, end: float, quote: str = "usd", venue: str = "") -> Bar:
        """The stretch from `start` to `end`; volume is the part that `venue` sees."""
        edge, share = self._edge(coin, venue), SHARES.get(venue, 1.0)
        bar = self.courses[coin.id].span(int(start), int(end))
        if quote in FIAT or quote in DOLLARS:
            return bar.scaled(edge / self.rate(quote, start), share)
        first, last = self.rate(quote, start), self.rate(quote, end)
        middle = self.rate(quote, (start + end) / 2)
        opened, closed = bar.open / first, bar.close / last
        high, low = max(opened, closed, bar.high / middle), min(opened, closed, bar.low / middle)
        return Bar(opened, high, low, closed, bar.volume).scaled(edge, share)

    def rate(self, quote: str, moment: float) -> float:
        """Dollars for one unit of `quote`. KeyError: nobody knows that currency."""
        if quote in DOLLARS:
            return 1.0
        if quote in FIAT:
            return FIAT[quote]
        if quote in ("sats", "bits"):
            unit = 1e-8 if quote == "sats" else 1e-6
            return self.rate("btc", moment) * unit
        return self.courses[self.by_symbol[quote].id].at(moment)

    def change(self, coin: Coin, moment: float, seconds: float, quote: str = "usd") -> float:
        """In percent, from `seconds` before `moment`."""
        before = self.price(coin, moment - seconds, quote)
        return (self.price(coin, moment, quote) / before - 1) * 100

    def cap(self, coin: Coin, moment: float, quote: str = "usd") -> float:
        return coin.supply * self.price(coin, moment, quote)

    def volume(self, coin: Coin, moment: float, quote: str = "usd") -> float:
        """What was traded everywhere in the last 24 hours, in `quote`."""
        return self.courses[coin.id].volume(moment) * self.price(coin, moment, quote)

    def rank(self, coin: Coin, moment: float) -> int:
        return self.ranked(int(moment // MINUTE_S)).index(coin) + 1

    def _ranked(self, minute: int) -> tuple[Coin, ...]:
        return tuple(sorted(self.coins, key=lambda c: -self.cap(c, minute * MINUTE_S)))

    def _edge(self, coin: Coin, venue: str) -> float:
        """A provider is off by the same few basis points always, so its candles stay whole."""
        if not venue:
            return 1.0
        part = uniform(self.seed, number_of(venue), number_of(coin.id))
        return 1 + SPREAD_BPS / 10_000 * (2 * part - 1)

    def _course(self, coin: Coin) -> Course:
        key = number_of(f"{self.seed}:{coin.id}")
        swing = 0.002 if coin.stable else 1.0
        turnover = coin.supply * (0.01 + 0.05 * uniform(key, 7))
        return Course(key, coin.middle, swing, turnover)
