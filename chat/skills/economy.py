"""ECONOMIC_INDICATOR: the newest value of a series, and how it changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from aggregator.answers import Answer
from chat import asking, cues
from chat.facts import Facts, Failure, Figure
from chat.masking import words
from chat.names import Series, names
from chat.skills.base import Question, computed
from chat.studies import change_percent, rounded
from providers import roster
from providers.datasets import EconomicQuery, Observation, PriceQuery, Query
from providers.models import Kind

MOST = 4  # series of one question
AT_HOME = r"usa|united states|america|(?:and|vs|versus|in the|with) us|us (?:and|vs|versus)"
_WHERE = re.compile(r"\b(?:in|for) (?:the )?(?!us\b|usa\b|united|america)(?P<where>[^\W\d_]{4,})$")
RAW = "gold|silver|platinum"
_SPANS = (("month", 31), ("quarter", 92), ("year", 366))
YEARS_BACK = 2  # what a change over twelve months needs, and a little more


def facts(asked: Question) -> Facts:
    wanted = _wanted(asked)[:MOST]
    if not wanted:
        return raw_materials(asked)
    queries: list[Query] = [query(series, asked) for series in wanted]
    figures: list[Figure] = []
    failures = _strange_place(asked)
    for series, said in zip(wanted, asking.ask(queries, asked.deadline), strict=True):
        if not isinstance(said, Answer):
            failures.append(asking.failure(f"the series {series.title}", said))
            continue
        found = _figures(asked, series, said)
        figures += found
        if not found:
            failures.append(Failure(f"the series {series.title}", "it has no value in that time"))
    remarks: tuple[str, ...] = ()
    if asked.mentions(r"next|when|calendar|meeting|release\w*|publish\w*|schedule\w*|date"):
        remarks = ("When a figure is next published is not known here.",)
    return Facts(tuple(figures), failures=tuple(failures), remarks=remarks)


def _strange_place(asked: Question) -> list[Failure]:
    """Of countries that are none of ours, or have no such series, figures are none of theirs."""
    here = [s for s in asked.entities.series if s.id not in names().abroad]
    if asked.entities.countries and here:
        return [Failure(f"{s.title} of another country", "it is known of one alone") for s in here]
    found = None if asked.entities.countries else _WHERE.search(asked.said)
    where = found["where"] if found else ""
    of_time = asked.entities.period is not None and where in words(asked.entities.period.words)
    if not where or of_time or cues.cues(where) or where in names().currencies:
        return []
    return [Failure(where, "no country is called that here")]


def _wanted(asked: Question) -> list[Series]:
    """Those named; of another country what the World Bank has of it."""
    found = []
    for series in asked.entities.series:
        abroad = names().abroad.get(series.id)
        if abroad is None or not asked.entities.countries or asked.mentions(AT_HOME):
            found.append(series)
        if abroad is None:
            continue
        for code in asked.entities.countries:
            country = next(name for name, c in names().countries.items() if c == code)
            title = f"{abroad.title} ({country.title()})"
            found.append(Series(f"{code}/{abroad.id}", title, unit=abroad.unit))
    return found


def query(series: Series, asked: Question) -> EconomicQuery:
    """From a first of January, so that everybody asks the same question for a year."""
    period = asked.entities.period
    year = asked.now.year - (10 if "/" in series.id else YEARS_BACK)
    if period is not None:
        year = min(year, period.start.year - 1)
    return EconomicQuery(series=series.id, start=date(year, 1, 1))


def _figures(asked: Question, series: Series, said: Answer) -> list[Figure]:
    rows: Sequence[Observation] = [row for row in asking.rows(said) if row.value is not None]
    period = asked.entities.period
    if period is not None and period.end is not None:
        rows = [row for row in rows if row.date < period.end.date()]
    if not rows:
        return []
    source, last = asked.source(said), rows[-1]
    value, unit = (
        last.value or Decimal(0),
        series.unit or last.units or "",
    )  # those without one are left out
    found = []
    if series.change and len(rows) > series.change:
        before = next((row for row in reversed(rows) if row.date == _year_before(last.date)), None)
        change = change_percent(before.value, value) if before and before.value else None
        if change is not None:
            label = "change over a year"
            found.append(computed(series.title, label, rounded(change), "%", source, last.date))
    found.append(Figure(series.title, "value", value, unit, source, last.date))
    earlier = _earlier(rows, asked)
    if earlier is not None and earlier.value is not None and earlier.date != last.date:
        found.append(Figure(series.title, "value", earlier.value, unit, source, earlier.date))
    span = _span(rows)
    return [replace(figure, span=span) for figure in found]


def _span(rows: Sequence[Observation]) -> str:
    """What a value is of, by how far apart the last two are; "" for days and weeks."""
    if len(rows) < 2 or rows[-1].date.day != 1:
        return ""
    apart = (rows[-1].date - rows[-2].date).days
    return next((span for span, days in _SPANS if days - 3 <= apart <= days), "")


def _year_before(day: date) -> date:
    return day.replace(year=day.year - 1, day=min(day.day, 28))


def _earlier(rows: Sequence[Observation], asked: Question) -> Observation | None:
    """What it was at the beginning of the period, or one before the newest."""
    period = asked.entities.period
    if period is None:
        return rows[-2] if len(rows) > 1 else None
    return next((row for row in rows if row.date >= period.start.date()), None)


def raw_materials(asked: Question) -> Facts:
    """Gold and what else is no series, where somebody has a price of it."""
    for word in RAW.split("|"):
        if not asked.mentions(word):
            continue
        meant = roster.meant(word, Kind.COMMODITY)
        said = asking.one(PriceQuery((meant.key,)), asked.deadline) if meant else None
        if meant and isinstance(said, Answer):
            source = asked.source(said)
            return Facts(
                tuple(
                    Figure(meant.asset.name, "price", row.price, row.quote, source)
                    for row in asking.rows(said)
                )
            )
        return Facts(failures=(Failure(f"the price of {word}", "no provider here offers it"),))
    return Facts(
        failures=(Failure("the indicator", "it is not among those that are known here"),),
        suggestions=("US inflation", "Fed funds rate", "US unemployment rate"),
    )
