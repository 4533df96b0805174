"""
https://github.com/nimazasinich/crypto-dt-source, which runs as "Crypto API Clean" on Hugging Face:
a thin proxy of CoinGecko and alternative.me, asleep when nobody asks.

It also holds a catalogue of resources, with other people's keys in it, and figures that are made
up (the mood of the market, the sentiment of an asset, the uptime of providers): none is asked for.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from providers.adapters.base import (
    Adapter,
    amount,
    count,
    instant,
    maybe,
    moment,
    nonzero,
    number,
    positive,
    rank,
    text,
    whole,
)
from providers.datasets import (
    FearGreed,
    GlobalQuery,
    GlobalStats,
    MarketQuery,
    MarketRow,
    SentimentQuery,
    TrendingCoin,
    TrendingQuery,
)
from providers.errors import Garbled, Unsupported
from providers.registry import register

PAGE = 250  # coins it tells of
MS = 1000

# How many days the index goes back at most, by what it calls that.
FRAMES = ((1, "1D"), (7, "7D"), (30, "30D"), (365, "1Y"))
INDEX_OF = "alternative.me"  # where the index is from, unless it had to be guessed


@register
class CryptoApiClean(Adapter):
    """In dollars alone. Its times are of its own answer, not of what is in it."""

    name = "crypto_api_clean"
    title = "Crypto API Clean"
    base_url = "https://really-amin-crypto-api-clean.hf.space"
    docs_url = "https://github.com/nimazasinich/crypto-dt-source"
    offers = (MarketQuery, GlobalQuery, TrendingQuery, SentimentQuery)
    reach = {"sentiment": timedelta(days=FRAMES[-1][0])}

    def market(self, query: MarketQuery) -> list[MarketRow]:
        if query.currency != "usd":
            raise Unsupported(f"no {query.currency!r} here")
        if query.page > 1 or query.limit > PAGE:
            raise Unsupported(f"no more than the first {PAGE} coins here")
        found = self.http.get("/api/coins/top", limit=query.limit)
        return self.rows(found["coins"], _market_row)

    def global_(self, query: GlobalQuery) -> list[GlobalStats]:
        found = self.http.get("/api/market")
        share = found["market_cap_percentage"]
        return [
            GlobalStats(
                market_cap=positive(found["total_market_cap"]),
                volume_24h=maybe(amount, found.get("total_volume")),
                btc_dominance_percent=maybe(amount, share.get("btc")),
                eth_dominance_percent=maybe(amount, share.get("eth")),
                market_cap_change_24h_percent=maybe(
                    number, found.get("market_cap_change_percentage_24h")
                ),
                active_coins=maybe(count, found.get("active_cryptocurrencies")),
                markets=maybe(count, found.get("markets")),
                last_updated=None,
            )
        ]

    def trending(self, query: TrendingQuery) -> list[TrendingCoin]:
        return self.rows(self.http.get("/api/trending")["coins"], _trending)

    def sentiment(self, query: SentimentQuery) -> list[FearGreed]:
        """The history it was told, newest first; the rest of that answer is its own guess."""
        found = self.http.get("/api/sentiment/global", timeframe=_frame(query.days))
        if found["source"] != INDEX_OF:
            raise Garbled("an index that nobody published")
        days = self.rows(found["history"], _day)
        return sorted(days, key=lambda day: day.time, reverse=True)[: query.days]

    def ping(self) -> None:
        if self.http.get("/health")["status"] != "healthy":
            raise Garbled("not the answer to a ping")


def _frame(days: int) -> str:
    for most, name in FRAMES:
        if days <= most:
            return name
    raise Unsupported("no more than a year here")


def _market_row(row: Any) -> MarketRow:
    return MarketRow(
        rank=rank(row["market_cap_rank"]),
        id=text(row["id"]),
        symbol=text(row["symbol"]).upper(),
        name=text(row["name"]),
        price=maybe(positive, row["current_price"]),
        market_cap=nonzero(row["market_cap"]),
        volume_24h=maybe(amount, row["total_volume"]),
        change_1h_percent=None,
        change_24h_percent=maybe(number, row.get("price_change_percentage_24h")),
        change_7d_percent=None,
        high_24h=maybe(positive, row.get("high_24h")),
        low_24h=maybe(positive, row.get("low_24h")),
        circulating_supply=nonzero(row.get("circulating_supply")),
        last_updated=maybe(instant, row.get("last_updated")),
    )


def _trending(row: Any) -> TrendingCoin:
    return TrendingCoin(
        text(row["id"]),
        text(row["symbol"]).upper(),
        text(row["name"]),
        rank(row["market_cap_rank"]),
        maybe(positive, row.get("price_btc")),
        None,
    )


def _day(item: Any) -> FearGreed:
    value = whole(item["sentiment"])
    if not 0 <= value <= 100:
        raise Garbled("an index beyond 0 to 100")
    at = moment(item["timestamp"], unit=MS)
    return FearGreed(at, value, text(item["classification"], most=40))
