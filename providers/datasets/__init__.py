"""
What can be asked: one Dataset, one Query and one Record class each.

A **Dataset** is a kind of data with the seconds an answer stays fresh and servable. A
**Query** is a frozen dataclass asking one thing of it. A **Record** is one row of an answer: a
NamedTuple (a tenth of the price of a frozen dataclass, and an answer may hold a thousand).

Numbers are `Decimal`, made from the digits the provider sent, so that no digit is lost on the
way through. Times are aware datetimes in UTC. A field that the provider did not send is None.
"""

from __future__ import annotations

from dataclasses import fields
from datetime import date, datetime
from typing import Any

from providers.datasets.base import DAY, HOUR, MINUTE, Dataset, Query
from providers.datasets.candles import (
    HISTORY,
    INTERVALS,
    OHLC,
    Candle,
    HistoryPoint,
    HistoryQuery,
    OhlcQuery,
)
from providers.datasets.chains import (
    GAS,
    TVL,
    TVL_HISTORY,
    ChainTvl,
    Fees,
    GasQuery,
    TvlHistoryQuery,
    TvlPoint,
    TvlQuery,
)
from providers.datasets.coins import COIN, SEARCH, Coin, CoinQuery, SearchHit, SearchQuery
from providers.datasets.completions import (
    COMPLETION,
    Chunk,
    Completion,
    CompletionQuery,
    Message,
)
from providers.datasets.economy import (
    ECONOMIC,
    SERIES,
    EconomicQuery,
    Observation,
    Series,
    SeriesQuery,
)
from providers.datasets.market import (
    GLOBAL,
    MARKET,
    MOVERS,
    TRENDING,
    GlobalQuery,
    GlobalStats,
    MarketQuery,
    MarketRow,
    MoversQuery,
    TrendingCoin,
    TrendingQuery,
)
from providers.datasets.models import (
    MODEL_FACTS,
    TRIAL,
    ModelFacts,
    ModelFactsQuery,
    Trial,
    TrialQuery,
)
from providers.datasets.news import NEWS, Article, NewsQuery
from providers.datasets.prices import (
    CONSENSUS,
    PRICE,
    Consensus,
    ConsensusQuery,
    PriceQuery,
    PriceRow,
    Quoted,
)
from providers.datasets.sentiment import (
    ASSET_SENTIMENT,
    CLASSIFICATION,
    SENTIMENT,
    AssetSentiment,
    AssetSentimentQuery,
    ClassificationQuery,
    Classified,
    FearGreed,
    Headline,
    NewsMood,
    SentimentQuery,
    Votes,
)
from providers.datasets.upkeep import (
    LISTING,
    PING,
    PLAN,
    Allowance,
    Listed,
    ListingQuery,
    PingQuery,
    PlanQuery,
)

__all__ = [
    "ASSET_SENTIMENT",
    "CLASSIFICATION",
    "COIN",
    "COMPLETION",
    "CONSENSUS",
    "DATASETS",
    "DAY",
    "ECONOMIC",
    "GAS",
    "GLOBAL",
    "HISTORY",
    "HOUR",
    "INTERVALS",
    "LISTING",
    "MARKET",
    "MINUTE",
    "MODEL_FACTS",
    "MOVERS",
    "NEWS",
    "OHLC",
    "PING",
    "PLAN",
    "PRICE",
    "QUERIES",
    "SEARCH",
    "SENTIMENT",
    "SERIES",
    "TRENDING",
    "TRIAL",
    "TVL",
    "TVL_HISTORY",
    "Allowance",
    "Article",
    "AssetSentiment",
    "AssetSentimentQuery",
    "Candle",
    "ChainTvl",
    "Chunk",
    "ClassificationQuery",
    "Classified",
    "Coin",
    "CoinQuery",
    "Completion",
    "CompletionQuery",
    "Consensus",
    "ConsensusQuery",
    "Dataset",
    "EconomicQuery",
    "FearGreed",
    "Fees",
    "GasQuery",
    "GlobalQuery",
    "GlobalStats",
    "Headline",
    "HistoryPoint",
    "HistoryQuery",
    "Listed",
    "ListingQuery",
    "MarketQuery",
    "MarketRow",
    "Message",
    "ModelFacts",
    "ModelFactsQuery",
    "MoversQuery",
    "NewsMood",
    "NewsQuery",
    "Observation",
    "OhlcQuery",
    "PingQuery",
    "PlanQuery",
    "PriceQuery",
    "PriceRow",
    "Query",
    "Quoted",
    "SearchHit",
    "SearchQuery",
    "SentimentQuery",
    "Series",
    "SeriesQuery",
    "TrendingCoin",
    "TrendingQuery",
    "Trial",
    "TrialQuery",
    "TvlHistoryQuery",
    "TvlPoint",
    "TvlQuery",
    "Votes",
    "from_spec",
    "spec",
]

QUERIES: tuple[type[Query], ...] = (
    MarketQuery,
    PriceQuery,
    OhlcQuery,
    HistoryQuery,
    GlobalQuery,
    CoinQuery,
    SearchQuery,
    NewsQuery,
    SentimentQuery,
    AssetSentimentQuery,
    ClassificationQuery,
    GasQuery,
    MoversQuery,
    ConsensusQuery,
    TrendingQuery,
    EconomicQuery,
    SeriesQuery,
    TvlQuery,
    TvlHistoryQuery,
    CompletionQuery,
    ListingQuery,
)

DATASETS: dict[str, Dataset] = {query.dataset.name: query.dataset for query in QUERIES}


def spec(query: Query) -> dict[str, Any]:
    """The query as JSON, for a book that outlives the process."""
    values = {field.name: getattr(query, field.name) for field in fields(query)}
    spelled = {n: v.isoformat() if isinstance(v, date) else v for n, v in values.items()}
    return {"dataset": query.dataset.name, **spelled}


def from_spec(value: dict[str, Any]) -> Query:
    """The query that `spec` wrote down; KeyError or TypeError for one of another version."""
    values = dict(value)
    query = next(q for q in QUERIES if q.dataset.name == values["dataset"])
    del values["dataset"]
    moment = date if query is EconomicQuery else datetime
    for name in ("start", "end", "since"):
        if values.get(name):
            values[name] = moment.fromisoformat(values[name])
    for name in ("symbols", "texts"):
        if name in values:
            values[name] = tuple(values[name])
    return query(**values)
