"""The places in Django: bounded, given back, and never all taken by the API."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import pool
from aggregator.pool import For, Places, Pool
from providers.errors import Overloaded


class Gate:
    """Work that goes on until it is opened; `entered` counts who is inside."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.entered = threading.Semaphore(0)

    def __call__(self) -> str:
        self.entered.release()
        assert self.opened.wait(20)
        return "through"

    async def holds(self, number: int) -> None:
        for _ in range(number):
            assert await asyncio.to_thread(self.entered.acquire, timeout=10)


def after(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(_awaited(test()), 30))


async def _awaited(awaitable: Awaitable[None]) -> None:
    await awaitable


def test_a_request_beyond_places_and_queue_is_refused_at_once() -> None:
    async def story() -> None:
        gate, places = Gate(), Pool(threads=2, queue=1)
        inside = [asyncio.create_task(places.run(For.API, gate)) for _ in range(2)]
        await gate.holds(2)
        queued = asyncio.create_task(places.run(For.API, gate))
        await asyncio.sleep(0)
        began = time.monotonic()
        with pytest.raises(Overloaded):
            await places.run(For.API, gate)
        assert time.monotonic() - began < pool.PATIENCE_S / 2
        gate.opened.set()
        assert await asyncio.gather(*inside) == ["through"] * 2
        assert await queued == "through"

    after(story)


def test_who_queues_hears_within_a_tenth_of_a_second() -> None:
    async def story() -> None:
        gate, places = Gate(), Pool(threads=1, queue=1)
        inside = asyncio.create_task(places.run(For.API, gate))
        await gate.holds(1)
        began = time.monotonic()
        with pytest.raises(Overloaded):
            await places.run(For.API, gate)
        assert time.monotonic() - began > pool.PATIENCE_S * 0.9
        gate.opened.set()
        await inside
        assert await places.run(For.API, lambda: "again") == "again"

    after(story)


def test_the_house_and_the_pages_get_in_while_the_api_hangs() -> None:
    async def story() -> None:
        gate, places = Gate(), Pool(threads=1, queue=0)
        inside = asyncio.create_task(places.run(For.API, gate))
        await gate.holds(1)
        assert await places.run(For.HOUSE, lambda: "in") == "in"
        assert await places.run(For.PAGES, lambda: "in") == "in"
        gate.opened.set()
        await inside

    after(story)


def test_the_house_gets_in_while_every_page_hangs() -> None:
    async def story() -> None:
        gate, places = Gate(), Pool(threads=1, queue=0)
        inside = [asyncio.create_task(places.run(For.PAGES, gate)) for _ in range(Pool.PAGES)]
        await gate.holds(Pool.PAGES)
        assert await places.run(For.HOUSE, lambda: "in") == "in"
        gate.opened.set()
        await asyncio.gather(*inside)

    after(story)


def test_whatever_language_models_hang_nobody_else_waits() -> None:
    async def story() -> None:
        gate, places = Gate(), Pool(threads=1, queue=0)
        inside = [asyncio.create_task(places.run(For.MODELS, gate)) for _ in range(Pool.MODELS)]
        await gate.holds(Pool.MODELS)
        for _ in range(3 * Pool.MODELS):  # pieces of their streams, which hang too
            places.threads_for(For.MODELS).submit(gate)
        for whom in (For.API, For.PAGES, For.HOUSE):
            assert await places.run(whom, lambda: "in") == "in"
        gate.opened.set()
        await asyncio.gather(*inside)

    after(story)


def test_a_place_stays_taken_until_its_thread_is_done_even_if_nobody_waits_for_it() -> None:
    async def story() -> None:
        gate, places = Gate(), Pool(threads=1, queue=0)
        leaver = asyncio.create_task(places.run(For.API, gate))
        await gate.holds(1)
        leaver.cancel()
        with suppress(asyncio.CancelledError):
            await leaver
        with pytest.raises(Overloaded):
            await places.run(For.API, gate)
        gate.opened.set()
        while not places.places[For.API].free:
            await asyncio.sleep(0.001)
        assert await places.run(For.API, lambda: "free") == "free"

    after(story)


def test_work_that_fails_gives_its_place_back() -> None:
    async def story() -> None:
        places = Pool(threads=1, queue=0)
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await places.run(For.API, lambda: 1 // 0)
            await asyncio.sleep(0)

    after(story)


STEPS = st.lists(st.sampled_from(["take", "leave", "give up", "turn"]), max_size=60)


@given(size=st.integers(1, 3), queue=st.integers(0, 3), steps=STEPS)
def test_places_are_neither_lost_nor_invented(size: int, queue: int, steps: list[str]) -> None:
    async def story() -> None:
        places = Places(size, queue, patience_s=60)
        tasks: list[asyncio.Task[None]] = []
        for step in steps:
            inside = [t for t in tasks if t.done() and not t.cancelled() and not t.exception()]
            waiting = [t for t in tasks if not t.done()]
            if step == "take":
                tasks.append(asyncio.create_task(places.take()))
            elif step == "leave" and inside:
                tasks.remove(inside[0])
                places.leave()
            elif step == "give up" and waiting:
                waiting[0].cancel()
            else:
                await asyncio.sleep(0)
            assert len(inside) <= size
        for _ in range(4):
            await asyncio.sleep(0)
        inside = [t for t in tasks if t.done() and not t.cancelled() and not t.exception()]
        waiting = [t for t in tasks if not t.done()]
        assert places.free + len(inside) == size
        assert len(waiting) <= queue
        assert not (waiting and places.free)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    after(story)
