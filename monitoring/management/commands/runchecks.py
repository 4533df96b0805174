"""The same watch without the queue: a plain loop, for large sites and for when one looks."""

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

from monitoring import cycle, rollups, tasks
from providers import calls

logger = logging.getLogger(__name__)

EVERY_S = 1.0
WATCH_EVERY_S = 60.0  # figures and notices, as the worker does


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
        while not stop.wait(EVERY_S):
            try:
                if cycle.run().checked:
                    rollups.run(now())
                if time.monotonic() - watched >= WATCH_EVERY_S:
                    watched = time.monotonic()
                    tasks.watch()
                    tasks.send_notices()
            except Error as error:  # it comes back; so do we
                logger.error("the database is out of reach: %s", error)
            close_old_connections()
        calls.flush()
