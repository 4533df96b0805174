"""
A small glossary of our own, for questions that ask what something is.

The entries stand in the YAML files beside this one, each with a source to read on. They hold
nothing that changes with the market: figures come from live data. Pure.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import yaml

from chat.masking import words

HERE = Path(__file__).parent

# A word of a term or an alias says more of what an entry is about than one of its answer.
NAMED = 1.0
MENTIONED = 0.6
# Below this share of what a query says, an entry is no answer to it.
ENOUGH = 0.5
# Words that every question has; which entries they stand in says nothing.
ASKING = frozenset(
    words(
        "a about an and are be can could difference do does explain for from give has have how "
        "i in is it its know like made make me mean meaning means my of on or please simple "
        "tell that the this to used was what whats when where which who whos why will with work "
        "works would you"
    ).split()
)

# Names that are ordinary words too: they count when they are all that is asked.
ORDINARY = frozenset(
    words(
        "ar base block blocks compound etc fuel link move near node op option pump render rug "
        "security short signature sky slot stake support token tokens volume wrapped"
    ).split()
)


class GlossaryError(ValueError):
    """A file of the glossary does not say what it must; the message names file and term."""


@dataclass(frozen=True, slots=True)
class Entry:
    """`answer` is two to four sentences of our own; `topic` is the file it stands in."""

    term: str
    aliases: tuple[str, ...]
    answer: str
    source_name: str
    source_url: str
    topic: str


class Match(NamedTuple):
    """`score` is the share of the query that the entry covers, by what its words tell: 0 to 1."""

    entry: Entry
    score: float


@cache
def entries() -> tuple[Entry, ...]:
    """All entries, by topic and then in the order they were written."""
    return tuple(entry for file in sorted(HERE.glob("*.yaml")) for entry in _read(file))


def search(query: str, limit: int = 3) -> list[Match]:
    """
    The entries a query may be asking for, best first.

    A query that is a name of an entry, but for the words of asking, finds that one alone. Else the
    names that stand in it come first, longer ones before shorter ones, and then whatever shares
    enough of its words.
    """
    tokens = words(query).split()
    for said in (tokens, [token for token in tokens if token not in ASKING]):
        if entry := _named(said):
            return [Match(entry, 1.0)]
    found: dict[str, Match] = {}
    for match in [*_named_in(tokens), *_overlapping(tokens)]:
        found.setdefault(match.entry.term, match)
    return list(found.values())[:limit]


def _named(tokens: list[str]) -> Entry | None:
    name = " ".join(tokens)
    return _by_name().get(name) or _by_name().get(name.removesuffix("s"))


def _named_in(tokens: list[str]) -> Iterator[Match]:
    """Entries with a name that stands in a text, where no longer name stands around it."""
    everything = _weight(tokens)
    taken: set[int] = set()
    for length in range(min(_longest(), len(tokens)), 0, -1):
        for start in range(len(tokens) - length + 1):
            span = set(range(start, start + length))
            name = tokens[start : start + length]
            if span & taken or (length == 1 and name[0] in ASKING | ORDINARY):
                continue
            if entry := _named(name):
                taken |= span
                yield Match(entry, round(_weight(name) / everything, 3) if everything else 0.0)


def _overlapping(tokens: list[str]) -> list[Match]:
    asked = [token for token in dict.fromkeys(tokens) if token not in ASKING]
    total = _weight(asked)
    if not total:
        return []
    scored = [
        Match(entry, round(sum(_rarity(t) * bag.get(t, 0.0) for t in asked) / total, 3))
        for entry, bag in zip(entries(), _bags(), strict=True)
    ]
    close = [match for match in scored if match.score >= ENOUGH]
    return sorted(close, key=lambda match: -match.score)


def _weight(tokens: list[str]) -> float:
    return sum(_rarity(token) for token in tokens if token not in ASKING)


def _rarity(token: str) -> float:
    """How much a word tells: the fewer entries have it, the more."""
    return log(1 + len(entries()) / (1 + _spread()[token]))


@cache
def _spread() -> Counter[str]:
    return Counter(token for bag in _bags() for token in bag)


@cache
def _bags() -> tuple[MappingProxyType[str, float], ...]:
    return tuple(_bag(entry) for entry in entries())


def _bag(entry: Entry) -> MappingProxyType[str, float]:
    bag = dict.fromkeys(words(entry.answer).split(), MENTIONED)
    for name in (entry.term, *entry.aliases):
        bag |= dict.fromkeys(words(name).split(), NAMED)
    return MappingProxyType(bag)


@cache
def _by_name() -> MappingProxyType[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in entries():
        for name in dict.fromkeys(words(name) for name in (entry.term, *entry.aliases)):
            if name in found:
                raise GlossaryError(f"{entry.topic}: {entry.term}: {found[name].term} has {name!r}")
            found[name] = entry
    return MappingProxyType(found)


@cache
def _longest() -> int:
    return max(len(name.split()) for name in _by_name())


def _read(file: Path) -> list[Entry]:
    rows: Any = yaml.safe_load(file.read_text(encoding="utf-8"))
    if not isinstance(rows, list):
        raise GlossaryError(f"{file.stem}: a list of entries")
    return [parse(row, file.stem) for row in rows]


def parse(row: Any, topic: str) -> Entry:
    """One entry of a file. Raises `GlossaryError`."""
    if not isinstance(row, dict) or not isinstance(row.get("term"), str):
        raise GlossaryError(f"{topic}: an entry has a term")
    where = f"{topic}: {row['term']}"
    if set(row) != {"term", "aliases", "answer", "source"}:
        raise GlossaryError(f"{where}: term, aliases, answer and source, nothing else")
    aliases, source = row["aliases"], row["source"]
    if not isinstance(aliases, list) or not all(isinstance(alias, str) for alias in aliases):
        raise GlossaryError(f"{where}: aliases are a list of texts")
    if not isinstance(source, dict) or set(source) != {"name", "url"}:
        raise GlossaryError(f"{where}: source has name and url")
    if not str(source["url"]).startswith("https://"):
        raise GlossaryError(f"{where}: a source's url begins with https://")
    if not isinstance(row["answer"], str) or not row["answer"].strip():
        raise GlossaryError(f"{where}: an answer")
    return Entry(
        term=row["term"],
        aliases=tuple(aliases),
        answer=row["answer"].strip(),
        source_name=str(source["name"]),
        source_url=str(source["url"]),
        topic=topic,
    )


__all__ = ["Entry", "GlossaryError", "Match", "entries", "parse", "search"]
