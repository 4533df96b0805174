"""https://bybit-exchange.github.io/docs/v5/market/tickers (spot market data)"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from providers.adapters.base import (
    LIVE,
    Adapter,
    Reading,
    Reply,
    amount,
    known,
    listed,
    maybe,
    moment,
    number,
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

MOST_CANDLES = 1000
MS = 1000
WINDOW_S = 5
BAN_S = 600.0  # how long an address that asked too often is refused, at least

QUOTES: Mapping[str, Sequence[str]] = {"usd": ("USDT", "USDC")}
INTERVAL_OF: Mapping[str, str] = {
    "1m": "1",
    "5m": "5",
    "15m": "15",
    "30m": "30",
    "1h": "60",
    "4h": "240",
    "1d": "D",
    "1w": "W",
}
CANDLE = Layout(width=7, time=0, open=1, high=2, low=3, close=4, volume=5, unit=MS)

# https://bybit-exchange.github.io/docs/v5/error
PARAMETER = 10001
ERRORS: Mapping[int, type[ProviderError]] = {
    10000: Broken,  # timeout inside
    10006: Throttled,
    10016: Broken,  # error inside
    10018: Throttled,  # too many calls of this address
}


@register
class Bybit(Adapter):
    """Refuses some countries altogether, the United States among them."""

    name = "bybit"
    title = "Bybit"
    base_url = "https://api.bybit.com"
    docs_url = "https://bybit-exchange.github.io/docs/v5/market/tickers"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 1000}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """One pair alone, or all of its spot pairs: either is one call."""
        named = self.named(query.symbols, _quotes(query.currency))
        one = next(iter(named)) if len(named) == 1 else None
        found = self._ask("/v5/market/tickers", symbol=one)
        read = partial(_price, moment(found["time"], unit=MS))
        items = self.keyed(found["result"]["list"], "symbol")
        return self.prices(named, items, read, everything=one is None)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Newest first; weeks open on Mondays."""
        interval = known(INTERVAL_OF, query.interval, "interval")
        symbol, _ = self.listings.find(query.symbol, _quotes(query.currency))
        items: list[Any] = []
        for first, last in spans(query, self.now().timestamp(), MOST_CANDLES):
            found = self._ask(
                "/v5/market/kline",
                symbol=symbol,
                interval=interval,
                start=first * MS,
                end=(last + query.seconds) * MS - 1,
                limit=MOST_CANDLES,
            )["result"]
            if found["symbol"] != symbol:
                raise Garbled("candles of another symbol than was asked for")
            items += listed(found["list"])
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self._ask("/v5/market/instruments-info")["result"]["list"], _listed)

    def ping(self) -> None:
        moment(self.http.get("/v5/market/time")["time"], unit=MS)

    def _ask(self, path: str, **params: Any) -> Any:
        found = self.http.get(path, category="spot", **params)
        if found["result"]["category"] != "spot":
            raise Garbled("no spot market")  # and its volume is counted in something else
        return found

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """The envelope's code decides; 0 is success. A 403 is a ban, or a country it refuses."""
        if reply.status == 403:
            if b"too frequent" in reply.body:
                return Throttled("its address is banned for a while", wait=BAN_S)
            return Blocked("HTTP 403")
        found = reply.json()
        code = found["retCode"]
        if code in ERRORS:
            return ERRORS[code](f"error {code}")
        if code == PARAMETER and "symbol" in str(found.get("retMsg")).lower():
            return Missing()
        return Garbled(f"error {code}") if code != 0 and reply.status < 400 else None

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """
        https://bybit-exchange.github.io/docs/v5/rate-limit: what is left. Keys have limits of their
        own, a second long; without one it can only be about the five seconds of an address. Its
        reset is a time by a clock of its own, so it is left out.
        """
        if "X-Bapi-Limit-Status" not in headers:
            return ()
        left, limit = (float(headers[f"X-Bapi-Limit{name}"]) for name in ("-Status", ""))
        return (Reading(per_s=WINDOW_S, remaining=left, limit=limit),)


def _quotes(currency: str) -> Sequence[str]:
    return QUOTES.get(currency, (currency.upper(),))


def _price(at: datetime, item: Any, symbol: str, quote: str) -> PriceRow:
    """Its change is a fraction: 0.0068 is 0.68 %."""
    change = maybe(number, item["price24hPcnt"])
    return PriceRow(
        symbol,
        positive(item["lastPrice"]),
        quote,
        None if change is None else change.scaleb(2),
        amount(item["turnover24h"]),
        at,
    )


def _listed(row: Any) -> Listed | None:
    if text(row["status"]) != "Trading":
        return None
    return Listed(text(row["symbol"]), text(row["baseCoin"]), None, text(row["quoteCoin"]))
