"""
No number that is not among the facts gets past here.

Whoever phrases an answer (a language model) may choose the words, never the figures. Every number
in a text, in digits or words, must be the value of a fact, to the last digit, with its unit, its
sign, and beside its own subject. What is doubtful is refused: the facts can always be said plainly
(`phrasing`). Numbers inside of words taken whole from the facts (titles, labels, names, days) are
no claims. Pure.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from chat import naming, numerals
from chat.facts import Facts, Figure
from chat.masking import words
from chat.names import names
from chat.numerals import Numeral

ORDINALS = words(
    "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth"
).split()
# Number words that `numerals` does not read, and those of languages nobody asked for.
STRANGE = re.compile(
    r"\w*fold\b|\bhalv(?:e|ed|es|ing)\b|\b(?:couple|pair|score|gross|dual|single|sole)\b|"
    r"\b(?:dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|veint\w*|treinta|cuarenta|cincuenta|"
    r"sesenta|setenta|ochenta|noventa|cien|cientos?|mil|millón|millones|deux|trois|quatre|cinq|"
    r"sept|huit|neuf|dix|vingt|trente|quarante|cinquante|soixante|cent|cents|mille|zwei|drei|vier|"
    r"fünf|sechs|sieben|acht|neun|zehn|elf|zwölf)\b|"
    r"\w*(?:zwanzig|dreißig|dreissig|vierzig|fünfzig|sechzig|siebzig|achtzig|neunzig|hundert|"
    r"tausend)\w*",
    re.IGNORECASE,
)
DOWN = re.compile(
    r"\b(?:down|fell|fall\w*|drop\w*|los[est]\w*|lower|declin\w*|decreas\w*|slid\w*|sank|sink\w*|"
    r"dip\w*|plung\w*|crash\w*|negative|minus|shed\w*|retreat\w*|tumbl\w*|weaker|below)\b",
    re.IGNORECASE,
)
UP = re.compile(
    r"\b(?:up|rose|ris\w+|gain\w*|higher|climb\w*|increas\w*|grew|grow\w*|jump\w*|surg\w*|soar\w*|"
    r"rall\w*|positive|plus|advanc\w*|stronger|above)\b",
    re.IGNORECASE,
)
# What a figure is of: a text that names another beside the number says something else.
ABOUT = {
    "price": r"pric\w*|costs?|trad(?:es|ing) at|worth",
    "capitalisation": r"cap|capitali[sz]ation|valued",
    "volume": r"volumes?|turnover|traded",
    "supply": r"supply|circulati\w+",
    "highest": r"high|highs|highest|peak\w*",
    "lowest": r"low|lows|lowest|bottom\w*",
    "slow": r"slow",
    "average": r"average",
    "fast": r"fast",
}
_WINDOW = 40  # characters in which a word belongs to a number
_PERCENT = re.compile(r"\s*(?:%|percent\b|per cent\b|pct\b)", re.IGNORECASE)
_POINTS = re.compile(r"\s*(?:percentage points?|pp\b|bps\b|basis points?|‰)", re.IGNORECASE)
_LENGTH = re.compile(
    r"[\s-]*(h|hrs?|hours?|d|days?|weeks?|months?|years?)(?![^\W_])", re.IGNORECASE
)


class Offence(NamedTuple):
    """A number that is not so, as it stands in the text, and what is wrong with it."""

    words: str
    reason: str


def check(text: str, facts: Facts) -> list[Offence]:
    """What in a text is not among the facts; nothing when it may pass."""
    seen = naming.cleaned(numerals.folded(text))
    bare = _without_quotes(seen, facts)
    found = [*_strange(bare)]
    read = numerals.read(bare)
    lengths = _lengths(facts)
    for numeral in read:
        if not _is_length(bare, numeral, lengths):
            found += _judge(bare, numeral, facts.figures)
    return found + _unread(bare, read)


def _judge(text: str, numeral: Numeral, figures: Sequence[Figure]) -> list[Offence]:
    said = text[numeral.start : numeral.end].strip()
    same = [f for f in figures if abs(Decimal(f.value)) == abs(numeral.value)]
    if not same:
        return [Offence(said, "no fact has this value")]
    same = [f for f in same if _has_unit(text, numeral, f)]
    if not same:
        return [Offence(said, "its unit is another")]
    same = [f for f in same if _has_sign(text, numeral, f)]
    if not same:
        return [Offence(said, "its sign or direction is another")]
    same = [f for f in same if _has_subject(text, numeral, f, figures)]
    if not same:
        return [Offence(said, "it is a figure of something else")]
    if not any(_is_about(text, numeral, f) for f in same):
        return [Offence(said, "it is another figure of that")]
    return []


def _has_unit(text: str, numeral: Numeral, figure: Figure) -> bool:
    after, before = text[numeral.end :], text[: numeral.start].rstrip()
    if _POINTS.match(after):
        return False
    percent = bool(_PERCENT.match(after))
    if figure.unit == "%" or percent:
        return percent and figure.unit == "%"
    money = _money(before, after)
    if figure.unit.lower() in _MONEY or money:
        return money == figure.unit.lower()
    if not figure.unit:
        return True
    return after.lstrip().casefold().startswith(figure.unit.casefold())


_MONEY = frozenset(("usdt", "usdc", *names().currencies.values()))


def _money(before: str, after: str) -> str:
    """The currency beside a number, by its sign, code or name."""
    if before[-1:] in names().signs:
        return names().signs[before[-1:]]
    if sign := re.match(r"\s?([$€£¥₹₩])", after):
        return names().signs[sign[1]]
    tokens = re.findall(r"[^\W\d_]+", after[:_WINDOW])[:2] if re.match(r"[\s-]", after) else []
    for length in (2, 1):
        said = " ".join(tokens[:length]).casefold()
        if said in ("usdt", "usdc"):
            return said
        if said in names().currencies:
            return names().currencies[said]
    return ""


def _has_sign(text: str, numeral: Numeral, figure: Figure) -> bool:
    """As it is written, or by the words before it; of a level no word says where it went."""
    around = re.split(r"[.;\n](?=\s|$)", text[max(0, numeral.start - _WINDOW) : numeral.start])[-1]
    around = re.split(r"[^\s].*\d[^\s]*\s", around)[-1] if re.search(r"\d", around) else around
    down, up = bool(DOWN.search(around)), bool(UP.search(around))
    negative = figure.value < 0
    if numeral.sign:
        wrong = up and not down if negative else down and not up and "change" in figure.label
        return (numeral.sign < 0) == negative and not wrong
    if negative:
        return down and not up
    return not ("change" in figure.label and down and not up)


def _has_subject(text: str, numeral: Numeral, figure: Figure, figures: Sequence[Figure]) -> bool:
    """Of several subjects the last one named before the number is the one it is said of."""
    subjects = {f.subject for f in figures}
    if len(subjects) < 2:
        return True
    before = text[: numeral.start].casefold()
    last = {subject: before.rfind(_as_quoted(subject)) for subject in subjects}
    named = {subject: place for subject, place in last.items() if place >= 0}
    # Where one name stands inside another ("Bitcoin", "Bitcoin Cash") the longer one is meant.
    nearest = max(named, key=lambda s: (named[s] + len(_as_quoted(s)), len(s)), default=None)
    return nearest == figure.subject


def _is_about(text: str, numeral: Numeral, figure: Figure) -> bool:
    """The last word before the number that names a kind of figure is of this one."""
    around = re.split(r"[;\n]|\.\s", text[max(0, numeral.start - _WINDOW) : numeral.start])[-1]
    around = around.casefold().replace(_as_quoted(figure.subject), " ")
    last, kind = -1, ""
    for name, pattern in ABOUT.items():
        for found in re.finditer(rf"\b(?:{pattern})\b", around, re.IGNORECASE):
            if found.end() > last:
                last, kind = found.end(), name
    if not kind:
        return True
    own = [name for name in ABOUT if re.search(rf"\b(?:{ABOUT[name]})\b", figure.label, re.I)]
    return kind in own or not own


def _strange(text: str) -> Iterator[Offence]:
    for found in STRANGE.finditer(text):
        yield Offence(found.group(), "numbers stand in digits")
    for word in re.findall(r"[^\W\d_]+", text):
        if word.casefold() in ORDINALS:
            yield Offence(word, "numbers stand in digits")


def _unread(text: str, read: Sequence[Numeral]) -> list[Offence]:
    """Characters that count and that nobody could read."""
    taken = {place for numeral in read for place in range(numeral.start, numeral.end)}
    return [
        Offence(character, "this number cannot be read")
        for place, character in enumerate(text)
        if place not in taken and unicodedata.numeric(character, None) is not None
    ]


def _without_quotes(text: str, facts: Facts) -> str:
    """The text without what it takes from the facts word by word."""
    quotes = [p.title for p in facts.passages] + [f.subject for f in facts.figures]
    quotes += [s for p in facts.passages for s in re.split(r"(?<=[.!?])\s+", p.text)]
    quotes += [f.label for f in facts.figures]
    moments = [*(f.at for f in facts.figures), *(p.at for p in facts.passages)]
    quotes += [day for at in moments for day in _days(at)]
    quotes += [f"in {f.when}" for f in facts.figures if f.when]
    for quote in sorted(set(quotes), key=len, reverse=True):
        plain = naming.cleaned(numerals.folded(quote)).strip()
        if len(plain) > 2 and any(c.isdigit() or c.isalpha() for c in plain):
            if not numerals.read(plain) and not STRANGE.search(plain):
                continue  # it holds no number: leave it for `_has_subject` to see
            pattern = rf"(?<![^\W_]){re.escape(plain)}(?![^\W_])"
            text = re.sub(pattern, lambda found: _blank(found.group()), text, flags=re.IGNORECASE)
    return text


def _as_quoted(subject: str) -> str:
    """A subject as `_without_quotes` leaves it, in small letters."""
    plain = naming.cleaned(numerals.folded(subject)).strip()
    return (_blank(plain) if len(plain) > 2 else plain).casefold()


def _blank(quoted: str) -> str:
    """What is taken out leaves its words without their numbers, so that it still tells of what."""
    return re.sub(r"\d", "#", _without_numbers(quoted))


def _without_numbers(quoted: str) -> str:
    for numeral in reversed(numerals.read(quoted)):
        quoted = quoted[: numeral.start] + "#" + quoted[numeral.end :]
    return STRANGE.sub("#", quoted)


def _days(at: date | datetime | None) -> list[str]:
    if at is None:
        return []
    day = at.date() if isinstance(at, datetime) else at
    said = [day.isoformat()]
    if isinstance(at, datetime):
        said.append(f"{at:%Y-%m-%d at %H:%M}")
        said.append(f"{at:%Y-%m-%d %H:%M}")
    return said


def _lengths(facts: Facts) -> set[tuple[Decimal, str]]:
    """Lengths of time that labels name: "change in 24 h" allows "24 hours"."""
    return {
        (numeral.value, unit[1][0].lower())
        for figure in facts.figures
        for numeral in numerals.read(figure.label)
        if (unit := _LENGTH.match(figure.label, numeral.end))
    }


def _is_length(text: str, numeral: Numeral, allowed: set[tuple[Decimal, str]]) -> bool:
    unit = _LENGTH.match(text, numeral.end)
    return bool(unit) and not numeral.sign and (numeral.value, unit[1][0].lower()) in allowed  # type: ignore[index]
