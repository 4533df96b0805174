"""
https://cryptopanic.com/developers/api/

The plan stands in the address (`/api/growth/v2`), so the base URL of a row says which was bought.
The token stands in the query, and in the address of the next page that every answer carries: that
one is never read.
"""

from __future__ import annotations

from typing import Any

from providers.adapters.articles import article, newest
from providers.adapters.base import Adapter, Auth, count, instant, listed, maybe, text
from providers.datasets import Article, NewsQuery
from providers.registry import register

ORIGINAL = "original_url"
METHOD = "cryptopanic_votes"
FEWEST = 5  # votes that make an opinion; fewer are the mood of a few
CLEAR = 1 / 3  # of the score: two votes for one


@register
class CryptoPanic(Adapter):
    """Headlines of many sites, tagged with coins and voted on by its readers."""

    name = "cryptopanic"
    title = "CryptoPanic"
    base_url = "https://cryptopanic.com/api/growth/v2"
    docs_url = "https://cryptopanic.com/developers/api/"
    offers = (NewsQuery,)
    auth = Auth(param="auth_token")

    def news(self, query: NewsQuery) -> list[Article]:
        items = listed(self._posts()["results"])
        # A plan names the original address of every article or of none.
        own = ORIGINAL if any(map(_has_original, items)) else "url"
        return newest(self.rows(items, lambda row: self._article(row, own)), query.limit)

    def ping(self) -> None:
        listed(self._posts()["results"])

    def _posts(self) -> Any:
        return self.http.get("/posts/", public=True, kind="news", regions="en")

    def _article(self, row: Any, own: str) -> Article:
        coins = maybe(listed, row.get("instruments")) or ()
        return article(
            self.now(),
            url=row[own],
            title=row["title"],
            at=instant(row["published_at"]),
            words=row.get("description"),
            # Where the address is one of its own pages, that is not who wrote the article.
            source=None if own == ORIGINAL else text(row["source"]["domain"]),
            symbols=tuple(dict.fromkeys(text(coin["code"]).upper() for coin in coins)),
            sentiment=_opinion(row.get("votes")),
        )


def _has_original(row: Any) -> bool:
    return isinstance(row, dict) and bool(row.get(ORIGINAL))


def _opinion(votes: Any) -> dict[str, Any] | None:
    """
    What its readers make of a headline: (bullish - bearish) / (bullish + bearish), which it calls
    positive and negative. None for a plan without votes, and for too few of them.
    """
    if votes is None:
        return None
    bullish, bearish = count(votes["positive"]), count(votes["negative"])
    if bullish + bearish < FEWEST:
        return None
    score = (bullish - bearish) / (bullish + bearish)
    label = "bullish" if score >= CLEAR else "bearish" if score <= -CLEAR else "neutral"
    return {"label": label, "score": round(score, 2), "method": METHOD}
