"""https://api-docs.defillama.com/#tag/coins"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import ceil
from typing import Any

from providers.adapters.base import Adapter, Reply, in_order, listed, moment, positive
from providers.datasets import HistoryPoint, HistoryQuery, PriceQuery, PriceRow, Query
from providers.errors import Garbled, Missing, PlanLimit, ProviderError, Unsupported
from providers.registry import register

NAMESPACE = "coingecko:"  # of the coins that it names as CoinGecko does
SURE = Decimal("0.9")  # below that its own sources do not agree
WITHIN = "1h"  # of now a price must be
MOST_POINTS = 500

# Up to which span history has points that far apart.
FINENESS = (
    (timedelta(days=1), "5m", timedelta(minutes=5)),
    (timedelta(days=90), "1h", timedelta(hours=1)),
    (timedelta.max, "1d", timedelta(days=1)),
)


@register
class DefiLlamaPrices(Adapter):
    """In dollars alone. Coins it does not know, or has no price of just now, are left out."""

    name = "defillama_prices"
    title = "DefiLlama (prices)"
    base_url = "https://coins.llama.fi"
    docs_url = "https://api-docs.defillama.com/"
    offers = (PriceQuery, HistoryQuery)
    batch = {"price": 100}
    listed_as = "coingecko"

    def price(self, query: PriceQuery) -> list[PriceRow]:
        _in_dollars(query.currency)
        named = {NAMESPACE + own: asset for own, asset in self.named(query.symbols).items()}
        coins = self._coins(f"/prices/current/{','.join(named)}", searchWidth=WITHIN)
        sure = {name: coin for name, coin in coins.items() if _sure(coin)}
        self.dropped += len(coins) - len(sure)
        return self.prices(named, sure, _price)

    def history(self, query: HistoryQuery) -> list[HistoryPoint]:
        """Every five minutes within a day, hourly within 90 days, daily beyond."""
        _in_dollars(query.currency)
        name = NAMESPACE + self.listings.find(query.symbol)[0]
        start, end = query.span(self.now())
        points: list[Any] = []
        for since, number_of, period in _pages(start, end):
            coins = self._coins(
                f"/chart/{name}", start=int(since.timestamp()), span=number_of, period=period
            )
            if coins and name not in coins:
                raise Garbled("the history of another coin")
            points += listed(coins[name]["prices"]) if coins else ()
        if not points:
            raise Missing()
        return in_order(query, self.rows(points, _point))

    def ping(self) -> None:
        positive(self._coins("/prices/current/coingecko:bitcoin")["coingecko:bitcoin"]["price"])

    def _coins(self, path: str, **params: Any) -> dict[str, Any]:
        found = self.http.get(path, **params)["coins"]
        if not isinstance(found, dict):
            raise Garbled("no coins")
        return found

    @classmethod
    def cost(cls, query: Query) -> int:
        """Calls: one for each 500 points of a history."""
        if not isinstance(query, HistoryQuery):
            return 1
        return len([*_pages(*query.span(datetime.now(UTC)))])

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """A 402 is about the plan: the provider is well."""
        return PlanLimit("not free") if reply.status == 402 else None


def _in_dollars(currency: str) -> None:
    if currency != "usd":
        raise Unsupported(f"no {currency!r} here")


def _pages(start: datetime, end: datetime) -> Iterator[tuple[datetime, int, str]]:
    """(first point, number of points, how far apart) of each call."""
    period, step = next((name, step) for reach, name, step in FINENESS if end - start <= reach)
    left = ceil((end - start) / step) + 1
    while left > 0:
        yield start, min(left, MOST_POINTS), period
        start, left = start + MOST_POINTS * step, left - MOST_POINTS


def _sure(coin: Any) -> bool:
    """Do its sources agree? Where it does not say, there is but one of them."""
    confidence = coin.get("confidence", SURE) if isinstance(coin, dict) else SURE
    return type(confidence) in (int, Decimal) and confidence >= SURE


def _price(coin: Any, symbol: str, _: str) -> PriceRow:
    return PriceRow(symbol, positive(coin["price"]), "USD", last_updated=moment(coin["timestamp"]))


def _point(row: Any) -> HistoryPoint:
    return HistoryPoint(moment(row["timestamp"]), positive(row["price"]), None, None)
