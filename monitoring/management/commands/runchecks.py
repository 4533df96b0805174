"""
The same watch without the queue: a plain loop, for large sites and for when one looks.

It goes on while the database is away, by the timetable it knew, and keeps on disk what it finds.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand
from django.db import Error, close_old_connections
from django.utils.timezone import now

from monitoring import cycle, outage, prepared, tasks
from providers import calls
from providers.roster import Remembered

logger = logging.getLogger(__name__)

EVERY_S = 1.0
WATCH_EVERY_S = 60.0  # figures and notices, as the worker does
TIMETABLE_S = 30.0


class Command(BaseCommand):
    help = "Checks whatever is due, again and again, until SIGTERM or Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="one round, then end")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["once"]:
            self.stdout.write(tasks.run_checks())
            return
        stop = threading.Event()

        def ask_to_stop(number: int, frame: FrameType | None) -> None:
            stop.set()

        signal.signal(signal.SIGTERM, ask_to_stop)
        signal.signal(signal.SIGINT, ask_to_stop)
        watched = float("-inf")
        timetable = Remembered(outage.Timetable.current, TIMETABLE_S)
        while not stop.wait(EVERY_S):
            try:
                timetable.get()
                if cycle.run().checked:
                    timetable.outdate()
                    prepared.roll_up(now())
                if time.monotonic() - watched >= WATCH_EVERY_S:
                    watched = time.monotonic()
                    tasks.watch()
                    tasks.send_notices()
            except Error as error:  # it comes back; so do we
                logger.error("the database is out of reach: %s", error)
                _go_on(timetable.peek())
            close_old_connections()
        calls.flush()


def _go_on(known: outage.Timetable | None) -> None:
    if known is None:
        return  # there was no database since we began: nobody knows what to check
    try:
        known.run()
    except (Error, OSError):
        logger.exception("no checks without the database; they are due again")
