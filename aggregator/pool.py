"""
How many requests may be in Django at once, and how many may wait for a place.

Whatever may wait for a provider has places apart from what never does, so that an operator gets
in, and learns what is wrong, while every other place hangs. Language models take up to a minute
for an answer, so they have places and threads of their own, which their streams use too: whatever
hangs there, hangs alone.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeVar

from aggregator import afterwards
from providers.errors import Overloaded

R = TypeVar("R")

PATIENCE_S = 0.05  # in the queue; the caller hears of it within a tenth of a second
PATIENCE_OF_PEOPLE_S = 5.0


class For(Enum):
    """Whom a place is for."""

    API = "programs' questions"
    MODELS = "texts of language models"
    PAGES = "pages that ask questions"
    HOUSE = "admin, health and status: they ask no provider"


@dataclass
class Places:
    """`free` places and a `queue` before them; all of it on one event loop."""

    free: int
    queue: int
    patience_s: float
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)

    async def take(self) -> None:
        """A place, or Overloaded at once or when patience is over."""
        if self.free:
            self.free -= 1
            return
        if len(self.waiting) >= self.queue:
            raise Overloaded("Every place and the queue are taken.")
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()
        timer = loop.call_later(self.patience_s, _give_up, turn)
        self.waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and not turn.exception():
                self.leave()  # it was given to us while we were being cancelled
            raise
        finally:
            timer.cancel()
            if turn in self.waiting:
                self.waiting.remove(turn)

    def leave(self) -> None:
        while self.waiting:
            turn = self.waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


def _give_up(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(Overloaded("No place became free in time."))


class Pool:
    """Threads for Django: `threads` for the API, some for everything else."""

    PAGES = 8
    HOUSE = 8
    MODELS = 48

    def __init__(self, threads: int, queue: int) -> None:
        self.places = {
            For.API: Places(threads, queue, PATIENCE_S),
            For.PAGES: Places(self.PAGES, 8 * self.PAGES, PATIENCE_OF_PEOPLE_S),
            For.HOUSE: Places(self.HOUSE, 8 * self.HOUSE, PATIENCE_OF_PEOPLE_S),
            For.MODELS: Places(self.MODELS, 2 * self.MODELS, PATIENCE_OF_PEOPLE_S),
        }
        self.threads = ThreadPoolExecutor(threads + self.PAGES + self.HOUSE, "django")
        self.patient = ThreadPoolExecutor(self.MODELS, "models")

    def threads_for(self, whom: For) -> ThreadPoolExecutor:
        return self.patient if whom is For.MODELS else self.threads

    async def run(self, whom: For, work: Callable[[], R]) -> R:
        """What `work` returns, from a thread; Overloaded when there is no place for it."""
        places = self.places[whom]
        await places.take()
        loop = asyncio.get_running_loop()
        found: asyncio.Future[R] = loop.create_future()

        def tell(result: R) -> None:
            loop.call_soon_threadsafe(_tell, found, result)

        done = loop.run_in_executor(self.threads_for(whom), afterwards.followed, work, tell)
        # The place is free when the thread is, even if nobody waits for it any more.
        done.add_done_callback(lambda _: places.leave())
        done.add_done_callback(lambda ended: _end(found, ended))
        return await asyncio.shield(found)


def _tell(found: asyncio.Future[R], result: R) -> None:
    if not found.done():
        found.set_result(result)


def _end(found: asyncio.Future[R], ended: asyncio.Future[R]) -> None:
    """How the thread ended is what it found, unless it told that before."""
    if found.done():
        return
    if ended.cancelled():
        found.cancel()
    elif error := ended.exception():
        found.set_exception(error)
    else:
        found.set_result(ended.result())
