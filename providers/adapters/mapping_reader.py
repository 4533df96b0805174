"""
The document of a mapping, read word by word: everything that is wrong in it is told at once, each
with its place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from jmespath.parser import ParsedResult

from providers.adapters.base import Auth
from providers.adapters.mapping import (
    IN_CURRENCY,
    MEANINGS,
    OFFERABLE,
    PLACE,
    PLACES,
    TIMES,
    Mapped,
    NotAMapping,
    Offer,
    record_fields,
)
from providers.adapters.mapping_checks import HEADER, OF_THE_CONNECTION, Checker
from providers.datasets import INTERVALS
from providers.errors import ProviderError

T = TypeVar("T")

MOST_BATCH, MOST_PAGES, MOST_COST, MOST_SIZE = 100, 10, 1000, 5000


def parse(document: Any) -> Mapped:
    """A mapping out of JSON; NotAMapping."""
    reader = _Reader()
    found = reader.mapping(document)
    if reader.errors or found is None:
        raise NotAMapping(reader.errors)
    return found


class _Reader(Checker):
    """The parts of a mapping, and what only makes sense together."""

    def mapping(self, value: Any) -> Mapped | None:
        known = ("auth", "names", "listed_as", "ping", "errors", "datasets")
        found = self.object(value, known)
        with self.at("datasets"):
            datasets = self.object(found.get("datasets"))
            if not datasets:
                self.wrong("names at least one dataset")
        offers: dict[str, Offer] = {}
        for name, row in datasets.items():
            with self.at(f"datasets.{name}"):
                if name in OFFERABLE:
                    offers[name] = self.offer(name, row)
                else:
                    self.wrong(f"cannot be declared; those that can: {', '.join(OFFERABLE)}")
        with self.at("names"):
            names = self.choice(
                found.get("names", "listings"), ("listings", "symbol", "symbol_lower")
            )
        with self.at("listed_as"):
            listed_as = self.text(found.get("listed_as", ""), most=50)
        with self.at("ping"):
            ping = self.path(found["ping"], ()) if "ping" in found else ""
        return Mapped(
            self.auth(found.get("auth")), names, listed_as, ping, self.meanings(found), offers
        )

    def auth(self, value: Any) -> Auth | None:
        if value is None:
            return None
        with self.at("auth"):
            found = self.object(value, ("header", "param", "prefix", "required"))
            header, param = (
                self.text(found.get(name, ""), most=60) for name in ("header", "param")
            )
            if bool(header) == bool(param):
                self.wrong("goes into a header or a param, one of them")
            if header and (not HEADER.fullmatch(header) or header.lower() in OF_THE_CONNECTION):
                self.wrong(f"no key travels in the header {header!r}")
            prefix = self.text(found.get("prefix", ""), most=30)
            if not prefix.isascii():
                self.wrong("prefix is of plain characters")
            return Auth(header, param, prefix, self.flag(found.get("required", True)))

    def meanings(
        self, found: Mapping[str, Any]
    ) -> tuple[tuple[ParsedResult, type[ProviderError]], ...]:
        rows = found.get("errors", [])
        meant = []
        with self.at("errors"):
            if not isinstance(rows, list) or len(rows) > 20:
                self.wrong("is a list of at most 20")
                return ()
            for row in rows:
                rule = self.object(row, ("when", "means"))
                when = self.expression(rule.get("when"), constants=True)
                means = self.choice(rule.get("means"), tuple(MEANINGS))
                if when:
                    meant.append((when, MEANINGS[means]))
        return tuple(meant)

    def offer(self, name: str, value: Any) -> Offer:
        known = (
            "path", "params", "rows", "keyed", "fields", "units", "currencies", "intervals",
            "batch", "everything", "pages", "cost", "width",
        )  # fmt: skip
        found = self.object(value, known)
        with self.at("path"):
            path = self.path(found.get("path", ""), PLACES.get(name, ()))
        params = self.params(name, found.get("params", {}))
        size, first, most = self.pages(name, found.get("pages"))
        keyed, everything = (
            self.of(found, part, False, self.flag) for part in ("keyed", "everything")
        )
        batch = self.of(found, "batch", 1, lambda v: self.whole(v, 1, MOST_BATCH))
        cost = self.of(found, "cost", 1, lambda v: self.whole(v, 1, MOST_COST))
        width = self.of(found, "width", 0, lambda v: self.whole(v, 0, 1000))
        rows = None
        if "rows" in found:
            with self.at("rows"):
                rows = self.expression(found["rows"], constants=True)
        fields = self.fields(name, found.get("fields"))
        units = self.units(name, fields, found.get("units", {}))
        currencies = self.words("currencies", found.get("currencies", {}))
        intervals = self.words("intervals", found.get("intervals", {}))
        named = {place for text in (path, *params.values()) for place in PLACE.findall(text)}
        self.agreement(name, named, found, fields, (currencies, intervals))
        return Offer(
            OFFERABLE[name], path, params, rows, keyed, fields, units, currencies, intervals,
            batch, everything, size, first, most, cost, width,
        )  # fmt: skip

    def of(
        self, found: Mapping[str, Any], name: str, default: Any, read: Callable[..., Any]
    ) -> Any:
        with self.at(name):
            return read(found.get(name, default))

    def agreement(
        self,
        name: str,
        named: set[str],
        found: Mapping[str, Any],
        fields: Mapping[str, ParsedResult],
        words: tuple[Mapping[str, str], Mapping[str, str]],
    ) -> None:
        """What only makes sense together."""
        currencies, intervals = words
        for sent in currencies.values():
            if not re.fullmatch(r"[A-Za-z]{2,10}", str(sent)):
                self.wrong("currencies are sent by their letters, such as usd or USDT")
        if name != "price" and (strange := {"keyed", "everything", "batch"} & set(found)):
            self.wrong(f"{', '.join(sorted(strange))}: only of prices")
        if name in IN_CURRENCY and not currencies:
            self.wrong('currencies says what it answers in: {"usd": "USD"}')
        if len(currencies) > 1 and not named & {"currency", "CURRENCY"}:
            self.wrong("several currencies need a {currency} in path or params")
        if name == "ohlc":
            if not intervals or not set(intervals) <= set(INTERVALS):
                self.wrong(f"intervals are some of {', '.join(INTERVALS)}")
            elif len(intervals) > 1 and "interval" not in named:
                self.wrong("several intervals need an {interval} in path or params")
        if name in ("ohlc", "history") and "id" not in named:
            self.wrong("there is no {id} in path or params")
        if not found.get("width") and any(map(_by_place, fields.values())):
            self.wrong("columns of a list need its width, or one that lacks would shift the others")
        if name == "price":
            tells = "id" in fields or found.get("keyed") is True
            if not named & {"id", "ids"} and found.get("everything") is not True:
                self.wrong("there is no {id} or {ids} in path or params, nor everything: true")
            if not tells and ("ids" in named or found.get("everything") is True):
                self.wrong("several rows need a field id, or keyed: true")
        if found.get("pages") and not named & {"page", "offset"}:
            self.wrong("pages need a {page} or an {offset} in path or params")

    # -- Templates -----------------------------------------------------------------------------

    def params(self, name: str, value: Any) -> dict[str, str]:
        found: dict[str, str] = {}
        with self.at("params"):
            for param, template in self.object(value).items():
                with self.at(self.text(param, most=60)):
                    found[param] = self.text(template)
                    self.places(found[param], PLACES.get(name, ()))
        return found

    def words(self, part: str, value: Any) -> dict[str, str]:
        with self.at(part):
            return {
                self.text(ours, most=10): self.text(theirs, most=60)
                for ours, theirs in self.object(value).items()
            }

    def pages(self, name: str, value: Any) -> tuple[int, int, int]:
        if value is None:
            return 0, 1, 1
        with self.at("pages"):
            if "page" not in PLACES.get(name, ()):
                self.wrong("this dataset has none")
            found = self.object(value, ("size", "first", "most"))
            size = self.whole(found.get("size"), 1, MOST_SIZE)
            first = self.whole(found.get("first", 1), 0, 1)
            return size, first, self.whole(found.get("most", 1), 1, MOST_PAGES)

    # -- Fields --------------------------------------------------------------------------------

    def fields(self, name: str, value: Any) -> dict[str, ParsedResult]:
        known, found = record_fields(name), {}
        with self.at("fields"):
            given = self.object(value, tuple(known))
            for place in [n for n, (_, optional) in known.items() if not optional]:
                if place not in given:
                    self.wrong(f"{place} is missing")
            for place, expression in given.items():
                with self.at(place):
                    is_text = known.get(place, (str, True))[0] is str
                    parsed = self.expression(expression, constants=is_text)
                if parsed is not None and place in known:
                    found[place] = parsed
        return found

    def units(self, name: str, fields: Mapping[str, Any], value: Any) -> dict[str, str | Decimal]:
        known, units = record_fields(name), dict[str, str | Decimal]()
        with self.at("units"):
            given = self.object(value)
            for place in fields:
                kind = known[place][0].__name__
                if kind == "datetime" and place not in given:
                    self.wrong(f"{place} is a time: say in what, of {', '.join(TIMES)}")
            for place, unit in given.items():
                with self.at(place):
                    if place not in fields:
                        self.wrong("is none of the fields that are read")
                    elif known[place][0].__name__ == "datetime":
                        units[place] = self.choice(unit, TIMES)
                    elif known[place][0] is Decimal:
                        units[place] = self.factor(unit)
                    else:
                        units[place] = self.choice(unit, ("text", "whole", "upper"))
        return units


def _by_place(expression: ParsedResult) -> bool:
    """Does it begin with a column of the row, such as [3]?"""
    node = expression.parsed
    while node["type"] not in ("index_expression", "field") and node["children"]:
        node = node["children"][0]
    return bool(node["type"] == "index_expression" and node["children"][0]["type"] == "identity")
