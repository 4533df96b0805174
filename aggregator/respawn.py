"""
`python -m aggregator.respawn [--silent SECONDS] [--with-parent] COMMAND...` runs a command, and
again when it ends by itself, or when no sign of life of it was seen for so long: a cluster whose
processes wait for each other lives, does nothing, and does not even hear SIGTERM.

The sign of life is a file, named to the command as HEARTBEAT_FILE, that it touches after each piece
of work. No database is asked, so none can stop us; and where one is away, the command is restarted
ever more rarely.

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
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from providers import parent

PAUSE_S = 2.0  # between an end and the next start: what dies at once must not keep a core busy
GRACE_S = 30.0  # for a silent one to stop when it is told to
GOODBYE_S = 90.0  # for any: a task of the worker may take 55 seconds
MOST_PATIENCE_S = 15 * 60.0
OFTEN, OFTEN_S = 3, 3600.0  # so many silent ends in so long are worth an alarm


@dataclass
class Watch:
    """When the last sign of life was seen. Only changes of the file count, whatever its time is."""

    file: Path
    silent_s: float
    clock: Callable[[], float] = time.monotonic  # it stands still while the machine sleeps
    fruitless: int = 0  # restarts in a row after which nothing was heard
    ends: list[float] = field(default_factory=list)
    _seen: int = 0
    _since: float = 0.0

    def begin(self) -> None:
        self._seen, self._since = self._mark(), self.clock()

    def is_silent(self) -> bool:
        """Was nothing heard for too long? Twice as long after each restart that changed nothing."""
        if (mark := self._mark()) != self._seen:
            self._seen, self._since, self.fruitless = mark, self.clock(), 0
        patience = min(self.silent_s * 2.0**self.fruitless, max(MOST_PATIENCE_S, self.silent_s))
        return self.clock() - self._since > patience

    def note_end(self) -> int:
        """A silent one is ended; how many were within the last hour."""
        self.fruitless = min(self.fruitless + 1, 30)
        now = self.clock()
        self.ends = [*(end for end in self.ends if now - end < OFTEN_S), now]
        return len(self.ends)

    def _mark(self) -> int:
        try:
            return self.file.stat().st_mtime_ns
        except FileNotFoundError:
            return 0


def keep_running(
    command: Sequence[str], watch: Watch, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Until SIGTERM or SIGINT; returns when the command has stopped."""
    told: list[int] = []  # the signals that said stop
    children: list[subprocess.Popen[bytes]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        told.append(number)
        for child in children:
            child.terminate()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    named = ["env", f"HEARTBEAT_FILE={watch.file}", *command]  # `env` becomes the command
    while not told:
        watch.begin()
        children[:] = [subprocess.Popen(named, process_group=0)]
        if told:  # before there was a child to pass it to
            children[0].terminate()
        code = _until_its_end(children[0], watch, told)
        _sweep(children[0].pid)
        if not told:
            _say(f"{command[-1]} ended with {code}; it is started again")
            sleep(PAUSE_S)


def _until_its_end(child: subprocess.Popen[bytes], watch: Watch, told: Sequence[int]) -> int:
    """Its exit code, by its own will or ours."""
    look_s = min(5.0, max(0.05, watch.silent_s / 4))
    while True:
        try:
            return child.wait(look_s)
        except subprocess.TimeoutExpired:
            if told:
                return _end(child, GOODBYE_S)
            if watch.is_silent():
                number = watch.note_end()
                _say(f"no sign of life for {watch.silent_s:g} s: the command is ended")
                if number >= OFTEN:
                    _say(f"CRITICAL: that was number {number} within an hour")
                return _end(child, min(GRACE_S, watch.silent_s))


def _end(child: subprocess.Popen[bytes], patience_s: float) -> int:
    """Ask it to stop, and make it."""
    child.terminate()
    try:
        return child.wait(patience_s)
    except subprocess.TimeoutExpired:
        _sweep(child.pid)
        return child.wait()


def _sweep(group: int) -> None:
    """What a command that was killed leaves behind would work on beside its successor."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def main(words: Sequence[str]) -> None:
    silent_s, command = float("inf"), list(words)
    if command[:1] == ["--silent"]:
        silent_s, command = float(command[1]), command[2:]
    if command[:1] == ["--with-parent"]:
        parent.end_with_it()
        command = command[1:]
    with tempfile.TemporaryDirectory(prefix="heartbeat-") as folder:
        keep_running(command, Watch(Path(folder) / "beat", silent_s))


if __name__ == "__main__":
    main(sys.argv[1:])
