"""
https://docs.coingecko.com/v3.0.1/reference/introduction (public host) and
https://docs.coingecko.com/reference/introduction (pro host)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from email.utils import parsedate_to_datetime
from itertools import pairwise
from math import ceil, inf
from typing import Any, ClassVar

from providers.adapters.base import (
    Adapter,
    Auth,
    Reply,
    amount,
    count,
    first_address,
    in_order,
    instant,
    known,
    listed,
    maybe,
    moment,
    nonzero,
    number,
    positive,
    prose,
    rank,
    said,
    text,
)
from providers.adapters.candles import Layout, candles, first_open
from providers.datasets import (
    Allowance,
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
    PlanQuery,
    PriceQuery,
    PriceRow,
    SearchHit,
    SearchQuery,
    TrendingCoin,
    TrendingQuery,
)
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
    Unsupported,
)
from providers.registry import register

PAGE = 250  # rows of /coins/markets, and a safe number of ids in one address
MS = 1000
MONTH_S = 30 * 86400.0

# The length of a candle follows from the days that are asked for, and only from them.
DAYS_OF: Mapping[str, tuple[int, ...]] = {"30m": (1,), "4h": (7, 14, 30)}
CANDLE = Layout(width=5, time=0, open=1, high=2, low=3, close=4, volume=None, unit=MS, closing=True)

# https://docs.coingecko.com/docs/common-errors-rate-limit
ERRORS: Mapping[int, type[ProviderError]] = {
    429: Throttled,
    10002: BadKey,  # key missing
    10005: PlanLimit,  # a paid plan's endpoint
    10010: BadKey,  # a pro key on the public host
    10011: BadKey,  # a demo key on the pro host
    10012: PlanLimit,  # further back than the plan allows: a 401 that is not about the key
}


@register
class CoinGecko(Adapter):
    """The public host without a key. Its answers are about a minute old when they come."""

    name = "coingecko"
    title = "CoinGecko (free)"
    base_url = "https://api.coingecko.com/api/v3"
    docs_url = "https://docs.coingecko.com/v3.0.1/reference/introduction"
    offers = (
        MarketQuery,
        PriceQuery,
        OhlcQuery,
        HistoryQuery,
        GlobalQuery,
        CoinQuery,
        SearchQuery,
        TrendingQuery,
        ListingQuery,
    )
    batch = {"price": PAGE}
    listed_as = "coingecko"

    # About as long as its public cache keeps each.
    updates: ClassVar[Mapping[str, float]] = {
        "market": 60,
        "price": 60,
        "coin": 60,
        "ohlc": 900,
        "global": 600,
        "search": 900,
    }
    reach: ClassVar[Mapping[str, timedelta]] = {
        "history": timedelta(days=365),
        "ohlc": timedelta(days=max(DAYS_OF["4h"])),
    }

    def market(self, query: MarketQuery) -> list[MarketRow]:
        if query.limit > PAGE:
            raise Unsupported(f"no pages of more than {PAGE} coins")
        items = self.http.get(
            "/coins/markets",
            vs_currency=query.currency,
            order="market_cap_desc",
            per_page=query.limit,
            page=query.page,
            price_change_percentage="1h,7d",
            precision="full",
        )
        return self.rows(items, _market_row)

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Ids that it does not know are left out of its answer."""
        named = self.named(query.symbols)
        currency = query.currency
        items = self.http.get(
            "/simple/price",
            ids=",".join(named),
            vs_currencies=currency,
            include_24hr_vol=True,
            include_24hr_change=True,
            include_last_updated_at=True,
            precision="full",
        )
        return self.prices(named, items, lambda item, symbol, _: _price(item, symbol, currency))

    def ohlc(self, query: OhlcQuery) -> Sequence[Candle]:
        """Candles without volume; those of other lengths than 30m and 4h do not exist here."""
        own, _ = self.listings.find(query.symbol)
        items = self.http.get(
            f"/coins/{own}/ohlc",
            vs_currency=query.currency,
            days=self._days(query),
            precision="full",
        )
        rows = candles(self, query, items, CANDLE)
        steps = [(later.time - earlier.time).total_seconds() for earlier, later in pairwise(rows)]
        if steps and min(steps) > query.seconds:
            raise Garbled("candles of a longer interval than was asked for")
        return rows

    def _days(self, query: OhlcQuery) -> int:
        """The least number of days whose candles are as long as asked and go back far enough."""
        now = self.now().timestamp()
        back = now - first_open(query, now)
        for days in known(DAYS_OF, query.interval, "interval"):
            if back <= days * 86400:
                return days
        raise Unsupported(f"{query.interval} candles do not go back that far here")

    def history(self, query: HistoryQuery) -> list[HistoryPoint]:
        """Every 5 minutes within a day, hourly up to 90 days, daily beyond."""
        own, _ = self.listings.find(query.symbol)
        now = self.now()
        start, end = query.span(now)
        if reach := self.reach.get(query.dataset.name):
            if start < now - reach:
                raise Unsupported(f"no history beyond {reach.days} days here")
            # On the edge itself the call would be late by the time it arrives.
            start = max(start, now - reach + timedelta(minutes=1))
        found = self.http.get(
            f"/coins/{own}/market_chart/range",
            vs_currency=query.currency,
            # Inward, as a second more than a day has hours instead of minutes.
            **{"from": ceil(start.timestamp()), "to": int(end.timestamp())},
        )
        return in_order(query, _points(self, found))

    def global_(self, query: GlobalQuery) -> list[GlobalStats]:
        found = self.http.get("/global")["data"]
        share = found["market_cap_percentage"]
        return [
            GlobalStats(
                market_cap=positive(found["total_market_cap"]["usd"]),
                volume_24h=maybe(amount, found["total_volume"].get("usd")),
                btc_dominance_percent=maybe(amount, share.get("btc")),
                eth_dominance_percent=maybe(amount, share.get("eth")),
                market_cap_change_24h_percent=maybe(
                    number, found.get("market_cap_change_percentage_24h_usd")
                ),
                active_coins=maybe(count, found.get("active_cryptocurrencies")),
                markets=maybe(count, found.get("markets")),
                last_updated=maybe(moment, found.get("updated_at")),
            )
        ]

    def coin(self, query: CoinQuery) -> list[Coin]:
        own, _ = self.listings.find(query.id)
        found = self.http.get(
            f"/coins/{own}",
            localization=False,
            tickers=False,
            market_data=False,
            community_data=False,
            developer_data=False,
            sparkline=False,
        )
        if found["id"] != own:
            raise Garbled("another coin than was asked for")
        return [_coin(found)]

    def search(self, query: SearchQuery) -> list[SearchHit]:
        """By market capitalisation, the largest first."""
        found = self.http.get("/search", query=query.q)["coins"]
        return self.rows(found, _hit)[: query.limit]

    def trending(self, query: TrendingQuery) -> list[TrendingCoin]:
        """What was searched for most in the last 24 hours, the most searched first."""
        found = self.http.get("/search/trending")["coins"]
        return self.rows(found, lambda row: _trending(row["item"]))

    def listing(self, query: ListingQuery) -> list[Listed]:
        return self.rows(self.http.get("/coins/list", include_platform=True), _listed)

    def ping(self) -> None:
        text(self.http.get("/ping")["gecko_says"])

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Its own code decides, wherever it stands; else the status does."""
        found = said(reply)
        error = found.get("error")
        status = found.get("status") or (error.get("status") if isinstance(error, dict) else None)
        code = status.get("error_code") if isinstance(status, dict) else None
        if reply.status == 429 or code == 429:
            return Throttled("too many calls", wait=_until_reset(reply))
        if isinstance(code, int) and code in ERRORS:
            return ERRORS[code](f"error {code}")
        if reply.status == 403:
            # Its firewall answers in HTML, its billing in JSON.
            return PlanLimit("not in this plan") if error else Blocked("by its firewall")
        if error == "coin not found":
            return Missing()
        if 200 <= reply.status < 300 and (error or code):
            return Broken("an error inside a 200")
        return None


@register
class CoinGeckoDemo(CoinGecko):
    """The public host with a free key: more calls, the same answers."""

    name = "coingecko_demo"
    title = "CoinGecko (demo key)"
    auth = Auth(header="x-cg-demo-api-key")


@register
class CoinGeckoPro(CoinGecko):
    """The paid host; how far back its history goes depends on the plan, and it tells (10012)."""

    name = "coingecko_pro"
    title = "CoinGecko (pro key)"
    base_url = "https://pro-api.coingecko.com/api/v3"
    docs_url = "https://docs.coingecko.com/reference/introduction"
    auth = Auth(header="x-cg-pro-api-key")
    updates: ClassVar[Mapping[str, float]] = {}
    reach = {"ohlc": CoinGecko.reach["ohlc"]}

    def plan(self, query: PlanQuery) -> list[Allowance]:
        """https://docs.coingecko.com/reference/api-usage: a key may be given less than its plan."""
        found = self.http.get("/key")
        name, used = text(found["plan"]), maybe(count, found.get("current_total_monthly_calls"))
        minute, month = (
            min(count(found[limit]), maybe(count, found.get(f"api_key_{limit}")) or inf)
            for limit in ("rate_limit_request_per_minute", "monthly_call_credit")
        )
        return [
            Allowance(minute, 60, None, None, name),
            Allowance(month, MONTH_S, used, None, name),
        ]


