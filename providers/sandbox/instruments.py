"""
What is traded besides coins: shares, funds, indices, currencies, commodities and rates.

A price is a course like a coin's, bent to the hours of its exchange: a trading session is a whole
day of the course, so a weekend leaves a gap and a day's candle is cheap. Holidays are left out
but for the first of January and Christmas. Figures are invented and only look plausible.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from providers.sandbox.coins import Coin
from providers.sandbox.market import DAY_S, FIAT, Bar, Course, Market, number_of

EPOCH = date(1970, 1, 1)
HOLIDAYS = {(1, 1), (12, 25)}
VENUE = "yahoo"


class Floor(NamedTuple):
    """Where something is traded: local hours as minutes after midnight; `days` of 5 or 7."""

    code: str
    name: str
    zone: str
    opens: int
    closes: int
    days: int = 5


NASDAQ = Floor("NMS", "NasdaqGS", "America/New_York", 570, 960)
NYSE = Floor("NYQ", "NYSE", "America/New_York", 570, 960)
ARCA = Floor("PCX", "NYSEArca", "America/New_York", 570, 960)
SNP = Floor("SNP", "SNP", "America/New_York", 570, 960)
CBOE = Floor("CXI", "Cboe Indices", "America/New_York", 570, 960)
LONDON = Floor("FGI", "FTSE Index", "Europe/London", 480, 990)
FRANKFURT = Floor("GER", "XETRA", "Europe/Berlin", 540, 1050)
PARIS = Floor("PAR", "Paris", "Europe/Paris", 540, 1050)
TOKYO = Floor("OSA", "Osaka", "Asia/Tokyo", 540, 930)
SYDNEY = Floor("ASX", "ASX", "Australia/Sydney", 600, 960)
HONG_KONG = Floor("HKG", "HKSE", "Asia/Hong_Kong", 570, 960)
COMEX = Floor("CMX", "COMEX", "America/New_York", 0, 1440)
NYMEX = Floor("NYM", "NY Mercantile", "America/New_York", 0, 1440)
FOREX = Floor("CCY", "CCY", "Europe/London", 0, 1440)
COINS = Floor("CCC", "CCC", "UTC", 0, 1440, 7)

EQUITY, FUND, INDEX, CURRENCY, FUTURE = "EQUITY", "ETF", "INDEX", "CURRENCY", "FUTURE"
# Symbol: kind, name, floor, currency, middle price, swing. A share swings half as much as a coin.
LISTED: dict[str, tuple[str, str, Floor, str, float, float]] = {
    "AAPL": (EQUITY, "Apple Inc.", NASDAQ, "USD", 230.0, 0.5),
    "MSFT": (EQUITY, "Microsoft Corporation", NASDAQ, "USD", 460.0, 0.5),
    "NVDA": (EQUITY, "NVIDIA Corporation", NASDAQ, "USD", 150.0, 0.8),
    "GOOGL": (EQUITY, "Alphabet Inc.", NASDAQ, "USD", 190.0, 0.5),
    "GOOG": (EQUITY, "Alphabet Inc.", NASDAQ, "USD", 191.0, 0.5),
    "AMZN": (EQUITY, "Amazon.com, Inc.", NASDAQ, "USD", 210.0, 0.5),
    "META": (EQUITY, "Meta Platforms, Inc.", NASDAQ, "USD", 620.0, 0.5),
    "TSLA": (EQUITY, "Tesla, Inc.", NASDAQ, "USD", 300.0, 0.9),
    "AVGO": (EQUITY, "Broadcom Inc.", NASDAQ, "USD", 240.0, 0.7),
    "NFLX": (EQUITY, "Netflix, Inc.", NASDAQ, "USD", 1100.0, 0.6),
    "AMD": (EQUITY, "Advanced Micro Devices, Inc.", NASDAQ, "USD", 140.0, 0.8),
    "INTC": (EQUITY, "Intel Corporation", NASDAQ, "USD", 24.0, 0.7),
    "COIN": (EQUITY, "Coinbase Global, Inc.", NASDAQ, "USD", 280.0, 1.0),
    "MSTR": (EQUITY, "Strategy Inc", NASDAQ, "USD", 330.0, 1.0),
    "BRK-B": (EQUITY, "Berkshire Hathaway Inc.", NYSE, "USD", 480.0, 0.3),
    "JPM": (EQUITY, "JPMorgan Chase & Co.", NYSE, "USD", 260.0, 0.4),
    "V": (EQUITY, "Visa Inc.", NYSE, "USD", 340.0, 0.4),
    "MA": (EQUITY, "Mastercard Incorporated", NYSE, "USD", 540.0, 0.4),
    "WMT": (EQUITY, "Walmart Inc.", NYSE, "USD", 95.0, 0.3),
    "XOM": (EQUITY, "Exxon Mobil Corporation", NYSE, "USD", 110.0, 0.4),
    "JNJ": (EQUITY, "Johnson & Johnson", NYSE, "USD", 155.0, 0.3),
    "DIS": (EQUITY, "The Walt Disney Company", NYSE, "USD", 110.0, 0.5),
    "IBM": (EQUITY, "International Business Machines Corporation", NYSE, "USD", 250.0, 0.4),
    "BMW.DE": (EQUITY, "Bayerische Motoren Werke AG", FRANKFURT, "EUR", 80.0, 0.5),
    "SPY": (FUND, "SPDR S&P 500 ETF", ARCA, "USD", 590.0, 0.3),
    "QQQ": (FUND, "Invesco QQQ Trust", NASDAQ, "USD", 510.0, 0.4),
    "GLD": (FUND, "SPDR Gold Shares", ARCA, "USD", 245.0, 0.3),
    "IBIT": (FUND, "iShares Bitcoin Trust ETF", NASDAQ, "USD", 44.0, 1.0),
    "^GSPC": (INDEX, "S&P 500", SNP, "USD", 5900.0, 0.3),
    "^DJI": (INDEX, "Dow Jones Industrial Average", SNP, "USD", 43000.0, 0.3),
    "^IXIC": (INDEX, "NASDAQ Composite", NASDAQ, "USD", 19000.0, 0.4),
    "^NDX": (INDEX, "NASDAQ 100", NASDAQ, "USD", 21000.0, 0.4),
    "^RUT": (INDEX, "Russell 2000", SNP, "USD", 2200.0, 0.4),
    "^VIX": (INDEX, "CBOE Volatility Index", CBOE, "USD", 17.0, 0.9),
    "^FTSE": (INDEX, "FTSE 100", LONDON, "GBP", 8300.0, 0.2),
    "^GDAXI": (INDEX, "DAX P", FRANKFURT, "EUR", 21000.0, 0.3),
    "^FCHI": (INDEX, "CAC 40", PARIS, "EUR", 7700.0, 0.3),
    "^STOXX50E": (INDEX, "EURO STOXX 50", FRANKFURT, "EUR", 5100.0, 0.3),
    "^N225": (INDEX, "Nikkei 225", TOKYO, "JPY", 38500.0, 0.3),
    "^AORD": (INDEX, "ALL ORDINARIES", SYDNEY, "AUD", 8600.0, 0.2),
    "^HSI": (INDEX, "HANG SENG INDEX", HONG_KONG, "HKD", 21000.0, 0.4),
    "^IRX": (INDEX, "13 WEEK TREASURY BILL", CBOE, "USD", 4.2, 0.2),
    "^FVX": (INDEX, "Treasury Yield 5 Years", CBOE, "USD", 4.0, 0.3),
    "^TNX": (INDEX, "CBOE Interest Rate 10 Year T No", CBOE, "USD", 4.3, 0.3),
    "^TYX": (INDEX, "Treasury Yield 30 Years", CBOE, "USD", 4.7, 0.3),
    "DX-Y.NYB": (INDEX, "US Dollar Index", NYMEX, "USD", 104.0, 0.1),
    "GC=F": (FUTURE, "Gold", COMEX, "USD", 2650.0, 0.3),
    "SI=F": (FUTURE, "Silver", COMEX, "USD", 31.0, 0.4),
    "HG=F": (FUTURE, "Copper", COMEX, "USD", 4.4, 0.4),
    "PL=F": (FUTURE, "Platinum", NYMEX, "USD", 980.0, 0.4),
    "PA=F": (FUTURE, "Palladium", NYMEX, "USD", 980.0, 0.5),
    "CL=F": (FUTURE, "Crude Oil", NYMEX, "USD", 70.0, 0.6),
    "BZ=F": (FUTURE, "Brent Crude Oil", NYMEX, "USD", 74.0, 0.6),
    "NG=F": (FUTURE, "Natural Gas", NYMEX, "USD", 3.2, 0.9),
    "ZC=F": (FUTURE, "Corn", NYMEX, "USX", 440.0, 0.5),
    "ZW=F": (FUTURE, "Wheat", NYMEX, "USX", 560.0, 0.5),
    "KC=F": (FUTURE, "Coffee", NYMEX, "USX", 320.0, 0.7),
}
TURNOVER = 5e9  # a day, in the currency it is quoted in
CURRENCY_SWING = 0.02  # rates stay near those that coins are converted by
FIRST_TRADES = {EQUITY: 345_479_400, CURRENCY: 1_070_236_800, FUTURE: 967_608_000}
COIN_FIRST, OTHER_FIRST = 1_410_912_000, 728_317_800


class Session(NamedTuple):
    """One day of trading, in Unix seconds."""

    day: date
    opens: int
    closes: int


@dataclass(frozen=True, eq=False)
class Instrument:
    """Something with a price; `volume` is 0 where nobody counts it."""

    symbol: str
    kind: str
    name: str
    floor: Floor
    currency: str
    course: Course
    coin: Coin | None = None

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.floor.zone)

    @cached_property
    def decimals(self) -> int:
        """Of a price, as Yahoo's `priceHint` has it: at least five digits of what is cheap."""
        price = self.course.price
        if price >= 100 or self.kind in (EQUITY, FUND):
            return 2
        return 4 if price >= 1 else 4 - math.floor(math.log10(price))

    @property
    def first_trade(self) -> int:
        return COIN_FIRST if self.coin else FIRST_TRADES.get(self.kind, OTHER_FIRST)

    def local(self, moment: float) -> datetime:
        return datetime.fromtimestamp(moment, self.zone)

    def day_of(self, moment: float) -> date:
        return self.local(moment).date()

    def midnight(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=self.zone).timestamp())

    def trades_on(self, day: date) -> bool:
        return self.floor.days == 7 or (day.weekday() < 5 and (day.month, day.day) not in HOLIDAYS)

    def session(self, day: date) -> Session | None:
        """None on a day without trading."""
        if not self.trades_on(day):
            return None
        midnight = self.midnight(day)
        closes = self.floor.closes * 60
        if closes == DAY_S:
            return Session(day, midnight, self.midnight(day + timedelta(1)))
        return Session(day, midnight + self.floor.opens * 60, midnight + closes)

    def sessions(self, start: float, end: float) -> Iterator[Session]:
        """Those that open in [start, end], ascending."""
        day, last = self.day_of(start), self.day_of(end)
        while day <= last:
            session = self.session(day)
            if session and start <= session.opens <= end:
                yield session
            day += timedelta(1)

    def latest(self, now: float) -> Session:
        """The session that runs, or the last one that ran."""
        day = self.day_of(now)
        while True:
            session = self.session(day)
            if session and session.opens <= now:
                return session
            day -= timedelta(1)

    def bar(self, session: Session, start: float, end: float) -> Bar:
        """From `start` to `end` of a session; volume in units, 0 of what has none."""
        bar = self.course.span(self._bent(session, start), self._bent(session, end))
        return bar if self.kind in (EQUITY, FUND, FUTURE) or self.coin else bar._replace(volume=0)

    def day_bar(self, session: Session, now: float) -> Bar:
        return self.bar(session, session.opens, min(session.closes, now))

    def price(self, now: float) -> float:
        """The last one: now, or at the last close."""
        session = self.latest(now)
        return self.course.at(self._bent(session, min(now, session.closes)))

    def close(self, day: date) -> float | None:
        """None on a day without trading."""
        return self.course.dawn((day - EPOCH).days + 1) if self.trades_on(day) else None

    def _bent(self, session: Session, moment: float) -> int:
        """The moment of the course that stands for a moment of a session."""
        start = (session.day - EPOCH).days * DAY_S
        part = (moment - session.opens) / (session.closes - session.opens)
        return int(start + DAY_S * min(1.0, max(0.0, part)))


