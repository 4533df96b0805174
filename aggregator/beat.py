"""
What a web process does every second beside answering: it learns of edits and purges, and tells the
others what it counted. In a thread of its own, as none of it may wait for the visitors' work, nor
the event loop for it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

from django.db import close_old_connections

from aggregator import answers, callers, demand, hot
from aggregator.meter import meter
from aggregator.traffic import traffic

logger = logging.getLogger(__name__)

EVERY_S = 1.0

# What is obeyed comes before what is told, as telling may wait for the database's lock.
DUTIES: tuple[Callable[[], None], ...] = (
    callers.reload,
    answers.obey_purges,
    meter.settle,
    hot.settle,
    demand.settle,
    traffic.settle_soon,
)


class Beat(threading.Thread):
    def __init__(self) -> None:
        super().__init__(name="beat", daemon=True)
        self._stop_asked = threading.Event()

    def run(self) -> None:
        while not self._stop_asked.wait(EVERY_S):
            once()

    def stop(self) -> None:
        """Beat a last time, so that what was counted is told."""
        self._stop_asked.set()
        self.join()
        once()
        traffic.settle()


def once() -> None:
    began = time.monotonic()
    for duty in DUTIES:
        try:
            duty()
        except Exception:
            logger.exception("%s.%s failed; it is due again", duty.__module__, duty.__name__)
    close_old_connections()
    if (seconds := time.monotonic() - began) > EVERY_S:
        logger.warning("a beat took %.1f s: edits and limits are obeyed late", seconds)
