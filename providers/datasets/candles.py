"""What assets cost in the past: candles (OHLCV) and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, NamedTuple

from providers.datasets.base import DAY, HOUR, MINUTE, Dataset, Query

OHLC = Dataset("ohlc", "Candles (OHLCV)", fresh_s=HOUR, stale_s=7 * DAY, past=True)

HISTORY = Dataset(
    "history", "Price history", fresh_s=DAY, stale_s=30 * DAY, durable=True, past=True
)

# Canonical candle lengths, in seconds.
INTERVALS: dict[str, int] = {
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "30m": 1800,
    "1h": 3600,
    "4h": 14400,
    "1d": 86400,
    "1w": 604800,
}


class Candle(NamedTuple):
    """Opens at `time`; volume in units of the base asset. A running candle is not complete."""

    time: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal | None
    complete: bool


class HistoryPoint(NamedTuple):
    """One moment of the past: price, capitalisation and 24 h volume in the asked currency."""

    time: datetime
    price: Decimal
    market_cap: Decimal | None
    volume: Decimal | None


@dataclass(frozen=True)
class OhlcQuery(Query):
    """Candles that open in [start, end); the newest `limit` of them when neither is given."""

    dataset = OHLC
    record = Candle

    symbol: str = ""
    interval: str = "1h"
    limit: int = 100
    start: datetime | None = None
    end: datetime | None = None
    currency: str = "usd"

    # Sizes that are asked for and shelved. 300 is a page everywhere, 1,000 the most there is; and
    # who keeps fewer candles of one length may answer those who want no more.
    SIZES: ClassVar[tuple[int, ...]] = (300, 1000)
    FEW: ClassVar[Mapping[str, int]] = {
        "30m": 48,  # of a day, as CoinGecko has them
        "4h": 180,  # of thirty days, CoinGecko too
        "1d": 2,  # yesterday's and today's, which are free at CoinPaprika
    }

    def upstream(self) -> OhlcQuery:
        """The smallest size that holds what is asked."""
        sizes = (self.FEW.get(self.interval, 0), *self.SIZES)
        return replace(self, limit=next((s for s in sizes if self.limit <= s), self.limit))

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows[: self.limit] if self.start else rows[-self.limit :]

    @property
    def seconds(self) -> int:
        return INTERVALS[self.interval]

    @property
    def fresh_s(self) -> float:
        """A quarter of a candle, from 15 s to an hour; what is past does not change."""
        if self.end is not None and self.end < datetime.now(UTC):
            return DAY
        return min(max(self.seconds / 4, 15.0), HOUR)


@dataclass(frozen=True)
class HistoryQuery(Query):
    """Prices of the last `days`, or those between `start` and `end`."""

    dataset = HISTORY
    record = HistoryPoint

    symbol: str = ""
    days: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    currency: str = "usd"

    @property
    def fresh_s(self) -> float:
        """
        A day for daily points and for what is past. A span that ends now and has finer points
        would be a day behind: hourly ones (up to 90 days) stay an hour, those of a day 5 minutes.
        """
        now = datetime.now(UTC)
        start, end = self.span(now)
        if end < now or end - start > timedelta(days=90):
            return DAY
        return HOUR if end - start > timedelta(days=1) else 5 * MINUTE

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        end = self.end or now
        return self.start or end - timedelta(days=self.days or 1), end
