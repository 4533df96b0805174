"""https://developers.binance.com/docs/binance-spot-api-docs/rest-api (spot market data)"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from json import dumps
from typing import Any

from providers.adapters.base import (
    LIVE,
    Adapter,
    Reading,
    Reply,
    amount,
    flag,
    moment,
    number,
    positive,
    said,
    text,
)
from providers.adapters.candles import Layout, candles
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
    Unsupported,
)
from providers.registry import register

MOST_CANDLES = 1000
MOST_SYMBOLS = 100  # from the 101st on a call costs twice as much
MS = 1000

# There are no dollars here, only coins that follow the dollar.
QUOTES: Mapping[str, Sequence[str]] = {"usd": ("USDT", "USDC", "FDUSD")}
CANDLE = Layout(width=12, time=0, open=1, high=2, low=3, close=4, volume=5, unit=MS)

# https://developers.binance.com/docs/binance-spot-api-docs/errors
ERRORS: Mapping[int, type[ProviderError]] = {
    -1000: Broken,  # unknown
    -1001: Broken,  # disconnected inside
    -1003: Throttled,
    -1007: Broken,  # timeout inside
    -1121: Missing,  # invalid symbol
}
SECONDS_OF = {"S": 1, "M": 60, "H": 3600, "D": 86400}


@register
class Binance(Adapter):
    """The host for market data only, which answers without a key and where others say 451."""

    name = "binance"
    title = "Binance"
    base_url = "https://data-api.binance.vision"
    docs_url = "https://developers.binance.com/docs/binance-spot-api-docs/rest-api"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": MOST_SYMBOLS}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """
        One symbol that it no longer knows fails the whole call (-1121), and it does not say which:
        then all there are is dearer (80), and still cheaper than finding out.
        """
        named = self.named(query.symbols, _quotes(query.currency))
        asked = dumps([*named], separators=(",", ":"))
        try:
            items = self.http.get("/api/v3/ticker/24hr", symbols=asked)
        except Missing:
            if len(named) == 1:
                raise
            items = self.http.get("/api/v3/ticker/24hr")
        return self.prices(named, self.keyed(items, "symbol"), _price)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        if query.limit > MOST_CANDLES:
            raise Unsupported(f"no more than {MOST_CANDLES} candles at once")
        symbol, _ = self.listings.find(query.symbol, _quotes(query.currency))
        items = self.http.get(
            "/api/v3/klines",
            symbol=symbol,
            interval=query.interval,  # its names are ours
            startTime=int(query.start.timestamp() * MS) if query.start else None,
            endTime=int(query.end.timestamp() * MS) - 1 if query.end else None,
            limit=query.limit,
        )
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        found = self.http.get(
            "/api/v3/exchangeInfo", symbolStatus="TRADING", showPermissionSets=False
        )
        return self.rows(found["symbols"], _listed)

    def ping(self) -> None:
        if self.http.get("/api/v3/ping") != {}:
            raise Garbled("not the answer to a ping")

    @classmethod
    def cost(cls, query: Query) -> int:
        """Request weight, of which an address has 6,000 a minute."""
        match query:
            case PriceQuery(symbols=symbols):
                return 2 if len(symbols) <= 20 else 40 if len(symbols) <= 100 else 80
            case OhlcQuery():
                return 2
            case ListingQuery():
                return 20
        return 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """A ban (418), a firewall (403) and a country (451) block this host, not the question."""
        found = said(reply)
        message = found.get("msg")
        if reply.status in (403, 418, 451) or "restricted location" in str(message):
            return Blocked(f"HTTP {reply.status}")
        code = found.get("code")
        if isinstance(code, int) and code in ERRORS:
            return ERRORS[code](f"error {code}")
        return Garbled(f"error {code}") if reply.status == 200 and message and code else None

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """`X-MBX-USED-WEIGHT-1M: 17`: so much was used in this minute."""
        for name, value in headers.items():
            if found := _USED.fullmatch(name):
                per_s = int(found[1]) * SECONDS_OF[found[2].upper()]
                yield Reading(per_s=per_s, used=float(value))


_USED = re.compile(r"x-mbx-used-weight-(\d+)([smhd])", re.IGNORECASE)


def _quotes(currency: str) -> Sequence[str]:
    return QUOTES.get(currency, (currency.upper(),))


def _price(item: Any, symbol: str, quote: str) -> PriceRow:
    return PriceRow(
        symbol,
        positive(item["lastPrice"]),
        quote,
        number(item["priceChangePercent"]),
        amount(item["quoteVolume"]),
        moment(item["closeTime"], unit=MS),
    )


def _listed(row: Any) -> Listed | None:
    if text(row["status"]) != "TRADING" or not flag(row["isSpotTradingAllowed"]):
        return None
    return Listed(text(row["symbol"]), text(row["baseAsset"]), None, text(row["quoteAsset"]))
