"""
What was asked of this installation, minute by minute and hour by hour: sums of all processes.

Cells of a known number and size, used in turn, so nothing here grows, whatever was asked and for
how long. A page that is there and empty says that we were there and nobody asked; where there is no
page nobody was looking.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from providers.resilience import Cell
from providers.resilience.cell import peek_many

Page = Mapping[str, float]  # numbers by what they count


@dataclass(frozen=True, slots=True)
class Book:
    """Pages of a length each; those of one `sheet` of time lie in one cell."""

    name: str
    page: timedelta
    sheet: timedelta
    kept: timedelta

    def add(self, moment: datetime, page: Page) -> None:
        """Add these numbers to the page of that moment."""
        first, part = _seconds(moment, self.sheet), str(_seconds(moment, self.page))
        cell = Cell(self._key(first), ttl=self._ttl_s)
        cell.update(lambda shared: (_plus(shared, first, part, page), None))

    def read(self, start: datetime, end: datetime) -> dict[datetime, Page]:
        """The pages that have a part in the span, by their beginning."""
        start = max(start, end - self.kept)
        first = _seconds(start, self.sheet)
        step = int(self.sheet.total_seconds())
        keys = [self._key(at) for at in range(first, int(end.timestamp()) + 1, step)]
        found = peek_many(keys)
        pages = {
            datetime.fromtimestamp(int(part), UTC): page
            for key in keys
            for part, page in _sheet(found.get(key)).items()
        }
        return {at: page for at, page in pages.items() if start < at + self.page and at < end}

    def _key(self, at: int) -> str:
        """Of the sheet that begins then: what lay in it a round ago is older than anybody asks."""
        number = self.kept // self.sheet + 2
        return f"asked:{self.name}:{at // int(self.sheet.total_seconds()) % number}"

    @property
    def _ttl_s(self) -> float:
        return (self.kept + self.sheet).total_seconds()


# Service levels look back an hour by the minute, and for seven days by the hour.
MINUTES = Book("minutes", timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=2))
HOURS = Book("hours", timedelta(hours=1), timedelta(days=1), timedelta(days=9))


def _seconds(moment: datetime, step: timedelta) -> int:
    """The beginning of the minute, hour or day of a moment, in seconds since the epoch."""
    length = int(step.total_seconds())
    return int(moment.timestamp()) // length * length


def _plus(shared: Any, first: int, part: str, new: Page) -> dict[str, dict[str, float]]:
    """
    The sheet that begins at `first` with what is new; what is no number in it counts as nothing.
    """
    sheet = {at: page for at, page in _sheet(shared).items() if int(at) >= first}
    page = sheet.setdefault(part, {})
    for name, number in new.items():
        page[name] = page.get(name, 0) + number
    return sheet


def _sheet(shared: Any) -> dict[str, dict[str, float]]:
    if not isinstance(shared, dict):
        return {}
    return {
        part: {name: n for name, n in page.items() if isinstance(n, int | float)}
        for part, page in shared.items()
        if part.isdecimal() and isinstance(page, dict)
    }


def added(pages: Mapping[datetime, Page]) -> dict[str, float]:
    """All pages as one."""
    total: dict[str, float] = {}
    for page in pages.values():
        for name, number in page.items():
            total[name] = total.get(name, 0) + number
    return total
