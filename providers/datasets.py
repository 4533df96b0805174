"""
What can be asked: one Dataset, one Query and one Record class each.

A **Dataset** is a kind of data with the seconds an answer stays fresh and servable. A
**Query** is a frozen dataclass asking one thing of it. A **Record** is one row of an answer: a
NamedTuple (a tenth of the price of a frozen dataclass, and an answer may hold a thousand).

Numbers are `Decimal`, made from the digits the provider sent, so that no digit is lost on the
way through. Times are aware datetimes in UTC. A field that the provider did not send is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from keyword import iskeyword
from typing import Any, ClassVar, NamedTuple, Self

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A kind of data."""

    name: str
    title: str
    fresh_s: float  # an answer is served without asking again
    stale_s: float  # and for this long after that when nobody answers
    durable: bool = False  # worth keeping through a restart of every process and store
    merged: bool = False  # every provider is asked and their rows are merged
    past: bool = False  # it tells of the past too
    derived: bool = False  # made of another dataset's rows; no adapter offers it

    @property
    def method(self) -> str:
        """What an adapter's method for it is called: `global_`, as Python keeps `global`."""
        return f"{self.name}_" if iskeyword(self.name) else self.name


MARKET = Dataset("market", "Ranked coins", fresh_s=60, stale_s=DAY)
PRICE = Dataset("price", "Spot prices", fresh_s=60, stale_s=HOUR)
OHLC = Dataset("ohlc", "Candles (OHLCV)", fresh_s=HOUR, stale_s=7 * DAY, past=True)
HISTORY = Dataset(
    "history", "Price history", fresh_s=DAY, stale_s=30 * DAY, durable=True, past=True
)
GLOBAL = Dataset("global", "Market statistics", fresh_s=5 * MINUTE, stale_s=DAY)
COIN = Dataset("coin", "Coin metadata", fresh_s=HOUR, stale_s=30 * DAY, durable=True)
SEARCH = Dataset("search", "Search", fresh_s=HOUR, stale_s=7 * DAY)
NEWS = Dataset("news", "News", fresh_s=5 * MINUTE, stale_s=DAY, durable=True, merged=True)
SENTIMENT = Dataset(
    "sentiment", "Fear and greed", fresh_s=HOUR, stale_s=7 * DAY, durable=True, past=True
)
ASSET_SENTIMENT = Dataset(
    "asset_sentiment", "Sentiment of one asset", fresh_s=5 * MINUTE, stale_s=DAY, derived=True
)
# What visitors want read is theirs: it is never shelved.
CLASSIFICATION = Dataset("classification", "Sentiment of texts", fresh_s=0, stale_s=0)
GAS = Dataset("gas", "Transaction fees", fresh_s=15, stale_s=15 * MINUTE)
CONSENSUS = Dataset(
    "consensus", "One price from everybody", fresh_s=30, stale_s=HOUR, merged=True, derived=True
)
MOVERS = Dataset("movers", "Gainers and losers", fresh_s=60, stale_s=DAY, derived=True)
TRENDING = Dataset("trending", "Coins people search for", fresh_s=10 * MINUTE, stale_s=DAY)
ECONOMIC = Dataset(
    "economic", "Economic series", fresh_s=6 * HOUR, stale_s=90 * DAY, durable=True, past=True
)
SERIES = Dataset("series", "Search for economic series", fresh_s=DAY, stale_s=30 * DAY)
TVL = Dataset("tvl", "Value locked by chain", fresh_s=HOUR, stale_s=7 * DAY)
TVL_HISTORY = Dataset(
    "tvl_history", "Value locked in the past", fresh_s=6 * HOUR, stale_s=30 * DAY, past=True
)
PING = Dataset("ping", "Does it answer at all?", fresh_s=0, stale_s=0)
PLAN = Dataset("plan", "What a key may ask", fresh_s=0, stale_s=0)
LISTING = Dataset("listing", "What a provider calls each asset", fresh_s=DAY, stale_s=30 * DAY)

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


