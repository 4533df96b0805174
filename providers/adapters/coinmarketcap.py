"""https://coinmarketcap.com/api/documentation/v1/ (what the free Basic plan opens)"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from math import ceil
from typing import Any

from providers.adapters.base import (
    Adapter,
    Auth,
    Reply,
    amount,
    count,
    first_address,
    instant,
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
    whole,
)
from providers.datasets import (
    Allowance,
    Coin,
    CoinQuery,
    FearGreed,
    GlobalQuery,
    GlobalStats,
    Listed,
    ListingQuery,
    MarketQuery,
    MarketRow,
    PlanQuery,
    PriceQuery,
    PriceRow,
    Query,
    SentimentQuery,
)
from providers.errors import (
    BadKey,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
    Unsupported,
)
from providers.registry import register

MOST_DAYS = 500  # of fear and greed in one call
LISTED = 5000  # coins of the map in one call
MINUTE, HOUR, MONTH = 60.0, 3600.0, 30 * 86400.0

# https://coinmarketcap.com/api/documentation/guides/errors-and-rate-limits
REFUSED: Mapping[int, type[ProviderError]] = {
    1001: BadKey,  # no such key
    1002: BadKey,  # no key
    1003: BadKey,  # a plan that is not paid for
    1004: BadKey,  # a plan that is paid for no longer
    1005: BadKey,  # a key is wanted
    1006: PlanLimit,
    1007: BadKey,  # switched off
}
# A minute's calls come back with the next minute; nobody is told when a day or a month begins.
SPENT_S: Mapping[int, float] = {1008: MINUTE, 1009: HOUR, 1010: HOUR, 1011: MINUTE}


@register
class CoinMarketCap(Adapter):
    """Its ids are numbers. Candles, history and what trends are left to dearer plans."""

    name = "coinmarketcap"
    title = "CoinMarketCap"
    base_url = "https://pro-api.coinmarketcap.com"
    docs_url = "https://coinmarketcap.com/api/documentation/v1/"
    offers = (MarketQuery, PriceQuery, GlobalQuery, CoinQuery, SentimentQuery, ListingQuery)
    auth = Auth(header="X-CMC_PRO_API_KEY")
    batch = {"price": 100}
    reach = {"sentiment": timedelta(days=MOST_DAYS)}

    def market(self, query: MarketQuery) -> list[MarketRow]:
        items = self._ask(
            "/v1/cryptocurrency/listings/latest",
            start=(query.page - 1) * query.limit + 1,
            limit=query.limit,
            convert=query.currency.upper(),
        )
        return self.rows(items, lambda row: _market_row(row, row["quote"][query.currency.upper()]))

    def price(self, query: PriceQuery) -> list[PriceRow]:
        """Ids that it does not know are left out of its answer."""
        named, currency = self.named(query.symbols), query.currency.upper()
        found = self._ask(
            "/v2/cryptocurrency/quotes/latest",
            id=",".join(named),
            convert=currency,
            skip_invalid=True,
        )
        items = self.rows([*found.values()], lambda item: (_own_id(item), item))
        return self.prices(named, dict(items), lambda item, name, _: _price(item, name, currency))

    def global_(self, query: GlobalQuery) -> list[GlobalStats]:
        found = self._ask("/v1/global-metrics/quotes/latest", convert="USD")
        quote = found["quote"]["USD"]
        return [
            GlobalStats(
                market_cap=positive(quote["total_market_cap"]),
                volume_24h=maybe(amount, quote.get("total_volume_24h")),
                btc_dominance_percent=maybe(amount, found.get("btc_dominance")),
                eth_dominance_percent=maybe(amount, found.get("eth_dominance")),
                market_cap_change_24h_percent=maybe(
                    number, quote.get("total_market_cap_yesterday_percentage_change")
                ),
                active_coins=maybe(count, found.get("active_cryptocurrencies")),
                markets=maybe(count, found.get("active_market_pairs")),
                last_updated=maybe(instant, found.get("last_updated")),
            )
        ]

    def coin(self, query: CoinQuery) -> list[Coin]:
        own, _ = self.listings.find(query.id)
        found = self._ask("/v2/cryptocurrency/info", id=own)[own]
        if _own_id(found) != own:
            raise Garbled("another coin than was asked for")
        return [_coin(found)]

    def sentiment(self, query: SentimentQuery) -> list[FearGreed]:
        """An index of its own, which is not the one of alternative.me."""
        if query.days > MOST_DAYS:
            raise Unsupported(f"no more than {MOST_DAYS} days here")
        items = self._ask("/v3/fear-and-greed/historical", limit=max(query.days, 1))
        days = self.rows(items, _day)
        return sorted(days, key=lambda day: day.time, reverse=True)[: query.days]

    def listing(self, query: ListingQuery) -> list[Listed]:
        items = self._ask(
            "/v1/cryptocurrency/map", listing_status="active", sort="cmc_rank", limit=LISTED
        )
        return self.rows(items, _listed)

    def ping(self) -> None:
        text(self._ask("/v1/cryptocurrency/map", limit=1)[0]["symbol"])

    def plan(self, query: PlanQuery) -> list[Allowance]:
        """https://coinmarketcap.com/api/documentation/v1/#operation/getV1KeyInfo"""
        found = self._ask("/v1/key/info")
        plan, usage = found["plan"], found["usage"]
        resets_in_s = (
            instant(plan["credit_limit_monthly_reset_timestamp"]) - self.now()
        ).total_seconds()
        used = count(usage["current_month"]["credits_used"])
        made = maybe(count, usage["current_minute"].get("requests_made"))
        return [
            Allowance(count(plan["rate_limit_minute"]), MINUTE, made, None, None),
            Allowance(count(plan["credit_limit_monthly"]), MONTH, used, resets_in_s, None),
        ]

    def _ask(self, path: str, **params: Any) -> Any:
        return self.http.get(path, **params)["data"]

    @classmethod
    def cost(cls, query: Query) -> int:
        """Credits: each page of the reference names its own."""
        match query:
            case MarketQuery(limit=limit):
                return ceil(limit / 200)
            case PriceQuery(symbols=symbols):
                return max(ceil(len(symbols) / 100), 1)
            case PlanQuery():
                return 0
        return 1

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Its own code decides; some paths tell it as a text."""
        status = said(reply).get("status")
        if not isinstance(status, dict):
            return None
        code = whole(status["error_code"])
        if code in SPENT_S:
            return Throttled(f"error {code}", wait=SPENT_S[code])
        if code in REFUSED:
            return REFUSED[code](f"error {code}")
        if code == 400 and 'Invalid value for "id"' in str(status.get("error_message")):
            return Missing()
        return Garbled(f"error {code}") if code and reply.status == 200 else None


def _own_id(row: Any) -> str:
    return str(count(row["id"]))


def _market_row(row: Any, quote: Any) -> MarketRow:
    return MarketRow(
        rank=rank(row["cmc_rank"]),
        id=_own_id(row),
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
        last_updated=maybe(instant, quote.get("last_updated")),
    )


def _price(item: Any, symbol: str, currency: str) -> PriceRow:
    quote = item["quote"][currency]
    return PriceRow(
        symbol,
        positive(quote["price"]),
        currency,
        maybe(number, quote.get("percent_change_24h")),
        maybe(amount, quote.get("volume_24h")),
        maybe(instant, quote.get("last_updated")),
    )


def _coin(found: Any) -> Coin:
    links = found["urls"]
    return Coin(
        id=_own_id(found),
        symbol=text(found["symbol"]).upper(),
        name=text(found["name"]),
        rank=None,
        description=maybe(prose, (found.get("description") or "").strip()),
        homepage=first_address(links.get("website")),
        explorer=first_address(links.get("explorer")),
        source_code=first_address(links.get("source_code")),
        whitepaper=first_address(links.get("technical_doc")),
        image=first_address([found.get("logo")]),
        categories=tuple(text(tag) for tag in maybe(listed, found.get("tag-names")) or ()),
        hashing_algorithm=None,
        # Bitcoin was launched before any price there is, and so before any time we believe in.
        genesis_date=maybe(_date, found.get("date_launched")),
        platforms={
            text(contract["platform"]["name"]): text(contract["contract_address"])
            for contract in maybe(listed, found.get("contract_address")) or ()
        },
        votes_up_percent=None,
        votes_down_percent=None,
        last_updated=None,
    )


def _date(value: Any) -> date:
    """The day of an ISO 8601 time."""
    return date.fromisoformat(text(value)[:10])


def _day(item: Any) -> FearGreed:
    value = whole(item["value"])
    if not 0 <= value <= 100:
        raise Garbled("an index beyond 0 to 100")
    return FearGreed(moment(item["timestamp"]), value, text(item["value_classification"], most=40))


def _listed(row: Any) -> Listed | None:
    if count(row["is_active"]) != 1:
        return None
    symbol, name = text(row["symbol"]).upper(), text(row["name"])
    return Listed(_own_id(row), symbol, name, "", _contract(row["platform"]))


def _contract(platform: Any) -> dict[str, str]:
    """The one chain that its list names; null for a coin with a chain of its own."""
    if platform is None:
        return {}
    return {text(platform["slug"]): text(platform["token_address"])}
