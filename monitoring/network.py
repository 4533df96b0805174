"""Whether a round of checks just found that nobody answers: then it is our own network."""

from __future__ import annotations

from datetime import datetime

from providers.resilience import Cell

HELD_S = 180.0  # three rounds of the minute's task

_cell = Cell("network:held", ttl=7 * 86400.0)


def hold(moment: datetime) -> None:
    _cell.update(lambda last: (max(float(last or 0.0), moment.timestamp()), None))


def is_held(moment: datetime) -> bool:
    last = _cell.peek()
    return bool(last) and moment.timestamp() - float(last or 0.0) < HELD_S
