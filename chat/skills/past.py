"""The past of assets: prices, capitalisation or volume of a stretch of time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from aggregator.answers import Answer
from chat import asking
from chat.facts import Facts, Failure, Figure
from chat.naming import Known
from chat.periods import Period
from chat.phrasing import RECENT_S
from chat.skills import windows
from chat.skills.base import Question, computed
from chat.studies import change_percent, rounded
from providers.datasets import HistoryQuery, Query

EXTREMES = r"highs?|highest|lows?|lowest|peak|range|top|bottom"
OF_ONE = "Prices of the past are told of one coin."
DAY = timedelta(days=1)
# What the past is kept of besides prices, by the words that ask for it.
FIELDS = (
    ("market capitalisation", "market_cap", r"m ?caps?|market ?caps?\w*|capitali\w+"),
    ("volume in 24 h", "volume", r"volumes?|vol|turnover"),
)


def is_a_day(period: Period, asked: Question) -> bool:
    """The last 24 hours, and the last one, are in the row of a ranked coin already."""
    is_over = period.end is not None or period.at
    return not is_over and windows.of(asked) in ("1h", "24h")


def facts(asked: Question, assets: Sequence[Known], period: Period) -> Facts:
    """Of a stretch of time: the first, the last, the highest, the lowest, the change."""
    queries = [query_of(known, period, asked) for known in assets]
    named = ((label, field) for label, field, words in FIELDS if asked.mentions(words))
    label, field = next(named, ("price", "price"))
    figures: list[Figure] = []
    failures = []
    for known, said in zip(assets, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"the past of {known.name}", said))
            continue
        found = _of_past(asked, known, said, period, label, field)
        figures += found
        if len(found) == 1 and not period.at and asked.mentions(EXTREMES):
            why = f"{said.source} sent one value of that time"
            failures.append(Failure(f"highest and lowest {label} of {known.name}", why))
        if not found:
            missing = Failure(f"{label} of {known.name} in that time", f"{said.source} sent none")
            failures.append(missing)
    ids = {known.id for known in assets}
    counted = any(a.unit in ids and a.value != 1 for a in asked.entities.amounts)
    return Facts(tuple(figures), failures=tuple(failures), remarks=(OF_ONE,) if counted else ())


def query_of(known: Known, period: Period, asked: Question) -> Query:
    """Whole days, so that the same question tomorrow is another and this hour the same."""
    if period.end is None:
        return HistoryQuery(symbol=known.key, days=period.days(asked.now), currency=asked.currency)
    return HistoryQuery(
        symbol=known.key, start=period.start, end=period.end, currency=asked.currency
    )


def _of_past(
    asked: Question, known: Known, said: Answer, period: Period, label: str, field: str
) -> list[Figure]:
    points = [
        (point.time, value)
        for point in asking.rows(said)
        if point.time >= period.start and (value := getattr(point, field)) is not None
    ]
    if not points:
        return []
    source, money, name = asked.source(said), asked.currency.upper(), known.name

    def figure(said: str, point: tuple[datetime, Decimal]) -> Figure:
        return Figure(name, said, point[1], money, source, point[0])

    first, last = points[0], points[-1]
    if period.at or len(points) == 1:
        is_lately = (asked.now - first[0]).total_seconds() < RECENT_S  # then no day is said
        return [figure(f"{label} at {first[0]:%H:%M} UTC" if is_lately else label, first)]
    change = change_percent(first[1], last[1])
    return [
        figure(label, first),
        figure(label, last),
        *(
            [computed(name, "change between them", rounded(change), "%", source)]
            if change is not None
            else []
        ),
        figure(f"highest {label} between", max(points, key=lambda point: point[1])),
        figure(f"lowest {label} between", min(points, key=lambda point: point[1])),
    ]
