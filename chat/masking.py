"""
The skeleton of a question: its words without the names, numbers and periods in them.

    >>> mask("What's BTC up in the last 7 days?")
    'whats <asset> up in <period>'

Two questions with one skeleton ask the same thing of something else, so they must not stand on
both sides of a split (docs/questions.md). Names are masked wherever they stand, as they are in
`masks.txt`: "near" is always an asset here, although it may be a word. What a question is about
is for others to find. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

KINDS = ("asset", "currency", "name", "macro", "study", "period", "number", "address")
NAMES = Path(__file__).with_name("masks.txt")
LONGEST = 5  # words of a name or a period

_MARK = re.compile(rf"<(?:{'|'.join(KINDS)})>")
# What `_bare` makes of each ASCII character.
_ASCII = {code: chr(code) if chr(code).isalnum() else " " for code in range(128)} | {
    ord("'"): None,
    ord("`"): None,
}
# Chinese, Japanese and Korean write without spaces, so a name there has no border.
CJK = r"\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\uf900-\ufaff"
_CJK_RUN = re.compile(rf"[{CJK}]+")

_COUNT = r"(?:an?|one|two|three|four|five|six|seven|eight|nine|ten|twelve|ninety|few|couple of)"
_UNIT = (
    r"(?:secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|wks?|weeks?|mo|months?|quarters?|yrs?|"
    r"years?|tage?n?|wochen?|monate?n?|jahre?n?|d[ií]as?|horas?|semanas?|mes|meses|años?|jours?|"
    r"heures?|semaines?|mois|ans?|giorni|ore|settimane|mesi|anni|gün|günlük|saatlik|hafta|yıl|"
    r"дней|день|час|часов|недел[юьи]|месяц|лет)"
)
_LONG = rf"(?:{_COUNT} {_UNIT}|\d+ ?(?:[smhdwy]|{_UNIT}))"
_SPAN = (
    r"(?:hour|day|night|morning|evening|week|weekend|month|quarter|year|cycle|summer|winter|woche|"
    r"monat|jahr|jahres|semana|mes|mês|año|ano|semaine|mois|année)s?"
)
_RELATIVE = (
    r"(?:the )?(?:this|last|past|next|previous|coming|diese[nrs]?|letzte[nrs]?|nächste[nrs]?|"
    r"esta?|este|esse|cette|dernier|dernière)"
)
_PERIOD = re.compile(rf"{_RELATIVE} (?:{_LONG}|{_SPAN})|{_LONG}(?: ago)?|(?:19|20)\d\d|q[1-4]")
_ADDRESS = re.compile(r"0x[0-9a-f]{4,}|bc1[0-9a-z]{8,}")
_NUMBER = re.compile(
    r"[a-z]{0,2}\d+[a-z]{0,2}|(?:two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|"
    r"thirty|fifty|ninety|hundred|thousand|millions?|billions?|trillion|second|third)"
)


class Names(NamedTuple):
    """The names of `masks.txt` with what they become: whole words, beginnings, and CJK."""

    whole: MappingProxyType[str, str]
    beginnings: MappingProxyType[str, str]
    cjk: MappingProxyType[str, str]
    inside: re.Pattern[str]


def mask(text: str) -> str:
    """
    The skeleton: lower case, no punctuation, `<asset>` and its like for what was masked.

    The longest name wins, and equal masks side by side become one. A skeleton is its own skeleton.
    """
    parts: list[str] = []
    for part in marked(text):
        if not (parts and parts[-1] == part and _MARK.fullmatch(part)):
            parts.append(part)
    return " ".join(parts)


def marked(text: str) -> list[str]:
    """The words and masks of a text one by one, before equal masks become one."""
    return list(_masked(words(text).split()))


def words(text: str) -> str:
    """
    A text as what it says: case, punctuation, spacing and invisible characters do not count.

    Letters, digits, their marks and pictures are left, and masks that stand in it already.
    """
    folded = _folded(text)
    pieces: list[str] = []
    position = 0
    for mark in _MARK.finditer(folded):
        pieces += [_bare(folded[position : mark.start()]), mark.group()]
        position = mark.end()
    pieces.append(_bare(folded[position:]))
    return " ".join(" ".join(pieces).split())


def _folded(text: str) -> str:
    """Without format characters, and equal for what looks equal (Unicode 3.13, D146)."""
    if text.isascii():  # what most questions are: the same, and much faster
        return text.lower()
    seen = "".join(c for c in text if unicodedata.category(c) != "Cf")
    for _ in range(2):
        seen = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", seen).casefold())
    return seen


def _bare(folded: str) -> str:
    # An apostrophe joins ("what's" is "whats"), every other sign parts.
    if folded.isascii():
        return folded.translate(_ASCII)
    joined = re.sub("['’`]", "", folded)
    return _CJK_RUN.sub(r" \g<0> ", "".join(c if _counts(c) else " " for c in joined))


def _counts(character: str) -> bool:
    category = unicodedata.category(character)
    return category[0] in "LMN" or category == "So"


def _masked(tokens: list[str]) -> Iterator[str]:
    position = 0
    while position < len(tokens):
        for length in range(min(LONGEST, len(tokens) - position), 0, -1):
            kind = _kind(" ".join(tokens[position : position + length]))
            if kind:
                yield f"<{kind}>"
                position += length
                break
        else:
            yield from _cjk_masked(tokens[position])
            position += 1


def _kind(said: str) -> str | None:
    """What one to five words become."""
    names = _names()
    if kind := names.whole.get(said) or names.whole.get(said.removesuffix("s")):
        return kind
    if " " not in said:
        for beginning, kind in names.beginnings.items():
            if said.startswith(beginning):
                return kind
    for kind, pattern in (("period", _PERIOD), ("address", _ADDRESS), ("number", _NUMBER)):
        if pattern.fullmatch(said):
            return kind
    return None


def _cjk_masked(token: str) -> list[str]:
    """Names are found inside of a run of CJK, the longest first."""
    names = _names()
    return names.inside.sub(lambda found: f" <{names.cjk[found.group()]}> ", token).split()


@cache
def _names() -> Names:
    whole: dict[str, str] = {}
    beginnings: dict[str, str] = {}
    cjk: dict[str, str] = {}
    kind = ""
    for line in NAMES.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            kind = line.strip("[]")
        elif kind and not line.startswith("#"):
            for name in filter(None, (part.strip() for part in line.split(","))):
                said = words(name)
                shelf = cjk if _CJK_RUN.search(said) else beginnings if "*" in name else whole
                shelf.setdefault(said, kind)
    return Names(
        MappingProxyType(whole),
        MappingProxyType(beginnings),
        MappingProxyType(cjk),
        re.compile("|".join(sorted(map(re.escape, cjk), key=len, reverse=True))),
    )
