"""
What follows a response: the answer is shelved, a claim given back, a line written. No visitor waits
for our bookkeeping, where the thread that found the answer can do it once that is on its way.

    afterwards.later(job)      in a thread of the pool: when its response has left; elsewhere: now
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import close_old_connections

logger = logging.getLogger(__name__)

# The loop has a response to send, and needs the interpreter for it: nobody waits for what follows.
PAUSE_S = 0.001

R = TypeVar("R")
Job = Callable[[], object]
Settle = Callable[[Job], None]  # who sees to it that a job is done: `at_once` or `later`


class _Here(threading.local):
    """The jobs of this thread's request; None where nobody would do them afterwards."""

    jobs: list[Job] | None = None


_here = _Here()


def at_once(job: Job) -> None:
    job()


def later(job: Job) -> None:
    """Do it when this thread's response has left; at once in a thread that has none to send."""
    if _here.jobs is None:
        job()
    else:
        _here.jobs.append(job)


def followed(work: Callable[[], R], tell: Callable[[R], None]) -> R:
    """What `work` returns. Where it put something off, `tell` that at once, and do it then."""
    jobs = _here.jobs = []
    try:
        result = work()
        if jobs:
            tell(result)
            time.sleep(PAUSE_S)
        return result
    finally:
        _here.jobs = None
        _do(jobs)


def _do(jobs: list[Job]) -> None:
    for job in jobs:
        try:
            job()
        except Exception:
            logger.exception("what follows a response could not be done")
    if jobs:
        close_old_connections()
