"""
The sandbox's newsroom: invented stories about its coins, and the outlets that run them.

An outlet has a story every so many hours. One in five runs in every outlet under the same title,
as agency copy does; who reads several outlets meets it several times.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlsplit

from providers.sandbox.market import HOUR_S, Market, number_of, uniform

HEADLINES = (
    "{name} climbs as traders in the sandbox grow bold",
    "{name} slips after a quiet night",
    "Why {symbol} holders in the sandbox are not worried",
    "Developers of {name} publish a new release",
    "{name} & friends: what moved the sandbox this week",
    "A fund asks to list {name}",
    "Analysts split over {symbol}",
)
# What readers make of each headline: 1 good news, -1 bad news.
TONES = (1, -1, 1, 1, 0, 1, 0)
SECTIONS = ("Markets", "Policy", "Technology", "Business")
SHARED_EACH = 5
ESCAPED_EACH = 4


class Story(NamedTuple):
    """One item of a feed; `number` is the same for the same story everywhere."""

    number: int
    at: int
    title: str
    symbol: str
    section: str
    tone: int

    @property
    def slug(self) -> str:
        words = "".join(c if c.isalnum() else "-" for c in self.title.lower())
        return "-".join(filter(None, words.split("-"))) + f"-{self.number % 10_000}"

    @property
    def date(self) -> datetime:
        return datetime.fromtimestamp(self.at, UTC)

    @property
    def summary(self) -> str:
        return f"{self.title}, says nobody in particular."

    @property
    def markup(self) -> str:
        """The summary as a paragraph of HTML; of some stories it arrives escaped once too often."""
        text = f"<p>{escape(self.summary, quote=False)}</p>"
        return escape(text, quote=False) if self.number % ESCAPED_EACH == 0 else text


@dataclass(frozen=True)
class Outlet:
    """Who runs `items` stories, one every `every_s` (whole hours); `path` is a story's address."""

    key: str
    name: str
    site: str
    items: int
    every_s: int
    path: str = "{slug}"

    @property
    def domain(self) -> str:
        return urlsplit(self.site).netloc.removeprefix("www.")

    def link(self, story: Story) -> str:
        number = story.number % 1_000_000
        section = story.section.lower()
        path = self.path.format(slug=story.slug, number=number, section=section, date=story.date)
        return f"{self.site}/{path}"

    def number(self, story: Story) -> int:
        """Of this outlet's article, by which aggregators tell it from another's."""
        return number_of(f"{self.key}:{story.number}") % 100_000_000

    def stories(self, market: Market, now: float) -> list[Story]:
        """The last ones, newest first."""
        newest = int(now // self.every_s)
        found = [self._story(market, slot) for slot in range(newest, newest - self.items, -1)]
        return sorted(found, key=lambda story: -story.at)

    def _story(self, market: Market, slot: int) -> Story:
        own = number_of(self.key)
        if slot % SHARED_EACH == 0:
            # The slots of all outlets are measured in hours here, so that they agree.
            own, slot = 0, slot * self.every_s // (SHARED_EACH * HOUR_S)
            at = slot * SHARED_EACH * HOUR_S
        else:
            at = slot * self.every_s
        key = (market.seed, own, slot)
        coin = market.coins[int(uniform(*key, 1) ** 2 * len(market.coins))]
        headline = int(uniform(*key, 2) * len(HEADLINES))
        section = SECTIONS[int(uniform(*key, 3) * len(SECTIONS))]
        title = HEADLINES[headline].format(name=coin.name, symbol=coin.symbol)
        number = number_of(f"{market.seed}:{own}:{slot}")
        return Story(number, at, title, coin.symbol, section, TONES[headline])


COINDESK = Outlet(
    "CoinDesk", "CoinDesk", "https://www.coindesk.com", 25, 2 * HOUR_S,
    "{section}/{date:%Y/%m/%d}/{slug}",
)  # fmt: skip
COINTELEGRAPH = Outlet(
    "Cointelegraph", "Cointelegraph", "https://cointelegraph.com", 30, HOUR_S, "news/{slug}"
)
DECRYPT = Outlet("Decrypt", "Decrypt", "https://decrypt.co", 20, 3 * HOUR_S, "{number}/{slug}")
THE_BLOCK = Outlet(
    "TheBlock", "The Block", "https://www.theblock.co", 19, 3 * HOUR_S, "post/{number}/{slug}"
)
BITCOIN_MAGAZINE = Outlet(
    "BitcoinMagazine", "Bitcoin Magazine", "https://bitcoinmagazine.com", 10, 6 * HOUR_S,
    "{section}/{slug}",
)  # fmt: skip
OUTLETS = (COINDESK, COINTELEGRAPH, DECRYPT, THE_BLOCK)


def press(
    market: Market, now: float, outlets: Iterable[Outlet] = OUTLETS
) -> list[tuple[Outlet, Story]]:
    """What an aggregator of news has read: every story of every outlet, newest first."""
    found = [(outlet, story) for outlet in outlets for story in outlet.stories(market, now)]
    return sorted(found, key=lambda read: (-read[1].at, read[0].key))


def page(read: Iterable[tuple[Outlet, Story]], first: int, size: int) -> list[tuple[Outlet, Story]]:
    return list(islice(read, first, first + size))
