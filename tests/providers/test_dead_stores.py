"""Stores that die, hang, are locked and come back: survived, reported, and used again."""

from __future__ import annotations

import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from providers.resilience import Cell, cell
from providers.resilience import store as stores
from tests.conftest import use_redis
from tests.private import free_port, running
from tests.providers.test_cell import plus


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of a peer that takes connections and never says a word."""
    lines: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        over = threading.Event()

        def take() -> None:
            while not over.is_set():
                try:
                    lines.append(listener.accept()[0])
                except OSError:
                    return

        taker = threading.Thread(target=take)
        taker.start()
        yield f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        over.set()
        listener.shutdown(socket.SHUT_RDWR)
        taker.join()
    for line in lines:
        line.close()


@pytest.mark.service
@pytest.mark.django_db
def test_a_redis_that_hangs_costs_half_a_second_and_is_then_skipped(
    settings: Any, silent: str, caplog: pytest.LogCaptureFixture
) -> None:
    use_redis(settings, silent)
    began = time.monotonic()
    assert Cell("tally", ttl=60).update(plus(1)) == 1
    assert time.monotonic() - began < 0.8
    began = time.monotonic()
    for _ in range(100):
        Cell("tally", ttl=60).update(plus(1))
    assert time.monotonic() - began < 0.2
    assert caplog.text.count("out of reach") == 1


@pytest.mark.service
@pytest.mark.django_db
def test_a_redis_that_dies_and_comes_back_is_survived_and_used_again(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    port, tally = free_port(), Cell("tally", ttl=60)
    serve = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    use_redis(settings, f"redis://127.0.0.1:{port}/0")
    with running(serve, port=port):
        assert tally.update(plus(1)) == 1
        assert tally.update(plus(1)) == 2
    began = time.monotonic()
    assert tally.update(plus(1)) == 3
    assert time.monotonic() - began < 0.8
    assert "out of reach" in caplog.text
    with running(serve, port=port):
        assert tally.update(plus(1)) == 4, "skipped for some seconds"
        cell._skip_until = 0.0
        assert tally.update(plus(1)) == 1, "an empty store, used again"
        assert tally.peek() == 1


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a file can be locked, a server cannot")
@pytest.mark.django_db(transaction=True)
def test_a_database_file_that_is_locked_is_survived(
    settings: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use_redis(settings, "")
    monkeypatch.setattr(stores, "PATIENCE_S", 0.1)
    tally = Cell("tally", ttl=60)
    tally.update(plus(5))
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        assert tally.update(plus(1)) == 6
        assert time.monotonic() - began < 0.5
        assert "locked" in caplog.text
    finally:
        other.close()
    cell._skip_until = 0.0
    assert tally.update(plus(1)) == 6
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout")
        assert cursor.fetchone() == (20_000,)
