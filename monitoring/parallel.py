"""Looking at many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

T = TypeVar("T")

# Checks under way at once, each with a connection of its own: PostgreSQL allows 100 by default.
WORKERS = 48


def in_parallel(work: Iterable[Callable[[], T]]) -> list[T]:
    """What each finds, in their order. A thread opens one connection, however much it does."""
    jobs = list(work)
    found: dict[int, T] = {}
    left = iter(enumerate(jobs))  # shared: to take the next of a list is one step

    def do_some() -> None:
        try:
            for number, job in left:
                found[number] = job()
        finally:
            connections.close_all()  # this thread's own

    with ThreadPoolExecutor(WORKERS, thread_name_prefix="checks") as pool:
        for done in [pool.submit(do_some) for _ in jobs[:WORKERS]]:
            done.result()
    return [found[number] for number in range(len(jobs))]
