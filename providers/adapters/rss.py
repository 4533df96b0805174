"""
News feeds: RSS 0.9x to 2.0, RSS 1.0 and Atom.

https://www.rssboard.org/rss-specification and https://www.rfc-editor.org/rfc/rfc4287

Each feed is a provider of its own that names this adapter; its base URL is the feed's address.
An article's source is the host of the feed's site.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from io import BytesIO
from typing import Any

import feedparser

from providers.adapters.articles import article, host, newest
from providers.adapters.base import Adapter, Reply, instant, text
from providers.datasets import Article, NewsQuery
from providers.errors import Blocked, Garbled, ProviderError
from providers.registry import register

# No feed of headlines comes near these, and a parser survives them: a tag costs it 15 us and 1 kB.
MOST_BYTES, MOST_TAGS = 2_000_000, 50_000

# What a feed may begin with: not HTML, and no DTD of its own, whose entities are traps for parsers.
# In an encoding outside this list other bytes could spell a DTD. Possessive (++), as a pattern that
# remembers where it could have stopped holds a hundred times the body in memory.
_OPENING = re.compile(
    rb"(?:\xef\xbb\xbf)?(?:\s++|<\?[^<>]*+>|<!--[^<]*?-->|<!DOCTYPE[^<>\[]*+>)*+"
    rb"<(?:rss|feed|rdf:RDF)[\s>]"
)
_ENCODING = re.compile(rb"""encoding\s*=\s*["']([^"']*)["']""")
_ENCODINGS = {b"utf-8", b"utf8", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"}
# Descriptions of pictures and the like, often empty, which feedparser takes for the item's own.
_ASIDE = re.compile(rb"(</?(?:dc|media):)description\b")
_END_OF_ITEM = re.compile(rb"</(?:\w+:)?(?:item|entry)\s*>")


@register
class Rss(Adapter):
    name = "rss"
    title = "News feed (RSS, Atom)"
    base_url = ""  # every feed has its own
    docs_url = "https://www.rssboard.org/rss-specification"
    offers = (NewsQuery,)
    headers = {"Accept": "application/rss+xml, application/atom+xml, application/xml, text/xml"}

    def news(self, query: NewsQuery) -> list[Article]:
        feed, entries = _parse(self._body())
        self.dropped += len(feed.entries) - len(entries)
        site = host(feed.feed.get("link"))
        return newest(self.rows(entries, lambda item: self._article(item, site)), query.limit)

    def ping(self) -> None:
        self._body()

    def _body(self) -> bytes:
        """The feed's bytes; Garbled for whatever is no feed, before any parser sees it."""
        body = self.http.fetch("").body
        if len(body) > MOST_BYTES or body.count(b"<") > MOST_TAGS:
            raise Garbled("a feed was promised, not this much")
        opening = _OPENING.match(body)
        if opening is None:
            raise Garbled("a feed was promised, not this")
        for encoding in _ENCODING.findall(opening.group()):
            if encoding.lower() not in _ENCODINGS:
                raise Garbled("a feed in a strange encoding")
        return body

    def _article(self, entry: Mapping[str, Any], site: str | None) -> Article:
        return article(
            self.now(),
            url=entry["link"],
            title=entry["title"],
            at=_date(entry["published"] if "published" in entry else entry["updated"]),
            words=entry.get("summary"),
            source=site,
        )

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """No feed needs a key: a 403 is a firewall that does not like this host."""
        return Blocked("refused by its firewall") if reply.status == 403 else None


def _parse(body: bytes) -> tuple[Any, list[Any]]:
    """
    What feedparser makes of a feed, and those of its entries that are whole: a body that was cut
    off ends within an item, and what was read of that one is not what was written.

    Always through a stream: feedparser takes a text, or bytes, for a path or an address to open.
    """
    stream = BytesIO(_ASIDE.sub(rb"\1aside", body))
    feed = feedparser.parse(stream, resolve_relative_uris=False, sanitize_html=True)
    if not feed.bozo:
        return feed, feed.entries
    whole = feed.entries[: len(_END_OF_ITEM.findall(body))]
    if not whole:
        raise Garbled("XML that cannot be read")
    return feed, whole


def _date(value: Any) -> datetime:
    """
    ISO 8601 or RFC 822; UTC when it names no zone. Garbled for anything else, such as a zone
    that neither knows (CEST): a date is never guessed.
    """
    try:
        return instant(value)
    except Garbled:
        found = parsedate_to_datetime(text(value))
    if found.tzinfo is None and text(value)[-1].isalpha():
        raise Garbled("a date in a zone that nobody knows")
    return instant(found.isoformat())
