"""Do several things at once, in a pool of known size; errors come back as values."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache, partial
from typing import TypeVar

from django.db import connection

from providers import purposes

T = TypeVar("T")
R = TypeVar("R")

WORKERS = 32


@cache
def pool() -> ThreadPoolExecutor:
    """This process's threads for work that is not a visitor's own."""
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="fanout")


def submit(work: Callable[[], R]) -> Future[R]:
    """In another thread, for the same purpose."""
    return pool().submit(_clean, work, purposes.current())


def each(work: Callable[[T], R], items: Iterable[T]) -> list[Future[R]]:
    """`work` for every item at once; the futures in the items' order."""
    return [submit(partial(work, item)) for item in items]


def _clean(work: Callable[[], R], purpose: str) -> R:
    try:
        with purposes.serving(purpose):
            return work()
    finally:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


os.register_at_fork(after_in_child=pool.cache_clear)
