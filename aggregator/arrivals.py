"""
Price questions that are on their way through Django and have not said their symbols yet.

The edge announces each as it lets it in. `batching` waits for them, a little: questions that come
together go out together, although Django takes them in one by one.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

R = TypeVar("R")


class Arrival:
    """One question on its way."""

    def end(self) -> None:
        """It has arrived, or will not."""
        with _changed:
            _coming.discard(self)
            _changed.notify_all()

    def carried_by(self, work: Callable[[], R]) -> Callable[[], R]:
        """`work`, in whose thread `arrived` is about this question."""

        def carry() -> R:
            _here.arrival = self
            try:
                return work()
            finally:
                _here.arrival = None

        return carry


CROWD = 3  # so many on their way together are no accident: more will follow
CROWD_S = 1.0  # for so long after that
PAUSE_S = 0.05  # between two of a crowd: the event loop shares its core with Django

_changed = threading.Condition()
_coming: set[Arrival] = set()
_crowded_at = float("-inf")
_here = threading.local()


@contextmanager
def announced() -> Iterator[Arrival]:
    """A question is on its way until it says so itself, or until the block ends."""
    global _crowded_at
    arrival = Arrival()
    with _changed:
        _coming.add(arrival)
        if len(_coming) >= CROWD:
            _crowded_at = time.monotonic()
        _changed.notify_all()
    try:
        yield arrival
    finally:
        arrival.end()


def arrived() -> None:
    """The question of this thread, if it was announced, need not be waited for any more."""
    arrival: Arrival | None = getattr(_here, "arrival", None)
    if arrival is not None:
        arrival.end()


def wait(seconds: float, enough: Callable[[], bool] = lambda: False) -> None:
    """Until nobody is on the way any more and nobody follows, there is enough, or time is up."""
    end = time.monotonic() + seconds
    with _changed:
        while not enough() and (left := end - time.monotonic()) > 0:
            if _coming:
                _changed.wait_for(lambda: not _coming or enough(), left)
            elif not _follows(min(PAUSE_S, left)):
                return


def _follows(seconds: float) -> bool:
    """Does somebody come within `seconds`, there being a crowd?"""
    if time.monotonic() > _crowded_at + CROWD_S:
        return False
    return _changed.wait_for(lambda: bool(_coming), seconds)


def _after_fork() -> None:
    global _changed
    _changed = threading.Condition()
    _coming.clear()


os.register_at_fork(after_in_child=_after_fork)
