"""
Which studies a text names, and of how many candles each: "SMA 200 of BTC and RSI of ETH".

A number belongs to the study it stands by, before it or behind it. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

# "other" is what is not computed here, but takes the number that stands by it.
OTHER = "other"
_NAMES = {
    "ema": r"ema|exponential moving averages?",
    "sma": r"sma|dma|moving averages?|ma|average of the last",
    "rsi": r"rsi|relative strength|overbought|oversold|overs?old",
    "volatility": r"volatil\w*|vola",
    "macd": r"macd",
    OTHER: r"bollinger\w*|atr|adx|cci|vwap|wma|hma|obv|mfi|roc|stoch\w*|supertrend|ichimoku|fib\w*",
}
STUDIES = tuple(name for name in _NAMES if name != OTHER)
# "ema20", "200dma", "14d": letters and digits that are two words.
_GLUED = re.compile(r"(?<![^\W_])(?:(sma|ema|dma|ma|rsi)(\d+)|(\d+)(sma|ema|dma|ma|rsi|d|p))\b")
_TOKEN = re.compile(
    "|".join(rf"(?P<{name}>\b(?:{said})\b)" for name, said in _NAMES.items())
    + r"|(?P<interval>\b(?:\d+ ?(?:h|hr|hours?|m|min\w*|w)|1 ?(?:d|day|week))\b)"
    + r"|(?P<number>\b\d+\b)"
    + r"|(?P<glue>\b(?:days?|weeks?|d|p|periods?|length|bars?|candles?|and|or|with|the)\b)"
    + r"|(?P<word>\S+)"
)

_LEVELS = frozenset(("above", "below", "over", "under", "than", "at", "to", "hit", "hits", "reach"))


class Study(NamedTuple):
    """`lengths` are in candles; none stands for the usual ones."""

    name: str
    lengths: tuple[int, ...] = ()


def find(said: str) -> tuple[Study, ...]:
    """Each study once, in the order of the text; `said` are its words (`masking.words`)."""
    said = _GLUED.sub(lambda m: " ".join(filter(None, m.groups())), said)
    tokens = [(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(said)]
    lengths: dict[str, list[int]] = {kind: [] for kind, _ in tokens if kind in _NAMES}
    for place, (kind, text) in enumerate(tokens):
        if kind == "number" and (study := _beside(tokens, place)):
            lengths[study].append(int(text[:9]))
    return tuple(
        Study(name, tuple(dict.fromkeys(found))) for name, found in lengths.items() if name != OTHER
    )


def _beside(tokens: list[tuple[str, str]], place: int) -> str:
    """The study that a number stands by; the only one there is, if it stands by none."""
    near = sorted((*_seen(tokens, place, -1), *_seen(tokens, place, 1)))
    if near:
        return near[0][1]
    named = {kind for kind, _ in tokens if kind in _NAMES}
    return named.pop() if len(named) == 1 and _is_a_length(tokens, place) else ""


def _is_a_length(tokens: list[tuple[str, str]], place: int) -> bool:
    """ "Over 90 days" has one, "over 70" a level, and 2025 is a year."""
    before = tokens[place - 1][1] if place else ""
    is_counted = place + 1 < len(tokens) and tokens[place + 1][0] == "glue"
    return len(tokens[place][1]) < 4 and before != "on" and (is_counted or before not in _LEVELS)


def _seen(tokens: list[tuple[str, str]], place: int, step: int) -> Iterator[tuple[float, str]]:
    """The first study in a direction, and how far; of two as far the one before it."""
    apart = 0.0 if step < 0 else 0.5
    place += step
    while 0 <= place < len(tokens):
        kind = tokens[place][0]
        if kind in _NAMES:
            yield apart, kind
            return
        if kind not in ("glue", "number"):
            return
        # "day" binds to what it measures, another number has a study of its own, "and" parts.
        parts = tokens[place][1] in ("and", "or", "with", "the")
        apart += 1 if parts else 0.75 if kind == "number" else 0.25
        place += step
