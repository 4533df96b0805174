"""
NewsAPI.org, the Developer plan: https://newsapi.org/docs

Articles are a day old at least and a month at most, and of one query no more than a hundred can be
had. Some are tombstones titled "[Removed]". The text of an article ends in how much is cut off.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, HOUR_S
from providers.sandbox.stories import Outlet, Story, page, press
from providers.sandbox.wire import (
    KEY_PREFIX,
    Host,
    Refusal,
    Reply,
    Request,
    iso,
    json_reply,
    moment_of,
    route,
    whole,
)

DELAY_S, REACH_S = DAY_S, 31 * DAY_S
MOST_RESULTS, MOST_ROWS, LONGEST_QUERY, MOST_SOURCES = 100, 100, 500, 20
A_DAY, HALF_A_DAY = 100, 50
SORTS = ("publishedAt", "relevancy", "popularity")
REMOVED_EACH = 13
UPGRADE = "Please upgrade to a paid plan if you need more results."
NEEDED = ("q", "qInTitle", "sources", "domains")
ERRORS = {
    401: ("apiKeyInvalid", "Your API key is invalid or incorrect. Check your key, or go to "
          "https://newsapi.org to create a free API key."),
    404: ("notFound", "The requested endpoint does not exist."),
    426: ("corsNotAllowed", "Requests from the browser are not allowed on the Developer plan, "
          "except from localhost."),
    429: ("rateLimited", "You have made too many requests recently. Developer accounts are limited "
          "to 100 requests over a 24 hour period (50 requests available every 12 hours). Please "
          "upgrade to a paid plan if you need more requests."),
}  # fmt: skip
MISSING = (
    "Your API key is missing. Append this to the URL with the apiKey param, or use the x-api-key "
    "HTTP header."
)


class NewsApi(Host):
    names: ClassVar = ("newsapi.org",)

    @route("/v2/everything")
    def everything(self, request: Request) -> Any:
        params = request.params
        if not any(params.get(name) for name in NEEDED):
            text = "Required parameters are missing, the scope of your search is too broad."
            raise self._error(400, "parametersMissing", text)
        if len(params.get("q", "")) > LONGEST_QUERY:
            raise self._invalid(f"q is longer than {LONGEST_QUERY} characters")
        if params.get("sortBy", SORTS[0]) not in SORTS:
            raise self._invalid(f"sortBy is one of {', '.join(SORTS)}")
        if len(request.list("sources")) > MOST_SOURCES:
            raise self._error(400, "sourcesTooMany", f"You may ask for {MOST_SOURCES} sources.")
        start, end = self._span(request)
        found = [
            (outlet, story)
            for outlet, story in self._old(request, start, end)
            if _matches(params.get("q", ""), f"{story.title} {story.summary}")
            and _matches(params.get("qInTitle", ""), story.title)
            and _listed(request.list("domains"), outlet.domain, True)
            and _listed(request.list("excludeDomains"), outlet.domain, False)
            and _listed(request.list("sources"), outlet.key.lower(), True)
        ]
        return self._paged(request, found if params.get("language", "en") == "en" else [])

    @route("/v2/top-headlines")
    def headlines(self, request: Request) -> Any:
        params = request.params
        if not any(params.get(name) for name in ("country", "category", "sources", "q")):
            text = "Required parameters are missing. Please set any of sources, q, language, "
            raise self._error(400, "parametersMissing", f"{text}country, category.")
        if params.get("sources") and (params.get("country") or params.get("category")):
            text = "You cannot mix the sources parameter with the country or category parameters."
            raise self._error(400, "parametersIncompatible", text)
        found = [
            (outlet, story)
            for outlet, story in self._old(request, 0, request.now)
            if _matches(params.get("q", ""), story.title)
            and _listed(request.list("sources"), outlet.key.lower(), True)
        ]
        return self._paged(request, found[:MOST_RESULTS])

    @route("/v2/top-headlines/sources")
    def sources(self, request: Request) -> Any:
        outlets = {outlet for outlet, _ in press(self.market, request.now)}
        rows = [
            {
                "id": outlet.key.lower(),
                "name": outlet.name,
                "description": "News of the sandbox.",
                "url": outlet.site,
                "category": "business",
                "language": "en",
                "country": "us",
            }
            for outlet in sorted(outlets, key=lambda outlet: outlet.key)
        ]
        return {"status": "ok", "sources": rows}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        usual = ("unexpectedError", "This shouldn't happen, and if it does then it's our fault.")
        code, text = ERRORS.get(status, usual)
        return json_reply({"status": "error", "code": code, "message": text}, status)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        header = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        key = request.headers.get("x-api-key") or header or request.params.get("apiKey", "")
        if not key:
            raise self._error(401, "apiKeyMissing", MISSING)
        if not key.startswith(KEY_PREFIX):
            raise Refusal(self.failure(401))
        if "localhost" not in request.headers.get("origin", "localhost"):
            raise Refusal(self.failure(426))
        scope = f"newsapi {key}"
        return (Budget(scope, HALF_A_DAY, 12 * HOUR_S), Budget(scope, A_DAY, DAY_S))

    def _old(self, request: Request, start: float, end: float) -> list[tuple[Outlet, Story]]:
        """What the plan may see: published a day ago and before."""
        newest = request.now - DELAY_S
        return [read for read in press(self.market, newest) if start <= read[1].at <= end]

    def _span(self, request: Request) -> tuple[float, float]:
        start, end = (
            moment_of(request.params.get(name) or str(int(default)))
            for name, default in (("from", request.now - REACH_S + HOUR_S), ("to", request.now))
        )
        if start is None or end is None:
            raise self._invalid("from and to are dates such as 2026-11-18 or 2026-11-18T11:06:40")
        if start < request.now - REACH_S:
            first, asked = (iso(moment)[:10] for moment in (request.now - REACH_S, start))
            text = (
                "You are trying to request results too far in the past. Your plan permits you to "
                f"request articles as far back as {first}, but you have requested {asked}. You "
                "may need to upgrade to a paid plan."
            )
            raise self._error(426, "parameterInvalid", text)
        return start, end

    def _paged(self, request: Request, found: list[tuple[Outlet, Story]]) -> Reply:
        number, size = (
            whole(request.params.get(name) or str(default))
            for name, default in (("page", 1), ("pageSize", MOST_ROWS))
        )
        if number is None or number < 1:
            raise self._invalid("page is a positive number")
        if size is None or not 1 <= size <= MOST_ROWS:
            raise self._invalid(f"pageSize is between 1 and {MOST_ROWS}")
        if (number - 1) * size >= MOST_RESULTS:
            text = (
                "You have requested too many results. Developer accounts are limited to a max of "
                f"{MOST_RESULTS} results. You are trying to request results {(number - 1) * size} "
                f"to {number * size}. {UPGRADE}"
            )
            raise self._error(426, "maximumResultsReached", text)
        rows = [_article(*read) for read in page(found, (number - 1) * size, size)]
        document = {"status": "ok", "totalResults": len(found), "articles": rows}
        return json_reply(document, 200, x_cached_result="false")

    def _invalid(self, text: str) -> Refusal:
        return self._error(400, "parameterInvalid", text)

    def _error(self, status: int, code: str, text: str) -> Refusal:
        return self.refuse({"status": "error", "code": code, "message": text}, status)


def _article(outlet: Outlet, story: Story) -> dict[str, Any]:
    if story.number % REMOVED_EACH == 0:
        gone = dict.fromkeys(("title", "description", "content"), "[Removed]")
        empty = {"author": None, "urlToImage": None}
        where = {"url": "https://removed.com", "publishedAt": "1970-01-01T00:00:00Z"}
        return {"source": {"id": None, "name": "[Removed]"}, **empty, **gone, **where}
    known = outlet.key == "TheBlock"
    return {
        "source": {"id": "the-block" if known else None, "name": outlet.name},
        "author": None if story.number % 3 == 0 else "Some One",
        "title": story.title,
        "description": story.markup,
        "url": outlet.link(story),
        "urlToImage": f"{outlet.site}/images/{story.number}.jpg",
        "publishedAt": iso(story.at),
        "content": f"{story.summary[:200]}… [+{1000 + story.number % 4000} chars]",
    }


def _listed(names: list[str], name: str, wanted: bool) -> bool:
    return not names or (name in names) == wanted


def _matches(query: str, text: str) -> bool:
    """AND, OR, NOT and quotes, without regard to brackets."""
    plain, text = re.sub(r"[()]", " ", query), text.lower()
    return not query or any(_all(part, text) for part in plain.split(" OR "))


def _all(part: str, text: str) -> bool:
    words = re.findall(r'(NOT |[-+])?("[^"]+"|[^\s"]+)', part)
    return all(
        (word.strip('"').lower() in text) != (sign.strip() in ("NOT", "-"))
        for sign, word in words
        if word != "AND"
    )
