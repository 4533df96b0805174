"""
Questions that refer back: "and ethereum?", "its market cap?", "in euros?". Pure.

What they leave out is completed by what the question before was about.
"""

from __future__ import annotations

import re
from dataclasses import replace

from chat.categories import Category
from chat.entities import Amount, Entities
from chat.masking import words
from chat.names import names
from chat.studied import Study

_BACK = re.compile(
    r"\b(?:it|its|that|this|them|their|those|these|they|there|the coin|the same|same|one)\b"
)
SHORT = 4  # words of a study that leaves out of what: "sma 200?"
_FOLLOWS = re.compile(
    r"^(?:and|ok and|what about|whats about|how about|hows about|and what about|same for|also|now|"
    r"but|then|or|in|into|to|for|about|by|with|und|y|et|e|ve|а|и)\b"
)


def refers_back(text: str, found: Entities) -> bool:
    """Is a question complete only with the one before it?"""
    said = words(text)
    if len(said.split()) > 9:
        return False
    if _FOLLOWS.match(said):
        return True
    alone = found.period or found.currencies or found.amounts or found.interval
    is_part = (alone and is_bare(text, found)) or (found.studies and len(said.split()) <= SHORT)
    return not found.assets and bool(_BACK.search(said) or is_part)


def is_bare(text: str, found: Entities) -> bool:
    """Does it say nothing but names and periods: "and ethereum?", "in euros?", "last week?\""""
    said = rest(text, found).split()
    return {word for word in said if not word.isdecimal()} <= _FILLER


def without_filler(text: str) -> str:
    return " ".join(word for word in words(text).split() if word not in _FILLER)


def rest(text: str, found: Entities) -> str:
    """The words of a text without its names of assets, currencies and periods."""
    said = words(text)
    for known in found.assets:
        for name in (known.name, known.key, known.id):
            said = re.sub(rf"(?<!\S){re.escape(words(name))}(?!\S)", " ", said)
    places = [name for name, code in names().countries.items() if code in found.countries]
    for table in (names().assets, names().currencies, found.currencies, places):
        for name in table:
            if name in said:
                said = re.sub(rf"(?<!\S){re.escape(name)}(?!\S)", " ", said)
    if found.period:
        said = said.replace(words(found.period.words), " ")
    for written, _ in found.typos:
        said = said.replace(words(written), " ")
    return " ".join(said.split())


_FILLER = frozenset(
    words(
        "and ok what about whats hows how same for also now but then or in the please pls to und y "
        "et e ve и а past last this over since from a an coin token"
    ).split()
)


def carried(found: Entities, before: Entities, category: Category | None = None) -> Entities:
    """What a follow-up leaves out, as the question before it had it; a comparison grows."""
    assets = found.assets or before.assets
    if category is Category.COMPARISON:
        assets = tuple(dict.fromkeys((*before.assets, *found.assets)))
    return replace(
        found,
        assets=assets,
        currencies=found.currencies or before.currencies,
        amounts=_counted(found, before) or before.amounts,
        period=found.period or before.period,
        series=found.series or before.series,
        chains=found.chains or (before.chains if not found.assets else ()),
        studies=found.studies or _with_lengths(before.studies, found.amounts),
        interval=found.interval or before.interval,
        countries=found.countries or before.countries,
    )


def _counted(found: Entities, before: Entities) -> tuple[Amount, ...]:
    """ "And 200?" after "100 usd in btc" is of dollars."""
    unit = before.amounts[0].unit if before.amounts else ""
    return tuple(Amount(a.value, a.unit or unit) for a in found.amounts)


def _with_lengths(studies: tuple[Study, ...], amounts: tuple[Amount, ...]) -> tuple[Study, ...]:
    """ "And 21?" after "rsi 14 of btc" is of so many candles."""
    bare = tuple(int(a.value) for a in amounts if not a.unit and 0 < a.value < 1000)
    return tuple(Study(study.name, bare or study.lengths) for study in studies)