def _until_reset(reply: Reply) -> float | None:
    """
    Seconds until the `x-ratelimit-reset` it sometimes sends, by the clock it sends along; None
    where there is a Retry-After, which everybody understands.
    """
    headers = reply.headers
    if "Retry-After" in headers or "x-ratelimit-reset" not in headers or "Date" not in headers:
        return None
    reset = datetime.strptime(headers["x-ratelimit-reset"], "%Y-%m-%d %H:%M:%S %z")
    left = (reset - parsedate_to_datetime(headers["Date"])).total_seconds()
    return left if left > 0 else None


def _market_row(row: Any) -> MarketRow:
    return MarketRow(
        rank=rank(row["market_cap_rank"]),
        id=text(row["id"]),
        symbol=text(row["symbol"]).upper(),
        name=text(row["name"]),
        price=maybe(positive, row["current_price"]),
        market_cap=nonzero(row["market_cap"]),
        volume_24h=maybe(amount, row["total_volume"]),
        change_1h_percent=maybe(number, row.get("price_change_percentage_1h_in_currency")),
        change_24h_percent=maybe(number, row.get("price_change_percentage_24h")),
        change_7d_percent=maybe(number, row.get("price_change_percentage_7d_in_currency")),
        high_24h=maybe(positive, row.get("high_24h")),
        low_24h=maybe(positive, row.get("low_24h")),
        circulating_supply=nonzero(row.get("circulating_supply")),
        last_updated=maybe(instant, row.get("last_updated")),
    )


