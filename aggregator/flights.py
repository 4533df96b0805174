"""
One call at a time for each question, within this process.

`join`: the first caller flies, those who come while it is under way share what it brings, also
its failure. `behind`: the same without waiting, with a rest after a failure.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as Late

from aggregator import fanout
from aggregator.answers import Answer, Cached
from providers import purposes
from providers.errors import GatewayError, Unanswered
from providers.resilience import Deadline
from providers.resilience.store import let_go

logger = logging.getLogger(__name__)

REST_S = 2.0  # after a failed refresh, unless the providers said when to come again
LONGEST_REST_S = 30.0

_lock = threading.Lock()
_flying: dict[str, Future[Answer]] = {}
_behind: set[str] = set()
_rests: dict[str, float] = {}  # question -> when a refresh may be tried again (monotonic)


def join(key: str, deadline: Deadline, fly: Callable[[], Answer]) -> Answer:
    """What `fly` returns or raises, for all who ask for `key` meanwhile."""
    with _lock:
        flight = _flying.get(key)
        mine = flight is None
        if flight is None:
            flight = _flying[key] = Future()
    if mine:
        _fly(key, flight, fly)
        return flight.result()
    let_go()
    try:
        return flight.result(timeout=deadline.left()).as_(Cached.COALESCED)
    except Late:
        raise Unanswered("another caller is asking, and has not heard back in time") from None


def _fly(key: str, flight: Future[Answer], fly: Callable[[], Answer]) -> None:
    try:
        result = fly()
    except BaseException as error:  # noqa: BLE001 (those who wait hear of it)
        with _lock:
            _flying.pop(key, None)
        flight.set_exception(error)
    else:
        with _lock:
            _flying.pop(key, None)
        flight.set_result(result)


def behind(key: str, fly: Callable[[], Answer]) -> bool:
    """Have a thread fly, unless one does already; False while it rests after a failure."""
    with _lock:
        if key in _behind:
            return True
        if time.monotonic() < _rests.get(key, 0.0):
            return False
        _behind.add(key)
        _rests.pop(key, None)
    fanout.submit(lambda: _refresh(key, fly))
    return True


def rests(key: str) -> bool:
    """Did the last refresh fail, and is it too early for another?"""
    return time.monotonic() < _rests.get(key, 0.0)


def _refresh(key: str, fly: Callable[[], Answer]) -> None:
    try:
        with purposes.serving("refresh"):
            fly()
    except GatewayError as error:
        rest = min(max(error.wait or 0.0, REST_S), LONGEST_REST_S)
        _rests[key] = time.monotonic() + rest
        logger.warning("%s: not refreshed, again in %.0f s: %s", key, rest, error)
    except Exception:
        _rests[key] = time.monotonic() + LONGEST_REST_S
        logger.exception("%s: not refreshed, by a fault of our own", key)
    finally:
        with _lock:
            _behind.discard(key)
            if len(_rests) > 10_000:
                _rests.clear()


def forget() -> None:
    """Forget rests after failures: for tests, and after an administrator's reset."""
    _rests.clear()


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    _flying.clear()
    _behind.clear()


os.register_at_fork(after_in_child=_after_fork)
