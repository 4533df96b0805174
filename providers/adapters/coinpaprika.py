"""https://api.coinpaprika.com (OpenAPI 1.7; what the free plan holds stands beside each call)"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import ceil
from typing import Any

from providers.adapters.base import (
    Adapter,
    Reply,
    amount,
    count,
    first_address,
    flag,
    in_order,
    instant,
    listed,
    maybe,
    moment,
    nonzero,
    number,
    positive,
    prose,
    rank,
    text,
)
from providers.adapters.candles import Layout, candles, first_open, last_open
from providers.datasets import (
    Candle,
    Coin,
    CoinQuery,
    GlobalQuery,
    GlobalStats,
    HistoryPoint,
    HistoryQuery,
    Listed,
    ListingQuery,
    MarketQuery,
    MarketRow,
    OhlcQuery,
    PriceQuery,
    PriceRow,
    SearchHit,
    SearchQuery,
)
from providers.errors import Garbled, PlanLimit, ProviderError, Unsupported
from providers.registry import register

DAY = 86400
MOST_POINTS = 5000  # of a history in one call

CURRENCIES = frozenset(
    ["ars", "aud", "bob", "brl", "btc", "cad", "chf", "clp", "cny", "cop", "czk", "dkk", "eth"]
    + ["eur", "gbp", "hkd", "huf", "idr", "ils", "inr", "isk", "jpy", "krw", "mxn", "myr", "ngn"]
    + ["nok", "nzd", "pen", "php", "pkr", "pln", "rub", "sek", "sgd", "thb", "try", "twd", "uah"]
    + ["usd", "vnd", "zar"]
)
PAST_CURRENCIES = frozenset({"usd", "btc"})

# How far back the free plan goes, and how often it has a price there.
HISTORY = ((timedelta(days=1), "1h"), (timedelta(days=365), "1d"))
CANDLE = Layout(width=5, time=0, open=1, high=2, low=3, close=4, volume=None)


@register
class CoinPaprika(Adapter):
    """The free plan: the first 2,000 coins, five minutes old, and 20,000 calls a month."""

    name = "coinpaprika"
    title = "CoinPaprika"
    base_url = "https://api.coinpaprika.com/v1"
    docs_url = "https://api.coinpaprika.com"
    offers = (
        MarketQuery,
        PriceQuery,
        OhlcQuery,
        HistoryQuery,
        GlobalQuery,
        CoinQuery,
        SearchQuery,
        ListingQuery,
    )
    batch = {"price": 1000}
    updates = {"market": 300, "price": 300, "global": 300}
    reach = {"history": HISTORY[-1][0], "ohlc": timedelta(days=2)}

    def market(self, query: MarketQuery) -> list[MarketRow]:
        """Its list has no pages: all of it comes, and the page is cut out by rank."""
        quote = _quote(query.currency, CURRENCIES)
        items = listed(self.http.get("/tickers", quotes=quote))
        first = (query.page - 1) * query.limit
        page = sorted(items, key=_place)[first : first + query.limit]
        return self.rows(page, lambda row: _market_row(row, row["quotes"][quote]))

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """One coin alone is a small answer, several are its whole list."""
        currency = _quote(query.currency, CURRENCIES)
        named = self.named(query.symbols)
        if len(named) == 1:
            items = [self.http.get(f"/tickers/{own}", quotes=currency) for own in named]
        else:
            items = self.http.get("/tickers", quotes=currency)
        return self.prices(
            named,
            self.keyed(items, "id"),
            lambda item, symbol, _: _price(item, symbol, currency),
            everything=len(named) > 1,
        )

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Free are the last full day and the running one. Their volume is money, so it is left."""
        quote = _quote(query.currency, PAST_CURRENCIES)
        own, _ = self.listings.find(query.symbol)
        now = self.now().timestamp()
        today = int(now // DAY) * DAY
        first, last = first_open(query, now), last_open(query, now)
        if query.interval != "1d" or first < today - DAY:
            raise Unsupported("only the candles of yesterday and today are free here")
        items: list[Any] = []
        if first < today:
            items += listed(self.http.get(f"/coins/{own}/ohlcv/latest", quote=quote.lower()))
        if last >= today:
            items += listed(self.http.get(f"/coins/{own}/ohlcv/today", quote=quote.lower()))
        return candles(self, query, self.rows(items, _columns), CANDLE)

    def history(self, query: HistoryQuery) -> list[HistoryPoint]:
        """Hourly within a day, daily within a year."""
        quote = _quote(query.currency, PAST_CURRENCIES)
        own, _ = self.listings.find(query.symbol)
        now = self.now()
        start, end = query.span(now)
        reach, interval = _granularity(now - start)
        items = self.http.get(
            f"/tickers/{own}/historical",
            # On the edge itself the call would be late by the time it arrives.
            start=int(max(start, now - reach + timedelta(minutes=1)).timestamp()),
            end=ceil(end.timestamp()),
            interval=interval,
            limit=MOST_POINTS,
            quote=quote.lower(),
        )
        return in_order(query, self.rows(items, _point))

    def global_(self, query: GlobalQuery) -> list[GlobalStats]:
        found = self.http.get("/global")
        return [
            GlobalStats(
                market_cap=positive(found["market_cap_usd"]),
                volume_24h=maybe(amount, found.get("volume_24h_usd")),
                btc_dominance_percent=maybe(amount, found.get("bitcoin_dominance_percentage")),
                eth_dominance_percent=None,
                market_cap_change_24h_percent=maybe(number, found.get("market_cap_change_24h")),
                active_coins=maybe(count, found.get("cryptocurrencies_number")),
                markets=None,
                last_updated=maybe(moment, found.get("last_updated")),
            )
        ]

    def coin(self, query: CoinQuery) -> list[Coin]:
        own, _ = self.listings.find(query.id)
        found = self.http.get(f"/coins/{own}")
        if found["id"] != own:
            raise Garbled("another coin than was asked for")
        return [_coin(found)]

    def search(self, query: SearchQuery) -> list[SearchHit]:
        found = self.http.get("/search", q=query.q, c="currencies", limit=query.limit)
        return self.rows(found["currencies"], _hit)[: query.limit]

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self.http.get("/coins"), _listed)

    def ping(self) -> None:
        moment(self.http.get("/global")["last_updated"])

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """A 402 is about the plan: the provider is well, and no key was refused."""
        return PlanLimit("not in the free plan") if reply.status == 402 else None


