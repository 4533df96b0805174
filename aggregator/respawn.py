"""
`python -m aggregator.respawn COMMAND...` runs a command, and again when it ends by itself.

SIGTERM and SIGINT end both. They reach the command's first process alone, in a process group of
its own: django-q's cluster stops its processes one by one, and hangs when they are gone before.
Standard library only, as it stays in memory beside the worker.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from types import FrameType

PAUSE_S = 2.0  # between an end and the next start: what dies at once must not keep a core busy


def keep_running(command: Sequence[str], sleep: Callable[[float], None] = time.sleep) -> None:
    """Until SIGTERM or SIGINT; returns when the command has stopped."""
    told: list[int] = []  # the signals that said stop
    children: list[subprocess.Popen[bytes]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        told.append(number)
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not told:
        children[:] = [subprocess.Popen(command, process_group=0)]
        if told:  # before there was a child to pass it to
            children[0].terminate()
        code = children[0].wait()
        _sweep(children[0].pid)
        if not told:
            sys.stderr.write(f"{command[-1]} ended with {code}; it is started again\n")
            sleep(PAUSE_S)


def _sweep(group: int) -> None:
    """What a command that was killed leaves behind would work on beside its successor."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    keep_running(sys.argv[1:])
