"""
Times with a name: "2025-05-03", "the 3rd of May", "Q3 2025", "christmas", "end of 2024".

`WHEN` finds them in a text (lower case, single spaces), `span` says from when to when they are:
without a year the last such time. `now` is an argument, and everything is UTC. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

FIRST_YEAR = 1900
DAY = timedelta(days=1)

Span = tuple[datetime, datetime]  # the first moment, and the first one after it

# Names of the months, January first; of each the English one, its abbreviation, and others.
_MONTHS = (
    "january jan januar jänner enero janvier janeiro gennaio januari",
    "february feb februar febrero février fevrier fevereiro febbraio februari",
    "march mar märz maerz marzo mars março maart",
    "april apr abril avril aprile",
    "may mai mayo maio maggio mei",
    "june jun juni junio juin junho giugno",
    "july jul juli julio juillet julho luglio",
    "august aug agosto août aout augustus",
    "september sep sept septiembre septembre setembro settembre",
    "october oct oktober octubre octobre outubro ottobre",
    "november nov noviembre novembre novembro",
    "december dec dezember diciembre décembre decembre dezembro dicembre",
)
_MONTH_OF = {name: n for n, names in enumerate(_MONTHS, 1) for name in names.split()}
# Words of their own, too: they are months where a day, a year or a preposition stands by them.
WORDY = frozenset(_MONTH_OF) - {
    name for names in _MONTHS for name in names.split()[:1] if name not in ("march", "may")
}
ORDINALS = {
    **dict(zip(("first", "second", "third", "fourth"), range(1, 5), strict=True)),
    **dict(zip(("1st", "2nd", "3rd", "4th"), range(1, 5), strict=True)),
}


def _easter(year: int) -> date:
    """The Gregorian one (Meeus, Jones and Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    h = (19 * a + b - d - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    i, k = divmod(c, 4)
    ell = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * ell) // 451
    month, day = divmod(h + ell - 7 * m + 114, 31)
    return date(year, month, day + 1)


def _thanksgiving(year: int) -> date:
    """The fourth Thursday of November, as in the United States."""
    first = date(year, 11, 1)
    return first + timedelta(days=(3 - first.weekday()) % 7 + 21)


def _always(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


_HOLIDAYS: tuple[tuple[str, Callable[[int], date]], ...] = (
    (r"(?:christmas|xmas) eve|heiligabend|nochebuena", _always(12, 24)),
    (r"boxing day", _always(12, 26)),
    (r"christmas(?: day)?|xmas|weihnachten|navidad|noël|natal|natale|kerst", _always(12, 25)),
    (r"new ?year'?s'? eve|nye|silvester|nochevieja", _always(12, 31)),
    (r"(?<!chinese )(?<!lunar )new ?year(?:'?s'?)?(?: day)?|neujahr|año nuevo", _always(1, 1)),
    (r"(?:st\.? )?valentine'?s?(?:'? day)?", _always(2, 14)),
    (r"st\.? patrick'?s(?: day)?", _always(3, 17)),
    (r"april fool'?s?'?(?: day)?", _always(4, 1)),
    (r"(?:bitcoin )?pizza day", _always(5, 22)),
    (r"independence day", _always(7, 4)),
    (r"hall?oween", _always(10, 31)),
    (r"good friday", lambda year: _easter(year) - 2 * DAY),
    (r"easter monday", lambda year: _easter(year) + DAY),
    (r"easter(?: sunday)?|ostern|pascua|pâques|páscoa|pasqua", _easter),
    (r"thanksgiving(?: day)?", _thanksgiving),
    (r"black friday", lambda year: _thanksgiving(year) + DAY),
    (r"cyber monday", lambda year: _thanksgiving(year) + 4 * DAY),
)

YEAR = r"(?:19|20)\d\d"
_OF = rf"(?:,? (?:(?:of|in|de|del) )?(?P<year>{YEAR}))"
_NAME = "|".join(sorted(_MONTH_OF, key=len, reverse=True))
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th|\.|º)?(?![\d:])"
_NTH = "|".join(ORDINALS)


def _iso(found: re.Match[str], now: datetime) -> Span | None:
    return _day(int(found["year"]), int(found["month"]), int(found["day"]))


def _numeric(found: re.Match[str], now: datetime) -> Span | None:
    """ "3.5.2026" is the third of May; with slashes only what can be read in one way."""
    first, second, year = int(found["first"]), int(found["second"]), int(found["year"])
    if found["mark"] == "." or first > 12:
        return _day(year, second, first)
    return _day(year, first, second) if second > 12 or first == second else None


def _numbered(found: re.Match[str], now: datetime) -> Span | None:
    month = int(found["month"])
    return _months(month, 1, found, now) if 1 <= month <= 12 else None


def _edge(found: re.Match[str], now: datetime) -> Span | None:
    whole = span(found["of"], now)
    if whole is None:
        return None
    start, end = whole
    return (start, start + DAY) if found["edge"] in ("start", "beginning") else (end - DAY, end)


def _quarter(found: re.Match[str], now: datetime) -> Span | None:
    said = found["quarter"]
    return _months(3 * (ORDINALS.get(said) or int(said)) - 2, 3, found, now)


def _half(found: re.Match[str], now: datetime) -> Span | None:
    return _months(1 if found["half"] in ("1", "first") else 7, 6, found, now)


def _month(found: re.Match[str], now: datetime) -> Span | None:
    return _months(_MONTH_OF[found["month"]], 1, found, now)


def _of_month(found: re.Match[str], now: datetime) -> Span | None:
    month, day = _MONTH_OF[found["month"]], int(found["day"])
    return _last(lambda year: _day(year, month, day), found, now)


def _holiday(found: re.Match[str], now: datetime) -> Span | None:
    said = found["holiday"]
    of_year = next(day for name, day in _HOLIDAYS if re.fullmatch(name, said))
    return _last(lambda year: _whole(of_year(year)), found, now)


def _a_year(found: re.Match[str], now: datetime) -> Span | None:
    return _first(int(found["year"]), 1), _first(int(found["year"]), 13)


_HOLIDAY = rf"(?P<holiday>{'|'.join(said for said, _ in _HOLIDAYS)})"
_FORMS: tuple[tuple[str, Callable[[re.Match[str], datetime], Span | None]], ...] = (
    (r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})", _iso),
    (rf"(?P<first>\d{{1,2}})(?P<mark>[-/.])(?P<second>\d{{1,2}})[-/.](?P<year>{YEAR})", _numeric),
    (rf"(?P<year>{YEAR})-(?P<month>\d\d)", _numbered),
    (rf"(?P<month>\d\d)/(?P<year>{YEAR})", _numbered),
    (rf"(?P<year>{YEAR}) ?q(?P<quarter>[1-4])", _quarter),
    (rf"q(?P<quarter>[1-4]){_OF}?", _quarter),
    (rf"(?P<quarter>{_NTH}) quarter{_OF}?", _quarter),
    (rf"(?:h|(?=(?:first|second) half))(?P<half>[12]|first|second)(?: half)?{_OF}", _half),
    (rf"(?P<month>{_NAME})\.? (?:the )?{_DAY}{_OF}?", _of_month),
    (rf"{_DAY} ?(?:of |de )?(?P<month>{_NAME})\.?{_OF}?", _of_month),
    (rf"(?P<month>{_NAME})\.?{_OF}?(?! \d)", _month),
    (rf"(?P<year>{YEAR}) {_HOLIDAY}", _holiday),
    (rf"{_HOLIDAY}{_OF}?", _holiday),
    (rf"(?P<year>{YEAR})", _a_year),
)


