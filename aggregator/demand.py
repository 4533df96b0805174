"""
What is asked most, so that the worker can keep those answers warm.

Counted in the process and settled every second into one small shared book for each hour.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from providers.datasets import Query, from_spec, spec
from providers.resilience import Cell
from providers.resilience.cell import peek_many

HOUR_S = 3600
MOST = 300  # questions of an hour that are told apart; the least asked are forgotten

_lock = threading.Lock()
_counted: Counter[Query] = Counter()


def note(query: Query, times: int = 1) -> None:
    """`query` was asked so many times more."""
    with _lock:
        _counted[query] += times


def settle(clock: Callable[[], float] = time.time) -> None:
    """Add what was counted here to the book of this hour."""
    global _counted
    with _lock:
        mine, _counted = _counted, Counter()
    if not mine:
        return
    spelled = Counter({json.dumps(spec(query)): number for query, number in mine.items()})

    def add(shared: Any) -> tuple[dict[str, int], None]:
        total = Counter(shared if isinstance(shared, dict) else {}) + spelled
        return dict(total.most_common(MOST)), None

    Cell(_book(clock()), ttl=2 * HOUR_S).update(add)


def most_asked(
    number: int, *, least: int = 2, clock: Callable[[], float] = time.time
) -> list[Query]:
    """The questions asked at least `least` times in this hour and the last, most asked first."""
    now = clock()
    total: Counter[str] = Counter()
    for book in peek_many([_book(now), _book(now - HOUR_S)]).values():
        total.update(book if isinstance(book, dict) else {})
    found = []
    for spelled, times in total.most_common(number):
        if times < least:
            break
        try:
            found.append(from_spec(json.loads(spelled)))
        except (ValueError, TypeError, KeyError, StopIteration):
            continue  # written down by another version
    return found


def _book(now: float) -> str:
    return f"demand:{int(now // HOUR_S)}"


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _counted.clear()


os.register_at_fork(after_in_child=_after_fork)