class Instruments:
    """All of them, by Yahoo's name: `AAPL`, `^GSPC`, `EURUSD=X`, `GC=F`, `BTC-USD`."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.find: Callable[[str], Instrument | None] = lru_cache(256)(self._find)

    def _find(self, symbol: str) -> Instrument | None:
        if symbol in LISTED:
            kind, name, floor, currency, price, swing = LISTED[symbol]
            course = self._course(symbol, price, swing)
            return Instrument(symbol, kind, name, floor, currency, course)
        if pair := re.fullmatch(r"([A-Z]{3})?([A-Z]{3})=X", symbol):
            return self._currency(symbol, pair[1] or "USD", pair[2])
        if pair := re.fullmatch(r"([A-Z0-9]{2,12})-([A-Z]{3})", symbol):
            return self._coin(symbol, pair[1], pair[2])
        return None

    def _course(self, name: str, price: float, swing: float) -> Course:
        return Course(number_of(f"{self.market.seed}:{name}"), price, swing, TURNOVER / price)

    def _currency(self, symbol: str, base: str, quote: str) -> Instrument | None:
        if base == quote or not {base.lower(), quote.lower()} <= set(FIAT):
            return None
        rate = FIAT[base.lower()] / FIAT[quote.lower()]
        course = self._course(f"{base}{quote}=X", rate, CURRENCY_SWING)
        return Instrument(symbol, CURRENCY, f"{base}/{quote}", FOREX, quote, course)

    def _coin(self, symbol: str, base: str, quote: str) -> Instrument | None:
        """Yahoo tells namesakes apart by a number after the symbol."""
        known = (coin for coin in self.market.coins if coin.called(VENUE, quote) == symbol)
        plain = re.sub(r"(?<=[A-Z])\d{3,}$", "", base).lower()
        coin = next(known, None) or self.market.by_symbol.get(plain)
        if coin is None or quote.lower() not in FIAT:
            return None
        course = _Converted(self.market, coin, quote.lower())
        name = f"{coin.name} {quote}"
        return Instrument(symbol, "CRYPTOCURRENCY", name, COINS, quote, course, coin)


class _Converted(Course):
    """A coin's own course, in another currency and through the eyes of Yahoo."""

    def __init__(self, market: Market, coin: Coin, quote: str) -> None:
        own = market.courses[coin.id]
        super().__init__(own.key, own.price / FIAT[quote], own.swing, own.turnover)
        self._market, self._coin, self._quote = market, coin, quote

    def at(self, moment: float) -> float:
        return self._market.price(self._coin, moment, self._quote, VENUE)

    def dawn(self, day: int) -> float:
        return self.at(day * DAY_S)

    def span(self, start: int, end: int) -> Bar:
        """Volume in the quote, as Yahoo counts it for coins."""
        bar = self._market.bar(self._coin, start, end, self._quote, VENUE)
        return bar._replace(volume=bar.volume * bar.close)
