"""The whole market: ranked coins, statistics, who moves and what is searched for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from providers.datasets.base import DAY, MINUTE, Dataset, Query

MARKET = Dataset("market", "Ranked coins", fresh_s=60, stale_s=DAY)

GLOBAL = Dataset("global", "Market statistics", fresh_s=5 * MINUTE, stale_s=DAY)

MOVERS = Dataset("movers", "Gainers and losers", fresh_s=60, stale_s=DAY, derived=True)

TRENDING = Dataset("trending", "Coins people search for", fresh_s=10 * MINUTE, stale_s=DAY)


class MarketRow(NamedTuple):
    """One ranked coin. Prices and caps in the asked currency; changes in percent."""

    rank: int | None
    id: str
    symbol: str
    name: str
    price: Decimal | None
    market_cap: Decimal | None
    volume_24h: Decimal | None
    change_1h_percent: Decimal | None
    change_24h_percent: Decimal | None
    change_7d_percent: Decimal | None
    high_24h: Decimal | None
    low_24h: Decimal | None
    circulating_supply: Decimal | None
    last_updated: datetime | None


class GlobalStats(NamedTuple):
    """The whole market, as one provider counts it. Money in USD, shares and changes in percent."""

    market_cap: Decimal
    volume_24h: Decimal | None
    btc_dominance_percent: Decimal | None
    eth_dominance_percent: Decimal | None
    market_cap_change_24h_percent: Decimal | None
    active_coins: int | None
    markets: int | None
    last_updated: datetime | None


class TrendingCoin(NamedTuple):
    """A coin people search for, the most searched first. `rank` is by market capitalisation."""

    id: str
    symbol: str
    name: str
    rank: int | None
    price_btc: Decimal | None
    change_24h_percent: Decimal | None  # in USD


@dataclass(frozen=True)
class MarketQuery(Query):
    dataset = MARKET
    record = MarketRow
    PAGE: ClassVar[int] = 250  # rows of one upstream page

    currency: str = "usd"
    limit: int = 100
    page: int = 1

    def upstream(self) -> MarketQuery:
        """The first upstream page holds the first page of every smaller limit."""
        return replace(self, limit=self.PAGE) if self.page == 1 else self

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows[: self.limit]


@dataclass(frozen=True)
class GlobalQuery(Query):
    dataset = GLOBAL
    record = GlobalStats


@dataclass(frozen=True)
class MoversQuery(Query):
    """
    Of the 250 largest coins those that rose or fell most in the `window`; coins with a smaller
    volume a day than `min_volume` (in the currency) are left out, for they move by a single trade.
    """

    dataset = MOVERS
    record = MarketRow
    WINDOWS: ClassVar[tuple[str, ...]] = ("1h", "24h", "7d")

    direction: str = "gainers"
    limit: int = 20
    min_volume: int = 1_000_000
    currency: str = "usd"
    window: str = "24h"

    def upstream(self) -> MarketQuery:
        return MarketQuery(currency=self.currency).upstream()

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        best_first, field = self.direction == "gainers", f"change_{self.window}_percent"
        moved = [
            (change, row.id, row)
            for row in rows
            if (change := getattr(row, field))
            and (change > 0) == best_first
            and row.volume_24h is not None
            and row.volume_24h >= self.min_volume
        ]
        moved.sort(key=lambda found: found[:2], reverse=best_first)
        return [row for _, _, row in moved[: self.limit]]


@dataclass(frozen=True)
class TrendingQuery(Query):
    dataset = TRENDING
    record = TrendingCoin