def _quote(currency: str, allowed: frozenset[str]) -> str:
    if currency not in allowed:
        raise Unsupported(f"no {currency!r} here")
    return currency.upper()


def _granularity(back: timedelta) -> tuple[timedelta, str]:
    for reach, interval in HISTORY:
        if back <= reach:
            return reach, interval
    raise Unsupported("no history beyond a year here")


def _place(row: Any) -> float:
    """Where a coin stands in the list; coins without a rank come last."""
    place = row.get("rank") if isinstance(row, dict) else None
    return place if isinstance(place, int) and place > 0 else float("inf")


def _market_row(row: Any, quote: Any) -> MarketRow:
    return MarketRow(
        rank=rank(row["rank"]),
        id=text(row["id"]),
        symbol=text(row["symbol"]).upper(),
        name=text(row["name"]),
        price=maybe(positive, quote["price"]),
        market_cap=nonzero(quote["market_cap"]),
        volume_24h=maybe(amount, quote["volume_24h"]),
        change_1h_percent=maybe(number, quote.get("percent_change_1h")),
        change_24h_percent=maybe(number, quote.get("percent_change_24h")),
        change_7d_percent=maybe(number, quote.get("percent_change_7d")),
        high_24h=None,
        low_24h=None,
        circulating_supply=nonzero(row.get("circulating_supply")),
        last_updated=maybe(instant, row.get("last_updated")),
    )


def _price(item: Any, symbol: str, currency: str) -> PriceRow:
    quote = item["quotes"][currency]
    return PriceRow(
        symbol,
        positive(quote["price"]),
        currency,
        maybe(number, quote.get("percent_change_24h")),
        maybe(amount, quote.get("volume_24h")),
        maybe(instant, item.get("last_updated")),
    )


def _columns(row: Any) -> list[Any]:
    opened = int(instant(row["time_open"]).timestamp())
    return [opened, row["open"], row["high"], row["low"], row["close"]]


def _point(row: Any) -> HistoryPoint:
    return HistoryPoint(
        instant(row["timestamp"]),
        positive(row["price"]),
        nonzero(row.get("market_cap")),
        maybe(amount, row.get("volume_24h")),
    )


def _coin(found: Any) -> Coin:
    links = found.get("links") or {}
    started = maybe(instant, found.get("started_at"))
    return Coin(
        id=text(found["id"]),
        symbol=text(found["symbol"]).upper(),
        name=text(found["name"]),
        rank=rank(found.get("rank")),
        description=maybe(prose, (found.get("description") or "").strip()),
        homepage=first_address(links.get("website")),
        explorer=first_address(links.get("explorer")),
        source_code=first_address(links.get("source_code")),
        whitepaper=first_address([(found.get("whitepaper") or {}).get("link")]),
        image=first_address([found.get("logo")]),
        categories=tuple(text(tag["name"]) for tag in maybe(listed, found.get("tags")) or ()),
        hashing_algorithm=maybe(text, found.get("hash_algorithm")),
        genesis_date=started.date() if started else None,
        platforms={
            text(contract["platform"]): text(contract["contract"])
            for contract in maybe(listed, found.get("contracts")) or ()
        },
        votes_up_percent=None,
        votes_down_percent=None,
        last_updated=None,
    )


def _hit(row: Any) -> SearchHit:
    return SearchHit(
        text(row["id"]), text(row["symbol"]).upper(), text(row["name"]), rank(row["rank"])
    )


def _listed(row: Any) -> Listed | None:
    if not flag(row["is_active"]):
        return None
    return Listed(text(row["id"]), text(row["symbol"]).upper(), text(row["name"]), "")
