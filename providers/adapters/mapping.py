"""
What an operator declares of a JSON web API, checked to the last word before anything is asked.

Pure: a document in, a `Mapped` out, or `NotAMapping` with everything that is wrong in it. How one
is written stands in docs/declared.md.

Expressions are JMESPath (https://jmespath.org/specification.html) without what could make more
out of an answer than stands in it: no multi-selections (an expression of fifty characters could
fill the memory), no arithmetic functions, and no constants where a number or a time is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import TypeVar, get_args, get_type_hints

from jmespath.parser import ParsedResult

from providers.adapters.base import Auth
from providers.datasets import (
    GlobalQuery,
    HistoryQuery,
    ListingQuery,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
    Query,
    SearchQuery,
    TvlQuery,
)
from providers.errors import BadKey, Broken, Missing, PlanLimit, ProviderError, Throttled

T = TypeVar("T")

OFFERABLE: dict[str, type[Query]] = {
    query.dataset.name: query
    for query in (
        PriceQuery, MarketQuery, OhlcQuery, HistoryQuery, GlobalQuery, SearchQuery, TvlQuery,
        ListingQuery,
    )
}  # fmt: skip
MEANINGS: dict[str, type[ProviderError]] = {
    kind.code: kind for kind in (Missing, Throttled, BadKey, PlanLimit, Broken)
}
# What a template may name, by dataset. Of these, a place without a value leaves its parameter out.
SPAN = ("start_s", "end_s", "start_ms", "end_ms", "start_date", "end_date")
PLACES: dict[str, tuple[str, ...]] = {
    "price": ("id", "ids", "currency", "CURRENCY"),
    "market": ("currency", "CURRENCY", "page", "size", "offset"),
    "ohlc": ("id", "interval", "limit", "currency", "CURRENCY", *SPAN),
    "history": ("id", "days", "currency", "CURRENCY", *SPAN),
    "search": ("q", "limit"),
    "listing": ("page", "size", "offset"),
}
IN_CURRENCY = ("price", "market", "ohlc", "history")
# Beside those of the record: what tells whose row it is.
ROW_FIELDS = {"price": ("id",)}
# Worked out by us, not read.
OURS = {"price": ("symbol",), "ohlc": ("complete",), "search": ("kind",)}
TIMES = ("s", "ms", "us", "iso")

PLACE = re.compile(r"\{(\w+)\}")


class NotAMapping(ValueError):
    """`errors` says, line by line, where and what."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("; ".join(errors))
        self.errors = errors


@dataclass(frozen=True)
class Offer:
    """How one dataset is asked for and read."""

    query: type[Query]
    path: str
    params: Mapping[str, str]
    rows: ParsedResult | None
    keyed: bool  # the rows are an object by external id
    fields: Mapping[str, ParsedResult]
    units: Mapping[str, str | Decimal]
    currencies: Mapping[str, str]  # ours -> what is sent for it
    intervals: Mapping[str, str]
    batch: int = 1
    everything: bool = False  # the answer holds all there is, whatever was asked for
    size: int = 0  # rows of a page; 0: there are no pages
    first: int = 1  # number of the first page
    most: int = 1  # pages of one question
    cost: int = 1
    width: int = 0  # columns of a row that is a list; 0: rows are objects


@dataclass(frozen=True)
class Mapped:
    auth: Auth | None
    names: str  # "listings", "symbol" or "symbol_lower": what {id} stands for
    listed_as: str
    ping: str
    errors: tuple[tuple[ParsedResult, type[ProviderError]], ...]
    offers: Mapping[str, Offer] = field(default_factory=dict)


@cache
def record_fields(name: str) -> dict[str, tuple[type, bool]]:
    """Field -> (type, may it be null) of what a mapping reads for a dataset."""
    record = OFFERABLE[name].record
    defaults = record._field_defaults
    found: dict[str, tuple[type, bool]] = {}
    for place, hint in get_type_hints(record).items():
        inner = [arg for arg in get_args(hint) if arg is not type(None)] or [hint]
        optional = type(None) in get_args(hint) or place in defaults
        if place not in OURS.get(name, ()) and isinstance(inner[0], type):
            found[place] = inner[0], optional
    if name in ("price", "listing"):
        found["quote"] = str, True  # else what was asked in; of ids of coins there is none
    return found | dict.fromkeys(ROW_FIELDS.get(name, ()), (str, True))
