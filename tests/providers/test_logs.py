from __future__ import annotations

import errno
import json
import logging
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st

from providers import redaction
from providers.logs import RedactingFilter, SharedRotatingFileHandler, StructuredFormatter


@pytest.fixture(autouse=True)
def _forgetful(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_hidden", set())
    monkeypatch.setattr(redaction, "_forms", ())


def record(message: Any, *args: Any, **extra: Any) -> logging.LogRecord:
    return logging.getLogger("providers.rotation").makeRecord(
        "providers.rotation", logging.WARNING, __file__, 1, message, args, None, extra=extra
    )


def shown(found: logging.LogRecord) -> dict[str, Any]:
    """What stands in the log in the end."""
    assert RedactingFilter().filter(found)
    fields: dict[str, Any] = json.loads(StructuredFormatter().format(found))
    return fields


def failing(secret: str) -> logging.LogRecord:
    found = record("failed")
    try:
        try:
            raise ValueError(f"http://h/?apikey={secret}")
        except ValueError as error:
            raise RuntimeError(f"with {secret}") from error
    except RuntimeError:
        found.exc_info = sys.exc_info()
    found.stack_info = f"Stack: {secret}"
    return found


class TestLine:
    def test_one_object_with_time_level_logger_message_and_extras(self) -> None:
        found = record(
            "%s answered in %d ms", "kraken", 12, provider="kraken", cost=Decimal("1.50")
        )
        found.created = datetime(2026, 1, 2, 3, 4, 5, 678_900, tzinfo=UTC).timestamp()
        assert shown(found) == {
            "time": "2026-01-02T03:04:05.678Z",
            "level": "WARNING",
            "logger": "providers.rotation",
            "message": "kraken answered in 12 ms",
            "provider": "kraken",
            "cost": "1.50",
        }

    @given(st.text(), st.text(), st.text())
    def test_no_value_can_forge_a_line(self, message: str, name: str, value: str) -> None:
        found = record("%s", message, more=value)
        found.name = name
        line = StructuredFormatter().format(found)
        assert all(" " <= character <= "~" for character in line)
        assert len(line.splitlines()) == 1
        assert json.loads(line)["level"] == "WARNING"

    def test_an_extra_cannot_replace_what_is_ours(self) -> None:
        assert shown(record("true", level="DEBUG", time="never"))["level"] == "WARNING"

    def test_an_exception_and_a_stack_stay_on_the_line(self) -> None:
        fields = shown(failing("nothing"))
        assert "RuntimeError" in fields["exception"]
        assert "\n" in fields["exception"]
        assert fields["stack"] == "Stack: nothing"

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"\xff", {1: {2}}])
    def test_any_extra_can_be_written(self, value: object) -> None:
        found = record("x", more=value)
        line = StructuredFormatter().format(found)
        assert "NaN" not in line
        assert "Infinity" not in line
        assert "more" in json.loads(line)

    @pytest.mark.parametrize("args", [("x",), (1, 2, 3), ({"a": 1},)])
    def test_arguments_that_do_not_fit_do_not_stop_the_caller(self, args: tuple[Any, ...]) -> None:
        assert "%d of %d" in shown(record("%d of %d", *args))["message"]


class TestRedaction:
    def test_message_and_arguments(self) -> None:
        redaction.hide("open-sesame")
        assert "sesame" not in json.dumps(shown(record("key open-sesame, %s", "open-sesame")))
        assert shown(record("GET %s", "/x?apikey=abc"))["message"] == "GET /x?apikey=***"

    def test_exception_its_cause_and_the_stack(self) -> None:
        redaction.hide("open-sesame")
        found = failing("open-sesame")
        assert "sesame" not in json.dumps(shown(found))
        # A handler that comes later, without our filter, has nothing left to betray.
        assert "sesame" not in logging.Formatter().format(found)
        assert found.exc_info is None

    def test_extras_by_name_and_by_value_at_any_depth(self) -> None:
        redaction.hide("open-sesame")
        fields = shown(
            record(
                "x", apikey="abc", url="/?token=abc", deep={"a": ["open-sesame", {"key": "abc"}]}
            )
        )
        assert fields["apikey"] == "***"
        assert fields["url"] == "/?token=***"
        assert fields["deep"] == {"a": ["***", {"key": "***"}]}

    def test_every_handler_of_the_settings_redacts(self) -> None:
        for name, handler in settings.LOGGING["handlers"].items():
            assert handler["filters"] == ["redacted"], name
            assert handler["formatter"] == "structured", name


