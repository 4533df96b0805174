"""
GDELT's DOC 2.0: https://blog.gdeltproject.org/gdelt-doc-2-0-api-debuts/

Nobody needs a key, but who asks twice in five seconds gets plain text, now as a 429, now as a 200;
so does who asks for something it does not understand. Without a match the answer is `{}`.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from providers.sandbox.limits import Budget
from providers.sandbox.market import DAY_S, HOUR_S, MINUTE_S
from providers.sandbox.stories import Outlet, Story, press
from providers.sandbox.wire import Host, Refusal, Reply, Request, json_reply, route, whole

APART_S = 5
USUAL_ROWS, MOST_ROWS = 75, 250
REACH_S = 90 * DAY_S
SEEN_S = 15 * MINUTE_S  # what is new is read this often
SPANS = {"min": MINUTE_S, "h": HOUR_S, "d": DAY_S, "w": 7 * DAY_S, "m": 30 * DAY_S}
SORTS = ("datedesc", "dateasc", "hybridrel", "tonedesc", "toneasc")
HURRY = "Please limit requests to one every 5 seconds or contact the project for larger queries."


class Gdelt(Host):
    names: ClassVar = ("api.gdeltproject.org",)

    @route("/api/v2/doc/doc")
    def articles(self, request: Request) -> Any:
        params = request.params
        query, mode = params.get("query", ""), params.get("mode", "artlist").lower()
        if len(re.sub(r"\w+:\S+", "", query).strip("() ")) < 3:
            raise self._said("Your query was too short or too long.")
        if mode != "artlist":
            raise self._said("Invalid mode.")
        if params.get("format", "html").lower() != "json":
            return Reply(200, b"<html><body>Articles</body></html>", "text/html; charset=utf-8")
        rows = self._found(request, query)
        if not rows:
            return json_reply({})
        return {"articles": [_article(*read) for read in rows]}

    def failure(self, status: int, wait: float | None = None) -> Reply:
        text = HURRY if status == 429 else "An internal error occurred."
        return Reply(status, f"{text}\n".encode(), "text/plain; charset=utf-8")

    def throttled(self, request: Request, wait: float) -> Reply:
        reply = self.failure(429)
        if int(request.now) % 2:
            reply.status = 200
        return reply

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        return (Budget("gdelt", 1, APART_S),)

    def _found(self, request: Request, query: str) -> list[tuple[Outlet, Story]]:
        params = request.params
        limit, span = whole(params.get("maxrecords") or str(USUAL_ROWS)), self._span(params)
        sort = params.get("sort", "hybridrel").lower()
        if limit is None or not 1 <= limit <= MOST_ROWS:
            raise self._said(f"The maximum number of records is {MOST_ROWS}.")
        if sort not in SORTS:
            raise self._said("Invalid sort order.")
        seen = request.now - request.now % SEEN_S
        found = [
            read
            for read in press(self.market, seen)
            if read[1].at >= request.now - span and _matches(query, read[1].title)
        ]
        return (found[::-1] if sort == "dateasc" else found)[:limit]

    def _span(self, params: dict[str, str]) -> float:
        text = params.get("timespan", "").lower()
        if not text:
            return REACH_S
        found = re.fullmatch(r"(\d+)\s*(min|h|d|w|m)[a-z]*", text)
        if not found:
            raise self._said("Invalid timespan.")
        return min(int(found[1]) * SPANS[found[2]], REACH_S)

    def _said(self, text: str) -> Refusal:
        return Refusal(Reply(200, f"{text}\n".encode(), "text/html; charset=utf-8"))


def _matches(query: str, text: str) -> bool:
    """Words all or, in brackets, any; operators such as `sourcelang:english` are not read."""
    plain, text = re.sub(r"\S+:\S+", " ", query.lower()), text.lower()
    groups = re.findall(r"\(([^)]*)\)", plain)
    single = re.sub(r"\([^)]*\)", " ", plain)
    words = re.findall(r'-?"[^"]+"|\S+', single)
    any_of = [re.findall(r'"[^"]+"|[^\s"]+', group.replace(" or ", " ")) for group in groups]
    return all(_holds(word, text) for word in words if word != "or") and all(
        any(_holds(word, text) for word in group) for group in any_of
    )


def _holds(word: str, text: str) -> bool:
    return (word.lstrip("-").strip('"') in text) != word.startswith("-")


def _article(outlet: Outlet, story: Story) -> dict[str, str]:
    seen = datetime.fromtimestamp(story.at - story.at % SEEN_S, UTC)
    return {
        "url": outlet.link(story),
        "url_mobile": "",
        "title": story.title,
        "seendate": f"{seen:%Y%m%dT%H%M%SZ}",
        "socialimage": f"{outlet.site}/images/{story.number}.jpg",
        "domain": outlet.domain,
        "language": "English",
        "sourcecountry": "United States",
    }
