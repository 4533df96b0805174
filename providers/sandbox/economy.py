"""
The sandbox's economy: series of statistics as pure functions of a date.

What markets make (an index, a yield, a coin) is the close of that instrument, so that FRED and
Yahoo agree; the rest grows or swings around a middle. Weekends have no rows in a daily series,
holidays have a row without a value. Figures are invented and only look plausible.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from providers.sandbox.instruments import HOLIDAYS, Instruments
from providers.sandbox.market import Market, uniform

DAILY, WEEKLY, MONTHLY, QUARTERLY, ANNUAL = "Daily", "Weekly", "Monthly", "Quarterly", "Annual"
SEVEN_DAY = "Daily, 7-Day"
# Days from the end of a period until its figure is published.
LAGS = {DAILY: 1, SEVEN_DAY: 1, WEEKLY: 2, MONTHLY: 14, QUARTERLY: 29, ANNUAL: 180}
MONTHS = {MONTHLY: 1, QUARTERLY: 3, ANNUAL: 12}
START_OF_TIME = date(2000, 1, 1)  # the middle of a growing series is its value then

Rule = Callable[["Economy", date], float | None]


@dataclass(frozen=True)
class Series:
    """`id` is FRED's; `empty` periods before the first value have rows without one."""

    id: str
    title: str
    frequency: str
    units: str
    units_short: str
    adjustment: str
    start: date
    decimals: int
    rule: Rule
    empty: int = 0


def grows(middle: float, percent: float, swing: float = 0.01) -> Rule:
    """From `middle` in 2000 by so many percent a year, give or take."""

    def value(economy: Economy, day: date) -> float:
        years = (day - START_OF_TIME).days / 365.25
        tide = math.sin(years * 0.7) + 0.5 * math.sin(years * 2.3)
        return middle * math.exp(years * math.log1p(percent / 100) + swing * tide)

    return value


def swings(middle: float, height: float, least: float = 0.01) -> Rule:
    """Around `middle`, by waves of seven and two years and a little chance."""

    def value(economy: Economy, day: date) -> float:
        years = (day - START_OF_TIME).days / 365.25
        tide = math.sin(years * 0.9) + 0.4 * math.sin(years * 3.1)
        chance = 0.1 * (uniform(economy.seed, int(middle * 100), day.toordinal()) - 0.5)
        return max(least, middle + height * (tide + chance))

    return value


def closes(symbol: str) -> Rule:
    """What an instrument closed at."""

    def value(economy: Economy, day: date) -> float | None:
        instrument = economy.instruments.find(symbol)
        return instrument.close(day) if instrument else None

    return value


def spread(first: Rule, second: Rule) -> Rule:
    def value(economy: Economy, day: date) -> float | None:
        one, other = first(economy, day), second(economy, day)
        return None if one is None or other is None else one - other

    return value


def working(rule: Rule) -> Rule:
    """A rule that knows no holidays, for a series that does."""

    def value(economy: Economy, day: date) -> float | None:
        return None if (day.month, day.day) in HOLIDAYS else rule(economy, day)

    return value


SA, NSA, SAAR = "Seasonally Adjusted", "Not Seasonally Adjusted", "Seasonally Adjusted Annual Rate"
SHORT = {SA: "SA", NSA: "NSA", SAAR: "SAAR"}
TWO_YEARS = working(swings(3.9, 1.2))
_INDEX = "Index 1982-1984=100"
_PERCENT = ("Percent", "%")
_DOLLARS = ("Billions of Dollars", "Bil. of $")

