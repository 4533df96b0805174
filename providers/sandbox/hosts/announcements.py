"""
What exchanges announce: OKX's documented list and Binance's undocumented one.

https://www.okx.com/docs-v5/en/#announcement and the article list behind Binance's support pages.
"""

from __future__ import annotations

from typing import Any, ClassVar

from providers.sandbox.market import HOUR_S, Market, uniform
from providers.sandbox.wire import Host, Request, route, whole

EVERY_S = 7 * HOUR_S  # something is announced this often
PAGE, PAGES = 20, 3
OKX_KINDS = (
    "announcements-new-listings",
    "announcements-delistings",
    "announcements-api",
    "announcements-latest-announcements",
)
CATALOGUES = {48: "New Cryptocurrency Listing", 49: "Latest News", 161: "Delisting"}


def announced(market: Market, now: float, number: int) -> tuple[int, str, str]:
    """(moment, title, slug) of the `number`-th newest announcement."""
    slot = int(now // EVERY_S) - number
    coin = market.coins[int(uniform(market.seed, 77, slot) * len(market.coins))]
    verb = ("lists", "adds a market for", "changes fees for", "resumes deposits of")[slot % 4]
    title = f"The sandbox {verb} {coin.name} ({coin.symbol})"
    return slot * EVERY_S, title, f"sandbox-{coin.slug}-{slot}"


def okx_announcements(
    market: Market, now: float, page: int, kind: str | None
) -> dict[str, Any] | None:
    """One page; None when the page or the kind is none of OKX's."""
    if not 1 <= page <= PAGES or kind not in (None, *OKX_KINDS):
        return None
    rows = []
    for number in range((page - 1) * PAGE, page * PAGE):
        moment, title, slug = announced(market, now, number)
        own = OKX_KINDS[number % len(OKX_KINDS)]
        if kind in (None, own):
            rows.append(
                {
                    "annType": own,
                    "title": title,
                    "url": f"https://www.okx.com/help/{slug}",
                    "pTime": str(moment * 1000),
                    "businessPTime": str(moment * 1000),
                }
            )
    return {"details": rows, "totalPage": str(PAGES)}


class BinanceAnnouncements(Host):
    names: ClassVar = ("www.binance.com",)

    @route("/bapi/composite/v1/public/cms/article/list/query")
    def articles(self, request: Request) -> Any:
        page = max(1, whole(request.params.get("pageNo", "1")) or 1)
        size = min(50, max(1, whole(request.params.get("pageSize", str(PAGE))) or PAGE))
        wanted = whole(request.params.get("catalogId", "0"))
        catalogues = [
            self._catalogue(key, name, request.now, page, size)
            for key, name in CATALOGUES.items()
            if wanted in (0, key)
        ]
        return {
            "code": "000000",
            "message": None,
            "messageDetail": None,
            "data": {"catalogs": catalogues},
            "success": True,
        }

    def _catalogue(self, key: int, name: str, now: float, page: int, size: int) -> dict[str, Any]:
        articles = []
        for number in range((page - 1) * size, page * size):
            moment, title, slug = announced(self.market, now - key * 60, number)
            articles.append(
                {
                    "id": moment // HOUR_S,
                    "code": slug,
                    "title": title,
                    "type": 1,
                    "releaseDate": moment * 1000,
                }
            )
        return {
            "catalogId": key,
            "parentCatalogId": None,
            "catalogName": name,
            "total": PAGE * PAGES,
            "articles": articles,
        }
