"""https://www.gate.com/docs/developers/apiv4/en/#spot (market data)"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    said,
    text,
)
from providers.adapters.candles import Layout, candles, spans, within_reach
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
    Missing,
    ProviderError,
    Throttled,
)
from providers.registry import register

KEPT = 10_000  # candles of each length; older ones cannot be had here
MOST_CANDLES = 1000
MS = 1000
WINDOW_S = 10

QUOTES: Mapping[str, Sequence[str]] = {"usd": ("USDT", "USDC")}
INTERVAL_OF: Mapping[str, str] = {
    "1m": "1m",
    "5m": "5m",
    "15m": "15m",
    "30m": "30m",
    "1h": "1h",
    "4h": "4h",
    "1d": "1d",
    "1w": "7d",
}
# Time, turnover, close, high, low, open, volume, and whether it is complete.
CANDLE = Layout(width=7, time=0, close=2, high=3, low=4, open=5, volume=6)

# https://www.gate.com/docs/developers/apiv4/en/#label-list
ERRORS: Mapping[str, type[ProviderError]] = {
    "INVALID_CURRENCY": Missing,
    "INVALID_CURRENCY_PAIR": Missing,
    "TOO_MANY_REQUESTS": Throttled,
    "TOO_BUSY": Broken,
    "SERVER_ERROR": Broken,
    "INTERNAL": Broken,
    "FORBIDDEN": Blocked,
    "REQUEST_FORBIDDEN": Blocked,
    "IP_FORBIDDEN": Blocked,
}


@register
class GateIo(Adapter):
    """Its prices have no time."""

    name = "gateio"
    title = "Gate.io"
    base_url = "https://api.gateio.ws/api/v4"
    docs_url = "https://www.gate.com/docs/developers/apiv4/en/"
    offers = (PriceQuery, OhlcQuery, ListingQuery)
    batch = {"price": 1000}
    updates = LIVE

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """One pair alone, or all of them: either is one call."""
        named = self.named(query.symbols, _quotes(query.currency))
        one = next(iter(named)) if len(named) == 1 else None
        items = self.keyed(self.http.get("/spot/tickers", currency_pair=one), "currency_pair")
        return self.prices(named, items, _price, everything=one is None)

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        now = self.now().timestamp()
        interval = known(INTERVAL_OF, query.interval, "interval")
        within_reach(query, now, KEPT * query.seconds)
        pair, _ = self.listings.find(query.symbol, _quotes(query.currency))
        items: list[Any] = []
        for first, last in spans(query, now, MOST_CANDLES):
            items += listed(
                self.http.get(
                    "/spot/candlesticks",
                    currency_pair=pair,
                    interval=interval,
                    # A limit would be refused besides these two.
                    **{"from": first, "to": last + query.seconds - 1},
                )
            )
        return candles(self, query, items, CANDLE)

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self.http.get("/spot/currency_pairs"), _listed)

    def ping(self) -> None:
        moment(self.http.get("/spot/time")["server_time"], unit=MS)

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """An error has a label; no key is sent, so that a refusal is of this host."""
        label = said(reply).get("label")
        if isinstance(label, str) and label in ERRORS:
            return ERRORS[label](label)
        return Blocked(f"HTTP {reply.status}") if reply.status in (401, 403) else None

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """What is left of these ten seconds for the path that was asked."""
        if "X-Gate-RateLimit-Requests-Remain" not in headers:
            return ()
        left = float(headers["X-Gate-RateLimit-Requests-Remain"])
        limit = float(headers["X-Gate-RateLimit-Limit"])
        return (Reading(per_s=WINDOW_S, limit=limit, remaining=left),)


def _quotes(currency: str) -> Sequence[str]:
    return QUOTES.get(currency, (currency.upper(),))


def _price(item: Any, symbol: str, quote: str) -> PriceRow:
    return PriceRow(
        symbol,
        positive(item["last"]),
        quote,
        maybe(number, item["change_percentage"]),
        amount(item["quote_volume"]),
    )


def _listed(row: Any) -> Listed | None:
    if text(row["trade_status"]) != "tradable":
        return None
    return Listed(text(row["id"]), text(row["base"]), None, text(row["quote"]))
