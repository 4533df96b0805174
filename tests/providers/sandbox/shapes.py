"""
What an answer is made of: the kind of every value, by its place.

Kinds are `number`, `digits` (a number as text), `text`, `flag` and `null`; the place of a list's
element is `[]` (or its number, in a row of fixed length) and that of a map's value `*`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Kinds = dict[str, set[str]]

DIGITS = re.compile(r"-?\d+(\.\d+)?")


def kind(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "flag"
    if isinstance(value, int | float):
        return "number"
    return "digits" if DIGITS.fullmatch(value) else "text"


def kinds(document: Any, *maps: str, rows: tuple[str, ...] = ()) -> Kinds:
    """`maps` are places whose keys are data, `rows` places of lists with a fixed meaning."""
    found: Kinds = {}
    for place, value in _walk(document, "", maps, rows):
        found.setdefault(place, set()).add(value)
    return found


def _walk(
    value: Any, place: str, maps: tuple[str, ...], rows: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            name = "*" if place in maps else key
            yield from _walk(inner, f"{place}.{name}".lstrip("."), maps, rows)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            name = f"[{number}]" if place in rows else "[]"
            yield from _walk(inner, place + name, maps, rows)
    else:
        yield place, kind(value)


def merged(*documents: Kinds) -> Kinds:
    found: Kinds = {}
    for document in documents:
        for place, seen in document.items():
            found.setdefault(place, set()).update(seen)
    return found


def assert_same(ours: Kinds, theirs: Kinds, *, new: set[str] | None = None) -> None:
    """
    Ours has every place of theirs, none of its own except the `new` ones, and no kind at any
    place that theirs does not have there.
    """
    assert ours, "nothing was compared"
    left_out, made_up = set(theirs) - set(ours), set(ours) - set(theirs) - (new or set())
    assert not left_out, f"left out: {sorted(left_out)}"
    assert not made_up, f"made up: {sorted(made_up)}"
    odd = {place: (ours[place], theirs[place]) for place in theirs if ours[place] - theirs[place]}
    assert not odd, f"of another kind: {odd}"
