"""
The name that a misspelt word is nearest to, within a bounded number of slips. Pure.

A slip is a letter too many, too few, wrong, or two that changed places (optimal string alignment).
Candidates are found by what is left of both words when letters are dropped (SymSpell), so that a
word costs the same however many names there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

SHORTEST = 5  # letters: shorter words are near to too many
LONG = 10  # letters from which two slips are forgiven


def slips_allowed(word: str) -> int:
    return 0 if len(word) < SHORTEST else 1 if len(word) < LONG else 2


def distance(one: str, other: str, most: int) -> int:
    """Slips between two words; `most` + 1 stands for all that are more."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
    return min(row[-1], most + 1)


class Spellings:
    """Names to be found by words that are nearly them; the earlier of equally near ones."""

    def __init__(self, names: Iterable[str]) -> None:
        self._by_rest: dict[str, list[str]] = {}
        self._longest = 0
        for name in dict.fromkeys(name for name in names if slips_allowed(name)):
            self._longest = max(self._longest, len(name))
            for rest in _rests(name, slips_allowed(name)):
                self._by_rest.setdefault(rest, []).append(name)

    def nearest(self, word: str) -> str | None:
        most = slips_allowed(word)
        # What is longer than every name by more than its slips is none, and would cost its cube.
        if not most or len(word) > self._longest + most:
            return None
        near: dict[str, int] = {}
        for rest in _rests(word, most):
            for name in self._by_rest.get(rest, ()):
                slips = distance(word, name, most)
                if slips <= min(most, slips_allowed(name)):
                    near.setdefault(name, slips)
        return min(near, key=lambda name: near[name], default=None)


def _rests(word: str, drops: int) -> set[str]:
    """A word with up to so many of its letters dropped."""
    return {
        "".join(letter for place, letter in enumerate(word) if place not in dropped)
        for count in range(drops + 1)
        for dropped in combinations(range(len(word)), count)
    }
