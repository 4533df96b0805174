"""What a dataset and a query are; each kind of data has a module of its own beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from keyword import iskeyword
from typing import Any, ClassVar

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


@dataclass(frozen=True, slots=True)
class Dataset:
    """A kind of data."""

    name: str
    title: str
    fresh_s: float  # an answer is served without asking again
    stale_s: float  # and for this long after that when nobody answers
    durable: bool = False  # worth keeping through a restart of every process and store
    merged: bool = False  # every provider is asked and their rows are merged
    past: bool = False  # it tells of the past too
    derived: bool = False  # made of another dataset's rows; no adapter offers it
    paid: bool = False  # every answer costs money or quota: no try is repeated blindly

    @property
    def method(self) -> str:
        """What an adapter's method for it is called: `global_`, as Python keeps `global`."""
        return f"{self.name}_" if iskeyword(self.name) else self.name


@dataclass(frozen=True)
class Query:
    """
    One question. `upstream()` is what is asked and shelved for it, `refine` makes this
    query's rows out of those: so the top 10 and the top 100 are one upstream call.
    """

    dataset: ClassVar[Dataset]
    record: ClassVar[type[Any]]

    @property
    def key(self) -> str:
        """The same for equal questions, in every process: `market:usd:250:1`."""
        values = (getattr(self, field.name) for field in fields(self))
        return ":".join([self.dataset.name, *(_spell(value) for value in values)])

    @property
    def fresh_s(self) -> float:
        return self.dataset.fresh_s

    @property
    def stale_s(self) -> float:
        return self.dataset.stale_s

    def upstream(self) -> Query:
        return self

    def refine(self, rows: Sequence[Any]) -> Sequence[Any]:
        return rows


def _spell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return ",".join(map(_spell, value))
    return str(value)
