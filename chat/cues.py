"""
What a question is after, by its words in whatever language: cues for a classifier.

    >>> cues("warum fällt bitcoin heute")
    ('why',)

A cue is no verdict: "price" stands in forecasts too. The words stand in `cues.txt`; a model
weighs them beside the words themselves, so that one language can learn from another. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from chat.masking import CJK, words

WORDS = Path(__file__).with_name("cues.txt")
LONGEST = 4  # words of a phrase


class Phrases(NamedTuple):
    """The phrases of `cues.txt` with their cues: whole, by their beginning, and inside of CJK."""

    whole: MappingProxyType[str, tuple[str, ...]]
    beginnings: MappingProxyType[str, tuple[str, ...]]
    inside: MappingProxyType[str, tuple[str, ...]]


def cues(text: str) -> tuple[str, ...]:
    """The cues in a text, each once, in the order of `cues.txt`."""
    found = {cue for said in _said(words(text).split()) for cue in _cues_of(said)}
    return tuple(cue for cue in names() if cue in found)


@cache
def vocabulary() -> frozenset[str]:
    """Every word that stands in a phrase of `cues.txt`."""
    return frozenset(word for phrase in _phrases().whole for word in phrase.split())


@cache
def names() -> tuple[str, ...]:
    """All cues there are."""
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    return tuple(line.strip("[]") for line in lines if line.startswith("["))


def _said(tokens: list[str]) -> Iterator[str]:
    """One to four words that follow each other, from everywhere."""
    for start in range(len(tokens)):
        for end in range(start + 1, min(start + LONGEST, len(tokens)) + 1):
            yield " ".join(tokens[start:end])


def _cues_of(said: str) -> Iterator[str]:
    phrases = _phrases()
    yield from phrases.whole.get(said, ())
    for length in range(2, len(said)):
        yield from phrases.beginnings.get(said[:length], ())
    if re.match(f"[{CJK}]", said):
        for phrase, found in phrases.inside.items():
            if phrase in said:
                yield from found


@cache
def _phrases() -> Phrases:
    whole: dict[str, tuple[str, ...]] = {}
    beginnings: dict[str, tuple[str, ...]] = {}
    inside: dict[str, tuple[str, ...]] = {}
    cue = ""
    for line in WORDS.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            cue = line.strip("[]")
        elif cue and not line.startswith("#"):
            for phrase in filter(None, (part.strip() for part in line.split(","))):
                said = words(phrase)
                cjk = re.search(f"[{CJK}]", said)
                shelf = inside if cjk else beginnings if phrase.endswith("*") else whole
                if cue not in shelf.get(said, ()):
                    shelf[said] = (*shelf.get(said, ()), cue)
    return Phrases(MappingProxyType(whole), MappingProxyType(beginnings), MappingProxyType(inside))
