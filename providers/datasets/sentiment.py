"""The mood: of the market, of one asset, and of texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from providers.datasets.base import DAY, HOUR, MINUTE, Dataset, Query

SENTIMENT = Dataset(
    "sentiment", "Fear and greed", fresh_s=HOUR, stale_s=7 * DAY, durable=True, past=True
)

ASSET_SENTIMENT = Dataset(
    "asset_sentiment", "Sentiment of one asset", fresh_s=5 * MINUTE, stale_s=DAY, derived=True
)

# What visitors want read is theirs: it is never shelved.
CLASSIFICATION = Dataset("classification", "Sentiment of texts", fresh_s=0, stale_s=0)


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
    labels: tuple[tuple[str, str], ...] = ()  # what a label means, where its name is not enough

    @property
    def key(self) -> str:
        """Without a word of the texts: keys stand in logs, and texts are a visitor's own."""
        digest = blake2b(repr(self.texts).encode("utf-8", "backslashreplace"), digest_size=8)
        return f"{self.dataset.name}:{self.model}:{digest.hexdigest()}"
