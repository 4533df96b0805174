"""
Numbers in a text, however they are written: "1,701.5", "1k", "-3 %", "forty-two", "½", "２".

What can be read in two ways is read as English does: "1.234" is a little more than one. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from chat.masking import words

MINUSES = "-\N{MINUS SIGN}\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{FIGURE DASH}\N{EN DASH}\ufe63\uff0d"
SIGNS = f"+{MINUSES}"
_GAPS = "\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}\N{FIGURE SPACE}"
_MARKS = rf"[,.'’_{_GAPS}]"

SCALES: dict[str, Decimal] = {
    **dict.fromkeys(("k", "thousand", "thousands", "grand", "tsd"), Decimal(10**3)),
    **dict.fromkeys(("m", "mn", "mm", "mio", "mil", "million", "millions"), Decimal(10**6)),
    **dict.fromkeys(("b", "bn", "bio", "mrd", "billion", "billions"), Decimal(10**9)),
    **dict.fromkeys(("t", "tn", "trn", "trillion", "trillions"), Decimal(10**12)),
    **dict.fromkeys(("lakh", "lakhs"), Decimal(10**5)),
    **dict.fromkeys(("crore", "crores"), Decimal(10**7)),
}
_SCALE = "|".join(sorted(SCALES, key=len, reverse=True))
_WRITTEN = re.compile(
    rf"(?P<sign>[+{re.escape(MINUSES)}](?:[ {_GAPS}](?=\d))?)?"
    rf"(?P<digits>(?:\d+(?:{_MARKS}\d+)*|(?<![^\W\d_])\.\d+))"
    r"(?P<exponent>[eE][+-]?\d{1,3}(?![\w]))?"
    r"(?:/(?P<under>[1-9]\d?)(?![\w/.]))?"
    rf"(?:[ {_GAPS}-]?(?P<scale>{_SCALE})(?![^\W_]))?",
    re.IGNORECASE,
)

_SMALL = words(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = words("twenty thirty forty fifty sixty seventy eighty ninety").split()
_WORDS: dict[str, Decimal] = {
    **{word: Decimal(value) for value, word in enumerate(_SMALL)},
    **{word: Decimal(10 * value) for value, word in enumerate(_TENS, 2)},
    "nil": Decimal(0),
    "nought": Decimal(0),
    "fourty": Decimal(40),
    "half": Decimal("0.5"),
    "quarter": Decimal("0.25"),
    "double": Decimal(2),
    "doubled": Decimal(2),
    "twice": Decimal(2),
    "thrice": Decimal(3),
    "triple": Decimal(3),
    "tripled": Decimal(3),
    "quadruple": Decimal(4),
}
_TIMES = {  # "three quarters", "two dozen"
    "dozen": Decimal(12),
    "dozens": Decimal(12),
    "halves": Decimal("0.5"),
    "thirds": Decimal(1) / 3,
    "quarters": Decimal("0.25"),
    "fifths": Decimal("0.2"),
    "tenths": Decimal("0.1"),
}
_LARGE: dict[str, Decimal] = {
    "hundred": Decimal(100),
    "hundreds": Decimal(100),
    **{word: size for word, size in SCALES.items() if len(word) > 3},
}
_SPELLED = re.compile(
    rf"(?<![^\W_])(?:{'|'.join(sorted({**_WORDS, **_TIMES, **_LARGE}, key=len, reverse=True))})"
    r"(?![^\W_])",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"[\s-]+(?:and[\s-]+(?:an?[\s-]+)?)?")
_AND_A = re.compile(r"\s+and\s+an?\s+")


class Numeral(NamedTuple):
    """A number in `text[start:end]`. `sign` is +1 or -1 where one is written, else 0."""

    value: Decimal  # with its sign
    sign: int
    start: int
    end: int


def folded(text: str) -> str:
    """Digits of every script as 0 to 9, and vulgar fractions as decimals."""
    return "".join(_plain(character) for character in text)


def read(text: str) -> list[Numeral]:
    """Every number of a text that is `folded`, in its order."""
    written = list(_written(text))
    taken = {place for found in written for place in range(found.start, found.end)}
    spelled = [found for found in _spelled(text) if found.start not in taken]
    in_order = sorted([*written, *spelled], key=lambda found: found.start)
    return list(_with_fractions(text, in_order))


def _with_fractions(text: str, found: list[Numeral]) -> Iterator[Numeral]:
    """ "2 and a half" is one number."""
    place = 0
    while place < len(found):
        one, *rest = found[place : place + 2]
        other = rest[0] if rest else None
        if other and 0 < other.value < 1 and _AND_A.fullmatch(text, one.end, other.start):
            value = one.value.copy_abs() + other.value
            yield Numeral(
                value.copy_negate() if one.sign < 0 else value, one.sign, one.start, other.end
            )
            place += 2
        else:
            yield one
            place += 1


def _plain(character: str) -> str:
    if character.isascii():
        return character
    digit = unicodedata.digit(character, None)
    if digit is not None:  # a superscript stands by itself
        return str(digit) if character.isdecimal() else f" {digit} "
    value = unicodedata.numeric(character, None)
    if value is None or unicodedata.category(character) == "Lo":
        return character  # a word of Chinese that is a number too is for its own readers
    return f" {value:f}".rstrip("0").rstrip(".") + " "


def _written(text: str) -> Iterator[Numeral]:
    for found in _WRITTEN.finditer(text):
        # Put together as text: arithmetic would round what has more digits than its context.
        power = int((found["exponent"] or "e0")[1:])
        power += SCALES[found["scale"].lower()].adjusted() if found["scale"] else 0
        value = _value(found["digits"])
        value = Decimal(f"{value:f}e{power}") if power else value
        end, under = found.end(), found["under"]
        if under and value < int(under):
            value /= int(under)
        elif under:  # "24/7" are two numbers
            end = found.start("under") - 1
            yield Numeral(Decimal(under), 0, *found.span("under"))
        sign, start = _sign(text, found)
        yield Numeral(value.copy_negate() if sign < 0 else value, sign, start, end)


def _sign(text: str, found: re.Match[str]) -> tuple[int, int]:
    """A dash between two words or numbers is no sign: "2-3", "RSI-14"."""
    said, start = found["sign"], found.start()
    if not said:
        return 0, start
    if start and (text[start - 1].isalnum() or text[start - 1] in ").%"):
        return 0, found.start("digits")
    return (1 if said[0] == "+" else -1), start


def _value(digits: str) -> Decimal:
    """Digits with marks in them, of thousands or of decimals."""
    marks = [c for c in digits if not c.isdigit()]
    if not marks:
        return Decimal(digits)
    last = marks[-1]
    head, _, tail = digits.rpartition(last)
    is_point = last == "." if len(set(marks)) == 1 else last in ",."
    if last == "," and len(marks) == 1 and len(tail) != 3:
        is_point = True  # "1,5"
    if is_point and marks.count(last) > 1:
        is_point = False  # "1.234.567"
    bare = re.sub(r"\D", "", head)
    return Decimal(f"{bare or 0}.{tail}") if is_point else Decimal(bare + tail)


def _spelled(text: str) -> Iterator[Numeral]:
    """Runs of number words: "two hundred and five thousand"."""
    run: list[re.Match[str]] = []
    for found in _SPELLED.finditer(text):
        if run and not _BETWEEN.fullmatch(text, run[-1].end(), found.start()):
            yield _of(run)
            run = []
        run.append(found)
    if run:
        yield _of(run)


def _of(run: list[re.Match[str]]) -> Numeral:
    total, part, any_small = Decimal(0), Decimal(0), False
    for found in run:
        word = found.group().lower()
        if word in _WORDS:
            part, any_small = part + _WORDS[word], True
        elif word in _TIMES:
            part, any_small = (part if any_small else Decimal(1)) * _TIMES[word], True
        elif _LARGE[word] == 100:
            part = (part if any_small else Decimal(1)) * 100
            any_small = True
        else:
            total += (part if any_small else Decimal(1)) * _LARGE[word]
            part, any_small = Decimal(0), False
    return Numeral(total + part, 0, run[0].start(), run[-1].end())
