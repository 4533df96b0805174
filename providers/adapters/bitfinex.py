"""https://docs.bitfinex.com/docs/rest-public"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from providers.adapters.base import LIVE, Adapter, Reply, known, listed, number, positive, text
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

MOST_CANDLES = 10_000
MS = 1000

QUOTES: Mapping[str, Sequence[str]] = {"usd": ("USD", "USDT")}
FRAME_OF: Mapping[str, str] = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1h": "1h",
    "1d": "1D",
    "1w": "7D",
}
# The close stands before high and low here.
CANDLE = Layout(width=6, time=0, open=1, close=2, high=3, low=4, volume=5, unit=MS)
TICKER_WIDTH = 11  # of a pair: what is lent for interest has a longer one

# Its names for the coins that follow the dollar; those for others it tells.
RENAMED: Mapping[str, str] = {"UST": "USDT", "UDC": "USDC"}

# https://docs.bitfinex.com/docs/abbreviations-glossary#errorinfo-codes
PARAMETER = 10020
ERRORS: Mapping[Any, type[ProviderError]] = {
    "ERR_RATE_LIMIT": Throttled,
    11010: Throttled,
    20060: Broken,  # maintenance
    "temporarily_unavailable": Broken,
}


@register
class Bitfinex(Adapter):
    """Quoted in real dollars. Its prices have no time, and its volumes are counted in coins."""

    name = "bitfinex"
    title = "Bitfinex"
    base_url = "https://api-pub.bitfinex.com/v2"
    docs_url = "https://docs.bitfinex.com/reference/rest-public-tickers"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 100}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Symbols that it does not know are left out of its answer."""
        named = self.named(query.symbols, QUOTES.get(query.currency, (query.currency.upper(),)))
        items = self.rows(self.http.get("/tickers", symbols=",".join(named)), _ticker)
        return self.prices(named, dict(items), _price)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Intervals without a trade are left out, and stay gaps."""
        frame = known(FRAME_OF, query.interval, "interval")
        quotes = QUOTES.get(query.currency, (query.currency.upper(),))
        symbol, _ = self.listings.find(query.symbol, quotes)
        items: list[Any] = []
        for first, last in spans(query, self.now().timestamp(), MOST_CANDLES):
            items += listed(
                self.http.get(
                    f"/candles/trade:{frame}:{symbol}/hist",
                    start=first * MS,
                    end=(last + query.seconds) * MS - 1,
                    limit=MOST_CANDLES,
                )
            )
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        """Its pairs, with the names everybody else has for what it calls UST, IOT or ALG."""
        pairs, names = self.http.get("/conf/pub:list:pair:exchange,pub:map:currency:sym")
        told = {text(own): text(name).upper() for own, name in listed(names)}
        common = {**told, **RENAMED}
        return self.rows(pairs, lambda pair: _listed(text(pair), common))

    def ping(self) -> None:
        (operative,) = self.http.get("/platform/status")
        if operative != 1:
            raise Broken("closed for maintenance")

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """["error", 10020, "symbol: invalid"], or {"error": "ERR_RATE_LIMIT"}."""
        if reply.status in (401, 403):
            return Blocked(f"HTTP {reply.status}")
        found = reply.json()
        if isinstance(found, dict):
            code, words = found["error"], ""
        elif found and found[0] == "error":
            _, code, words = found
        else:
            return None
        if code in ERRORS:
            return ERRORS[code](str(code))
        if code == PARAMETER:
            return Missing() if "symbol" in str(words) else Garbled("a parameter it does not take")
        return Garbled("an error inside a 200") if reply.status == 200 else None


def _ticker(row: Any) -> tuple[str, Any]:
    if len(listed(row)) != TICKER_WIDTH:
        raise Garbled("no ticker of a pair")
    return text(row[0]), row


def _price(row: Any, symbol: str, quote: str) -> PriceRow:
    """Its change is a fraction: 0.0175 is 1.75 %."""
    return PriceRow(symbol, positive(row[7]), quote, number(row[6]).scaleb(2))


def _listed(pair: str, common: Mapping[str, str]) -> Listed:
    """BTCUSD, or LINK:USD where one of the two has more than three letters."""
    if ":" not in pair and len(pair) != 6:
        raise Garbled("no pair of this form")
    base, quote = pair.split(":") if ":" in pair else (pair[:3], pair[3:])
    return Listed(f"t{pair}", common.get(base, base), None, common.get(quote, quote))
