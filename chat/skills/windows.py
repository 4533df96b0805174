"""The windows that the change of every ranked coin is known of, by how people ask for them."""

from __future__ import annotations

from datetime import timedelta

from chat.skills.base import Question

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
KNOWN = "changes in 1 h, 24 h and 7 days"
_SAID = (
    ("1h", r"hourly|of the hour|(?:this|last|past) hour"),
    ("24h", r"daily|of the day|today|todays|overnight"),
    ("7d", r"weekly|of the week|(?:this|last|past) week"),
    ("", r"(?:month|quarter|year)ly|annual\w*|of the (?:month|quarter|year|decade)|ever|all time"),
)
_LENGTHS = {"1h": HOUR, "24h": DAY, "7d": WEEK}


def of(asked: Question) -> str:
    """As in `MoversQuery.WINDOWS`; a day where none is asked for, "" for any other time."""
    said = next((window for window, words in _SAID if asked.mentions(words)), None)
    period = asked.entities.period
    if said is not None or period is None:
        return "24h" if said is None else said
    if period.end is not None or period.at:
        return ""
    length = asked.now - period.start
    slack = timedelta(minutes=1)
    return next((name for name, exact in _LENGTHS.items() if abs(length - exact) < slack), "")
