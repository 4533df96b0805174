"""What every skill is given, and how rows become figures."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from aggregator.answers import Answer
from chat import asking
from chat.entities import Entities
from chat.facts import COMPUTED, Failure, Figure, Source
from chat.masking import words
from chat.naming import Known
from providers.datasets import MarketQuery, MarketRow
from providers.resilience import Deadline

# What prices are asked in (`currency=` of the API); other money is converted from dollars.
QUOTED = ("usd", "eur", "gbp", "jpy", "chf", "aud", "cad", "btc", "eth")


@dataclass(frozen=True)
class Question:
    """A question as a skill sees it. `now` is in UTC."""

    text: str
    entities: Entities
    now: datetime
    deadline: Deadline

    @property
    def at(self) -> float:
        return self.now.timestamp()

    @property
    def said(self) -> str:
        """Its words, in lower case."""
        return words(self.text)

    def mentions(self, pattern: str) -> bool:
        return bool(re.search(rf"\b(?:{pattern})\b", self.said))

    @property
    def currency(self) -> str:
        """The first named one that prices are asked in, else dollars."""
        return next((code for code in self.entities.currencies if code in QUOTED), "usd")

    def strangers(self, what: str) -> tuple[Failure, ...]:
        """What of names that are none of ours is not answered: "the price", "figures"."""
        return tuple(
            Failure(f"{what} of {word}", "no asset is called that here")
            for word in self.entities.unknown
        )

    def source(self, answer: Answer) -> Source:
        return asking.source_of(answer, self.at)


def row_of(answer: Answer, known: Known) -> MarketRow | None:
    """The row of an asset among ranked coins: by symbol and name, or by id."""
    rows: Sequence[MarketRow] = asking.rows(answer)
    fits = [row for row in rows if row.symbol.upper() == known.key.upper()]
    fits += [row for row in rows if row.id == known.id]
    by_name = (row for row in fits if row.name.casefold() == known.name.casefold())
    return next(by_name, None) or next((row for row in fits if row.id == known.id), None)


# Fields of a ranked coin: what they are called, in which unit ("money" is the asked currency), and
# by which words one asks for them.
FIELDS: dict[str, tuple[str, str, str]] = {
    "price": ("price", "money", r"prices?|worth|costs?|trading at|quote"),
    "rank": ("rank", "", r"rank\w*|position"),
    "market_cap": (
        "market capitalisation",
        "money",
        r"m ?caps?|market ?caps?\w*|capitali\w+|caps?|size|big\w*|value",
    ),
    "volume_24h": ("volume in 24 h", "money", r"volumes?|vol|traded|turnover"),
    "change_1h_percent": ("change in 1 h", "%", r"1h|last hour|past hour|this hour|hourly"),
    "change_24h_percent": (
        "change in 24 h",
        "%",
        r"chang\w+|24h|today|gain\w*|los\w+|up|down|moved?|perform\w*|return|risen|fallen|percent",
    ),
    "change_7d_percent": ("change in 7 days", "%", r"7d|week\w*|7 days|seven days"),
    "high_24h": ("highest price in 24 h", "money", r"highs?|highest|peak|range"),
    "low_24h": ("lowest price in 24 h", "money", r"lows?|lowest|bottom|range"),
    "circulating_supply": (
        "circulating supply",
        "coins",
        r"suppl\w+|circulating|exists?|in circulation",
    ),
}
USUAL = ("price", "change_24h_percent", "change_7d_percent", "market_cap", "volume_24h")


def fields_named(asked: Question) -> list[str]:
    """The fields of a ranked coin that are asked for by their words."""
    return [field for field, (_, _, said) in FIELDS.items() if asked.mentions(said)]


def figures_of(
    row: Any, fields: Sequence[str], subject: str, money: str, source: Source
) -> list[Figure]:
    """The fields that somebody sent."""
    found = []
    for field in fields:
        label, unit, _ = FIELDS[field]
        value = getattr(row, field)
        if value is not None:
            found.append(Figure(subject, label, value, money if unit == "money" else unit, source))
    return found


def computed(
    subject: str,
    label: str,
    value: Decimal | int,
    unit: str,
    source: Source,
    at: date | datetime | None = None,
) -> Figure:
    return Figure(subject, label, value, unit, source, at, COMPUTED)


def ranked(currency: str) -> MarketQuery:
    """The largest coins, as many as one upstream page has."""
    return MarketQuery(currency=currency, limit=MarketQuery.PAGE)


def plural(names: Sequence[str]) -> str:
    """ "BTC, ETH and SOL"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""
