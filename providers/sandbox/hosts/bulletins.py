"""
Every feed of the catalogue that has no file of its own: RSS 2.0 as WordPress writes it, or Atom.

https://www.rssboard.org/rss-specification and https://www.rfc-editor.org/rfc/rfc4287. Summaries are
markup that is escaped, some of them once too often; titles hold numbered entities. Both tell when
they last changed, and a 304 says that nothing has.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from hashlib import md5
from html import escape
from pathlib import Path
from typing import Any, ClassVar, NamedTuple
from urllib.parse import parse_qsl, urlsplit

import yaml

from providers.sandbox.hosts.feeds import channel
from providers.sandbox.limits import Usage
from providers.sandbox.market import HOUR_S, number_of
from providers.sandbox.stories import BITCOIN_MAGAZINE, Outlet, Story
from providers.sandbox.wire import Host, Reply, Request, iso

CATALOGUE = Path(__file__).resolve().parents[2] / "catalogue"
ADAPTER = "rss"
ITEMS = (10, 15, 20, 30)
HOURS = (1, 2, 3, 4, 6)
KNOWN = {BITCOIN_MAGAZINE.site: BITCOIN_MAGAZINE}
# Where a feed is Atom without saying so.
ATOM = ("www.reddit.com", "github.com")


class Bulletin(NamedTuple):
    """A feed at its address: `query` is what must be asked for there."""

    host: str
    path: str
    query: frozenset[tuple[str, str]]
    title: str
    outlet: Outlet

    @property
    def atom(self) -> bool:
        return self.host in ATOM or "atom" in self.path.lower()


@lru_cache(1)
def bulletins(folder: Path = CATALOGUE) -> tuple[Bulletin, ...]:
    """The rows of the catalogue that name a feed."""
    found = []
    for file in sorted(folder.glob("*.yaml")):
        if f"adapter: {ADAPTER}\n" in (text := file.read_text()):
            rows = yaml.safe_load(text)["providers"]
            found += [_read(row) for row in rows if row["adapter"] == ADAPTER]
    return tuple(found)


def _read(row: dict[str, Any]) -> Bulletin:
    parts = urlsplit(row["base_url"])
    site, lot = f"https://{parts.netloc}", number_of(row["slug"])
    drawn = Outlet(
        row["slug"], row["title"], site, ITEMS[lot % len(ITEMS)], HOURS[lot % len(HOURS)] * HOUR_S
    )
    query = frozenset(parse_qsl(parts.query))
    return Bulletin(
        parts.netloc, parts.path.rstrip("/"), query, row["title"], KNOWN.get(site, drawn)
    )


class Bulletins(Host):
    names: ClassVar = tuple(dict.fromkeys(bulletin.host for bulletin in bulletins()))

    def serve(self, request: Request) -> Reply:
        place, asked = (request.host, request.path.rstrip("/")), set(request.query)
        for bulletin in bulletins():
            if (bulletin.host, bulletin.path) == place and bulletin.query <= asked:
                stories = bulletin.outlet.stories(self.market, request.now)
                return (_atom if bulletin.atom else _rss)(bulletin, stories, request.now)
        return self.failure(404)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if reply.status == 200:
            tag = f'"{md5(reply.body, usedforsecurity=False).hexdigest()}"'
            reply.headers["etag"] = tag
            if request.headers.get("if-none-match") == tag:
                reply.status, reply.body = 304, b""
        return reply

    def failure(self, status: int, wait: float | None = None) -> Reply:
        page = f"<html><head><title>{status}</title></head><body>Sorry.</body></html>"
        return Reply(status, page.encode(), "text/html; charset=UTF-8")


def _rss(bulletin: Bulletin, stories: list[Story], now: float) -> Reply:
    """It is built anew when it has changed, so that its tag holds till then."""
    items = [_item(bulletin.outlet, story) for story in stories]
    reply = channel(bulletin.title, bulletin.outlet.site, stories[0].at, items)
    reply.content_type = "application/rss+xml; charset=UTF-8"
    reply.headers = {"last-modified": format_datetime(stories[0].date, usegmt=True)}
    return reply


def _item(outlet: Outlet, story: Story) -> str:
    link = escape(outlet.link(story))
    return (
        f"<title>{_entities(story.title)}</title><link>{link}/</link>"
        f"<dc:creator><![CDATA[Some One]]></dc:creator>"
        f"<pubDate>{format_datetime(story.date)}</pubDate>"
        f"<category><![CDATA[{story.section}]]></category>"
        f"<category><![CDATA[{story.symbol}]]></category>"
        f'<guid isPermaLink="false">{outlet.site}/?p={story.number % 1_000_000}</guid>'
        f"<description>{escape(story.markup)}</description>"
        f"<content:encoded><![CDATA[<p>{escape(story.summary)}</p>]]></content:encoded>"
    )


def _entities(text: str) -> str:
    """An ampersand as a number, escaped once more on its way into XML."""
    return text.replace("&", "&amp;#038;")


def _atom(bulletin: Bulletin, stories: list[Story], now: float) -> Reply:
    entries = "".join(_entry(bulletin.outlet, story) for story in stories)
    changed = iso(stories[0].at)
    text = (
        '<?xml version="1.0" encoding="UTF-8"?><feed xmlns="http://www.w3.org/2005/Atom">'
        f"<title>{escape(bulletin.title)}</title><updated>{changed}</updated>"
        f'<link href="{bulletin.outlet.site}/" rel="alternate"/><id>{bulletin.outlet.site}/</id>'
        f"{entries}</feed>"
    )
    headers = {"last-modified": format_datetime(datetime.fromtimestamp(stories[0].at, UTC), True)}
    return Reply(200, text.encode(), "application/atom+xml; charset=UTF-8", headers)


def _entry(outlet: Outlet, story: Story) -> str:
    return (
        f'<entry><title type="html">{escape(escape(story.title, quote=False))}</title>'
        f'<link rel="alternate" type="text/html" href="{escape(outlet.link(story))}"/>'
        f"<id>{outlet.site}/?p={story.number % 1_000_000}</id>"
        f"<updated>{iso(story.at + 60)}</updated><published>{iso(story.at)}</published>"
        f'<summary type="html">{escape(story.markup)}</summary>'
        f"<author><name>Some One</name></author>"
        f'<category term="{escape(story.symbol)}"/></entry>'
    )
