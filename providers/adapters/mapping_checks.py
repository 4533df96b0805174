"""
What any part of a mapping is held to: shapes, templates and expressions. Errors are collected with
the place where they stand, instead of stopping at the first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

import jmespath
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from providers.adapters.mapping import PLACE

LONGEST = 500  # characters of a template or an expression
SAFE_FUNCTIONS = {"not_null", "values", "keys"}
NODES = {
    "field", "subexpression", "index_expression", "index", "slice", "identity", "current", "pipe",
    "projection", "value_projection", "flatten", "filter_projection", "comparator", "literal",
    "or_expression", "and_expression", "not_expression", "function_expression",
}  # fmt: skip
HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
OF_THE_CONNECTION = {
    "host", "connection", "content-length", "transfer-encoding", "cookie", "accept-encoding",
    "upgrade", "te", "trailer", "expect", "content-type",
}  # fmt: skip


class Checker:
    """Collects what is wrong, and where."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.where: list[str] = []

    @contextmanager
    def at(self, place: str) -> Iterator[None]:
        self.where.append(place)
        try:
            yield
        finally:
            self.where.pop()

    def wrong(self, said: str) -> None:
        self.errors.append(f"{'.'.join(self.where) or 'mapping'}: {said}")

    # -- Shapes --------------------------------------------------------------------------------

    def object(self, value: Any, known: tuple[str, ...] = ()) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.wrong("is an object")
            return {}
        for name in sorted(set(value) - set(known)) if known else ():
            self.wrong(f"{name!r} is unknown here; known are {', '.join(known)}")
        return value

    def text(self, value: Any, *, most: int = LONGEST) -> str:
        if not isinstance(value, str) or len(value) > most or not value.isprintable():
            self.wrong(f"is a text of at most {most} plain characters")
            return ""
        return value

    def choice(self, value: Any, known: tuple[str, ...]) -> str:
        if value not in known:
            self.wrong(f"is one of {', '.join(map(repr, known))}")
            return known[0]
        return str(value)

    def whole(self, value: Any, least: int, most: int) -> int:
        if type(value) is not int or not least <= value <= most:
            self.wrong(f"is a whole number from {least} to {most}")
            return least
        return value

    def flag(self, value: Any) -> bool:
        if type(value) is not bool:
            self.wrong("is true or false")
        return value is True

    # -- Templates and expressions -------------------------------------------------------------

    def path(self, value: Any, known: tuple[str, ...]) -> str:
        path = self.text(value)
        plain = PLACE.sub("x", path)
        if not re.fullmatch(r"(/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*", plain) or "//" in plain:
            self.wrong("begins with / and holds nothing but a path")
        elif {"..", "."} & set(plain.split("/")):
            self.wrong("does not climb")
        self.places(path, known)
        return path

    def places(self, template: str, known: tuple[str, ...]) -> None:
        for place in PLACE.findall(template):
            if place not in known:
                can = ", ".join(f"{{{name}}}" for name in known) or "nothing"
                self.wrong(f"{{{place}}} stands for nothing here; what can be put in: {can}")
        if {"{", "}"} & set(PLACE.sub("", template)):
            self.wrong("braces stand around one word: {id}")

    def factor(self, value: Any) -> Decimal:
        try:
            found = Decimal(value) if isinstance(value, str) else Decimal("NaN")
        except InvalidOperation:
            found = Decimal("NaN")
        if not found.is_finite() or found <= 0 or abs(found.adjusted()) > 20:
            self.wrong('is what to multiply by, as a text: "0.01" for cents, "100" for fractions')
            return Decimal(1)
        return found

    def expression(self, value: Any, *, constants: bool) -> ParsedResult | None:
        text = self.text(value)
        if not text:
            self.wrong("is a JMESPath expression")
            return None
        try:
            found: ParsedResult = jmespath.compile(text)
        except (JMESPathError, ValueError, RecursionError) as error:
            self.wrong(f"is no JMESPath expression: {str(error).splitlines()[0][:120]}")
            return None
        for node in _nodes(found.parsed):
            if node["type"] not in NODES:
                self.wrong(f"{node['type'].replace('_', ' ')} is not taken here")
            if node["type"] == "function_expression" and node["value"] not in SAFE_FUNCTIONS:
                self.wrong(f"of functions only {', '.join(sorted(SAFE_FUNCTIONS))} are taken")
            if node["type"] == "literal" and not constants:
                self.wrong("a constant is no number and no time that anybody sent")
        return found


def _nodes(node: Any) -> Iterator[dict[str, Any]]:
    """A node of an expression and all below it."""
    if isinstance(node, dict):
        yield node
        for child in node.get("children", ()):
            yield from _nodes(child)
