"""
https://developers.coindesk.com/documentation/data-api/news_v1_article_list and, before CoinDesk
bought CryptoCompare, https://developers.coindesk.com/documentation/legacy/News/latestNewsArticlesEndpoint

Both want a key of a paid plan: the free tier ended on 2026-05-21, says https://data.coindesk.com.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from providers.adapters.articles import article, newest
from providers.adapters.base import Adapter, Auth, Reply, listed, maybe, moment, said, text
from providers.datasets import Article, NewsQuery
from providers.errors import BadKey, Garbled, ProviderError, Throttled
from providers.registry import register

MOST = 50  # articles of one answer
METHOD = "coindesk"
KEY = Auth(header="Authorization", prefix="Apikey ")

LABELS: Mapping[str, str] = {"POSITIVE": "bullish", "NEUTRAL": "neutral", "NEGATIVE": "bearish"}
OVER_THE_LIMIT = 99  # the legacy type of error

# Categories that are no coin; see /news/v1/category/list. Those of several words are none either.
TOPICS = set(
    """
    AIRDROP ALTCOIN ASIA BLOCKCHAIN BUSINESS COMMODITY CRYPTOCURRENCY EXCHANGE FIAT FORKS ICO
    MACROECONOMICS MARKET MIGRATION MINING OTHER REGULATION RESEARCH SPONSORED TECHNOLOGY TRADING
    WALLET
    """.split()  # noqa: SIM905 (words, one beside the other)
)
# Coins it calls by another name than their ticker.
TICKERS: Mapping[str, str] = {"BITTENSOR": "TAO", "KASPA": "KAS"}


@register
class CoinDeskNews(Adapter):
    """
    Articles of a hundred sites, tagged with coins by their words. Its sentiment is a label without
    a number, given by a model of which nothing is told.
    """

    name = "coindesk_news"
    title = "CoinDesk Data (news)"
    base_url = "https://data-api.coindesk.com"
    docs_url = "https://developers.coindesk.com/documentation/data-api/news_v1_article_list"
    offers = (NewsQuery,)
    auth = KEY

    def news(self, query: NewsQuery) -> list[Article]:
        items = self._list(min(query.limit, MOST))
        return newest(self.rows(items, self._article), query.limit)

    def ping(self) -> None:
        listed(self._list(1))

    def _list(self, most: int) -> Any:
        return self.http.get("/news/v1/article/list", lang="EN", limit=most)["Data"]

    def _article(self, row: Any) -> Article:
        tags = (tag["CATEGORY"] for tag in maybe(listed, row.get("CATEGORY_DATA")) or ())
        return article(
            self.now(),
            url=row["URL"],
            title=row["TITLE"],
            at=moment(row["PUBLISHED_ON"]),
            words=row.get("BODY"),
            symbols=_symbols(tags),
            sentiment=maybe(_sentiment, row.get("SENTIMENT")),
        )

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Its errors carry a status that says the same; in a 200 their words decide."""
        error = said(reply).get("Err")
        return _meant(error.get("message")) if reply.status == 200 and error else None


@register
class CryptoCompareNews(Adapter):
    """The same articles as they were told before: without a sentiment."""

    name = "cryptocompare_news"
    title = "CryptoCompare (news)"
    base_url = "https://min-api.cryptocompare.com/data"
    docs_url = (
        "https://developers.coindesk.com/documentation/legacy/News/latestNewsArticlesEndpoint"
    )
    offers = (NewsQuery,)
    auth = KEY

    def news(self, query: NewsQuery) -> list[Article]:
        return newest(self.rows(self._list(), self._article), query.limit)

    def ping(self) -> None:
        listed(self._list())

    def _list(self) -> Any:
        return self.http.get("/v2/news/", lang="EN", sortOrder="latest")["Data"]

    def _article(self, row: Any) -> Article:
        return article(
            self.now(),
            url=row["url"],
            title=row["title"],
            at=moment(row["published_on"]),
            words=row.get("body"),
            symbols=_symbols((maybe(text, row.get("categories")) or "").split("|")),
        )

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Errors come inside a 200, with a type of their own."""
        found = said(reply)
        if found.get("Response") != "Error":
            return None
        if found.get("Type") == OVER_THE_LIMIT:
            return Throttled("over its limit")
        return _meant(found.get("Message"))


def _meant(message: Any) -> ProviderError:
    words = str(message).lower()
    if "api key" in words or "subscription" in words:
        return BadKey("its key is not accepted")
    return Throttled("over its limit") if "rate limit" in words else Garbled("refused inside a 200")


def _sentiment(value: Any) -> dict[str, Any]:
    return {"label": LABELS[text(value)], "score": None, "method": METHOD}


def _symbols(categories: Iterable[Any]) -> tuple[str, ...]:
    """The tickers among its categories: one word, and no topic."""
    words = (text(category).upper() for category in categories if category != "")
    tickers = (TICKERS.get(word, word) for word in words if word not in TOPICS and " " not in word)
    return tuple(dict.fromkeys(tickers))
