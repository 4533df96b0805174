"""The worker, and somebody who watches it: what the Procfile starts."""

from __future__ import annotations

import logging
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import Error, connections

from aggregator import schedules
from aggregator.heartbeat import SILENT_S
from providers import parent

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    help = "Runs the worker's cluster, and starts it again when it dies or does nothing any more."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--silent",
            type=float,
            default=SILENT_S,
            metavar="SECONDS",
            help="without a task that ended it is ended and started again (%(default)g)",
        )

        parser.add_argument("--with-parent", action="store_true", help=parent.HELP)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            schedules.begin()
        except Error as error:  # the schedules come round in half a minute anyway
            logger.error("the database is out of reach, the first checks come later: %s", error)
        connections.close_all()
        guard = [sys.executable, "-m", "aggregator.respawn", "--silent", str(options["silent"])]
        guard += ["--with-parent"] if options["with_parent"] else []
        os.chdir(settings.BASE_DIR)
        # Instead of this process: the guard needs no Django in memory.
        os.execv(sys.executable, [*guard, sys.executable, "manage.py", "qcluster"])  # noqa: S606
