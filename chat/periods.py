"""
Stretches of time in a text: "past 7 days", "since March", "in 2021", "24h", "yesterday".

Days, months and holidays by their names are read by `days`. `now` is an argument, and everything
is UTC. Pure.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from chat import days
from chat.days import DAY, WHEN, YEAR
from chat.masking import CJK, words

MOST_DAYS = 150 * 366

_NUMBERS = dict(
    zip(
        words(
            "a an one two three four five six seven eight nine ten twelve thirty ninety few couple"
        ).split(),
        (1, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 30, 90, 3, 2),
        strict=True,
    )
)
_DAYS = {
    **dict.fromkeys(("min", "mins", "minute", "minutes", "minuten", "minutos"), 1 / 1440),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "stunden", "horas", "heures"), 1 / 24),
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "tagen", "días", "dias", "jours"), 1.0),
    **dict.fromkeys(("w", "wk", "wks", "week", "weeks", "woche", "wochen", "semanas"), 7.0),
    **dict.fromkeys(("fortnight", "fortnights"), 14.0),
    **dict.fromkeys(("mo", "month", "months", "monat", "monate", "monaten", "meses", "mois"), 30.0),
    **dict.fromkeys(("quarter", "quarters"), 91.0),
    **dict.fromkeys(("y", "yr", "yrs", "year", "years", "jahr", "jahre", "jahren", "años"), 365.0),
    **dict.fromkeys(("decade", "decades"), 3650.0),
}
_UNIT = "|".join(sorted(_DAYS, key=len, reverse=True))
_COUNT = rf"(?<![\d.,])\d{{1,5}}(?:\.\d{{1,2}})?|\b(?:{'|'.join(_NUMBERS)})"
_LONG = re.compile(
    rf"(?:(?:in |over |for |during )?(?:the |my )?(?P<word>past|last|previous|next|recent|"
    rf"letzten?|letzte|últimos|dernières|derniers)\s|(?P<in>\bin (?:the )?))?(?P<count>{_COUNT})"
    rf"(?: of)?[ -]?(?P<unit>{_UNIT})(?P<ago> ago| back)?(?![^\W_])"
)
_ONE = re.compile(
    r"(?P<word>past|last|previous|this|current|letzte[nrs]?|diese[nrs]?) "
    r"(?P<unit>hour|day|week|fortnight|month|quarter|year|decade|woche|monat|jahr)(?![^\W_])"
)
_EDGE = re.compile(
    r"(?P<since>since |from )?(?:the )?(?P<edge>start|beginning|end|close) of "
    r"(?P<which>the|this|last) (?P<unit>week|month|quarter|year)(?![^\W_])"
)
_SINCE = re.compile(
    rf"(?:since|from|between|seit|desde|depuis) (?:the |last )?(?P<start>{WHEN})(?![^\W_])"
)
_UNTIL = re.compile(rf"\s(?:to|until|till|through|-|and) (?:the )?(?P<end>{WHEN})(?![^\W_])")
_IN = re.compile(
    rf"(?:\b(?P<led>in|during|on|of|for|at|over|around|im|en|em|am|el|le) (?:the |last )?)?"
    rf"(?<![\d.,/-])(?P<when>{WHEN})(?![^\W_]|[-/.,]\d)"
)
# Days back, by the words for them.
_BACK_OF = {
    0: "today heute hoy aujourd'hui oggi hoje bugün сегодня vandaag dzisiaj overnight "
    "今日 今天 오늘",
    1: "yesterday yesterdy yesturday gestern ayer hier ontem ieri dün вчера gisteren wczoraj "
    "kemarin 昨日 昨天 어제",
    2: "vorgestern anteayer avant-hier anteontem позавчера 前天",
}
_BACK = {word: back for back, said in _BACK_OF.items() for word in said.split()}
_BACK |= {"the day before yesterday": 2, "day before yesterday": 2}
_NAMED = re.compile(
    "|".join(
        re.escape(word) if re.match(f"[{CJK}]", word) else rf"\b{re.escape(word)}\b"
        for word in sorted(_BACK, key=len, reverse=True)
    )
)
_WEEKEND = re.compile(r"\b(?:(?:last|this|past|over the|on the|the) )?weekend\b")
# What nobody can tell the days of.
_VAGUE = re.compile(
    r"\b(?:(?:last|this|past|in|during|over) (?:the )?(?:summer|winter|autumn|spring|morning|"
    r"evening|afternoon|night)|last fall|(?:in |during )?the (?:19|20)?\d0s)\b"
)
_CHANGED = re.compile(
    r"\b(?:chang\w*|gain\w*|los\w+|mov\w+|rose|risen|fell|fallen|perform\w*|did|has|have|was|up|"
    r"down|return\w*|drop\w*|pump\w*|dump\w*|best|worst|highest|lowest)\b"
)


_WEEKDAYS = words("monday tuesday wednesday thursday friday saturday sunday").split()
_WEEKDAY = re.compile(
    rf"\b(?:(?P<since>since|from) )?(?:(?P<word>last|past|on|this|next) )?"
    rf"(?<!black )(?<!good )(?<!cyber )(?<!easter )(?P<day>{'|'.join(_WEEKDAYS)})\b"
)


NOT_YET = "that time has not come"
_BEFORE_NUMBERS = frozenset(
    words("to is hit hits reach above below over under than past near sma ema rsi ma by").split()
)
_AFTER_YEARS = frozenset(
    words("high highs low lows price prices return returns performance peak top bottom").split()
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


class Unread(NamedTuple):
    """What is written like a time, and no data can be of it; `why` is told to people."""

    text: str
    why: str


def folded(text: str) -> str:
    """A text as times are looked for in it."""
    return " ".join(text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").split())


def find(text: str, now: datetime) -> Period | None:
    """The first period that a text names; None for none, or one that has not begun."""
    said = folded(text)
    for read in (_since, _edge, _long, _one, _named, _weekend, _weekday, _to_date, _within):
        found = read(said, now)
        if found is not None and found.start < now:
            return found
    return None


def _another(said: str, one: Period, now: datetime) -> Period | None:
    """A second time, unless both last until now: "24h change today" is of one."""
    other = find(said.replace(one.words, " # "), now)
    is_same = other is None or other.start == one.start or not (one.end or other.end)
    return None if is_same else other


def unread(text: str, one: Period | None, now: datetime) -> tuple[Unread, ...]:
    """
    Days there are not, days that can be read in two ways, times that have not come, and a second
    time beside the `one` that is found.
    """
    said, found = folded(text), []
    for match in _IN.finditer(said):
        when = match["when"]
        if not re.search(r"\d", when) or _is_a_number(said, match):
            continue
        span = days.span(when, now)
        if span is None:
            found.append(Unread(when, "I cannot tell which day that is: write it like 2026-05-31"))
        elif span[0] >= now:
            found.append(Unread(when, NOT_YET))
    if one and (other := _another(said, one, now)):
        found.append(Unread(other.words, "I tell of one time at once"))
    why = "tell me from which day to which"
    found += [Unread(match.group(), why) for match in _VAGUE.finditer(said)]
    ahead = (m for m in _LONG.finditer(said) if m["word"] == "next" or _is_ahead(said, m))
    return (*found, *(Unread(match.group().strip(), NOT_YET) for match in ahead))


def _since(said: str, now: datetime) -> Period | None:
    found = _SINCE.search(said)
    if found is None:
        return None
    start, until = found["start"], _UNTIL.match(said, found.end())
    year = re.search(YEAR, until["end"]) if until else None
    if year and not re.search(YEAR, start):
        start = f"{start} {year.group()}"  # "from january to march 2024"
    span = days.span(start, now)
    if span is None:
        return None
    end = days.span(until["end"], now) if until else None
    words = said[found.start() : until.end() if until else found.end()]
    stop = end[1] if end and span[0] < end[1] < now else None
    return Period(span[0], stop, words)


def _edge(said: str, now: datetime) -> Period | None:
    """ "End of last year", "start of this month": that day."""
    found = _EDGE.search(said)
    if found is None:
        return None
    first = _begun(found["unit"], now)
    if found["which"] == "last":
        end, first = first, _begun(found["unit"], first - DAY)
        if found["edge"] in ("end", "close"):
            first = end - DAY
    elif found["edge"] in ("end", "close"):
        return None  # it has not come
    lasts = found["since"] or first + DAY >= now
    return Period(first, None if lasts else first + DAY, found.group())


def _begun(unit: str, now: datetime) -> datetime:
    """When the running week, month, quarter or year began."""
    midnight = _midnight(now)
    return {
        "week": midnight - timedelta(days=midnight.weekday()),
        "month": midnight.replace(day=1),
        "quarter": midnight.replace(month=(midnight.month - 1) // 3 * 3 + 1, day=1),
        "year": midnight.replace(month=1, day=1),
    }.get(unit, midnight)


def _long(said: str, now: datetime) -> Period | None:
    for found in _LONG.finditer(said):
        # "5m" or "a day" inside of other words is no period unless something says so.
        count = found["count"]
        if count in _NUMBERS and not (found["word"] or found["ago"]):
            continue
        length = float(_NUMBERS.get(count) or count) * _DAYS[found["unit"]]
        if found["word"] == "next" or not length or _is_ahead(said, found):
            continue
        start = now - timedelta(days=min(length, MOST_DAYS))
        return Period(start, None, found.group().strip(), bool(found["ago"]))
    return None


def _is_ahead(said: str, found: re.Match[str]) -> bool:
    """ "Price in 3 days" is asked of the future, "change in 3 days" of the past."""
    return bool(found["in"]) and not found["ago"] and not _CHANGED.search(said)


def _one(said: str, now: datetime) -> Period | None:
    found = _ONE.search(said)
    if found is None:
        return None
    unit = {"woche": "week", "monat": "month", "jahr": "year"}.get(found["unit"], found["unit"])
    if found["word"] in ("this", "current") or found["word"].startswith("diese"):
        hour = now - timedelta(hours=1)
        return Period(hour if unit == "hour" else _begun(unit, now), None, found.group())
    return Period(now - timedelta(days=_DAYS[unit]), None, found.group())


def _named(said: str, now: datetime) -> Period | None:
    found = _NAMED.search(said)
    if found is None:
        return None
    back = _BACK[found.group()]
    start = _midnight(now) - back * DAY
    return Period(start, start + DAY if back else None, found.group())


def _weekend(said: str, now: datetime) -> Period | None:
    """The last Saturday and Sunday that have begun."""
    found = _WEEKEND.search(said)
    if found is None or said[: found.start()].endswith("next "):
        return None
    start = _midnight(now) - timedelta(days=(now.weekday() - 5) % 7)
    if found.group().startswith("last") and start + 2 * DAY > now:
        start -= 7 * DAY
    end = start + 2 * DAY
    return Period(start, end if end < now else None, found.group())


def _weekday(said: str, now: datetime) -> Period | None:
    """The last such day, which may be today; "since" one it lasts until now."""
    found = _WEEKDAY.search(said)
    if found is None or found["word"] == "next":
        return None
    back = (now.weekday() - _WEEKDAYS.index(found["day"])) % 7
    if not back and found["word"] == "last":
        back = 7
    start = _midnight(now) - timedelta(days=back)
    lasts = not back or found["since"]
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
        if _is_a_number(said, found) or (found["when"] in days.WORDY and not found["led"]):
            continue
        span = days.span(found["when"], now)
        if span and span[0] < now:
            return Period(span[0], span[1] if span[1] < now else None, found.group())
    return None


def _is_a_number(said: str, found: re.Match[str]) -> bool:
    """Inside of a word, or 2000 by itself, which may be an amount; "gdp 2000" ends with a year."""
    if found.start() and said[found.start() - 1].isalnum():
        return True
    if found["led"] or not found["when"].isdigit():
        return False
    before, after = said[: found.start()].split(), words(said[found.end() :]).split()
    if not before or not before[-1].isalpha() or before[-1] in _BEFORE_NUMBERS:
        return True
    return bool(after) and after[0] not in _AFTER_YEARS


def _midnight(now: datetime) -> datetime:
    return now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
