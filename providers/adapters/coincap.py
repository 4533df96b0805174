"""https://pro.coincap.io/api-docs (version 3; version 2 was shut down on 2025-03-31)"""

from __future__ import annotations

from datetime import timedelta
from math import ceil
from typing import Any

from providers.adapters.base import (
    Adapter,
    Auth,
    Reply,
    amount,
    in_order,
    listed,
    maybe,
    moment,
    nonzero,
    number,
    positive,
    rank,
    text,
)
from providers.datasets import (
    HistoryPoint,
    HistoryQuery,
    Listed,
    ListingQuery,
    MarketQuery,
    MarketRow,
    PriceQuery,
    PriceRow,
    Query,
    SearchHit,
    SearchQuery,
)
from providers.errors import ProviderError, Throttled, Unsupported
from providers.registry import register

MS = 1000
HOUR = 3600.0
LISTED = 200  # the largest: a list of all would cost a fifth of a month's credits

# How long a span may be for points this far apart: https://pro.coincap.io/api-docs (history)
INTERVALS = (
    (timedelta(days=1), "m5", timedelta(minutes=5)),
    (timedelta(days=30), "h1", timedelta(hours=1)),
    (timedelta(days=20 * 365), "d1", timedelta(days=1)),
)
# A credit a call, and one for each 2,500 bytes: of so many assets, and so many points.
ASSETS_OF_A_CREDIT, POINTS_OF_A_CREDIT = 6, 25


@register
class CoinCap(Adapter):
    """In dollars alone. Every answer costs credits by its size."""

    name = "coincap"
    title = "CoinCap"
    base_url = "https://rest.coincap.io/v3"
    docs_url = "https://pro.coincap.io/api-docs"
    offers = (MarketQuery, PriceQuery, HistoryQuery, SearchQuery, ListingQuery)
    auth = Auth(header="Authorization", prefix="Bearer ")
    batch = {"price": 100}

    def market(self, query: MarketQuery) -> list[MarketRow]:
        _in_dollars(query.currency)
        items = self._assets(limit=query.limit, offset=(query.page - 1) * query.limit)
        return self.rows(items, _market_row)

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Ids that it does not know are left out of its answer."""
        _in_dollars(query.currency)
        named = self.named(query.symbols)
        items = self._assets(ids=",".join(named), limit=len(named))
        return self.prices(named, self.keyed(items, "id"), _price)

    def history(self, query: HistoryQuery) -> list[HistoryPoint]:
        """Every five minutes within a day, hourly within 30 days, daily beyond."""
        _in_dollars(query.currency)
        own, _ = self.listings.find(query.symbol)
        start, end = query.span(self.now())
        interval, _ = _granularity(end - start)
        items = self.http.get(
            f"/assets/{own}/history",
            interval=interval,
            start=int(start.timestamp() * MS),
            end=ceil(end.timestamp() * MS),
        )["data"]
        return in_order(query, self.rows(items, _point))

    def search(self, query: SearchQuery) -> list[SearchHit]:
        """By id or symbol."""
        return self.rows(self._assets(search=query.q, limit=query.limit), _hit)[: query.limit]

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self._assets(limit=LISTED), _listed)

    def ping(self) -> None:
        text(self._assets(limit=1)[0]["id"])

    def _assets(self, **params: Any) -> list[Any]:
        return listed(self.http.get("/assets", **params)["data"])

    @classmethod
    def cost(cls, query: Query) -> int:
        """Credits, of which a key has few a month."""
        match query:
            case MarketQuery(limit=limit) | SearchQuery(limit=limit):
                return _credits(limit, ASSETS_OF_A_CREDIT)
            case PriceQuery(symbols=symbols):
                return _credits(len(symbols), ASSETS_OF_A_CREDIT)
            case HistoryQuery(days=days, start=start, end=end):
                span = end - start if start and end else timedelta(days=days or 1)
                return _credits(ceil(span / _granularity(span)[1]), POINTS_OF_A_CREDIT)
            case ListingQuery():
                return _credits(LISTED, ASSETS_OF_A_CREDIT)
        return 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """A 402 says that the credits are spent: the key is good, and will be of use again."""
        return Throttled("no credits left", wait=HOUR) if reply.status == 402 else None


def _credits(rows: int, of_a_credit: int) -> int:
    return 1 + ceil(rows / of_a_credit)


def _granularity(span: timedelta) -> tuple[str, timedelta]:
    for reach, interval, step in INTERVALS:
        if span <= reach:
            return interval, step
    raise Unsupported("no history that long here")


def _in_dollars(currency: str) -> None:
    if currency != "usd":
        raise Unsupported(f"no {currency!r} here")


def _market_row(row: Any) -> MarketRow:
    return MarketRow(
        rank=rank(row["rank"]),
        id=text(row["id"]),
        symbol=text(row["symbol"]).upper(),
        name=text(row["name"]),
        price=maybe(positive, row["priceUsd"]),
        market_cap=nonzero(row["marketCapUsd"]),
        volume_24h=maybe(amount, row["volumeUsd24Hr"]),
        change_1h_percent=None,
        change_24h_percent=maybe(number, row.get("changePercent24Hr")),
        change_7d_percent=None,
        high_24h=None,
        low_24h=None,
        circulating_supply=nonzero(row.get("supply")),
        last_updated=None,
    )


def _price(item: Any, symbol: str, _: str) -> PriceRow:
    return PriceRow(
        symbol,
        positive(item["priceUsd"]),
        "USD",
        maybe(number, item.get("changePercent24Hr")),
        maybe(amount, item.get("volumeUsd24Hr")),
    )


def _point(row: Any) -> HistoryPoint:
    return HistoryPoint(moment(row["time"], unit=MS), positive(row["priceUsd"]), None, None)


def _hit(row: Any) -> SearchHit:
    return SearchHit(
        text(row["id"]), text(row["symbol"]).upper(), text(row["name"]), rank(row["rank"])
    )


def _listed(row: Any) -> Listed:
    return Listed(text(row["id"]), text(row["symbol"]).upper(), text(row["name"]), "")
