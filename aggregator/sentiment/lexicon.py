"""The words of lexicon.txt, and what of a text they are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parent / "lexicon.txt"

_ENTRY = re.compile(r'"([^"]+)"|(\S+)')
_TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|[$€£]?\d+(?:[.,]\d+)*|[?,;:–—]")
_SUFFIXES = (("ies", "y"), ("ied", "y"), ("ing", ""), ("ed", ""), ("es", ""), ("s", ""))
SHORTEST_STEM = 3
MOST_STEMS = 20_000  # kept in memory; writers use fewer words


class Kind(StrEnum):
    """What a word does; lexicon.txt says it at length."""

    UP = "up"
    DOWN = "down"
    UNDO = "undo"
    HEAL = "heal"
    GOOD = "good"
    BAD = "bad"
    STRAIGHT = "straight"
    INVERSE = "inverse"
    FLAT = "flat"
    NOT = "not"
    MORE = "more"
    LESS = "less"
    BREAK = "break"
    CONTRAST = "contrast"
    CONCEDE = "concede"
    ASK = "ask"
    OPENING = "opening"
    OF = "of"
    NOTHING = "nothing"


class Word(NamedTuple):
    """`has_object` of a mover: what moves stands behind it."""

    kind: Kind
    strength: float
    has_object: bool = False


class Lexicon:
    def __init__(self, entries: Mapping[tuple[str, ...], Word]) -> None:
        self.entries = entries
        self.longest = max(map(len, entries), default=0)

    @classmethod
    def read(cls, lines: Iterable[str]) -> Lexicon:
        """Of the groups of lexicon.txt; ValueError for a word that stands in two of them."""
        found: dict[tuple[str, ...], Word] = {}
        word: Word | None = None
        for line in lines:
            if line.startswith("["):
                kind, strength, has_object, *_ = [*line.strip("[]").split(), "1", ""]
                word = Word(Kind(kind), float(strength), has_object == "object")
            elif word and not line.startswith("#"):
                for entry in _entries(line):
                    if found.setdefault(entry, word) != word:
                        raise ValueError(f"{' '.join(entry)!r} stands in two groups")
        return cls(found)

    def words(self, text: str) -> Iterator[tuple[int, Word]]:
        """What it knows of a text, the longest phrases first: (number of the token, its word)."""
        tokens = [_plain(token) for token in _TOKEN.findall(text.lower().replace("’", "'"))]
        place = 0
        while place < len(tokens):
            length, word = self._at(tokens, place)
            if word:
                yield place, word
            place += length

    def _at(self, tokens: list[str], place: int) -> tuple[int, Word | None]:
        for length in range(min(self.longest, len(tokens) - place), 0, -1):
            if word := self.entries.get(tuple(tokens[place : place + length])):
                return length, word
        return 1, None


@cache
def shipped() -> Lexicon:
    return Lexicon.read(FILE.read_text().splitlines())


def _entries(line: str) -> Iterator[tuple[str, ...]]:
    for phrase, single in _ENTRY.findall(line):
        yield tuple(map(stem, (phrase or single).split()))


def _plain(token: str) -> str:
    """Its stem; # for a number, $ for an amount of money."""
    if token[0] in "$€£":
        return "$"
    return "#" if token[0].isdigit() else stem(token)


@lru_cache(maxsize=MOST_STEMS)
def stem(word: str) -> str:
    """
    What is left of a word without its inflection: the same for surge, surges, surged, surging.

    It need not be a word, nor tell every two words apart: it must only do alike here and there.
    """
    word = word.removesuffix("'s")
    for suffix, instead in _SUFFIXES:
        if word.endswith(suffix) and not word.endswith(("ss", "us")):
            left = word.removesuffix(suffix) + instead
            if len(left) >= SHORTEST_STEM:
                word = left
                break
    if len(word) > SHORTEST_STEM and word[-1] == word[-2] and word[-1] not in "lsz":
        word = word[:-1]
    return word.removesuffix("e") if len(word) > SHORTEST_STEM else word
