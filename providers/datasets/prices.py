"""What assets cost now: as one provider says it, and as all do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple, Self

from providers.datasets.base import HOUR, Dataset, Query

PRICE = Dataset("price", "Spot prices", fresh_s=60, stale_s=HOUR)

CONSENSUS = Dataset(
    "consensus", "One price from everybody", fresh_s=30, stale_s=HOUR, merged=True, derived=True
)


class PriceRow(NamedTuple):
    """The price of one asset. `quote` is what it is really quoted in: USDT is not USD."""

    symbol: str
    price: Decimal
    quote: str
    change_24h_percent: Decimal | None = None
    volume_24h: Decimal | None = None  # in units of `quote`
    last_updated: datetime | None = None


class Quoted(NamedTuple):
    """What one provider says a coin costs, and how far that is from the median."""

    provider: str
    price: Decimal
    deviation_bps: Decimal
    outlier: bool
    last_updated: datetime | None


class Consensus(NamedTuple):
    """
    The price of a coin in one quote currency as all who quote it there see it. Each currency has
    a row of its own (USDT is not USD); `spread_bps` is between the lowest and the highest price
    that is no outlier, in basis points of the median.
    """

    symbol: str
    quote: str
    median: Decimal
    spread_bps: Decimal
    outliers: tuple[str, ...]
    prices: tuple[Quoted, ...]


@dataclass(frozen=True)
class PriceQuery(Query):
    """Spot prices. Each symbol has a place of its own on the shelf: see `aggregator.batching`."""

    dataset = PRICE
    record = PriceRow

    symbols: tuple[str, ...] = ()
    currency: str = "usd"

    def of(self, *symbols: str) -> Self:
        return replace(self, symbols=symbols)


@dataclass(frozen=True)
class ConsensusQuery(Query):
    dataset = CONSENSUS
    record = Consensus

    symbol: str = ""
    currency: str = "usd"
