"""
A web process whose event loop stands still answers nobody, though its threads go on and tell the
supervisor that it lives. It says where it stands, and ends, so that another is started.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import threading
import time
from collections.abc import Callable

logger = logging.getLogger("aggregator.serve")

LOOK_S = 3.0
# Looks without a beat, not seconds: of a machine that slept for an hour that is only one.
MOST_MISSED = 10


class Watch:
    """`beat` is called on the loop each second; whoever looks calls `gone` when beats fail."""

    def __init__(self, gone: Callable[[], None]) -> None:
        self.gone = gone
        self.beats = 0

    def beat(self) -> None:
        self.beats += 1
        if self.beats == 1:
            threading.Thread(target=self._look, name="stuck", daemon=True).start()

    def _look(self) -> None:
        seen, missed = 0, 0
        while missed < MOST_MISSED:
            time.sleep(LOOK_S)
            missed = missed + 1 if self.beats == seen else 0
            seen = self.beats
        self.gone()


def _end() -> None:
    logger.critical("the event loop stands still: this process ends, another will be started")
    faulthandler.dump_traceback()
    os._exit(1)  # whatever ends more gently needs the loop


watch = Watch(_end)