SERIES = tuple(
    Series(*row)
    for row in (
        ("GDP", "Gross Domestic Product", QUARTERLY, *_DOLLARS, SAAR,
         date(1947, 1, 1), 3, grows(10_000, 4.4), 4),
        ("GDPC1", "Real Gross Domestic Product", QUARTERLY, "Billions of Chained 2017 Dollars",
         "Bil. of Chn. 2017 $", SAAR, date(1947, 1, 1), 3, grows(13_900, 2.2)),
        ("CPIAUCSL", "Consumer Price Index for All Urban Consumers: All Items in U.S. City Average",
         MONTHLY, _INDEX, _INDEX, SA, date(1947, 1, 1), 3, grows(169.3, 2.5)),
        ("CPIAUCNS", "Consumer Price Index for All Urban Consumers: All Items in U.S. City Average",
         MONTHLY, _INDEX, _INDEX, NSA, date(1913, 1, 1), 3, grows(168.8, 2.5)),
        ("CPILFESL", "Consumer Price Index for All Urban Consumers: All Items Less Food and Energy",
         MONTHLY, _INDEX, _INDEX, SA, date(1957, 1, 1), 3, grows(179.3, 2.4)),
        ("PCEPI", "Personal Consumption Expenditures: Chain-type Price Index", MONTHLY,
         "Index 2017=100", "Index 2017=100", SA, date(1959, 1, 1), 3, grows(76.0, 2.1)),
        ("UNRATE", "Unemployment Rate", MONTHLY, *_PERCENT, SA,
         date(1948, 1, 1), 1, swings(4.6, 0.9)),
        ("PAYEMS", "All Employees, Total Nonfarm", MONTHLY, "Thousands of Persons",
         "Thous. of Persons", SA, date(1939, 1, 1), 0, grows(131_000, 0.8)),
        ("INDPRO", "Industrial Production: Total Index", MONTHLY, "Index 2017=100",
         "Index 2017=100", SA, date(1919, 1, 1), 4, grows(91.0, 0.5)),
        ("UMCSENT", "University of Michigan: Consumer Sentiment", MONTHLY,
         "Index 1966:Q1=100", "Index 1966:Q1=100", NSA, date(1978, 1, 1), 1, swings(85, 8)),
        ("RSAFS", "Advance Retail Sales: Retail Trade and Food Services", MONTHLY,
         "Millions of Dollars", "Mil. of $", SA, date(1992, 1, 1), 0, grows(270_000, 3.9)),
        ("M2SL", "M2", MONTHLY, *_DOLLARS, SA, date(1959, 1, 1), 1, grows(4_660, 6.1)),
        ("FEDFUNDS", "Federal Funds Effective Rate", MONTHLY, *_PERCENT, NSA,
         date(1954, 7, 1), 2, swings(3.6, 1.4)),
        ("DFF", "Federal Funds Effective Rate", SEVEN_DAY, *_PERCENT, NSA,
         date(1954, 7, 1), 2, swings(3.6, 1.4)),
        ("DGS2", "Market Yield on U.S. Treasury Securities at 2-Year Constant Maturity", DAILY,
         *_PERCENT, NSA, date(1976, 6, 1), 2, TWO_YEARS),
        ("DGS10", "Market Yield on U.S. Treasury Securities at 10-Year Constant Maturity", DAILY,
         *_PERCENT, NSA, date(1962, 1, 2), 2, closes("^TNX")),
        ("DGS30", "Market Yield on U.S. Treasury Securities at 30-Year Constant Maturity", DAILY,
         *_PERCENT, NSA, date(1977, 2, 15), 2, closes("^TYX")),
        ("T10Y2Y", "10-Year Treasury Constant Maturity Minus 2-Year Treasury Constant Maturity",
         DAILY, *_PERCENT, NSA, date(1976, 6, 1), 2, spread(closes("^TNX"), TWO_YEARS)),
        ("MORTGAGE30US", "30-Year Fixed Rate Mortgage Average in the United States", WEEKLY,
         *_PERCENT, NSA, date(1971, 4, 2), 2, swings(6.2, 0.8)),
        ("WALCL", "Assets: Total Assets: Total Assets: Wednesday Level", WEEKLY,
         "Millions of U.S. Dollars", "Mil. of U.S. $", NSA, date(2002, 12, 18), 0,
         grows(600_000, 10)),
        ("ICSA", "Initial Claims", WEEKLY, "Number", "Number", SA, date(1967, 1, 7), 0,
         swings(240_000, 20_000)),
        ("DTWEXBGS", "Nominal Broad U.S. Dollar Index", DAILY, "Index Jan 2006=100",
         "Index Jan 2006=100", NSA, date(2006, 1, 2), 4, closes("DX-Y.NYB")),
        ("DEXUSEU", "U.S. Dollars to Euro Spot Exchange Rate", DAILY, "U.S. Dollars to One Euro",
         "U.S. $ to 1 Euro", NSA, date(1999, 1, 4), 4, closes("EURUSD=X")),
        ("DCOILWTICO", "Crude Oil Prices: West Texas Intermediate (WTI) - Cushing, Oklahoma",
         DAILY, "Dollars per Barrel", "$ per Barrel", NSA, date(1986, 1, 2), 2, closes("CL=F")),
        ("VIXCLS", "CBOE Volatility Index: VIX", DAILY, "Index", "Index", NSA,
         date(1990, 1, 2), 2, closes("^VIX")),
        ("SP500", "S&P 500", DAILY, "Index", "Index", NSA, date(2016, 11, 21), 2, closes("^GSPC")),
        ("DJIA", "Dow Jones Industrial Average", DAILY, "Index", "Index", NSA,
         date(2016, 11, 21), 2, closes("^DJI")),
        ("NASDAQCOM", "NASDAQ Composite Index", DAILY, "Index Feb 5, 1971=100",
         "Index Feb 5, 1971=100", NSA, date(1971, 2, 5), 2, closes("^IXIC")),
        ("CBBTCUSD", "Coinbase Bitcoin", SEVEN_DAY, "U.S. Dollars", "U.S. $", NSA,
         date(2014, 12, 1), 2, closes("BTC-USD")),
        ("CBETHUSD", "Coinbase Ethereum", SEVEN_DAY, "U.S. Dollars", "U.S. $", NSA,
         date(2016, 5, 18), 2, closes("ETH-USD")),
    )
)  # fmt: skip
BY_ID = {series.id: series for series in SERIES}


