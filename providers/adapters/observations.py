"""
What all economic series have in common, whoever keeps them: days without a time, gaps that stay
gaps, and what of a series a query means.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from providers.adapters.base import kind, number, text
from providers.datasets import EconomicQuery, Observation
from providers.errors import Garbled, Unsupported

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_FRED_ID = re.compile(r"[A-Za-z0-9_.]{1,40}")


def day(value: Any) -> date:
    """A date out of YYYY-MM-DD; Garbled for every other way to write one."""
    if type(value) is not str or not _DAY.fullmatch(value):
        raise Garbled(f"a date was promised, not {kind(value)}")
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise Garbled("a day that no month has") from None


def figure(value: Any, gaps: Container[str] = (".",)) -> Decimal | None:
    """A number out of a text; None for the texts that stand where there is none."""
    if type(value) is not str:
        raise Garbled(f"a text of digits was promised, not {kind(value)}")
    return None if value in gaps else number(value)


def stamp(value: Any) -> datetime:
    """A moment with its offset, of any year: some series were last touched decades ago."""
    try:
        found = datetime.fromisoformat(text(value))
    except ValueError:
        raise Garbled("a time was promised, not this text") from None
    if found.tzinfo is None:
        raise Garbled("a time without its offset")
    return found.astimezone(UTC)


def fred_id(series: str) -> str:
    """An id of FRED, in capitals as FRED writes them; Unsupported for what can be none."""
    if not _FRED_ID.fullmatch(series):
        raise Unsupported(f"no series {series[:60]!r} here")
    return series.upper()


def ascending(query: EconomicQuery, rows: Iterable[Observation]) -> list[Observation]:
    """By date, each date once, and from `start` to `end`, both included."""
    by_date = {row.date: row for row in rows}
    return [
        by_date[one]
        for one in sorted(by_date)
        if (query.start is None or query.start <= one) and (query.end is None or one <= query.end)
    ]