class PriceRow(NamedTuple):
    """The price of one asset. `quote` is what it is really quoted in: USDT is not USD."""

    symbol: str
    price: Decimal
    quote: str
    change_24h_percent: Decimal | None = None
    volume_24h: Decimal | None = None  # in units of `quote`
    last_updated: datetime | None = None


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


class FearGreed(NamedTuple):
    """The index of one day, 0 (fear) to 100 (greed)."""

    time: datetime
    value: int
    classification: str


class Votes(NamedTuple):
    """What the visitors of one provider make of a coin, in percent of the votes."""

    up_percent: Decimal | None
    down_percent: Decimal | None
    source: str
    fetched_at: datetime


class Headline(NamedTuple):
    """An article, as far as it says something about the mood."""

    id: str
    title: str
    url: str
    source: str
    published_at: datetime
    label: str
    score: Decimal
    method: str


class NewsMood(NamedTuple):
    """
    How many articles about an asset are good news or bad. `score` is the mean of theirs, -1 to 1;
    None without an article. `since` is when the oldest of them was published.
    """

    articles: int
    bullish: int
    neutral: int
    bearish: int
    score: Decimal | None
    methods: dict[str, int]  # how the labels were found -> articles
    since: datetime | None
    newest: tuple[Headline, ...]
    fetched_at: datetime


class AssetSentiment(NamedTuple):
    """What voters and what the news say of one asset; None where nobody says anything."""

    symbol: str
    votes: Votes | None
    news: NewsMood | None


class Classified(NamedTuple):
    """
    What a model makes of a text: bullish, neutral or bearish; `score` from -1 (bearish) to 1, and
    `confidence` is the probability, 0 to 1, that the model gives its label.
    """

    label: str
    score: Decimal
    confidence: Decimal
    model: str


class Fees(NamedTuple):
    """What a transaction costs now, in `unit`: gwei, or sat/vB on bitcoin."""

    chain: str
    unit: str
    slow: Decimal
    average: Decimal
    fast: Decimal
    base_fee: Decimal | None
    last_updated: datetime | None


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


class TrendingCoin(NamedTuple):
    """A coin people search for, the most searched first. `rank` is by market capitalisation."""

    id: str
    symbol: str
    name: str
    rank: int | None
    price_btc: Decimal | None
    change_24h_percent: Decimal | None  # in USD


class Observation(NamedTuple):
    """One value of an economic series; None where the source says there is none."""

    date: date
    value: Decimal | None
    units: str | None
    frequency: str | None  # "daily", "monthly", "quarterly", "annual", ...


class Series(NamedTuple):
    """An economic series that can be asked for by its id."""

    id: str
    title: str
    units: str | None
    frequency: str | None
    seasonal_adjustment: str | None
    start: date | None
    end: date | None
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


class Listed(NamedTuple):
    """
    One line of a provider's own list: what it calls an asset, quoted in what ("" for ids), and
    its contract addresses by chain, where the list has them.
    """

    external_id: str
    symbol: str
    name: str | None
    quote: str
    contracts: dict[str, str] | None = None


@dataclass(frozen=True)
class Query:
    """
    One question. `upstream()` is what is asked and shelved for it, `refine` makes this
    query's rows out of those: so the top 10 and the top 100 are one upstream call.
    """

    dataset: ClassVar[Dataset]
    record: ClassVar[type[Any]]

    @property
    def key(self) -> str:
        """The same for equal questions, in every process: `market:usd:250:1`."""
        values = (getattr(self, field.name) for field in fields(self))
        return ":".join([self.dataset.name, *(_spell(value) for value in values)])

    @property
    def fresh_s(self) -> float:
        return self.dataset.fresh_s

    @property
    def stale_s(self) -> float:
        return self.dataset.stale_s

    def upstream(self) -> Query:
        return self

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows


def _spell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ",".join(map(_spell, value))
    return str(value)


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
class PriceQuery(Query):
    """Spot prices. Each symbol has a place of its own on the shelf: see `aggregator.batching`."""

    dataset = PRICE
    record = PriceRow

    symbols: tuple[str, ...] = ()
    currency: str = "usd"

    def of(self, *symbols: str) -> Self:
        return replace(self, symbols=symbols)


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


