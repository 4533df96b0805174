"""https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/"""

from __future__ import annotations

from typing import Any

from providers.adapters.articles import article, newest
from providers.adapters.base import Adapter, Reply, instant, kind
from providers.datasets import Article, NewsQuery
from providers.errors import Garbled, ProviderError, Throttled
from providers.registry import register

TOPIC = '(bitcoin OR ethereum OR cryptocurrency OR "crypto market") sourcelang:english'
SPAN = "24h"
MOST = 250


@register
class Gdelt(Adapter):
    """
    The world's newspapers, read every quarter of an hour: a search, so what it finds was written
    by anybody. `published_at` is when GDELT saw an article, minutes to hours after it appeared.
    """

    name = "gdelt"
    title = "GDELT"
    base_url = "https://api.gdeltproject.org/api/v2/doc"
    docs_url = "https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/"
    offers = (NewsQuery,)
    updates = {"news": 900}

    def news(self, query: NewsQuery) -> list[Article]:
        items = self._search(min(query.limit, MOST))
        return newest(self.rows(items, self._article), query.limit)

    def ping(self) -> None:
        self._search(1)

    def _search(self, most: int) -> Any:
        """An empty object is its way to say that it found nothing."""
        found = self.http.get(
            "/doc",
            query=TOPIC,
            mode="artlist",
            format="json",
            timespan=SPAN,
            sort="datedesc",
            maxrecords=most,
        )
        if not isinstance(found, dict):
            raise Garbled(f"an object was promised, not {kind(found)}")
        return found["articles"] if found else []

    def _article(self, row: Any) -> Article:
        return article(self.now(), url=row["url"], title=row["title"], at=instant(row["seendate"]))

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """One call in five seconds: who is faster is told so in plain words, often in a 200."""
        return Throttled("more than a call in five seconds") if _is_throttle(reply) else None


def _is_throttle(reply: Reply) -> bool:
    return reply.body[:200].lstrip()[:1] not in (b"{", b"<") and b"limit requests" in reply.body
