"""Articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from providers.datasets.base import DAY, MINUTE, Dataset, Query

NEWS = Dataset("news", "News", fresh_s=5 * MINUTE, stale_s=DAY, durable=True, merged=True)


class Article(NamedTuple):
    """One news item. `id` is a hash of its canonical address; text is plain, never markup."""

    id: str
    title: str
    url: str
    source: str
    published_at: datetime
    summary: str | None
    symbols: tuple[str, ...]
    sentiment: dict[str, Any] | None  # {label, score, method}


@dataclass(frozen=True)
class NewsQuery(Query):
    """The newest articles of every feed, then narrowed: feeds have no filters of their own."""

    dataset = NEWS
    record = Article

    symbol: str = ""
    source: str = ""
    since: datetime | None = None
    limit: int = 50

    def upstream(self) -> NewsQuery:
        return NewsQuery(limit=250)

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        kept = [
            row
            for row in rows
            if (not self.symbol or self.symbol in row.symbols)
            and (not self.source or self.source == row.source)
            and (self.since is None or row.published_at >= self.since)
        ]
        return kept[: self.limit]
