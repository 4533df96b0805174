"""https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers and its sisters"""

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
    flag,
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

MOST_CANDLES = 1500
MS = 1000
POOL_S = 30  # the length of the window in which it counts weights

QUOTES: Mapping[str, Sequence[str]] = {"usd": ("USDT", "USDC")}
TYPE_OF: Mapping[str, str] = {
    "1m": "1min",
    "5m": "5min",
    "15m": "15min",
    "30m": "30min",
    "1h": "1hour",
    "4h": "4hour",
    "1d": "1day",
    "1w": "1week",
}
# The close stands before high and low here.
CANDLE = Layout(width=7, time=0, open=1, close=2, high=3, low=4, volume=5)

SUCCESS, PARAMETER = "200000", "400100"
ERRORS: Mapping[str, type[ProviderError]] = {
    "400302": Blocked,  # not for this country
    "429000": Throttled,
    "500000": Broken,
    "900001": Missing,  # no such symbol
}


@register
class KuCoin(Adapter):
    name = "kucoin"
    title = "KuCoin"
    base_url = "https://api.kucoin.com"
    docs_url = "https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-tickers"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 1000}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """All of its pairs are one call, and one pair alone weighs as much."""
        named = self.named(query.symbols, _quotes(query.currency))
        found = self._ask("/api/v1/market/allTickers")
        read = partial(_price, moment(found["time"], unit=MS))
        return self.prices(named, self.keyed(found["ticker"], "symbol"), read, everything=True)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Newest first; intervals without a trade are left out, and stay gaps."""
        kind_of = known(TYPE_OF, query.interval, "interval")
        symbol, _ = self.listings.find(query.symbol, _quotes(query.currency))
        items: list[Any] = []
        for first, last in spans(query, self.now().timestamp(), MOST_CANDLES):
            items += listed(
                self._ask(
                    "/api/v1/market/candles",
                    symbol=symbol,
                    type=kind_of,
                    startAt=first,
                    endAt=last + query.seconds,
                )
            )
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self._ask("/api/v2/symbols"), _listed)

    def ping(self) -> None:
        moment(self._ask("/api/v1/timestamp"), unit=MS)

    def _ask(self, path: str, **params: Any) -> Any:
        return self.http.get(path, **params)["data"]

    @classmethod
    def cost(cls, query: Query) -> int:
        """Weight, of which an address has 2,000 in 30 s; each page of the reference names its."""
        match query:
            case PriceQuery():
                return 15
            case ListingQuery():
                return 4
        return 3

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """The envelope's code decides, whatever the status."""
        if reply.status == 403:
            return Blocked("HTTP 403")
        found = reply.json()
        code = found["code"]
        if code in ERRORS:
            return ERRORS[code](f"error {code}")
        if code == PARAMETER and _SYMBOLS & set(str(found.get("msg")).lower().split()):
            return Missing()
        return Garbled(f"error {code}") if code != SUCCESS and reply.status < 400 else None

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """https://www.kucoin.com/docs-new/rate-limit: what is left of these 30 seconds."""
        if "gw-ratelimit-remaining" not in headers:
            return ()
        limit, left, reset = (
            float(headers[f"gw-ratelimit-{name}"]) for name in ("limit", "remaining", "reset")
        )
        return (Reading(per_s=POOL_S, limit=limit, remaining=left, resets_in_s=reset / MS),)


_SYMBOLS = {"symbol", "pair", "pair."}  # what "Unsupported trading pair." is about


def _quotes(currency: str) -> Sequence[str]:
    return QUOTES.get(currency, (currency.upper(),))


def _price(at: datetime, item: Any, symbol: str, quote: str) -> PriceRow:
    """Its change is a fraction; a pair that is new or rests has neither change nor volume."""
    change = maybe(number, item["changeRate"])
    return PriceRow(
        symbol,
        positive(item["last"]),
        quote,
        None if change is None else change.scaleb(2),
        maybe(amount, item["volValue"]),
        at,
    )


def _listed(row: Any) -> Listed | None:
    if not flag(row["enableTrading"]):
        return None
    return Listed(text(row["symbol"]), text(row["baseCurrency"]), None, text(row["quoteCurrency"]))
