"""https://www.bitstamp.net/api/#tag/Tickers and #tag/Market-info"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from providers.adapters.base import (
    LIVE,
    Adapter,
    Reply,
    amount,
    maybe,
    moment,
    number,
    positive,
    said,
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
    ProviderError,
    Throttled,
    Unsupported,
)
from providers.registry import register

MOST_CANDLES = 1000
STEPS = frozenset({"1m", "5m", "15m", "30m", "1h", "4h", "1d"})
COLUMNS = itemgetter("timestamp", "open", "high", "low", "close", "volume")
CANDLE = Layout(width=6, time=0, open=1, high=2, low=3, close=4, volume=5)

# https://www.bitstamp.net/api/#section/Response-codes: by address, by client, by market
TOO_OFTEN = frozenset({"400.002", "400.067", "400.068"})


@register
class Bitstamp(Adapter):
    """Real dollars and euros since 2011. Our external ids are its names in an address: btcusd."""

    name = "bitstamp"
    title = "Bitstamp"
    base_url = "https://www.bitstamp.net/api/v2"
    docs_url = "https://www.bitstamp.net/api/"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 1000}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """One pair alone, which the answer need not name, or all of them: either is one call."""
        named = self.named(query.symbols, (query.currency.upper(),))
        if len(named) == 1:
            (own,) = named
            item = self.http.get(f"/ticker/{own}/")
            items = {_in_address(item["pair"]) if "pair" in item else own: item}
        else:
            items = dict(
                self.rows(self.http.get("/ticker/"), lambda row: (_in_address(row["pair"]), row))
            )
        return self.prices(named, items, _price, everything=len(named) > 1)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        if query.interval not in STEPS:
            raise Unsupported(f"no interval {query.interval!r} here")
        own, _ = self.listings.find(query.symbol, (query.currency.upper(),))
        items: list[Any] = []
        for first, last in spans(query, self.now().timestamp(), MOST_CANDLES):
            found = self.http.get(
                f"/ohlc/{own}/", step=query.seconds, start=first, end=last, limit=MOST_CANDLES
            )["data"]
            if _in_address(found["pair"]) != own:
                raise Garbled("candles of another pair than was asked for")
            items += self.rows(found["ohlc"], COLUMNS)
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self.http.get("/trading-pairs-info/"), _listed)

    def ping(self) -> None:
        positive(self.http.get("/ticker/btcusd/")["last"])

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """No key is sent here, so that a refusal is of this host."""
        found = said(reply)
        if {found.get("code"), found.get("response_code")} & TOO_OFTEN:
            return Throttled("too many calls")
        if "maintenance" in str(found.get("error")):
            return Broken("closed for maintenance")
        if reply.status in (401, 403):
            return Blocked(f"HTTP {reply.status}")
        wrong = found.get("status") == "error" or "error" in found
        return Garbled("an error inside a 200") if reply.status == 200 and wrong else None


def _in_address(pair: Any) -> str:
    """ "btcusd" for "BTC/USD"."""
    return text(pair).replace("/", "").lower()


def _price(item: Any, symbol: str, quote: str) -> PriceRow:
    """The average is volume-weighted, so that times the volume it is the turnover in `quote`."""
    return PriceRow(
        symbol,
        positive(item["last"]),
        quote,
        maybe(number, item.get("percent_change_24")),
        amount(item["volume"]) * amount(item["vwap"]),
        moment(item["timestamp"]),
    )


def _listed(row: Any) -> Listed | None:
    """A name such as BTC/USD-PERP is one of a perpetual contract."""
    name = text(row["name"])
    if text(row["trading"]) != "Enabled" or "-" in name:
        return None
    base, quote = name.split("/")
    return Listed(_in_address(name), base, None, quote)
