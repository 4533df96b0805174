"""https://newsapi.org/docs/endpoints/everything and https://newsapi.org/docs/errors"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from providers.adapters.articles import article, newest
from providers.adapters.base import Adapter, Auth, Reply, instant, listed, said
from providers.datasets import Article, NewsQuery
from providers.errors import BadKey, Broken, Garbled, PlanLimit, ProviderError, Throttled
from providers.registry import register

TOPIC = 'bitcoin OR ethereum OR cryptocurrency OR stablecoin OR "crypto market"'
MOST = 100  # articles of a page, and of any search in the free plan
REMOVED = "[Removed]"  # the tombstone of an article that its publisher took back

ERRORS: Mapping[str, type[ProviderError]] = {
    "apiKeyDisabled": BadKey,
    "apiKeyExhausted": Throttled,
    "apiKeyInvalid": BadKey,
    "apiKeyMissing": BadKey,
    "corsNotAllowed": PlanLimit,
    "maximumResultsReached": PlanLimit,
    "rateLimited": Throttled,
    "unexpectedError": Broken,
}


@register
class NewsApi(Adapter):
    """
    Articles of many papers that speak of coins. With a free key they are a day old, and its terms
    allow them for development alone.
    """

    name = "newsapi"
    title = "NewsAPI.org"
    base_url = "https://newsapi.org/v2"
    docs_url = "https://newsapi.org/docs"
    offers = (NewsQuery,)
    auth = Auth(header="X-Api-Key")

    def news(self, query: NewsQuery) -> list[Article]:
        found = self.http.get(
            "/everything",
            q=TOPIC,
            searchIn="title,description",
            language="en",
            sortBy="publishedAt",
            pageSize=min(query.limit, MOST),
        )
        return newest(self.rows(found["articles"], self._article), query.limit)

    def ping(self) -> None:
        listed(self.http.get("/top-headlines/sources", language="en")["sources"])

    def _article(self, row: Any) -> Article | None:
        if row["title"] == REMOVED:
            return None
        return article(
            self.now(),
            url=row["url"],
            title=row["title"],
            at=instant(row["publishedAt"]),
            words=row.get("description"),
        )

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """Its codes say more than their status: a 426 is about the plan, and so may be a 400."""
        found = said(reply)
        if found.get("status") != "error":
            return None
        code = str(found.get("code"))
        too_old = code == "parameterInvalid" and "too far" in str(found.get("message"))
        return (PlanLimit if too_old else ERRORS.get(code, Garbled))(f"error {code[:40]}")
