"""
The news feeds, RSS 2.0: CoinDesk, Cointelegraph, Decrypt and The Block.

What they report stands in `stories`; how each of them words an item stands here.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import Any, ClassVar
from uuid import UUID

from providers.sandbox.stories import (
    COINDESK,
    COINTELEGRAPH,
    DECRYPT,
    THE_BLOCK,
    Outlet,
    Story,
)
from providers.sandbox.wire import Host, Reply, Request, route

XML = "application/xml"
NAMESPACES = (
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:atom="http://www.w3.org/2005/Atom" '
    'xmlns:sy="http://purl.org/rss/1.0/modules/syndication/" '
    'xmlns:media="http://search.yahoo.com/mrss/"'
)


class Feed(Host):
    """The feed of one outlet; `campaign` is what it adds to its links."""

    outlet: ClassVar[Outlet]
    title: ClassVar[str]
    campaign: ClassVar[str] = ""

    def rss(self, request: Request) -> Reply:
        stories = self.outlet.stories(self.market, request.now)
        items = [self.item(story) for story in stories]
        return channel(self.title, self.outlet.site, request.now, items)

    def item(self, story: Story) -> str:
        return (
            f"<title><![CDATA[{story.title}]]></title>"
            f"<link>{escape(self.outlet.link(story) + self.campaign)}</link>"
            f'<guid isPermaLink="false">{UUID(int=story.number)}</guid>'
            f"<pubDate>{format_datetime(story.date)}</pubDate>"
            f"<description>{self.summary(story)}</description>"
            "<dc:creator>Some One</dc:creator>"
            f"<category><![CDATA[{story.section}]]></category>"
        )

    def summary(self, story: Story) -> str:
        return f"<![CDATA[{story.summary}]]>"

    def failure(self, status: int, wait: float | None = None) -> Reply:
        page = f"<html><head><title>{status}</title></head><body>Sorry.</body></html>"
        return Reply(status, page.encode(), "text/html; charset=utf-8")


def channel(title: str, site: str, now: float, items: list[str]) -> Reply:
    """A channel of `items`, which are the insides of an `<item>`."""
    built = format_datetime(datetime.fromtimestamp(now, UTC))
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        f'<rss version="2.0" {NAMESPACES}><channel>'
        f"<title>{escape(title)}</title><link>{site}/</link>"
        f"<description>News of the sandbox</description><lastBuildDate>{built}</lastBuildDate>"
        "<language>en-US</language><ttl>5</ttl>"
        + "".join(f"<item>{item}</item>" for item in items)
        + "</channel></rss>"
    )
    return Reply(200, text.encode(), XML, {"cache-control": "public, max-age=0"})


class CoinDesk(Feed):
    names: ClassVar = ("www.coindesk.com",)
    outlet: ClassVar = COINDESK
    title: ClassVar = "CoinDesk: Bitcoin, Ethereum, Crypto News and Price Data"

    @route("/arc/outboundfeeds/rss")
    def feed(self, request: Request) -> Any:
        if request.path.endswith("/"):
            return Reply(308, b"", "text/plain", {"location": request.path.rstrip("/")})
        return self.rss(request)

    def item(self, story: Story) -> str:
        site, section = self.outlet.site, story.section.lower()
        return (
            f'<media:content url="https://cdn.sanity.io/images/{story.number}.png'
            '?fm=jpg&amp;w=1920" type="image/*" medium="image"/>'
            + super().item(story)
            + "<dc:creator>Another One</dc:creator><content:encoded/><dc:description/>"
            f'<category domain="{site}/{section}"><![CDATA[{story.section}]]></category>'
            f'<category domain="tag"><![CDATA[{story.symbol}]]></category>'
            f'<category domain="{site}/">News</category>'
        )


class Cointelegraph(Feed):
    names: ClassVar = ("cointelegraph.com",)
    outlet: ClassVar = COINTELEGRAPH
    title: ClassVar = "Cointelegraph.com News"
    campaign: ClassVar = "?utm_source=rss_feed&utm_medium=rss&utm_campaign=rss_partner_inbound"

    @route("/rss")
    @route("/rss/tag/{tag}")
    def feed(self, request: Request, tag: str = "") -> Any:
        if not request.headers.get("user-agent"):
            return self.failure(403)
        return self.rss(request)

    def summary(self, story: Story) -> str:
        image = f'<img src="https://images.cointelegraph.com/{story.number}.jpg">'
        return f'<![CDATA[<p style="float:right">{image}</p><p>{escape(story.summary)}</p>]]>'


class Decrypt(Feed):
    names: ClassVar = ("decrypt.co",)
    outlet: ClassVar = DECRYPT
    title: ClassVar = "Decrypt"

    @route("/feed")
    def feed(self, request: Request) -> Any:
        return self.rss(request)


class TheBlock(Feed):
    names: ClassVar = ("www.theblock.co",)
    outlet: ClassVar = THE_BLOCK
    title: ClassVar = "The Block"
    campaign: ClassVar = "?utm_source=rss&utm_medium=rss"

    @route("/rss.xml")
    def feed(self, request: Request) -> Any:
        pages_back = max(1, int(request.params.get("paged") or 1)) - 1
        then = request.now - pages_back * self.outlet.items * self.outlet.every_s
        return self.rss(replace(request, now=then))
