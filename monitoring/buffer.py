"""
Lines on disk, in order, until somebody takes them: what cannot be written elsewhere just now.

Any number of processes may append, and one at a time takes. Two files: what arrives goes to
`waiting`; to take is to rename it to `taken`, write that elsewhere, and delete it. So who dies at
any moment loses nothing: at worst lines are written again, which their writer has to bear.

A folder on a local disk: the locks are `flock`'s.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

logger = logging.getLogger("monitoring.checks")

MOST = 20_000  # lines; some 10 MB
SLACK = 0.1  # so that dropping the oldest, which writes the file anew, is rare


class Buffer:
    """At most `most` lines in a folder; beyond that the oldest go, counted."""

    def __init__(self, folder: Path, most: int = MOST) -> None:
        self.folder = folder
        self.most = most
        self._waiting = folder / "waiting.jsonl"
        self._taken = folder / "taken.jsonl"
        self._dropped = folder / "dropped"

    def append(self, lines: Sequence[str]) -> None:
        """Keep lines, each without a line break in it; raises OSError when the disk is full."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with self._lock("appending"):
            with open(self._waiting, "ab") as file:
                if _is_torn(self._waiting):
                    file.write(b"\n")  # whoever wrote last died in the middle of a line
                file.write("".join(f"{line}\n" for line in lines).encode())
                file.flush()
                os.fsync(file.fileno())
            self._bound()

    def take(self, write: Callable[[list[str]], None], at_once: int = 500) -> int:
        """
        Hand every line to `write`, oldest first, so many at once; how many. When it raises, what
        was handed over stays and is handed over again. Nothing, when somebody else is taking.
        """
        if not self._waiting.exists() and not self._taken.exists():
            return 0
        number = 0
        with self._lock("taking", wait=False) as is_ours:
            while is_ours and self._next():
                lines = _lines(self._taken)
                for start in range(0, len(lines), at_once):
                    write(lines[start : start + at_once])
                self._taken.unlink()
                number += len(lines)
        return number

    def size(self) -> int:
        return len(_lines(self._taken)) + len(_lines(self._waiting))

    def dropped(self) -> int:
        """How many lines there was no room for, since `tell_dropped`."""
        try:
            return int(self._dropped.read_text())
        except (FileNotFoundError, ValueError):
            return 0

    def tell_dropped(self) -> int:
        """The same, counted from nought again."""
        with self._lock("appending"):
            number = self.dropped()
            self._dropped.unlink(missing_ok=True)
        return number

    def _next(self) -> bool:
        """Is there something to take? What an earlier taker left behind comes first."""
        if self._taken.exists():
            return True
        with self._lock("appending"):
            if not self._waiting.exists():
                return False
            self._waiting.rename(self._taken)
        return True

    def _bound(self) -> None:
        lines = _lines(self._waiting)
        over = len(lines) - self.most
        if over <= SLACK * self.most:
            return
        shorter = self._waiting.with_suffix(".new")
        shorter.write_text("".join(f"{line}\n" for line in lines[over:]))
        shorter.replace(self._waiting)
        self._dropped.write_text(str(self.dropped() + over))
        logger.error("%s is full: the %d oldest results are gone", self._waiting, over)

    @contextmanager
    def _lock(self, name: str, *, wait: bool = True) -> Iterator[bool]:
        with open(self.folder / f"{name}.lock", "w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True  # closing the file gives the lock back


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return []


def _is_torn(path: Path) -> bool:
    with open(path, "rb") as file:
        file.seek(0, os.SEEK_END)
        if not file.tell():
            return False
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"