@dataclass(frozen=True)
class GlobalQuery(Query):
    dataset = GLOBAL
    record = GlobalStats


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


@dataclass(frozen=True)
class SentimentQuery(Query):
    """The fear and greed index of the last `days`, newest first."""

    dataset = SENTIMENT
    record = FearGreed

    days: int = 1


@dataclass(frozen=True)
class AssetSentimentQuery(Query):
    """Made of a coin's votes and of the news about it."""

    dataset = ASSET_SENTIMENT
    record = AssetSentiment

    symbol: str = ""


@dataclass(frozen=True)
class ClassificationQuery(Query):
    """What `model` makes of each of the texts: a row for each, in their order."""

    dataset = CLASSIFICATION
    record = Classified

    texts: tuple[str, ...] = ()
    model: str = ""

    @property
    def key(self) -> str:
        """Without a word of the texts: keys stand in logs, and texts are a visitor's own."""
        digest = blake2b(repr(self.texts).encode("utf-8", "backslashreplace"), digest_size=8)
        return f"{self.dataset.name}:{self.model}:{digest.hexdigest()}"


@dataclass(frozen=True)
class GasQuery(Query):
    dataset = GAS
    record = Fees

    chain: str = "ethereum"


@dataclass(frozen=True)
class MoversQuery(Query):
    """
    Of the 250 largest coins those that rose or fell most in 24 hours; coins with a smaller volume
    than `min_volume` (in the currency) are left out, for they move by a single trade.
    """

    dataset = MOVERS
    record = MarketRow

    direction: str = "gainers"
    limit: int = 20
    min_volume: int = 1_000_000
    currency: str = "usd"

    def upstream(self) -> MarketQuery:
        return MarketQuery(currency=self.currency).upstream()

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        moved = [
            row
            for row in rows
            if row.change_24h_percent is not None
            and row.volume_24h is not None
            and row.volume_24h >= self.min_volume
            and (row.change_24h_percent > 0) == (self.direction == "gainers")
            and row.change_24h_percent != 0
        ]
        best_first = self.direction == "gainers"
        moved.sort(key=lambda row: (row.change_24h_percent, row.id), reverse=best_first)
        return moved[: self.limit]


@dataclass(frozen=True)
class ConsensusQuery(Query):
    dataset = CONSENSUS
    record = Consensus

    symbol: str = ""
    currency: str = "usd"


@dataclass(frozen=True)
class TrendingQuery(Query):
    dataset = TRENDING
    record = TrendingCoin


@dataclass(frozen=True)
class EconomicQuery(Query):
    """
    Observations of one series, ascending. `series` is an id of FRED (`CPIAUCSL`) or of the World
    Bank with its country (`US/NY.GDP.MKTP.CD`): whoever does not know it says so.
    """

    dataset = ECONOMIC
    record = Observation

    series: str = ""
    start: date | None = None
    end: date | None = None


@dataclass(frozen=True)
class SeriesQuery(Query):
    dataset = SERIES
    record = Series

    q: str = ""
    limit: int = 20

    def upstream(self) -> SeriesQuery:
        return replace(self, limit=100)

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows[: self.limit]


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


@dataclass(frozen=True)
class ListingQuery(Query):
    """A provider's own list of assets; asked by the refresh task, not by visitors."""

    dataset = LISTING
    record = Listed


@dataclass(frozen=True)
class PingQuery(Query):
    """The cheapest question that proves a provider is up: every adapter has one."""

    dataset = PING
    record = Listed


class Allowance(NamedTuple):
    """
    One window of a key's plan: at most `limit` of the provider's own unit in `per_s` seconds (a
    month is 30 days). `used` of it are gone, all come back in `resets_in_s`; None: not told.
    """

    limit: float
    per_s: float
    used: float | None
    resets_in_s: float | None
    plan: str | None  # what the provider calls the plan


@dataclass(frozen=True)
class PlanQuery(Query):
    """What a key may ask, where the provider tells; asked by a task, not by visitors."""

    dataset = PLAN
    record = Allowance


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
