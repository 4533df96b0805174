"""An answer, or the error there is instead, as the pages show it to people."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from aggregator import figures
from aggregator.answers import Answer
from aggregator.api.renderers import indented
from aggregator.encoding import dumps

MOST_ROWS = 250  # in a table; the JSON beside it has them all

PROSE = 48  # characters from which a text needs a wide column

# What `meta.cache` says, in words.
CACHED = {
    "hit": "from the shelf, fresh",
    "miss": "asked for just now",
    "stale": "from the shelf, stale: nobody brought a newer one",
    "coalesced": "asked for just now by somebody else",
    "refreshing": "from the shelf, while a newer one is fetched",
}


@dataclass(frozen=True)
class Cell:
    """A value in a table: its text, where it leads, and how it is set."""

    text: str
    kind: str  # number, time, text, prose, link or nothing
    link: str = ""


@dataclass(frozen=True)
class Column:
    name: str
    kind: str  # of its cells


@dataclass(frozen=True)
class Table:
    """Rows of an answer. Fields that are empty in every row are named, and have no column."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    total: int
    empty: Sequence[str]


def table(record: Any, rows: Sequence[Any], most: int = MOST_ROWS) -> Table:
    """The first `most` of an answer's records."""
    shown = rows[:most]
    filled = [n for n in record._fields if any(_is_something(getattr(r, n)) for r in shown)]
    cells = [[_cell(name, getattr(row, name)) for name in filled] for row in shown]
    return Table(
        columns=[
            Column(name, _kind(column))
            for name, column in zip(filled, zip(*cells, strict=True), strict=False)
        ],
        rows=cells,
        total=len(rows),
        empty=[name for name in record._fields if name not in filled] if shown else [],
    )


def _kind(cells: Sequence[Cell]) -> str:
    return next((cell.kind for cell in cells if cell.kind != "nothing"), "nothing")


def is_web(value: Any) -> bool:
    """May a page link to it? A `javascript:` address is none."""
    return isinstance(value, str) and value.startswith(("https://", "http://"))


def _is_something(value: Any) -> bool:
    return value is not None and value not in ("", (), [], {})


def _cell(name: str, value: Any) -> Cell:
    text = figures.cell(name, value)
    if text == figures.NOTHING:
        return Cell(text, "nothing")
    if isinstance(value, date):
        return Cell(text, "time")
    if isinstance(value, Decimal | int) and not isinstance(value, bool):
        return Cell(text, "number")
    if is_web(value):
        return Cell(text, "link", value)
    return Cell(text, "prose" if len(text) > PROSE else "text")


@dataclass(frozen=True)
class Shown:
    """An answer at one moment."""

    answer: Answer
    at: float

    @classmethod
    def of(cls, answer: Answer, clock: Callable[[], float] = time.time) -> Shown:
        return cls(answer, clock())

    @property
    def sources(self) -> list[str]:
        return self.answer.source.split(",")

    @property
    def age_s(self) -> float:
        return max(0.0, self.at - self.answer.fetched_at)

    @property
    def fresh_for_s(self) -> float:
        return max(0.0, self.answer.fresh_until - self.at)

    @property
    def is_stale(self) -> bool:
        return not self.answer.is_fresh(self.at)

    @property
    def cached(self) -> str:
        return CACHED[self.answer.cached]

    @cached_property
    def rows(self) -> Sequence[Any]:
        return self.answer.records()

    @property
    def first(self) -> Any:
        return next(iter(self.rows), None)

    @property
    def table(self) -> Table:
        return table(self.answer.query.record, self.rows)

    @property
    def json(self) -> str:
        """The very answer of the API, laid out to be read."""
        return indented(self.answer.body(self.at)).decode()


@dataclass(frozen=True)
class Problem:
    """An error in the API's own shape."""

    body: Mapping[str, Any]

    @property
    def json(self) -> str:
        return indented(dumps(self.body)).decode()
