"""https://www.coinlore.com/cryptocurrency-data-api"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from providers.adapters.base import (
    Adapter,
    amount,
    count,
    listed,
    maybe,
    nonzero,
    number,
    only,
    positive,
    rank,
    text,
)
from providers.datasets import (
    GlobalQuery,
    GlobalStats,
    Listed,
    ListingQuery,
    MarketQuery,
    MarketRow,
    PriceQuery,
    PriceRow,
    Query,
)
from providers.errors import Unsupported
from providers.registry import register

PAGE = 100  # coins of one call
LISTED = 500  # so many of the largest are worth knowing by name: of 15,000, 150 calls


@register
class CoinLore(Adapter):
    """
    In dollars alone, and without times. Its ids are numbers; the slash at the end belongs to its
    paths.
    """

    name = "coinlore"
    title = "CoinLore"
    base_url = "https://api.coinlore.net/api"
    docs_url = "https://www.coinlore.com/cryptocurrency-data-api"
    offers = (MarketQuery, PriceQuery, GlobalQuery, ListingQuery)
    batch = {"price": PAGE}

    def market(self, query: MarketQuery) -> list[MarketRow]:
        _in_dollars(query.currency)
        return self.rows([*self._ranked((query.page - 1) * query.limit, query.limit)], _market_row)

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Ids that it does not know are left out of its answer."""
        _in_dollars(query.currency)
        named = self.named(query.symbols)
        items = self.rows(
            self.http.get("/ticker/", id=",".join(named)), lambda row: (_own_id(row), row)
        )
        return self.prices(named, dict(items), _price)

    def global_(self, query: GlobalQuery) -> list[GlobalStats]:
        found = self._statistics()
        return [
            GlobalStats(
                market_cap=positive(found["total_mcap"]),
                volume_24h=maybe(amount, found.get("total_volume")),
                btc_dominance_percent=maybe(amount, found.get("btc_d")),
                eth_dominance_percent=maybe(amount, found.get("eth_d")),
                market_cap_change_24h_percent=maybe(number, found.get("mcap_change")),
                active_coins=maybe(count, found.get("coins_count")),
                markets=maybe(count, found.get("active_markets")),
                last_updated=None,
            )
        ]

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows([*self._ranked(0, LISTED)], _listed)

    def ping(self) -> None:
        positive(self._statistics()["total_mcap"])

    def _statistics(self) -> Any:
        """One object in a list."""
        return only(listed(self.http.get("/global/")))

    def _ranked(self, first: int, most: int) -> Iterator[Any]:
        """Page by page, until one is not full."""
        for start in range(first, first + most, PAGE):
            limit = min(PAGE, first + most - start)
            page = listed(self.http.get("/tickers/", start=start, limit=limit)["data"])
            yield from page[:limit]
            if len(page) < limit:
                return

    @classmethod
    def cost(cls, query: Query) -> int:
        """Calls."""
        match query:
            case MarketQuery(limit=limit):
                return -(-limit // PAGE)
            case ListingQuery():
                return LISTED // PAGE
        return 1


def _in_dollars(currency: str) -> None:
    if currency != "usd":
        raise Unsupported(f"no {currency!r} here")


def _own_id(row: Any) -> str:
    """Digits; anything else is no id of its."""
    return str(count(row["id"]))


def _market_row(row: Any) -> MarketRow:
    return MarketRow(
        rank=rank(row["rank"]),
        id=_own_id(row),
        symbol=text(row["symbol"]).upper(),
        name=text(row["name"]),
        price=maybe(positive, row["price_usd"]),
        market_cap=nonzero(row["market_cap_usd"]),
        volume_24h=maybe(amount, row["volume24"]),
        change_1h_percent=maybe(number, row.get("percent_change_1h")),
        change_24h_percent=maybe(number, row.get("percent_change_24h")),
        change_7d_percent=maybe(number, row.get("percent_change_7d")),
        high_24h=None,
        low_24h=None,
        circulating_supply=nonzero(row.get("csupply")),
        last_updated=None,
    )


def _price(item: Any, symbol: str, _: str) -> PriceRow:
    change = maybe(number, item.get("percent_change_24h"))
    return PriceRow(
        symbol, positive(item["price_usd"]), "USD", change, maybe(amount, item.get("volume24"))
    )


def _listed(row: Any) -> Listed:
    return Listed(_own_id(row), text(row["symbol"]).upper(), text(row["name"]), "")
