"""
What stands between us and one provider.

    with guard.admit(cost=2) as passage:
        payload = http.get(...)
        passage.read(readings)

Entering raises `CircuitOpen`, `Blacklisted` or `OutOfTokens`; leaving reports how it went.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from providers.errors import (
    BadKey,
    Blacklisted,
    Blocked,
    CircuitOpen,
    Failed,
    NoCredit,
    OutOfTokens,
    ProviderError,
    Refused,
    Throttled,
)
from providers.resilience import bucket
from providers.resilience.breaker import Breaker, Circuit, Phase, Reason
from providers.resilience.bucket import Tokens, Window
from providers.resilience.cell import Cell, forget, peek_many
from providers.resilience.store import clean_value

health_log = logging.getLogger("providers.health")

TTL = 31 * 86400.0  # a month's quota must not be forgotten in between
# Whoever ranks providers has just read how they stand: a call that takes no token, and an answer
# that is no news, need not read that again.
RECENT_S = 0.05


@dataclass(frozen=True, slots=True)
class Standing:
    """All we remember about one provider, in one cell: one round trip, never torn."""

    circuit: Circuit = field(default_factory=Circuit)
    tokens: dict[str, Tokens] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "circuit": _plain(self.circuit),
            "tokens": {name: _plain(tokens) for name, tokens in self.tokens.items()},
        }

    @classmethod
    def from_json(cls, value: Any) -> Standing:
        """What the store held; a shape of another version counts as nothing."""
        stored = clean_value(value)
        try:
            kept = dict(stored.get("circuit", {}))
            reason = Reason(kept.pop("reason", ""))
            circuit = Circuit(**_numbers(kept), reason=reason)
            if not all(type(n) is int and n >= 0 for n in (circuit.failures, circuit.throttles)):
                raise TypeError("not as we count")
            known = stored.get("tokens", {}).items()
            tokens = {name: Tokens(**_numbers(dict(level))) for name, level in known}
        except (TypeError, ValueError, AttributeError, OverflowError):
            return cls()
        return cls(circuit, tokens)


def _plain(value: Circuit | Tokens) -> dict[str, Any]:
    """`asdict` of a flat one, at a tenth of the price: it is made several times a call."""
    return {name: getattr(value, name) for name in value.__slots__}


def _numbers(kept: dict[str, Any]) -> dict[str, Any]:
    """What is not blank of `kept`; TypeError where that is anything but finite numbers."""
    found = {name: value for name, value in kept.items() if value is not None}
    if not all(type(value) in (int, float) and isfinite(value) for value in found.values()):
        raise TypeError("not as we write it")
    return found


@dataclass
class Passage:
    """One admitted call. `readings` are what the reply's headers say of the budget."""

    since: float
    cost: float = 1.0
    readings: list[Any] = field(default_factory=list)
    excused: bool = False  # what went wrong is not this guard's business: a key's quota, say
    windows: tuple[Window, ...] = ()  # that it has passed

    def read(self, readings: Iterable[Any]) -> None:
        self.readings.extend(readings)


