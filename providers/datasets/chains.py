"""What chains cost to use, and what is locked in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from providers.datasets.base import DAY, HOUR, MINUTE, Dataset, Query

GAS = Dataset("gas", "Transaction fees", fresh_s=15, stale_s=15 * MINUTE)

TVL = Dataset("tvl", "Value locked by chain", fresh_s=HOUR, stale_s=7 * DAY)

TVL_HISTORY = Dataset(
    "tvl_history", "Value locked in the past", fresh_s=6 * HOUR, stale_s=30 * DAY, past=True
)


class Fees(NamedTuple):
    """What a transaction costs now, in `unit`: gwei, or sat/vB on bitcoin."""

    chain: str
    unit: str
    slow: Decimal
    average: Decimal
    fast: Decimal
    base_fee: Decimal | None
    last_updated: datetime | None


class ChainTvl(NamedTuple):
    """Value locked in the protocols of one chain, in USD."""

    chain: str
    symbol: str | None
    tvl: Decimal


class TvlPoint(NamedTuple):
    """Value locked at the end of a day, in USD."""

    date: date
    tvl: Decimal


@dataclass(frozen=True)
class GasQuery(Query):
    dataset = GAS
    record = Fees

    chain: str = "ethereum"


@dataclass(frozen=True)
class TvlQuery(Query):
    """Every chain, the largest first."""

    dataset = TVL
    record = ChainTvl


@dataclass(frozen=True)
class TvlHistoryQuery(Query):
    """One chain, or all of them together (""), ascending."""

    dataset = TVL_HISTORY
    record = TvlPoint

    chain: str = ""
