"""
Times in which nobody at all answered: then it was our own network, and nothing of them is held
against anybody.

In one cell, the latest last. Each begins with the last word of anybody, and ends when somebody is
heard again; or, where nobody looks any more, some minutes after the last look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from providers.resilience import Cell

T = TypeVar("T")

HELD = timedelta(minutes=3)  # three rounds of the minute's task
KEPT = timedelta(days=1)  # alerts look back for six hours
MOST = 100

_cell = Cell("network:outages", ttl=KEPT.total_seconds())


class Outage(NamedTuple):
    """`is_over`: somebody was heard again."""

    began_at: datetime
    ended_at: datetime
    is_over: bool = False

    def covers(self, moment: datetime) -> bool:
        return self.began_at <= moment < self.ended_at

    def touches(self, start: datetime, end: datetime) -> bool:
        return self.began_at < end and start < self.ended_at


def hold(moment: datetime, since: datetime | None = None) -> None:
    """Nobody answers at this moment, nor did since then."""

    def change(stored: Any) -> tuple[list[list[Any]], None]:
        known = list(_read(stored))
        began_at = min(since or moment, moment)
        if known and not known[-1].is_over and known[-1].began_at <= moment <= known[-1].ended_at:
            began_at = known.pop().began_at
        kept = [one for one in known if one.ended_at > moment - KEPT][-MOST + 1 :]
        return _plain([*kept, Outage(began_at, moment + HELD)]), None

    _cell.update(change)


def end(moment: datetime) -> bool:
    """Somebody answers: is that news?"""

    def change(stored: Any) -> tuple[list[list[Any]], bool]:
        known = list(_read(stored))
        over = [
            Outage(one.began_at, max(one.began_at, min(one.ended_at, moment)), is_over=True)
            for one in known
        ]
        return _plain(over), over != known

    return bool(known_to_be_out()) and _cell.update(change)


def known_to_be_out() -> bool:
    """Did nobody answer at the last look, whenever that was?"""
    return any(not one.is_over for one in outages())


def is_held(moment: datetime) -> bool:
    return any(one.covers(moment) for one in outages())


def outages() -> Sequence[Outage]:
    return list(_read(_cell.peek()))


def without(pages: Mapping[datetime, T], length: timedelta) -> dict[datetime, T]:
    """What was counted by minutes or hours, without those in which it was our own network."""
    known = outages()
    return {
        at: page
        for at, page in pages.items()
        if not any(one.touches(at, at + length) for one in known)
    }


def _read(stored: Any) -> Iterator[Outage]:
    """What is of another shape counts as nothing."""
    for row in stored if isinstance(stored, list) else ():
        match row:
            case [int() | float() as began, int() | float() as ended, bool() as is_over]:
                yield Outage(_moment(began), _moment(ended), is_over)


def _moment(timestamp: float) -> datetime:
    return datetime.fromtimestamp(timestamp, UTC)


def _plain(rows: Sequence[Outage]) -> list[list[Any]]:
    return [[row.began_at.timestamp(), row.ended_at.timestamp(), row.is_over] for row in rows]
