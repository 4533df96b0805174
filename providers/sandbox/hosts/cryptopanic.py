"""
CryptoPanic, version 2: https://cryptopanic.com/developers/api/

The plan stands in the path, the token in the query and again in `next` and `previous`. What a row
holds depends on the plan. The old paths are gone: a 404 page and a 403.
"""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urlencode

from providers.sandbox.coins import Coin
from providers.sandbox.market import HOUR_S
from providers.sandbox.stories import Outlet, Story, page, press
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    iso,
    json_reply,
    route,
    whole,
)

PLANS = ("developer", "growth", "enterprise")
PAGE, MOST_PAGES, MOST_ROWS = 20, 50, 50
FILTERS = ("rising", "hot", "bullish", "bearish", "important", "saved", "lol")
KINDS = ("news", "media", "all")
PERIODS = ("1h", "6h", "24h")
MESSAGES = {401: "Token not found", 403: "This endpoint is not available to your plan"}


class CryptoPanic(Host):
    names: ClassVar = ("cryptopanic.com",)

    @route("/api/{plan}/v2/posts")
    def posts(self, request: Request, plan: str) -> Any:
        if plan not in PLANS:
            raise Refusal(self.failure(404))
        if not request.params.get("auth_token", "").startswith(KEY_PREFIX):
            raise Refusal(self.failure(401))
        number, size = self._whole(request, "page", 1), self._whole(request, "size", PAGE)
        if number > MOST_PAGES or size > MOST_ROWS:
            raise self._wrong(f"page is up to {MOST_PAGES}, size up to {MOST_ROWS}")
        if plan == PLANS[0]:
            size = PAGE
        found = [read for read in press(self.market, request.now) if self._meets(request, read[1])]
        rows = page(found, (number - 1) * size, size)
        more = number * size < len(found) and number < MOST_PAGES
        return {
            "next": _address(request, number + 1) if more else None,
            "previous": _address(request, number - 1) if number > 1 else None,
            "results": [self._row(request, plan, *read) for read in rows],
        }

    @route("/api/v1/posts")
    def version_1(self, request: Request) -> Any:
        return self.failure(403)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        if status == 404:
            page = b"<!DOCTYPE html><html><head><title>404</title></head><body>404</body></html>"
            return Reply(404, page, "text/html; charset=utf-8")
        info = MESSAGES.get(status, "Rate limit exceeded" if status == 429 else "Server error")
        return json_reply({"status": "api_error", "info": info}, status)

    def _meets(self, request: Request, story: Story) -> bool:
        params = request.params
        kind, way = params.get("kind", "all"), params.get("filter")
        if kind not in KINDS or way not in (None, *FILTERS):
            raise self._wrong("kind or filter is none of the choices")
        codes = {code.upper() for code in request.list("currencies")}
        text = params.get("search", "").lower()
        return (
            kind != "media"
            and "en" in (request.list("regions") or ["en"])
            and (not codes or story.symbol in codes)
            and (way != "bullish" or story.tone > 0)
            and (way != "bearish" or story.tone < 0)
            and text in story.title.lower()
        )

    def _row(self, request: Request, plan: str, outlet: Outlet, story: Story) -> dict[str, Any]:
        number = outlet.number(story)
        coin = self.market.by_symbol[story.symbol.lower()]
        scored = plan == "enterprise"
        period = request.params.get("panic_period", "")
        row = {
            "id": number,
            "slug": story.slug,
            "title": story.title,
            "description": story.markup,
            "published_at": iso(story.at),
            "created_at": iso(story.at + 5),
            "kind": "news",
            "source": {
                "title": outlet.name,
                "region": "en",
                "domain": outlet.domain,
                "type": "feed",
            },
            "original_url": outlet.link(story),
            "url": f"https://cryptopanic.com/news/{number}/{story.slug}",
            "image": f"https://static.cryptopanic.com/{number}.png",
            "instruments": [_instrument(coin)],
            "votes": _votes(story, request.now),
            "panic_score": 50 - 20 * story.tone if scored else None,
            "panic_score_1h": None,
            "author": "Some One" if scored else None,
            "content": {"original": None, "clean": None},
        }
        if period in PERIODS and scored:
            row[f"panic_score_{period}"] = 50 - 15 * story.tone
        return row

    def _whole(self, request: Request, name: str, default: int) -> int:
        value = whole(request.params.get(name) or str(default))
        if value is None or value < 1:
            raise self._wrong(f"{name} is a positive number")
        return value

    def _wrong(self, text: str) -> Refusal:
        return self.refuse({"status": "api_error", "info": text}, 400)


def _address(request: Request, number: int) -> str:
    """With everything that was asked for, the token too."""
    params = {**request.params, "page": str(number)}
    return f"https://{request.host}{request.path}?{urlencode(params)}"


def _instrument(coin: Coin) -> dict[str, str]:
    return {
        "code": coin.symbol,
        "title": coin.name,
        "slug": coin.slug,
        "url": f"https://cryptopanic.com/news/{coin.slug}/",
    }


def _votes(story: Story, now: float) -> dict[str, int]:
    """They come in over the first hours."""
    cast = min(9, int((now - story.at) // HOUR_S))
    good, bad = (cast if story.tone > 0 else cast // 3, cast if story.tone < 0 else cast // 4)
    return {
        "negative": bad,
        "positive": good,
        "important": cast // 2,
        "liked": good // 2,
        "disliked": bad // 2,
        "lol": 0,
        "toxic": 0,
        "saved": 0,
        "comments": 0,
    }
