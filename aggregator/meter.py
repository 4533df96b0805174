"""
How often each caller asked in this minute.

Counted in the process and settled every second with what the other processes counted: so counting
costs no round trip, and a caller overshoots by a second's worth at most.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from aggregator.callers import Caller
from providers.resilience import Cell

WINDOW_S = 60
# About so many callers of a minute are told apart; beyond it new addresses share one count, so that
# somebody who has very many fills no memory and outruns no limit.
MOST_CALLERS = 10_000
NEWCOMERS = "newcomers"


class Verdict(NamedTuple):
    allowed: bool
    limit: int
    remaining: int
    resets_in_s: int

    def headers(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"x-ratelimit-limit", b"%d" % self.limit),
            (b"x-ratelimit-remaining", b"%d" % self.remaining),
            (b"x-ratelimit-reset", b"%d" % self.resets_in_s),
        ]

    def lines(self) -> bytes:
        """The same as HTTP/1.1 has them, and the end of the head."""
        return _LINES % self[1:]


_LINES = b"x-ratelimit-limit: %d\r\nx-ratelimit-remaining: %d\r\nx-ratelimit-reset: %d\r\n\r\n"


class Meter:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._cell = Cell("meter", ttl=2 * WINDOW_S)
        self._lock = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._window, self._ends = -1, 0
        self._settled: dict[str, int] = {}  # by all processes, as of the last settling
        self._since: dict[str, int] = {}  # by this process since then

    def count(self, caller: Caller) -> Verdict:
        """Count one request of `caller`; a refused one is not counted."""
        now = self.clock()
        name, limit = caller.name, caller.per_minute
        with self._lock:
            if not self._ends - WINDOW_S <= now < self._ends:  # hot: no call for nothing
                self._turn(now)
            settled, since = self._settled.get(name), self._since.get(name)
            if settled is since is None and caller.anonymous and self._is_full():
                name = NEWCOMERS
                settled, since = self._settled.get(name), self._since.get(name)
            used = (settled or 0) + (since or 0)
            allowed = used < limit
            if allowed:
                self._since[name] = (since or 0) + 1
                used += 1
            ends = self._ends
        return Verdict(allowed, limit, limit - used if used < limit else 0, ends - int(now))

    def settle(self) -> None:
        """Tell the other processes what was counted here, and learn what they counted."""
        with self._lock:
            self._turn(self.clock())
            if not self._since and not self._settled:
                return
            window, mine = self._window, self._since
            self._since = {}
            self._settled = _sum(self._settled, mine)

        def add(shared: Any) -> tuple[Any, dict[str, int]]:
            known, counts = _read(shared)
            if known > window:
                return shared, {}  # another process's clock is ahead: its minute has begun
            total = _sum(counts, mine) if known == window else mine
            return {"window": window, "counts": total}, total

        total = self._cell.update(add)
        with self._lock:
            if window == self._window:
                for name, number in total.items():
                    self._settled[name] = max(number, self._settled.get(name, 0))

    def _is_full(self) -> bool:
        return len(self._settled) + len(self._since) >= MOST_CALLERS

    def _turn(self, now: float) -> None:
        window = int(now // WINDOW_S)
        if window != self._window:
            self._window, self._ends = window, (window + 1) * WINDOW_S
            self._settled, self._since = {}, {}


def _read(shared: Any) -> tuple[int, dict[str, int]]:
    """What the cell holds: a window, and what was counted in it."""
    try:
        return int(shared["window"]), dict(shared["counts"])
    except (TypeError, KeyError, ValueError):
        return -1, {}


def _sum(one: dict[str, int], other: dict[str, int]) -> dict[str, int]:
    total = dict(one)
    for name, number in other.items():
        total[name] = total.get(name, 0) + number
    return total


meter = Meter()


def _after_fork() -> None:
    meter._lock = threading.Lock()
    meter.forget()


os.register_at_fork(after_in_child=_after_fork)
