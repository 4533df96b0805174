"""https://alternative.me/crypto/fear-and-greed-index/#api"""

from __future__ import annotations

from typing import Any

from providers.adapters.base import Adapter, Reply, moment, text, whole
from providers.datasets import DAY, FearGreed, SentimentQuery
from providers.errors import Broken, Garbled, ProviderError
from providers.registry import register


@register
class AlternativeMe(Adapter):
    """One value a day, at about 00:00 UTC. Some days are missing and stay missing."""

    name = "alternative_me"
    title = "Alternative.me"
    base_url = "https://api.alternative.me"
    docs_url = "https://alternative.me/crypto/fear-and-greed-index/#api"
    offers = (SentimentQuery,)
    updates = {"sentiment": DAY}

    def sentiment(self, query: SentimentQuery) -> list[FearGreed]:
        found = self._ask(query.days)
        # Those who keep the index often keep the list alone, so that is what a replay may hold.
        days = self.rows(found if isinstance(found, list) else found["data"], _day)
        return sorted(days, key=lambda day: day.time, reverse=True)[: query.days]

    def ping(self) -> None:
        self._ask(1)

    def _ask(self, days: int) -> Any:
        """The newest `days` values; 0 would mean all of them."""
        return self.http.get("/fng/", limit=max(days, 1))

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """An error is a text in `metadata.error`, also in a 200."""
        try:
            said = reply.json()["metadata"]["error"]
        except (Garbled, LookupError, TypeError):
            return None
        return Broken("it says so itself, in metadata.error") if said else None


def _day(item: Any) -> FearGreed:
    value = whole(item["value"])
    if not 0 <= value <= 100:
        raise Garbled("an index beyond 0 to 100")
    return FearGreed(moment(item["timestamp"]), value, text(item["value_classification"], most=40))