def write(path: Path, writer: int, lines: int, size: int) -> None:
    handler = SharedRotatingFileHandler(path, maxBytes=20_000, backupCount=200)
    handler.setFormatter(StructuredFormatter())
    for number in range(lines):
        handler.handle(record("line", writer=writer, number=number, padding="x" * size))


class TestSharedFile:
    def test_several_processes_lose_no_line_and_tear_none(self, tmp_path: Path) -> None:
        path = tmp_path / "shared.log"
        fresh = multiprocessing.get_context("spawn")
        writers = [
            fresh.Process(target=write, args=(path, writer, 400, 50 * writer))
            for writer in range(4)
        ]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
        assert [writer.exitcode for writer in writers] == [0] * 4
        files = list(tmp_path.iterdir())
        lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
        assert Counter((line["writer"], line["number"]) for line in lines) == Counter(
            (writer, number) for writer in range(4) for number in range(400)
        )
        assert len(files) > 10
        assert all(file.stat().st_size <= 20_000 for file in files)

    def test_lines_of_one_writer_stay_in_order_over_rotations(self, tmp_path: Path) -> None:
        path = tmp_path / "shared.log"
        write(path, 1, 300, 100)
        oldest_first = sorted(
            tmp_path.iterdir(), key=lambda p: -int(p.suffix[1:].replace("log", "0"))
        )
        text = "".join(file.read_text() for file in oldest_first)
        assert [json.loads(line)["number"] for line in text.splitlines()] == list(range(300))

    def test_only_so_many_are_kept(self, tmp_path: Path) -> None:
        handler = SharedRotatingFileHandler(tmp_path / "a.log", maxBytes=100, backupCount=2)
        for number in range(20):
            handler.handle(record("%s", "x" * 60 + str(number)))
        assert {file.name for file in tmp_path.iterdir()} == {"a.log", "a.log.1", "a.log.2"}
        assert "x19" in (tmp_path / "a.log").read_text()
        assert "x17" in (tmp_path / "a.log.2").read_text()

    def test_without_a_size_nothing_is_moved(self, tmp_path: Path) -> None:
        handler = SharedRotatingFileHandler(tmp_path / "a.log")
        for _ in range(20):
            handler.handle(record("x"))
        assert len((tmp_path / "a.log").read_text().splitlines()) == 20

    def test_a_file_that_was_removed_is_made_again(self, tmp_path: Path) -> None:
        handler = SharedRotatingFileHandler(tmp_path / "a.log", maxBytes=100, backupCount=2)
        handler.handle(record("one"))
        (tmp_path / "a.log").unlink()
        handler.handle(record("two"))
        assert "two" in (tmp_path / "a.log").read_text()

    def test_it_is_not_for_everybody_to_read(self, tmp_path: Path) -> None:
        SharedRotatingFileHandler(tmp_path / "a.log").handle(record("x"))
        assert (tmp_path / "a.log").stat().st_mode & 0o007 == 0

    def test_a_full_disk_leaves_no_half_line_and_stops_nobody(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        handler = SharedRotatingFileHandler(tmp_path / "a.log")
        handler.handle(record("before"))
        before = (tmp_path / "a.log").read_bytes()
        monkeypatch.setattr(logging, "raiseExceptions", False)
        monkeypatch.setattr(os, "write", half_then_full(os.write))
        handler.handle(record("during"))
        monkeypatch.undo()
        assert (tmp_path / "a.log").read_bytes() == before
        handler.handle(record("after"))
        assert len((tmp_path / "a.log").read_text().splitlines()) == 2

    def test_a_folder_that_is_gone_stops_nobody(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(logging, "raiseExceptions", False)
        SharedRotatingFileHandler(tmp_path / "no" / "a.log").handle(record("x"))

    def test_no_descriptor_stays_open(self, tmp_path: Path) -> None:
        handler = SharedRotatingFileHandler(tmp_path / "a.log", maxBytes=100, backupCount=2)
        before = len(os.listdir("/proc/self/fd"))
        for _ in range(20):
            handler.handle(record("x"))
        assert len(os.listdir("/proc/self/fd")) == before


def half_then_full(real: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
    calls: list[int] = []

    def fake(file: int, data: bytes) -> int:
        calls.append(file)
        if len(calls) > 1:
            raise OSError(errno.ENOSPC, "no space")
        return real(file, data[: len(data) // 2])

    return fake
