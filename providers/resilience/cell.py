"""
The one place where resilience meets the outside world.

A `Cell` is a small value in the store, changed by a pure function. Threads of one process queue up
for it; processes do not: each writes back only if nobody else did meanwhile, and otherwise runs its
function again on what they wrote. Being pure is what makes running it twice harmless.
"""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from providers.resilience.store import store

logger = logging.getLogger(__name__)

R = TypeVar("R")

SKIP_S = 3.0  # after a failure the store is left alone for so long: a hung one costs its time-out
TRIES = 200

LOCKS = 256  # cells that share one merely wait for each other
MOST_KNOWN = 10_000

_locks = [threading.Lock() for _ in range(LOCKS)]
_known: OrderedDict[str, Any] = OrderedDict()  # what we go by while the store is out of reach
_known_lock = threading.Lock()
_skip_until = 0.0


def store_is_out(clock: Callable[[], float] = time.monotonic) -> bool:
    """Is the shared store being left alone after a failure?"""
    return clock() < _skip_until


def report(error: Exception, clock: Callable[[], float] = time.monotonic) -> None:
    """Say that the store failed, and leave it alone for a while."""
    global _skip_until
    _skip_until = clock() + SKIP_S
    logger.error("the shared store is out of reach, carrying on without it: %s", error)


class Cell:
    """`update` with a pure function; JSON values only."""

    def __init__(self, key: str, *, ttl: float) -> None:
        self.key = key
        self.ttl = ttl

    def peek(self) -> Any:
        """The value now; None when there is none."""
        return peek_many([self.key]).get(self.key)

    def update(self, change: Callable[[Any], tuple[Any, R]]) -> R:
        """
        Store what `change(value)` makes of the value, and return its second result.

        When the store is out of reach this process goes on by itself from the value it knew last:
        a guard exists to keep a bad provider from hurting us, so it must not start hurting us.
        """
        with _locks[hash(self.key) % LOCKS]:
            if not store_is_out():
                try:
                    return self._update(change)
                except store().errors as error:
                    report(error)
            after, result = change(_known.get(self.key))
            _remember(self.key, after)
            return result

    def _update(self, change: Callable[[Any], tuple[Any, R]]) -> R:
        shared = store()
        for attempt in range(TRIES):
            before, token = shared.read(self.key)
            after, result = change(before)
            if after == before or shared.swap(self.key, token, after, self.ttl):
                _remember(self.key, after)
                return result
            # Somebody else was quicker; spread out so that each round has a winner.
            time.sleep(random.uniform(0, 0.001 * min(attempt + 1, 10)))  # noqa: S311
        raise TimeoutError(f"{self.key} changed {TRIES} times while we tried to change it")


def peek_many(keys: Iterable[str]) -> dict[str, Any]:
    """The values of many cells in one round trip; keys without a value are absent."""
    wanted = list(keys)
    if not store_is_out():
        try:
            return store().read_many(wanted)
        except store().errors as error:
            report(error)
    with _known_lock:
        return {key: _known[key] for key in wanted if key in _known}


def _remember(key: str, value: Any) -> None:
    with _known_lock:
        _known[key] = value
        _known.move_to_end(key)
        if len(_known) > MOST_KNOWN:
            _known.popitem(last=False)


def forget(key: str) -> None:
    """Empty a cell: an administrator's reset."""
    with _known_lock:
        _known.pop(key, None)
    try:
        store().delete(key)
    except store().errors as error:
        report(error)


def _after_fork() -> None:
    """A child must not wait for a lock that a thread of its parent held."""
    global _known_lock
    _locks[:] = [threading.Lock() for _ in range(LOCKS)]
    _known_lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork)
