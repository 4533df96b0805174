"""https://www.okx.com/docs-v5/en/#order-book-trading-market-data"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from providers.adapters.base import (
    LIVE,
    Adapter,
    Reply,
    amount,
    known,
    listed,
    moment,
    nonzero,
    positive,
    text,
    whole,
)
from providers.adapters.candles import Layout, candles, first_open, last_open
from providers.datasets import (
    Candle,
    Listed,
    ListingQuery,
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
    ProviderError,
    Throttled,
)
from providers.registry import register

RECENT = 1440  # so many candles back /candles goes; /history-candles has the older ones
MOST_RECENT, MOST_OLD = 300, 100  # candles a call
MS = 1000

QUOTES: Mapping[str, Sequence[str]] = {"usd": ("USDT", "USDC", "USD")}
# Without "utc" the longer ones open at midnight of UTC+8.
BAR_OF: Mapping[str, str] = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1h": "1H",
    "4h": "4H",
    "1d": "1Dutc",
    "1w": "1Wutc",
}
CANDLE = Layout(width=9, time=0, open=1, high=2, low=3, close=4, volume=5, unit=MS)

# https://www.okx.com/docs-v5/en/#error-code
ERRORS: Mapping[str, type[ProviderError]] = {
    "50001": Broken,  # service temporarily unavailable
    "50011": Throttled,
    "50013": Broken,  # busy
    "51001": Missing,  # no such instrument
}


@register
class Okx(Adapter):
    name = "okx"
    title = "OKX"
    base_url = "https://www.okx.com"
    docs_url = "https://www.okx.com/docs-v5/en/"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 1000}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """All of its spot pairs are one call."""
        named = self.named(query.symbols, _quotes(query.currency))
        items = self._ask("/api/v5/market/tickers", instType="SPOT")
        return self.prices(named, self.keyed(items, "instId"), _price, everything=True)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Page by page from the newest candle backwards."""
        now, step = self.now().timestamp(), query.seconds
        bar = known(BAR_OF, query.interval, "interval")
        instrument, _ = self.listings.find(query.symbol, _quotes(query.currency))
        first, last = first_open(query, now), last_open(query, now)
        recent = first >= now - RECENT * step
        path = "/api/v5/market/candles" if recent else "/api/v5/market/history-candles"
        most = MOST_RECENT if recent else MOST_OLD
        items: list[Any] = []
        left, before = (last - first) // step + 1, (last + step) * MS
        while left > 0:
            page = self._ask(path, instId=instrument, bar=bar, after=before, limit=min(left, most))
            items += page
            if len(page) < min(left, most):
                break
            left, before = left - len(page), whole(page[-1][0])
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self._ask("/api/v5/public/instruments", instType="SPOT"), _listed)

    def ping(self) -> None:
        moment(self._ask("/api/v5/public/time")[0]["ts"], unit=MS)

    def _ask(self, path: str, **params: Any) -> list[Any]:
        return listed(self.http.get(path, **params)["data"])

    @classmethod
    def cost(cls, query: Query) -> int:
        """Calls. Candles since some start may be old ones, of which a call has fewer."""
        match query:
            case OhlcQuery(limit=limit, start=start):
                return -(-limit // (MOST_OLD if start else MOST_RECENT))
        return 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """The envelope's code decides, whatever the status; "0" is success."""
        if reply.status in (401, 403):
            return Blocked(f"HTTP {reply.status}")
        code = reply.json()["code"]
        if code in ERRORS:
            return ERRORS[code](f"error {code}")
        return Garbled(f"error {code}") if code != "0" and reply.status < 400 else None


def _quotes(currency: str) -> Sequence[str]:
    return QUOTES.get(currency, (currency.upper(),))


def _price(item: Any, symbol: str, quote: str) -> PriceRow:
    if item["instType"] != "SPOT":
        raise Garbled("no spot price")  # and its volume is counted in something else
    last, before = positive(item["last"]), nonzero(item["open24h"])
    return PriceRow(
        symbol,
        last,
        quote,
        _percent(last, before) if before else None,
        amount(item["volCcy24h"]),
        moment(item["ts"], unit=MS),
    )


def _percent(now: Decimal, before: Decimal) -> Decimal:
    """The change since `before`, to a hundredth of a basis point."""
    return round((now - before) / before * 100, 4)


def _listed(row: Any) -> Listed | None:
    if text(row["state"]) != "live":
        return None
    return Listed(text(row["instId"]), text(row["baseCcy"]), None, text(row["quoteCcy"]))
