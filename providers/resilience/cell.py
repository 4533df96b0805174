"""
The one place where resilience meets the outside world.

A `Cell` is a small value in the store, changed by a pure function. Threads of one process queue up
for it; processes do not: each writes back only if nobody else did meanwhile, and otherwise runs its
function again on what they wrote. Being pure is what makes running it twice harmless.
"""

from __future__ import annotations

import json
import logging
import os
import random
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from providers.resilience.store import Token, Version, store

logger = logging.getLogger(__name__)

R = TypeVar("R")

SKIP_S = 3.0  # after a failure the store is left alone for so long: a hung one costs its time-out
TRIES = 200

LOCKS = 256  # cells that share one merely wait for each other
MOST_KNOWN = 10_000
GUESS_S = 0.1  # on what was merely seen


@dataclass(frozen=True, slots=True)
class Known:
    """
    What this process left in a cell, or saw there. We go by it while the store is out of reach,
    and guess that it is still there: a right guess saves the reading, and the store refuses to
    write on a wrong one. Where others write between our updates no guess is made, but for a
    moment on what was just seen.
    """

    value: Any
    token: Token = None
    text: str | bytes = ""  # the value again: a guess must not hand out the object itself
    until: float = 0.0  # when it expires; 0 where it is not worth a guess
    seen_at: float = float("-inf")  # when the store said so (monotonic)


_locks = [threading.Lock() for _ in range(LOCKS)]
_known: OrderedDict[str, Known] = OrderedDict()
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
    """
    `update` with a pure function; JSON values only.

    A change that would leave alone what was seen less than `recent_s` ago does not look again.
    """

    def __init__(
        self, key: str, *, ttl: float, often_empty: bool = False, recent_s: float = 0.0
    ) -> None:
        self.key = key
        self.ttl = ttl
        self.often_empty = often_empty  # so much so that it is worth a guess
        self.recent_s = recent_s

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
            known = _known.get(self.key)
            after, result = change(known and known.value)
            _remember(self.key, Known(after))
            return result

    def _update(self, change: Callable[[Any], tuple[Any, R]]) -> R:
        shared = store()
        known = _known.get(self.key)
        guess = self._guess(known)
        if guess is not None:
            after, result = change(guess[0])
            if after == guess[0]:
                if known and time.monotonic() < known.seen_at + self.recent_s:
                    return result
            elif written := self._written(guess[1], after):
                _remember(self.key, written)
                return result
        for attempt in range(TRIES):
            before, token = shared.read(self.key)
            after, result = change(before)
            alone = known is None or known.token == token
            if after == before:
                kept = known if known and alone else Known(after, token)
                _remember(self.key, replace(kept, seen_at=time.monotonic()))
                return result
            if written := self._written(token, after):
                _remember(self.key, written if alone else replace(written, until=0.0))
                return result
            # Somebody else was quicker; spread out so that each round has a winner.
            time.sleep(random.uniform(0, 0.001 * min(attempt + 1, 10)))  # noqa: S311
        raise TimeoutError(f"{self.key} changed {TRIES} times while we tried to change it")

    def _guess(self, known: Known | None) -> tuple[Any, Token] | None:
        """What probably stands there, and its token; None without a good guess."""
        if known is None:
            return (None, None) if self.often_empty else None
        if time.time() >= known.until:
            return None
        return json.loads(known.text), known.token

    def _written(self, token: Token, value: Any) -> Known | None:
        until = time.time() + self.ttl
        written = store().swap(self.key, token, value, self.ttl)
        if not written:
            return None
        return Known(value, written, json.dumps(value), until, time.monotonic())


def peek_many(keys: Iterable[str]) -> dict[str, Any]:
    """The values of many cells in one round trip; keys without a value are absent."""
    wanted = list(keys)
    if not store_is_out():
        try:
            found = store().read_many(wanted)
        except store().errors as error:
            report(error)
        else:
            _see(found)
            return {key: version.value for key, version in found.items()}
    with _known_lock:
        return {key: _known[key].value for key in wanted if key in _known}


def _see(found: Mapping[str, Version]) -> None:
    """Remember what was read: a change of it may follow at once, and need not read it again."""
    seen_at, until = time.monotonic(), time.time() + GUESS_S
    for key, (value, token, text) in found.items():
        known = _known.get(key)
        if known is not None and known.token == token:
            _remember(key, replace(known, seen_at=seen_at))
        else:
            readable = "null" if value is None else text
            _remember(key, Known(value, token, readable, until, seen_at))


def _remember(key: str, known: Known) -> None:
    with _known_lock:
        _known[key] = known
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
