"""https://docs.cdp.coinbase.com/exchange/reference (public market data of Coinbase Exchange)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from providers.adapters.base import (
    LIVE,
    Adapter,
    Reply,
    flag,
    instant,
    known,
    listed,
    positive,
    text,
)
from providers.adapters.candles import Layout, candles, spans
from providers.datasets import (
    Candle,
    Listed,
    ListingQuery,
    OhlcQuery,
    PriceQuery,
    PriceRow,
    Query,
)
from providers.errors import Blocked, ProviderError
from providers.registry import register

# A call may span 300 candles. We ask for one less: then it does not matter whether its end is
# part of the range, and a candle that comes twice is kept once.
MOST_CANDLES = 299
SECONDS_OF: Mapping[str, int] = {"1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86400}

# Low and high come before open and close here.
CANDLE = Layout(width=6, time=0, low=1, high=2, open=3, close=4, volume=5)


@register
class Coinbase(Adapter):
    """Quoted in real dollars. One product a call; empty candles are left out, and stay gaps."""

    name = "coinbase"
    title = "Coinbase Exchange"
    base_url = "https://api.exchange.coinbase.com"
    docs_url = "https://docs.cdp.coinbase.com/exchange/reference"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 1}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Its volume is in the base asset, and its change a call of its own: both are left out."""
        named = self.named(query.symbols, (query.currency.upper(),))
        items = {own: self.http.get(f"/products/{own}/ticker") for own in named}
        return self.prices(named, items, _price)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        step = known(SECONDS_OF, query.interval, "interval")
        product, _ = self.listings.find(query.symbol, (query.currency.upper(),))
        items: list[Any] = []
        for first, last in spans(query, self.now().timestamp(), MOST_CANDLES):
            items += listed(
                self.http.get(
                    f"/products/{product}/candles", granularity=step, start=first, end=last + step
                )
            )
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self.http.get("/products"), _listed)

    def ping(self) -> None:
        instant(self.http.get("/time")["iso"])

    @classmethod
    def cost(cls, query: Query) -> int:
        """Calls: one for each product, and for each 299 candles."""
        match query:
            case PriceQuery(symbols=symbols):
                return max(len(symbols), 1)
            case OhlcQuery(limit=limit):
                return -(-limit // MOST_CANDLES)
        return 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """No key is sent here, so that a refusal is of this host."""
        return Blocked(f"HTTP {reply.status}") if reply.status in (401, 403) else None


def _price(item: Any, symbol: str, quote: str) -> PriceRow:
    return PriceRow(symbol, positive(item["price"]), quote, last_updated=instant(item["time"]))


def _listed(row: Any) -> Listed | None:
    if text(row["status"]) != "online" or flag(row["trading_disabled"]):
        return None
    return Listed(text(row["id"]), text(row["base_currency"]), None, text(row["quote_currency"]))
