"""
What all news have in common, whoever tells them: addresses without counters, plain words, a moment
that has been, and one article for each story.

An article's source is a host without `www.`: a title changes with the slogan of the season
("CoinDesk: Bitcoin, Ethereum, ..."), a host stays, and can be filtered by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from html import unescape
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from providers.adapters.base import UNREADABLE, text, web_address
from providers.datasets import Article
from providers.errors import Garbled

MOST_MARKUP = 20_000  # characters of a description that are looked at
SKEW = timedelta(minutes=5)  # clocks differ; an article of the future is a mistake

_TAG = re.compile(r"<[a-zA-Z/!?][^>]*>")
_GAP = re.compile(r" +([.,;:)])")  # where a tag has been


def article(
    now: datetime,
    *,
    url: Any,
    title: Any,
    at: datetime,
    words: Any = None,
    source: str | None = None,
    symbols: tuple[str, ...] = (),
    sentiment: dict[str, Any] | None = None,
) -> Article:
    """
    One article out of what a provider says of it: `words` become the summary, and the source is
    the host of the address where none is named. Garbled for an article that is yet to come.
    """
    if at > now + SKEW:
        raise Garbled("an article of the future")
    address = canonical(url)
    return Article(
        id=article_id(address),
        title=plain(title, most=300),
        url=address,
        source=source or host(address) or "",
        published_at=at,
        summary=_summary(words),
        symbols=symbols,
        sentiment=sentiment,
    )


def canonical(url: Any) -> str:
    """The address of an article without what only counts clicks (utm_*) or scrolls (#...)."""
    parts = urlsplit(web_address(url))
    if not parts.hostname or parts.username is not None:
        raise Garbled("an address was promised")
    words = parts.query.split("&")
    query = "&".join(word for word in words if not word.lower().startswith("utm_"))
    return urlunsplit((parts.scheme, parts.netloc.lower(), parts.path, query, ""))


def article_id(url: str) -> str:
    """16 hexadecimal digits that are the same for the same canonical address, everywhere."""
    return sha256(url.encode()).hexdigest()[:16]


def host(url: Any) -> str | None:
    """Of an address, without `www.`; None for what is no address."""
    try:
        found = urlsplit(web_address(url)).hostname
    except UNREADABLE:
        return None
    return found.removeprefix("www.") if found else None


def plain(value: Any, *, most: int) -> str:
    """Text without markup, also when the markup was escaped twice."""
    if type(value) is not str:
        raise Garbled("a text was promised")
    words = value[:MOST_MARKUP]
    for _ in range(2):
        words = unescape(_strip(words))
    words = text(_strip(words), most=MOST_MARKUP)
    return text(_GAP.sub(r"\1", words), most=most)


def _strip(markup: str) -> str:
    """Tags out. After the last ">" there is none, and looking for one would take long."""
    head, close, tail = markup.rpartition(">")
    return _TAG.sub(" ", head + close) + tail


def _summary(value: Any) -> str | None:
    """None where there is no text, but an image at most."""
    try:
        return plain(value, most=1000)
    except Garbled:
        return None


def newest(articles: Iterable[Article], limit: int) -> list[Article]:
    """The newest first, each story once."""
    return distinct(sorted(articles, key=lambda a: a.published_at, reverse=True))[:limit]


def distinct(articles: Iterable[Article]) -> list[Article]:
    """
    The first of all that share an address, or a title on one day: agencies are syndicated, and
    columns keep their title from one week to the next.
    """
    found: dict[str, Article] = {}
    told: set[tuple[str, Any]] = set()
    for article in articles:
        story = (article.title.casefold(), article.published_at.date())
        if article.id not in found and story not in told:
            found[article.id] = article
            told.add(story)
    return list(found.values())
