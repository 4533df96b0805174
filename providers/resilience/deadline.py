"""The moment by which the caller wants an answer."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """Handed down from the view to the socket, shortened on the way, never renewed."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.at = clock() + seconds

    def left(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.at - self.clock())

    def allows(self, pause: float) -> bool:
        return pause < self.left()

    def within(self, seconds: float) -> Deadline:
        """A deadline no later than this one, at most `seconds` from now."""
        return Deadline(min(seconds, self.left()), self.clock)
