"""
What the Procfile starts ends when the one who started it has gone. honcho dies without a word when
its terminal is closed, and what it leaves would keep its ports, and go on asking providers.

Standard library only.
"""

from __future__ import annotations

import os
import signal
import threading
import time

LOOK_S = 1.0
HELP = "end when the one who started this has gone"


def end_with_it() -> None:
    """SIGTERM to this process when its parent is another than now."""
    threading.Thread(target=_watch, args=(os.getppid(),), name="parent", daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