def _nameless(pattern: str) -> str:
    return re.sub(r"\(\?P<\w+>", "(?:", pattern)


_PLAIN = "|".join(_nameless(pattern) for pattern, _ in _FORMS)
_EDGE = rf"(?P<edge>start|beginning|end|close) of (?:the year )?(?P<of>{_PLAIN})"
WHEN = rf"(?:{_nameless(_EDGE)}|{_PLAIN})"


def span(when: str, now: datetime) -> Span | None:
    """What `WHEN` found; None for a day there is not, or one that can be read in two ways."""
    for pattern, read in ((_EDGE, _edge), *_FORMS):
        if found := re.fullmatch(pattern, when):
            return read(found, now)
    return None


def _last(
    of_year: Callable[[int], Span | None], found: re.Match[str], now: datetime
) -> Span | None:
    """In the year that is named, else the last one that has begun."""
    if found["year"]:
        return of_year(int(found["year"]))
    this_year = of_year(now.year)
    return this_year if this_year and this_year[0] <= now else of_year(now.year - 1)


def _months(month: int, count: int, found: re.Match[str], now: datetime) -> Span | None:
    return _last(lambda year: (_first(year, month), _first(year, month + count)), found, now)


def _first(year: int, month: int) -> datetime:
    """The first moment of a month; the thirteenth is the next January."""
    return datetime(year + (month - 1) // 12, (month - 1) % 12 + 1, 1, tzinfo=UTC)


def _day(year: int, month: int, day: int) -> Span | None:
    try:
        return _whole(date(year, month, day)) if year >= FIRST_YEAR else None
    except ValueError:
        return None


def _whole(day: date) -> Span:
    start = datetime.combine(day, datetime.min.time(), UTC)
    return start, start + DAY