def _listed(row: Any) -> Listed:
    return Listed(
        text(row["id"]),
        text(row["symbol"]).upper(),
        text(row["name"]),
        "",
        _platforms(row["platforms"]),
    )


def _platforms(found: Any) -> dict[str, str]:
    """Chain -> address; a coin with a chain of its own has {"": ""}."""
    return {text(chain): text(address) for chain, address in found.items() if chain and address}


def _price(item: Any, symbol: str, currency: str) -> PriceRow:
    return PriceRow(
        symbol,
        positive(item[currency]),
        currency.upper(),
        maybe(number, item.get(f"{currency}_24h_change")),
        maybe(amount, item.get(f"{currency}_24h_vol")),
        maybe(moment, item.get("last_updated_at")),
    )


def _points(adapter: Adapter, found: Any) -> list[HistoryPoint]:
    """Three series of [milliseconds, value], joined by their times."""
    caps, volumes = (_series(found.get(name)) for name in ("market_caps", "total_volumes"))

    def read(item: Any) -> HistoryPoint:
        at, price = item
        volume = maybe(amount, volumes.get(at))
        return HistoryPoint(moment(at, unit=MS), positive(price), nonzero(caps.get(at)), volume)

    return adapter.rows(found["prices"], read)


def _series(items: Any) -> dict[Any, Any]:
    return dict(items or ())


def _coin(found: Any) -> Coin:
    links = found["links"]
    return Coin(
        id=text(found["id"]),
        symbol=text(found["symbol"]).upper(),
        name=text(found["name"]),
        rank=rank(found.get("market_cap_rank")),
        description=maybe(prose, found["description"].get("en", "").strip()),
        homepage=first_address(links.get("homepage")),
        explorer=first_address(links.get("blockchain_site")),
        source_code=first_address(links.get("repos_url", {}).get("github")),
        whitepaper=first_address([links.get("whitepaper")]),
        image=first_address([found["image"].get("large")]),
        categories=tuple(text(name) for name in listed(found["categories"]) if name),
        hashing_algorithm=maybe(text, found.get("hashing_algorithm")),
        genesis_date=maybe(date.fromisoformat, found.get("genesis_date")),
        platforms=_platforms(found["platforms"]),
        votes_up_percent=maybe(amount, found.get("sentiment_votes_up_percentage")),
        votes_down_percent=maybe(amount, found.get("sentiment_votes_down_percentage")),
        last_updated=maybe(instant, found.get("last_updated")),
    )


def _hit(row: Any) -> SearchHit:
    place = rank(row["market_cap_rank"])
    return SearchHit(text(row["id"]), text(row["symbol"]).upper(), text(row["name"]), place)


def _trending(item: Any) -> TrendingCoin:
    changes = (item.get("data") or {}).get("price_change_percentage_24h") or {}
    return TrendingCoin(
        id=text(item["id"]),
        symbol=text(item["symbol"]).upper(),
        name=text(item["name"]),
        rank=rank(item["market_cap_rank"]),
        price_btc=maybe(positive, item.get("price_btc")),
        change_24h_percent=maybe(number, changes.get("usd")),
    )
