"""
/v8/finance/chart of Yahoo Finance. It is documented nowhere; what is known of it stands in
https://github.com/ranaroussi/yfinance, and its terms forbid to pass its data on:
https://legal.yahoo.com/us/en/yahoo/terms/otos/index.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from math import ceil
from typing import Any, NamedTuple

from providers.adapters.base import (
    Adapter,
    Reply,
    in_order,
    known,
    listed,
    moment,
    positive,
    text,
    whole,
)
from providers.adapters.candles import Layout, candles, first_open, last_open, within_reach
from providers.datasets import (
    INTERVALS,
    Candle,
    HistoryPoint,
    HistoryQuery,
    OhlcQuery,
    PriceQuery,
    PriceRow,
    Query,
)
from providers.errors import (
    Blocked,
    Broken,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Unsupported,
)
from providers.registry import register

DAY = 86400


class Bars(NamedTuple):
    """
    What it calls an interval, how many seconds back that goes, and how many times as long one
    must look back for so many of them: a share is traded for a quarter of the hours of a week.
    """

    name: str
    reach: float
    sparse: float


# Left out are half hours, which now and then are whole ones, and weeks, which the change to
# summer time makes an hour shorter.
BARS: Mapping[str, Bars] = {
    "1m": Bars("1m", 7 * DAY, 6),
    "5m": Bars("5m", 59 * DAY, 6),
    "15m": Bars("15m", 59 * DAY, 6),
    "1h": Bars("1h", 729 * DAY, 6),
    "1d": Bars("1d", 50 * 365 * DAY, 1.6),
}
COLUMNS = ("open", "high", "low", "close", "volume")
# What is counted in units of itself; the volume of a coin is money, and that of a currency 0.
COUNTED = frozenset({"EQUITY", "ETF", "FUTURE"})
CANDLE = Layout(width=6, time=0, open=1, high=2, low=3, close=4, volume=5)

HOURLY = timedelta(days=90)  # longer histories are told day by day


@register
class Yahoo(Adapter):
    """
    Coins, and all that is traded elsewhere: AAPL, ^GSPC, EURUSD=X, GC=F. It has no list of them,
    so that the names stand in our listings alone.
    """

    name = "yahoo"
    title = "Yahoo Finance"
    base_url = "https://query1.finance.yahoo.com"
    docs_url = "https://github.com/ranaroussi/yfinance"
    offers = (PriceQuery, OhlcQuery, HistoryQuery)
    batch = {"price": 1}
    updates = {"price": 60}
    headers = {
        # It answers those alone who look like a browser.
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        "Chrome/131.0.0.0 Safari/537.36",
        "Accept": "application/json",
    }

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Its volume is of the day, and counted in shares or in money: so it is left out."""
        named = self.named(query.symbols, _quotes(query.currency))
        items = {
            own: self._chart(own, quote, range="1d", interval="1d")
            for own, (_, quote) in named.items()
        }
        return self.prices(named, items, _price)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Days of an exchange open when it does."""
        now = self.now().timestamp()
        bars = known(BARS, query.interval, "interval")
        within_reach(query, now, bars.reach)
        first, last = first_open(query, now), last_open(query, now)
        if not query.start:
            first = int(max(last - (last - first) * bars.sparse, now - bars.reach))
        if first > last:
            return ()
        found = self._traded_in(query, first, last + query.seconds, bars.name)
        counted = found["meta"]["instrumentType"] in COUNTED
        layout = CANDLE if counted else CANDLE._replace(volume=None)
        return candles(self, query, _aligned(found, query.seconds), layout)

    def history(self, query: HistoryQuery) -> list[HistoryPoint]:
        """The close of each bar, at the time of its close: a day's when the exchange closes."""
        now = self.now()
        start, end = query.span(now)
        interval = _interval(end - start, now - start)
        step = INTERVALS[interval]
        found = self._traded_in(
            query, int(start.timestamp()) - step, ceil(end.timestamp()), BARS[interval].name
        )
        lasts = _session(found) if interval == "1d" else step
        latest = whole(found["meta"]["regularMarketTime"])

        def read(row: Sequence[Any]) -> HistoryPoint:
            at, *_, close, _ = row
            return HistoryPoint(moment(min(whole(at) + lasts, latest)), positive(close), None, None)

        return in_order(query, self.rows(_bars(found), read))

    def ping(self) -> None:
        chart = self._chart("BTC-USD", "USD", range="1d", interval="1d")
        positive(chart["meta"]["regularMarketPrice"])

    def _traded_in(self, query: OhlcQuery | HistoryQuery, start: int, end: int, bars: str) -> Any:
        """
        The chart of a symbol in the currency that was asked for, in [start, end); without one,
        in its own, such as the points of an index.
        """
        own, quote = self.listings.find(query.symbol, _quotes(query.currency))
        found = self._chart(own, quote, period1=start, period2=end, interval=bars)
        if query.currency and found["meta"]["currency"] != query.currency.upper():
            raise Unsupported(f"it is quoted in something else than {query.currency!r} here")
        return found

    def _chart(self, own: str, quote: str, **params: Any) -> Any:
        found = self.http.get(f"/v8/finance/chart/{own}", includePrePost=False, **params)
        (chart,) = found["chart"]["result"]
        if chart["meta"]["symbol"] != own:
            raise Garbled("another symbol than was asked for")
        if quote and chart["meta"]["currency"] != quote:
            raise Garbled("another currency than is listed")
        return chart

    @classmethod
    def cost(cls, query: Query) -> int:
        """Calls: one for each symbol."""
        return max(len(query.symbols), 1) if isinstance(query, PriceQuery) else 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Its errors stand in the chart; a page in HTML is of its doorkeepers."""
        if reply.status in (401, 403):
            return Blocked(f"HTTP {reply.status}")
        if b"Will be right back" in reply.body[:10_000]:
            return Broken("closed for maintenance")
        error = reply.json()["chart"]["error"]
        if error is None:
            return None
        if error["code"] == "Not Found":
            return Missing()
        if reply.status in (400, 422):
            return PlanLimit("no bars of this length that far back")
        return Garbled("an error inside a 200") if reply.status == 200 else None


def _quotes(currency: str) -> Sequence[str]:
    """What is listed without a currency has one all the same, and the answer names it."""
    return currency.upper(), ""


def _price(chart: Any, symbol: str, _: str) -> PriceRow:
    """Pence are GBp here, which is not GBP."""
    meta = chart["meta"]
    return PriceRow(
        symbol,
        positive(meta["regularMarketPrice"]),
        text(meta["currency"]),
        last_updated=moment(meta["regularMarketTime"]),
    )


def _bars(chart: Any) -> list[Sequence[Any]]:
    """Columns as CANDLE has them; a time at which nothing was traded is null in all of them."""
    if "timestamp" not in chart:
        return []
    times = listed(chart["timestamp"])
    (quote,) = chart["indicators"]["quote"]
    columns = [listed(quote[name]) for name in COLUMNS]
    if any(len(column) != len(times) for column in columns):
        raise Garbled("columns of different lengths")
    return [row for row in zip(times, *columns, strict=True) if any(v is not None for v in row[1:])]


def _aligned(chart: Any, step: int) -> list[Sequence[Any]]:
    """Without the last bar where it is no bar but the latest trade, at the time of that."""
    bars, latest = _bars(chart), chart["meta"]["regularMarketTime"]
    if bars and bars[-1][0] == latest and (latest - bars[0][0]) % step:
        return bars[:-1]
    return bars


def _interval(span: timedelta, age: timedelta) -> str:
    """The finest bars that history of this span is told by, and that go back that far."""
    for most, interval in ((timedelta(days=1), "5m"), (HOURLY, "1h")):
        if span <= most and age <= timedelta(seconds=BARS[interval].reach):
            return interval
    return "1d"


def _session(chart: Any) -> int:
    """Seconds from the opening of the exchange to its close."""
    today = chart["meta"]["currentTradingPeriod"]["regular"]
    seconds = int((moment(today["end"]) - moment(today["start"])).total_seconds())
    if not 0 < seconds <= DAY:
        raise Garbled("an exchange that closes before it opens")
    return seconds
