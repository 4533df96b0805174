"""What a coin is, and which assets a word fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

from providers.datasets.base import DAY, HOUR, Dataset, Query

COIN = Dataset("coin", "Coin metadata", fresh_s=HOUR, stale_s=30 * DAY, durable=True)

SEARCH = Dataset("search", "Search", fresh_s=HOUR, stale_s=7 * DAY)


class Coin(NamedTuple):
    """What a coin is. `description` is plain text: markup is removed."""

    id: str
    symbol: str
    name: str
    rank: int | None
    description: str | None
    homepage: str | None
    explorer: str | None
    source_code: str | None
    whitepaper: str | None
    image: str | None
    categories: tuple[str, ...]
    hashing_algorithm: str | None
    genesis_date: date | None
    platforms: dict[str, str]  # chain -> contract address
    votes_up_percent: Decimal | None
    votes_down_percent: Decimal | None
    last_updated: datetime | None


class SearchHit(NamedTuple):
    """`id` is the provider's own id for a coin, and ours for what is none (`kind`)."""

    id: str
    symbol: str
    name: str
    rank: int | None
    kind: str = "crypto"


@dataclass(frozen=True)
class CoinQuery(Query):
    """`id` is our own id of the asset, or its symbol."""

    dataset = COIN
    record = Coin

    id: str = ""


@dataclass(frozen=True)
class SearchQuery(Query):
    dataset = SEARCH
    record = SearchHit

    q: str = ""
    limit: int = 20
    kind: str = ""  # of which assets; "" for all

    def upstream(self) -> SearchQuery:
        return replace(self, limit=50)

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows[: self.limit]
