"""The windows that the change of every ranked coin is known of, by how people ask for them."""

from __future__ import annotations

import re
from datetime import timedelta

from chat.masking import words
from chat.skills.base import Question

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
KNOWN = "changes in 1 h, 24 h and 7 days"
_SAID = (
    ("1h", r"hourly|of the hour|(?:this|last|past) hour"),
    ("24h", r"daily|of the day|today|todays|overnight"),
    ("7d", r"weekly|of the week|(?:this|last|past) week|woche|semana|semaine"),
    ("", r"(?:month|quarter|year)ly|annual\w*|of the (?:month|quarter|year|decade)|ever|all time"),
)
SLACK = 0.1
_LENGTHS = {"1h": HOUR, "24h": DAY, "7d": WEEK}


def of(asked: Question) -> str:
    """As in `MoversQuery.WINDOWS`; a day where none is asked for, "" for any other time."""
    period = asked.entities.period
    said = f"{asked.said} {words(period.words)}" if period else asked.said
    for window, pattern in _SAID:
        if re.search(rf"\b(?:{pattern})\b", said):
            return window
    if period is None:
        return "24h"
    length = asked.now - period.start
    if period.end is not None or period.at:
        return ""
    if period.start == asked.now.replace(hour=0, minute=0, second=0, microsecond=0):
        return "24h"
    # A follow-up comes a little later than the question whose period it takes.
    return next((name for name, of in _LENGTHS.items() if abs(length - of) < SLACK * of), "")
