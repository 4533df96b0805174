"""How long to pause before asking the same provider again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Exponential pauses with full jitter: 0..initial, 0..2*initial, up to `ceiling` seconds."""

    attempts: int = 2
    initial: float = 0.05
    ceiling: float = 2.0

    def pauses(self, rng: random.Random | None = None) -> Iterator[float]:
        """The pause after each failed attempt but the last."""
        rng = rng or random.Random()  # noqa: S311 (spreads callers, guards no secret)
        for n in range(self.attempts - 1):
            yield rng.uniform(0, min(self.ceiling, self.initial * 2**n))