class Economy:
    def __init__(self, market: Market) -> None:
        self.seed = market.seed
        self.instruments = Instruments(market)

    def observations(
        self, series: Series, now: float, start: date | None = None, end: date | None = None
    ) -> list[tuple[date, float | None]]:
        """Rows of [start, end] that are published by now, ascending."""
        last = min(self.newest(series, now), end or date.max)
        first = next_period(series.start, series.frequency, -series.empty)
        days = periods(series, max(first, start or first), last)
        return [(day, self.value(series, day)) for day in days]

    def value(self, series: Series, day: date) -> float | None:
        found = None if day < series.start else series.rule(self, day)
        return None if found is None else round(found, series.decimals)

    def newest(self, series: Series, now: float) -> date:
        """The last period whose figure is out."""
        today = datetime.fromtimestamp(now, UTC).date()
        day = period_of(today - timedelta(LAGS[series.frequency]), series)
        if series.frequency in (DAILY, SEVEN_DAY, WEEKLY):
            return day
        return next_period(day, series.frequency, -1)


def period_of(day: date, series: Series) -> date:
    """What FRED calls the period that `day` lies in: its first day; of a week, its last."""
    if series.frequency == WEEKLY:
        return day - timedelta((day.weekday() - series.start.weekday()) % 7)
    months = MONTHS.get(series.frequency)
    return day.replace(month=(day.month - 1) // months * months + 1, day=1) if months else day


def next_period(day: date, frequency: str, count: int = 1) -> date:
    months = MONTHS.get(frequency)
    if months is None:
        return day + timedelta(count * (7 if frequency == WEEKLY else 1))
    years, month = divmod(day.month - 1 + count * months, 12)
    return date(day.year + years, month + 1, 1)


def periods(series: Series, first: date, last: date) -> Iterator[date]:
    """Those that begin in [first, last]."""
    day = period_of(first, series)
    if day < first:
        day = next_period(day, series.frequency)
    while day <= last:
        if series.frequency != DAILY or day.weekday() < 5:
            yield day
        day = next_period(day, series.frequency)
