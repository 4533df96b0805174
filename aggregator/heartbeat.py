"""When the worker last finished a task: the only proof that it works is work done."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django_q.signals import post_execute_in_worker

from providers.resilience import Cell

SILENT_S = 180.0  # three rounds of the minute's task

logger = logging.getLogger(__name__)

_cell = Cell("heartbeat:worker", ttl=7 * 86400.0)


def beat(clock: Callable[[], float] = time.time) -> None:
    """A task has come to its end. Our guard on this machine is told by a file: see `respawn`."""
    moment = clock()
    if settings.HEARTBEAT_FILE:
        try:
            Path(settings.HEARTBEAT_FILE).touch()
        except OSError as error:
            logger.error("the guard is not told that we are alive: %s", error)
    _cell.update(lambda last: (max(float(last or 0.0), moment), None))


def of_task(task: Mapping[str, Any], **kwargs: Any) -> None:
    """Receives every task of the queue that has come to its end, whichever app's it is."""
    if task.get("success"):
        try:
            beat()
        except TimeoutError:  # of a cell that everybody writes; the worker must not die of it
            logger.exception("the worker's sign of life could not be written")


def watch() -> None:
    post_execute_in_worker.connect(of_task, dispatch_uid="aggregator.heartbeat")


def age_s(clock: Callable[[], float] = time.time) -> float | None:
    """Seconds since the worker last finished a task; None when it never did."""
    last = _cell.peek()
    return None if not last else max(0.0, clock() - float(last))


def is_active(clock: Callable[[], float] = time.time) -> bool:
    age = age_s(clock)
    return age is not None and age < SILENT_S
