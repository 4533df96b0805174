"""
Logs: one JSON object a line, without secrets, in files that several processes share.

`RedactingFilter` belongs on every handler; `StructuredFormatter` and `SharedRotatingFileHandler`
are named in the settings.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from providers.redaction import MASK, names_a_secret, redact

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_STANDARD |= {"color_message"}  # uvicorn's: the same once more, for a terminal
_formatter = logging.Formatter()


class RedactingFilter(logging.Filter):
    """Redacts message, arguments, traceback and stack; what it leaves is safe for any handler."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = redact(_message(record)), None
        if record.exc_info:
            record.exc_text = record.exc_text or _formatter.formatException(record.exc_info)
            record.exc_info = None  # else a handler without this filter would format it anew
        if record.exc_text:
            record.exc_text = redact(record.exc_text)
        if record.stack_info:
            record.stack_info = redact(record.stack_info)
        return True


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit must not stop the caller
        return f"{record.msg} % {record.args!r}"


class StructuredFormatter(logging.Formatter):
    """
    `{"time": "2026-01-02T03:04:05.678Z", "level": "INFO", "logger": ..., "message": ..., ...}`:
    then whatever was given as `extra`, then `exception` and `stack`. Only printable ASCII, so
    that no value can forge a line or drive a terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, Any] = {
            "time": _rfc3339(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": redact(_message(record)),
        }
        for name, value in vars(record).items():
            if name not in _STANDARD:
                fields.setdefault(name, MASK if names_a_secret(name) else _plain(value))
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            fields["exception"] = redact(record.exc_text)
        if record.stack_info:
            fields["stack"] = redact(record.stack_info)
        return json.dumps(fields).replace("\x7f", "\\u007f")


def _rfc3339(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Mapping):
        return {
            redact(str(name)): MASK if names_a_secret(str(name)) else _plain(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and value == value and abs(value) != float("inf"):
        return value
    return redact(str(value))


class SharedRotatingFileHandler(logging.Handler):
    """
    Appends to a file that other processes append to as well, and moves it to `.1`, `.2`, ... when
    a line would take it past `maxBytes`.

    Nothing is kept open between lines (about 10 us each): every writer finds the current file by
    name, and a fork inherits no buffer. Writers take turns by a lock on the folder.
    """

    def __init__(
        self,
        filename: str | os.PathLike[str],
        maxBytes: int = 0,
        backupCount: int = 0,
        delay: bool = True,
    ) -> None:
        super().__init__()
        self.path = Path(filename).absolute()
        self.max_bytes = maxBytes
        self.backups = backupCount
        if not delay:
            self.path.touch()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = (self.format(record) + "\n").encode(errors="backslashreplace")
            with self._turn():
                self._make_room(len(line))
                self._append(line)
        except (OSError, ValueError, TypeError):
            self.handleError(record)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            # Closing is not enough: a process forked meanwhile would hold the lock on.
            fcntl.flock(folder, fcntl.LOCK_UN)
            os.close(folder)

    def _make_room(self, size: int) -> None:
        if not self.max_bytes or not self.backups or not self.path.exists():
            return
        held = self.path.stat().st_size
        if held and held + size > self.max_bytes:
            names = [self.path, *(Path(f"{self.path}.{n + 1}") for n in range(self.backups))]
            for older, newer in zip(names[:0:-1], names[-2::-1], strict=True):
                if newer.exists():
                    newer.replace(older)

    def _append(self, line: bytes) -> None:
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            start = os.fstat(file).st_size
            try:
                written = os.write(file, line)
                while written < len(line):
                    written += os.write(file, line[written:])
            except OSError:
                os.ftruncate(file, start)  # a full disk must not leave half a line
                raise
        finally:
            os.close(file)
