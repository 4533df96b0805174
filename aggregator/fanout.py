"""Do several things at once, in pools of known size; errors come back as values."""

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
CROWD = 64  # all providers of two questions at once
ASIDE = 24  # parts of visitors' questions
PATIENT = 24  # questions to language models, which may hang


@cache
def pool() -> ThreadPoolExecutor:
    """This process's threads for work that is not a visitor's own."""
    return ThreadPoolExecutor(WORKERS, thread_name_prefix="fanout")


@cache
def crowd() -> ThreadPoolExecutor:
    """
    Threads for the parts of one work. Whoever waits for them may sit in `pool` himself: were they
    the same, those who wait could leave no thread for what they wait for.
    """
    return ThreadPoolExecutor(CROWD, thread_name_prefix="crowd")


@cache
def beside() -> ThreadPoolExecutor:
    """
    Threads that ask the gateway for a visitor who asked several things. They wait for those of
    `pool` and `crowd`, and nobody there waits for them.
    """
    return ThreadPoolExecutor(ASIDE, thread_name_prefix="beside")


@cache
def patient() -> ThreadPoolExecutor:
    """Threads that wait for language models: when all of them hang, nothing else does."""
    return ThreadPoolExecutor(PATIENT, thread_name_prefix="patient")


def submit(work: Callable[[], R]) -> Future[R]:
    """In another thread, for the same purpose."""
    return pool().submit(_clean, work, purposes.current())


def each(work: Callable[[T], R], items: Iterable[T]) -> list[Future[R]]:
    """`work` for every item at once, in `crowd`; the futures in the items' order."""
    return [crowd().submit(_clean, partial(work, item), purposes.current()) for item in items]


def aside(work: Callable[[T], R], items: Iterable[T]) -> list[Future[R]]:
    """`work` for every item at once, in `beside`; the futures in the items' order."""
    return [beside().submit(_clean, partial(work, item), purposes.current()) for item in items]


def apart(work: Callable[[], R]) -> Future[R]:
    """In a thread of `patient`: for what may take long, and is done without when it does."""
    return patient().submit(_clean, work, purposes.current())


def close() -> None:
    """Finish what is under way, and begin nothing more."""
    for threads in (pool(), crowd(), beside(), patient()):
        threads.shutdown(cancel_futures=True)


def _after_fork() -> None:
    pool.cache_clear()
    crowd.cache_clear()
    beside.cache_clear()
    patient.cache_clear()


def _clean(work: Callable[[], R], purpose: str) -> R:
    try:
        with purposes.serving(purpose):
            return work()
    finally:
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


os.register_at_fork(after_in_child=_after_fork)
