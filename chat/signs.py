"""
What a classifier is told of a question beside its words: cues, what was masked, how long it is.

A linear model cannot put two things together by itself, so pairs that belong together are signs of
their own: "two assets and a comparison" is more than both. docs/questions.md has the measurement.
Pure.
"""

from __future__ import annotations

from functools import cache
from itertools import combinations

from chat import glossary
from chat.cues import cues
from chat.masking import KINDS, marked, words

# Cues and masks that only a question about our subjects has.
OURS = frozenset(
    (
        "crypto",
        "figures",
        "chain figures",
        "fees",
        "economy",
        "macro events",
        "levels",
        "patterns",
        "our words",
        "our houses",
        "glossary",
    )
)
OURS_MASKED = frozenset(("asset", "macro", "study"))
# Up to so many words, marks counted as one, a question is of the first, second, ... length.
LENGTHS = (1, 2, 4, 7, 12)
LONGEST_TERM = 3  # words of a term of the glossary that is looked for


def signs(text: str) -> tuple[str, ...]:
    """Names of what is there, for instance `why`, `why+asset` and `length:3`; each once."""
    parts = marked(text)
    there = (*cues(text), *(("glossary",) if _explained(words(text).split()) else ()))
    kinds = tuple(kind for kind in KINDS if f"<{kind}>" in parts)
    assets = f"assets:{min(parts.count('<asset>'), 3)}"
    length = f"length:{1 + sum(len(parts) > most for most in LENGTHS)}"
    ours = "ours" if OURS & set(there) or OURS_MASKED & set(kinds) else "other"
    found = [*there, *kinds, assets, length, ours]
    found += [f"names:{min(parts.count('<name>'), 2)}", f"{assets}+{'or' in parts}"]
    found += [f"{one}+{another}" for one, another in combinations((*there, *kinds), 2)]
    found += [f"{context}+{cue}" for context in (assets, ours) for cue in there]
    found += [f"{ours}+{length}", f"{length}+{'+'.join(kinds)}"]
    found += [f"{ours}+begins:{' '.join(parts[:count])}" for count in (1, 2)]
    # "coach" is another topic, but not beside "bitcoin": each word counts for both apart.
    found += [f"{ours}+word:{part}" for part in parts]
    return tuple(dict.fromkeys(found))


def _explained(said: list[str]) -> bool:
    """Does a term of the glossary stand in it, that is not an ordinary word too?"""
    spans = range(1, LONGEST_TERM + 1)
    return any(
        " ".join(said[start : start + length]) in _terms()
        for length in spans
        for start in range(len(said) - length + 1)
    )


@cache
def _terms() -> frozenset[str]:
    named = (name for entry in glossary.entries() for name in (entry.term, *entry.aliases))
    return frozenset(map(words, named)) - glossary.ORDINARY
