"""Rate limits of the providers: fixed windows of the clock, counted exactly across threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Budget:
    """At most `size` units of cost in every `seconds`, for everything that shares `scope`."""

    scope: str
    size: int
    seconds: int
    cost: int = 1


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used in the window of each budget, and how long to wait when one was exceeded."""

    used: tuple[int, ...] = ()
    wait: float | None = None


class Meter:
    """Counts what every budget was charged; refuses only if `enforced`."""

    def __init__(self, enforced: bool = False, clock: Callable[[], float] = time.time) -> None:
        self.enforced = enforced
        self.clock = clock
        self._used: dict[tuple[str, int], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def spend(self, budgets: tuple[Budget, ...]) -> Usage:
        now = self.clock()
        with self._lock:
            used = tuple(self._charge(budget, now) for budget in budgets)
        waits = [
            budget.seconds - now % budget.seconds
            for budget, count in zip(budgets, used, strict=True)
            if self.enforced and count > budget.size
        ]
        return Usage(used, max(waits, default=None))

    def _charge(self, budget: Budget, now: float) -> int:
        key, window = (budget.scope, budget.seconds), int(now // budget.seconds)
        before, count = self._used.get(key, (window, 0))
        count = (count if before == window else 0) + budget.cost
        self._used[key] = window, count
        return count
