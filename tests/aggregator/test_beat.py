"""What a web process does every second, whatever else goes wrong."""

from __future__ import annotations

import logging
import threading

import pytest

from aggregator import beat
from aggregator.beat import Beat


@pytest.fixture(autouse=True)
def _without_a_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "close_old_connections", lambda: None)


def test_a_duty_that_fails_is_told_and_keeps_no_other_from_being_done(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[str] = []

    def broken() -> None:
        raise ZeroDivisionError

    def sound() -> None:
        done.append("sound")

    monkeypatch.setattr(beat, "DUTIES", (broken, sound))
    with caplog.at_level(logging.ERROR):
        beat.once()
    assert done == ["sound"]
    assert "broken failed" in caplog.text


def test_it_beats_until_it_is_stopped_and_then_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beat, "EVERY_S", 0.001)
    beaten = threading.Semaphore(0)
    by: list[str] = []

    def note() -> None:
        by.append(threading.current_thread().name)
        beaten.release()

    monkeypatch.setattr(beat, "DUTIES", (note,))
    beating = Beat()
    beating.start()
    for _ in range(3):
        assert beaten.acquire(timeout=5)
    beating.stop()
    assert not beating.is_alive()
    assert by[0] == "beat"
    assert by[-1] == threading.current_thread().name


def test_edits_are_obeyed_before_anything_is_told() -> None:
    """Telling writes, and a writer may have to wait; a disabled client must not."""
    names = [f"{duty.__module__}.{duty.__qualname__}" for duty in beat.DUTIES]
    assert names[:2] == ["aggregator.callers.reload", "aggregator.answers.obey_purges"]
