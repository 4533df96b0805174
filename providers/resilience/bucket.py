"""
Rate budgets as values and rules, in the same shape as `breaker.py`.

A provider may have several windows at once (10 a second and 6,000 a minute); a call costs so many
whole tokens of each, and goes out only when all of them have enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

SLACK_S = 1e-6  # a time as of today is exact to a quarter of a microsecond


@dataclass(frozen=True, slots=True)
class Tokens:
    """What is left of one window, and when that was so. `limit` is what headers taught us."""

    level: float
    at: float
    limit: float | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """
    At most `limit` tokens in any `per_s` seconds, wherever those seconds begin.

    A bucket that holds a whole limit and refills a whole limit lets twice that through in the
    first window. So ours holds `burst` and refills the rest: burst + refill = limit. A call that
    costs more than the burst goes out when the bucket is full, and leaves a debt: where a limit
    must hold to the last token, give `burst` the cost of the dearest call.
    """

    limit: float
    per_s: float
    burst: float = 0.0  # 0: a quarter of the limit, at least one
    lane: str = ""  # for a window whose length changes, and which is known by this instead

    @property
    def capacity(self) -> float:
        return min(max(1.0, (self.burst or self.limit / 4) // 1), self.limit)

    @property
    def per_second(self) -> float:
        # Without anything left to refill, the last of a burst's tokens may come as the next first.
        return max(self.limit - self.capacity, min(1.0, self.limit)) / self.per_s

    @property
    def name(self) -> str:
        return self.lane or f"{self.per_s:g}"

    def learned(self, tokens: Tokens | None) -> Window:
        """This window, narrowed to the limit that the provider's own headers gave."""
        if tokens is None or tokens.limit is None or tokens.limit >= self.limit:
            return self
        return replace(self, limit=tokens.limit, burst=min(self.burst, tokens.limit))

    def refill(self, tokens: Tokens | None, now: float) -> Tokens:
        if tokens is None:
            return Tokens(self.capacity, now)
        if now <= tokens.at:  # drained into the future, or another machine's clock is ahead
            return replace(tokens, level=min(self.capacity, tokens.level))
        level = min(self.capacity, tokens.level + (now - tokens.at) * self.per_second)
        return replace(tokens, level=level, at=now)

    def wait(self, tokens: Tokens, now: float, cost: float) -> float:
        """Seconds until `cost` can be taken; 0 for now."""
        missing_s = (min(cost, self.capacity) - tokens.level) / self.per_second
        return 0.0 if missing_s <= SLACK_S else missing_s + max(0.0, tokens.at - now)

    def learn(
        self, tokens: Tokens, now: float, *, left: float | None, limit: float | None, wait: float
    ) -> Tokens:
        """The provider says `left` tokens of `limit` are left, and all are back after `wait`."""
        if limit is not None and limit > 0:
            tokens = replace(tokens, limit=limit if limit < self.limit else None)
        if left is None:
            return tokens
        if left <= 0 and wait > 0:
            return replace(tokens, level=0.0, at=max(tokens.at, now + wait))
        return replace(tokens, level=min(tokens.level, max(0.0, left)))


def take(
    windows: Sequence[Window], tokens: dict[str, Tokens], now: float, cost: float = 1.0
) -> tuple[dict[str, Tokens], float]:
    """
    Take `cost` of every window, or of none. The new levels, and the seconds to wait: 0 for
    granted.
    """
    found, wait = {}, 0.0
    for window in windows:
        narrowed = window.learned(tokens.get(window.name))
        level = narrowed.refill(tokens.get(window.name), now)
        wait = max(wait, narrowed.wait(level, now, cost))
        spent = replace(level, level=level.level - cost)
        found[window.name] = (level, spent)
    return {name: pair[0] if wait else pair[1] for name, pair in found.items()}, wait


def give_back(
    windows: Sequence[Window], tokens: dict[str, Tokens], now: float, cost: float = 1.0
) -> dict[str, Tokens]:
    """The levels after a call that was granted `cost` was not made after all."""
    found = dict(tokens)
    for window in windows:
        if known := tokens.get(window.name):
            narrowed = window.learned(known)
            level = narrowed.refill(known, now)
            full = min(narrowed.capacity, level.level + cost)
            found[window.name] = replace(level, level=full)
    return found


def left(windows: Sequence[Window], tokens: dict[str, Tokens], now: float) -> float | None:
    """The share (0 to 1) left of the scarcest window; None without windows."""
    shares = []
    for window in windows:
        narrowed = window.learned(tokens.get(window.name))
        shares.append(narrowed.refill(tokens.get(window.name), now).level / narrowed.capacity)
    return max(0.0, min(shares)) if shares else None
