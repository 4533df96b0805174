"""
https://github.com/nimazasinich/crypto-dt-source (backend/routers/direct_api.py) as it runs on
Render: a thin proxy of CoinGecko, Binance and alternative.me, asleep when nobody asks.

Its own client and its server call parameters by different names, and what a server does not know
it ignores: so every question goes out under both names, and its answer must say what it is about.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from providers.adapters.base import (
    Adapter,
    Reply,
    flag,
    maybe,
    moment,
    nonzero,
    number,
    positive,
    said,
    text,
    whole,
)
from providers.adapters.candles import Layout, candles, first_open, within_reach
from providers.datasets import (
    Candle,
    FearGreed,
    OhlcQuery,
    PriceQuery,
    PriceRow,
    SentimentQuery,
)
from providers.errors import Broken, Garbled, ProviderError, Unsupported
from providers.registry import register

# The coins it knows by their tickers. Any other ticker it takes for an id of CoinGecko, and would
# answer with the price of whichever coin has that id.
KNOWN = frozenset(
    ["BTC", "ETH", "BNB", "XRP", "ADA", "DOGE", "SOL", "TRX", "DOT", "MATIC"]
    + ["LTC", "SHIB", "AVAX", "UNI", "LINK", "ATOM", "XLM", "ETC", "XMR", "BCH"]
)
MOST_CANDLES = 1000  # the newest; it takes neither a start nor an end
COLUMNS = itemgetter("timestamp", "open", "high", "low", "close", "volume")
CANDLE = Layout(width=6, time=0, open=1, high=2, low=3, close=4, volume=5, unit=1000)


@register
class CryptoDtSource(Adapter):
    """
    Prices in dollars, candles in the USDT of Binance. Its times are of its own answer. What its
    sources did not send it says is 0, so that a 0 means nothing.
    """

    name = "crypto_dt_source"
    title = "Crypto DT Source"
    base_url = "https://crypto-dt-source.onrender.com"
    docs_url = "https://github.com/nimazasinich/crypto-dt-source"
    offers = (PriceQuery, OhlcQuery, SentimentQuery)
    batch = {"price": 100}
    listed_as = "coingecko"

    def price(self, query: PriceQuery) -> list[PriceRow]:
        _in_dollars(query.currency)
        own_of = {
            symbol: own for own, (symbol, _) in self.named(query.symbols).items() if symbol in KNOWN
        }
        if not own_of:
            raise Unsupported("none of the coins it knows by name")
        found = self.http.get(
            "/api/v1/coingecko/price",
            symbols=",".join(own_of),
            ids=",".join(own_of.values()),
            vs_currencies="usd",
            limit=len(own_of),
        )
        named = {symbol: (symbol, "USD") for symbol in own_of}
        return self.prices(named, self.keyed(found["data"], "symbol"), _price)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Of Binance, where a dollar is a USDT."""
        _in_dollars(query.currency)
        if query.symbol not in KNOWN:
            raise Unsupported("not one of the coins it knows by name")
        now, step = self.now().timestamp(), query.seconds
        within_reach(query, now, MOST_CANDLES * step)
        found = self.http.get(
            "/api/v1/binance/klines",
            symbol=query.symbol,
            timeframe=query.interval,  # its names are ours
            interval=query.interval,
            limit=min(int(now - first_open(query, now)) // step + 1, MOST_CANDLES),
        )
        told = text(found["symbol"]), text(found.get("timeframe", found.get("interval")))
        if told not in {(query.symbol + usdt, query.interval) for usdt in ("", "USDT")}:
            raise Garbled("candles of something else than was asked for")
        return candles(self, query, self.rows(found["data"], COLUMNS), CANDLE)

    def sentiment(self, query: SentimentQuery) -> list[FearGreed]:
        found = self.http.get("/api/v1/alternative/fng", limit=max(query.days, 1))
        days = self.rows(found["data"], _day)
        return sorted(days, key=lambda day: day.time, reverse=True)[: query.days]

    def ping(self) -> None:
        flag(self.http.get("/api/v1/status")["success"])

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Failures come inside a 200 as well."""
        return Broken("it says so itself") if said(reply).get("success") is False else None


def _in_dollars(currency: str) -> None:
    if currency != "usd":
        raise Unsupported(f"no {currency!r} here")


def _price(item: Any, symbol: str, quote: str) -> PriceRow:
    return PriceRow(
        symbol,
        positive(item["price"]),
        quote,
        maybe(number, item.get("changePercent24h")) or None,
        nonzero(item.get("volume24h")),
    )


def _day(item: Any) -> FearGreed:
    value = whole(item["value"])
    if not 0 <= value <= 100:
        raise Garbled("an index beyond 0 to 100")
    return FearGreed(moment(item["timestamp"]), value, text(item["value_classification"], most=40))
