"""
Why something moved: how far it did, by the data, and beside it what was reported in that time.

No data here knows a cause, and none is named: headlines are what somebody published, and the answer
says so.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from chat import cues
from chat.facts import Facts, Figure
from chat.figures_guard import DOWN, UP
from chat.skills import market, past, windows
from chat.skills.base import Question

MOST = 3
LATELY = timedelta(days=7)  # where no time is named
MEASURED = (
    "How far it moved is measured. Why it did, no data here says: headlines are what was reported "
    "in that time, and need not be the cause."
)
_WHY = (
    r"what happened (?:to|with)|whats (?:up|wrong|going on|happening) with|what is (?:up|wrong|"
    r"going on|happening) with|how come|what made"
)
_MOVED = r"mov\w+|volatil\w+|happen\w*|changed?"
_EVERYTHING = r"markets?|crypto|cryptos|coins|alts|altcoins|everything"
# Besides the English words by which figures_guard knows a direction.
_FALLING = re.compile(
    r"\b(?:dump\w*|bleed\w*|tank(?:s|ed|ing)|red|fällt|fiel|gefallen|sinkt|stürzt|baja|bajó|cae|"
    r"cayó|cayendo|baisse|chute|cai|caiu|caindo|scende|crolla|düş\w+|пада\w+|упал\w*|daalt|spada|"
    r"turun)\b|跌|下落|하락"
)
_RISING = re.compile(
    r"\b(?:pump\w*|moon\w*|ripping|green|steigt|stieg|gestiegen|sube|subió|subiendo|monte|hausse|"
    r"sobe|subiu|subindo|sale|yüksel\w+|раст[её]т|вырос\w*|stijgt|rośnie|naik)\b|涨|上昇|상승"
)


class Span(NamedTuple):
    """The time of the move; `end` is None for now."""

    start: datetime
    end: datetime | None


def asks(asked: Question) -> bool:
    """Is it asked why something that has a price moved, or what happened to it?"""
    if not asked.entities.assets and not asked.mentions(_EVERYTHING):
        return False
    if asked.mentions(_WHY):
        return True
    said = set(cues.cues(asked.text))
    moved = "change" in said or asked.mentions(_MOVED) or _falls(asked) or _rises(asked)
    return "why" in said and moved


def span(asked: Question) -> Span:
    """The asked period, of at least a day; the last days where none is named."""
    period = asked.entities.period
    if period is None:
        return Span(asked.now - LATELY, None)
    if past.is_a_day(period, asked):
        return Span(asked.now - past.DAY, None)
    return Span(period.start, period.end)


def facts(asked: Question) -> Facts:
    assets, period = asked.entities.assets[:MOST], asked.entities.period
    if not assets and market.is_of_then(asked):
        found = market.NOT_OF_THEN
    elif not assets:
        found = market.whole(asked, ("market_cap", "market_cap_change_24h_percent"))
    elif period is None:
        fields = ("price", "change_24h_percent", "change_7d_percent")
        found = market.of_ranked(asked, assets, fields)
    elif past.is_a_day(period, asked):
        change = f"change_{windows.of(asked) or '24h'}_percent"
        found = market.of_ranked(asked, assets, ("price", change))
    else:
        found = past.facts(asked, assets, period)
    return Facts(remarks=(*_not_so(asked, found.figures), MEASURED)) + found


def _not_so(asked: Question, figures: tuple[Figure, ...]) -> list[str]:
    """What the question takes for granted and the data does not say."""
    falls, rises = _falls(asked), _rises(asked)
    if falls == rises:
        return []
    found = []
    for subject in dict.fromkeys(figure.subject for figure in figures):
        mine = [f for f in figures if f.subject == subject and "change" in f.label]
        changes = [Decimal(figure.value) for figure in mine]
        if changes and all(change >= 0 if falls else change <= 0 for change in changes):
            word = "fall" if falls else "rise"
            found.append(f"By this data {subject} did not {word} in that time.")
    return found


def _falls(asked: Question) -> bool:
    return bool(DOWN.search(_how(asked)) or _FALLING.search(_how(asked)))


def _rises(asked: Question) -> bool:
    return bool(UP.search(_how(asked)) or _RISING.search(_how(asked)))


def _how(asked: Question) -> str:
    """ "What is up with Bitcoin" does not say that it rose."""
    return re.sub(_WHY, " ", asked.said)