class Guard:
    """Breaker and windows of one provider, or of one credential."""

    def __init__(
        self,
        name: str,
        breaker: Breaker,
        windows: Sequence[Window] = (),
        *,
        clock: Callable[[], float] = time.time,  # wall clock: shared between machines
    ) -> None:
        self.name = name
        self.breaker = breaker
        self.windows = tuple(windows)
        self.clock = clock
        self.cell = Cell(key(name), ttl=TTL, recent_s=RECENT_S)

    def standing(self) -> Standing:
        return Standing.from_json(self.cell.peek())

    def phase(self, standing: Standing) -> Phase:
        return self.breaker.phase(standing.circuit, self.clock())

    def tokens_left(self, standing: Standing) -> float | None:
        """The share (0 to 1) left of the scarcest window."""
        return bucket.left(self.windows, standing.tokens, self.clock())

    def learn(self, readings: Sequence[Any]) -> None:
        """What somebody said of the budget, other than by a reply's headers."""

        def after(stored: Any) -> tuple[dict[str, Any], None]:
            before = Standing.from_json(stored)
            tokens = self._learn(before.tokens, self.clock(), readings)
            return Standing(before.circuit, tokens).to_json(), None

        self.cell.update(after)

    def reset(self) -> None:
        """Forget all failures and refill all windows."""
        forget(self.cell.key)
        health_log.info("%s: reset by hand", self.name)

    def excuse(self) -> None:
        """Forget the failures: they were our own. What was said and spent stands."""

        def after(stored: Any) -> tuple[dict[str, Any], None]:
            before = Standing.from_json(stored)
            return Standing(self.breaker.excused(before.circuit), before.tokens).to_json(), None

        self.cell.update(after)
        health_log.info("%s: excused", self.name)

    @contextmanager
    def admit(self, cost: float = 1.0, pacing: Sequence[Window] = ()) -> Iterator[Passage]:
        """One call, past our windows and those of `pacing`, which may be others each time."""
        windows = (*self.windows, *pacing)
        since, refusal = self.cell.update(lambda stored: self._admit(stored, cost, windows))
        if refusal:
            raise refusal
        passage = Passage(since, cost, windows=windows)
        try:
            yield passage
        except BaseException as error:
            rest = self._report(passage, error)
            if isinstance(error, Failed) and not error.healthy and rest > (error.wait or 0.0):
                error.wait = rest  # to ask before that would be in vain
            raise
        self._report(passage, None)

    def _admit(
        self, stored: Any, cost: float, windows: Sequence[Window]
    ) -> tuple[dict[str, Any], tuple[float, ProviderError | None]]:
        standing, now = Standing.from_json(stored), self.clock()
        circuit, wait = self.breaker.admit(standing.circuit, now)
        if wait:
            blacklisted = circuit.reason is Reason.BLACKLISTED
            refusal = (Blacklisted if blacklisted else CircuitOpen)(circuit.reason, wait=wait)
            return stored, (now, refusal)
        tokens, wait = bucket.take(windows, standing.tokens, now, cost)
        if wait:  # nothing was taken: no token, and no lease to probe
            spent = bucket.take(self.windows, standing.tokens, now, cost)[1]
            said = "rate budget spent" if spent else "its quota is to last, and others go first"
            return stored, (now, OutOfTokens(said, wait=wait))
        return Standing(circuit, standing.tokens | tokens).to_json(), (now, None)

    def _report(self, passage: Passage, error: BaseException | None) -> float:
        """Note how a call ended; the seconds for which the circuit is open now."""

        def after(stored: Any) -> tuple[dict[str, Any], tuple[Circuit, Circuit]]:
            before = Standing.from_json(stored)
            now = self.clock()
            if passage.excused:
                circuit = self.breaker.released(before.circuit, since=passage.since)
            else:
                circuit = self._judge(before.circuit, now, passage.since, error)
            tokens = before.tokens
            if isinstance(error, Refused):  # no call was made after all
                tokens = bucket.give_back(passage.windows, tokens, now, passage.cost)
            tokens = self._learn(tokens, now, passage.readings)
            return Standing(circuit, tokens).to_json(), (before.circuit, circuit)

        was, now_is = self.cell.update(after)
        if (was.open_until, was.back_at) != (now_is.open_until, now_is.back_at):
            self._tell(now_is)
        return self._rest(now_is)

    def _judge(
        self, circuit: Circuit, now: float, since: float, error: BaseException | None
    ) -> Circuit:
        breaker = self.breaker
        if isinstance(error, NoCredit):
            return breaker.unpaid(circuit, now, wait=error.wait)
        if isinstance(error, Throttled):
            return breaker.throttled(circuit, now, since=since, wait=error.wait)
        if isinstance(error, Blocked):
            return breaker.blocked(circuit, now, wait=error.wait)
        if isinstance(error, BadKey) and not error.keyed:
            return breaker.forbidden(circuit, now)
        match True if error is None else getattr(error, "healthy", None):
            case True:
                return breaker.succeeded(circuit, now, since=since)
            case False:
                return breaker.failed(circuit, now, since=since)
        return breaker.released(circuit, since=since)  # our own bug tells nothing of theirs

    def _learn(
        self, tokens: Mapping[str, Tokens], now: float, readings: Sequence[Any]
    ) -> dict[str, Tokens]:
        learned = dict(tokens)
        for reading in readings:
            for window in self.windows:
                if window.per_s == reading.per_s:
                    learned[window.name] = _learned(window, learned.get(window.name), now, reading)
        return learned

    def _tell(self, circuit: Circuit) -> None:
        rest = self._rest(circuit)
        health_log.info(
            "%s: circuit %s%s",
            self.name,
            self.breaker.phase(circuit, self.clock()),
            f" for {rest:.0f} s ({circuit.reason})" if rest else "",
        )

    def _rest(self, circuit: Circuit) -> float:
        """Seconds until a resting provider is asked again; 0 when it is not resting."""
        return max(0.0, (circuit.open_until or 0.0) - self.clock())


def _learned(window: Window, tokens: Tokens | None, now: float, reading: Any) -> Tokens:
    limit = reading.limit or window.limit
    remaining = reading.remaining
    if remaining is None and reading.used is not None:
        remaining = limit - reading.used
    return window.learn(
        window.learned(tokens).refill(tokens, now),
        now,
        left=remaining,
        limit=reading.limit,
        wait=reading.resets_in_s or 0.0,
    )


def key(name: str) -> str:
    return f"guard:{name}"


def standings(names: Iterable[str]) -> dict[str, Standing]:
    """What is remembered of many providers, in one round trip."""
    wanted = list(names)
    stored = peek_many(map(key, wanted))
    return {name: Standing.from_json(stored.get(key(name))) for name in wanted}
