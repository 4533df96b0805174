"""
Stretches of time in a text: "past 7 days", "since March", "in 2021", "24h", "yesterday".

`now` is an argument, and everything is UTC. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from chat.masking import words

FIRST_YEAR = 1900
MOST_DAYS = 150 * 366

_NUMBERS = dict(
    zip(
        words(
            "a an one two three four five six seven eight nine ten twelve thirty ninety few"
        ).split(),
        (1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 30, 90, 3),
        strict=True,
    )
)
_DAYS = {
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "stunden", "horas", "heures"), 1 / 24),
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "tagen", "días", "dias", "jours"), 1.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "woche", "wochen", "semanas"), 7.0),
    **dict.fromkeys(("mo", "month", "months", "monat", "monate", "monaten", "meses", "mois"), 30.0),
    **dict.fromkeys(("quarter", "quarters"), 91.0),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years", "jahr", "jahre", "jahren", "años"), 365.0),
}
_UNIT = "|".join(sorted(_DAYS, key=len, reverse=True))
_COUNT = rf"\d{{1,4}}|{'|'.join(_NUMBERS)}"
_MONTHS = words(
    "january february march april may june july august september october november december"
).split()
_MONTH = "|".join([*_MONTHS, *(m[:3] for m in _MONTHS), "sept"])
_YEAR = r"(?:19|20)\d\d"
_WHEN = (
    rf"(?:\d{{4}}-\d\d?-\d\d?|(?:{_MONTH})\.?(?: \d{{1,2}}(?:st|nd|rd|th)?,?)?(?: {_YEAR})?|{_YEAR}"
    rf"|q[1-4](?: {_YEAR})?)"
)
_LONG = re.compile(
    rf"(?:(?:in |over |for |during )?(?:the |my )?(?P<word>past|last|previous|next|recent|letzten?|"
    rf"letzte|últimos|dernières|derniers)\s)?(?P<count>{_COUNT})[ -]?(?P<unit>{_UNIT})"
    r"(?P<ago> ago| back)?(?![^\W_])"
)
_ONE = re.compile(
    r"(?P<word>past|last|previous|this|current|letzte[nrs]?|diese[nrs]?) "
    r"(?P<unit>hour|day|week|month|quarter|year|woche|monat|jahr)(?![^\W_])"
)
_SINCE = re.compile(rf"(?:since|from|seit|desde|depuis) (?P<start>{_WHEN})(?![^\W_])")
_UNTIL = re.compile(rf"\s(?:to|until|till|through|-|and) (?P<end>{_WHEN})(?![^\W_])")
_IN = re.compile(rf"(?:\b(?:in|during|on|of|for|im|en) )?(?P<when>{_WHEN})(?![^\W_])")
_NAMED = {
    "today": (0, 1),
    "heute": (0, 1),
    "hoy": (0, 1),
    "aujourd'hui": (0, 1),
    "yesterday": (1, 1),
    "gestern": (1, 1),
    "ayer": (1, 1),
    "overnight": (0, 1),
}


_WEEKDAYS = words("monday tuesday wednesday thursday friday saturday sunday").split()
_WEEKDAY = re.compile(
    rf"\b(?:(?P<word>last|past|on|this|next|since|from) )?(?P<day>{'|'.join(_WEEKDAYS)})\b"
)


class Period(NamedTuple):
    """From `start` to `end`, which is None for now; `words` are those of the question."""

    start: datetime
    end: datetime | None
    words: str
    at: bool = False  # a moment is meant ("a month ago"), and not what was since

    def days(self, now: datetime) -> int:
        """Whole days from its start to now, at least one."""
        return max(1, -(-(now - self.start) // timedelta(days=1)))


def find(text: str, now: datetime) -> Period | None:
    """The first period that a text names; None for none, or one that has not begun."""
    said = " ".join(text.casefold().split())
    for read in (_since, _long, _one, _named, _weekday, _to_date, _within):
        found = read(said, now)
        if found is not None and found.start < now:
            return found
    return None


def _since(said: str, now: datetime) -> Period | None:
    found = _SINCE.search(said)
    if found is None:
        return None
    start, until = found["start"], _UNTIL.match(said, found.end())
    year = re.search(_YEAR, until["end"]) if until else None
    if year and not re.search(_YEAR, start):
        start = f"{start} {year.group()}"  # "from january to march 2024"
    span = _span(start, now)
    if span is None:
        return None
    end = _span(until["end"], now) if until else None
    words = said[found.start() : until.end() if until else found.end()]
    stop = end[1] if end and span[0] < end[1] < now else None
    return Period(span[0], stop, words)


def _long(said: str, now: datetime) -> Period | None:
    for found in _LONG.finditer(said):
        # "5m" or "a day" inside of other words is no period unless something says so.
        count = found["count"]
        if not count.isdigit() and not (found["word"] or found["ago"]):
            continue
        number = int(count) if count.isdigit() else _NUMBERS[count]
        days = number * _DAYS[found["unit"]]
        if found["word"] == "next" or not 0 < days <= MOST_DAYS:
            continue
        return Period(now - timedelta(days=days), None, found.group().strip(), bool(found["ago"]))
    return None


def _one(said: str, now: datetime) -> Period | None:
    found = _ONE.search(said)
    if found is None:
        return None
    unit, midnight = found["unit"], _midnight(now)
    if found["word"] in ("this", "current") or found["word"].startswith("diese"):
        first = {
            "day": midnight,
            "week": midnight - timedelta(days=midnight.weekday()),
            "month": midnight.replace(day=1),
            "quarter": midnight.replace(month=(midnight.month - 1) // 3 * 3 + 1, day=1),
            "year": midnight.replace(month=1, day=1),
        }.get(unit, now - timedelta(days=_DAYS[unit]))
        return Period(first, None, found.group())
    return Period(now - timedelta(days=_DAYS[unit]), None, found.group())


def _named(said: str, now: datetime) -> Period | None:
    for word in re.findall(r"[^\W_]+(?:'[^\W_]+)?", said):
        if word.removesuffix("'s") in _NAMED:
            back, length = _NAMED[word.removesuffix("'s")]
            start = _midnight(now) - timedelta(days=back)
            end = start + timedelta(days=length)
            return Period(start, end if end < now else None, word)
    return None


def _weekday(said: str, now: datetime) -> Period | None:
    """The last such day, which may be today; "since" one it lasts until now."""
    found = _WEEKDAY.search(said)
    if found is None or found["word"] == "next":
        return None
    back = (now.weekday() - _WEEKDAYS.index(found["day"])) % 7
    if not back and found["word"] == "last":
        back = 7
    start = _midnight(now) - timedelta(days=back)
    lasts = not back or found["word"] in ("since", "from")
    return Period(start, None if lasts else start + timedelta(days=1), found.group())


def _to_date(said: str, now: datetime) -> Period | None:
    if found := re.search(r"\b(?:ytd|year to date)\b", said):
        return Period(_midnight(now).replace(month=1, day=1), None, found.group())
    if found := re.search(r"\b(?:mtd|month to date)\b", said):
        return Period(_midnight(now).replace(day=1), None, found.group())
    return None


def _within(said: str, now: datetime) -> Period | None:
    """A year, a month or a day by itself: "in 2021", "on 2026-01-05", "march 2024"."""
    for found in _IN.finditer(said):
        when = found["when"]
        preposition = found.group() != when
        if found.start() and said[found.start() - 1].isalnum():
            continue
        # "may" and "mar" are words too, and 2000 may be an amount.
        if not preposition and (when in ("may", "mar", "dec", "jan") or when.isdigit()):
            continue
        span = _span(when, now)
        if span and span[0] < now:
            return Period(span[0], span[1] if span[1] < now else None, found.group())
    return None


def _span(when: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The first moment of a named time and the first after it; the last such one, without year."""
    if re.fullmatch(_YEAR, when):
        return _years(int(when), int(when) + 1)
    if iso := re.fullmatch(r"(\d{4})-(\d\d?)-(\d\d?)", when):
        return _day(*map(int, iso.groups()))
    if quarter := re.fullmatch(rf"q([1-4])(?: ({_YEAR}))?", when):
        month = 3 * int(quarter[1]) - 2
        year = int(quarter[2] or (now.year if month <= now.month else now.year - 1))
        start = datetime(year, month, 1, tzinfo=UTC)
        return start, (start + timedelta(days=95)).replace(day=1)
    named = re.fullmatch(rf"({_MONTH})\.?(?: (\d{{1,2}})(?:st|nd|rd|th)?,?)?(?: ({_YEAR}))?", when)
    if named is None:
        return None
    month = next(n for n, name in enumerate(_MONTHS, 1) if name.startswith(named[1][:3]))
    year = int(named[3] or (now.year if month <= now.month else now.year - 1))
    if named[2]:
        return _day(year, month, int(named[2]))
    start = datetime(year, month, 1, tzinfo=UTC)
    return start, (start + timedelta(days=32)).replace(day=1)


def _years(first: int, after: int) -> tuple[datetime, datetime]:
    return datetime(first, 1, 1, tzinfo=UTC), datetime(after, 1, 1, tzinfo=UTC)


def _day(year: int, month: int, day: int) -> tuple[datetime, datetime] | None:
    try:
        start = datetime.combine(date(year, month, day), datetime.min.time(), UTC)
    except ValueError:
        return None
    return (start, start + timedelta(days=1)) if year >= FIRST_YEAR else None


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
