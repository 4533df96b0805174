"""A database or a Redis that is cut off, or says nothing any more, while processes use it."""

from __future__ import annotations

import contextlib
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection

from aggregator import gateway
from aggregator.answers import Cached
from providers.datasets import GasQuery, SearchQuery, spec
from providers.models import Call
from providers.resilience import cell, store
from tests.chaos import jobs
from tests.conftest import forget_everything, use_redis
from tests.crew import Hand, crew, database_url
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db(transaction=True)


class Line:
    """A way to a server that can be cut off, or made to say nothing."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.there = (parts.hostname or "", parts.port or 0)
        self.listener = socket.create_server(("127.0.0.1", 0))
        netloc = parts.netloc.replace(
            f":{parts.port}", f":{self.listener.getsockname()[1]}"
        ).replace("localhost", "127.0.0.1")
        self.url = parts._replace(netloc=netloc).geturl()
        self.is_cut, self.is_silent = threading.Event(), threading.Event()
        self.ends: list[socket.socket] = []
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def cut(self) -> None:
        self.is_cut.set()
        for end in self.ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        self.is_cut.clear()
        self.is_silent.clear()

    def close(self) -> None:
        self.cut()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(5)
        for end in self.ends:
            end.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self.listener.accept()
            except OSError:
                return
            if self.is_cut.is_set():
                here.close()
                continue
            there = socket.create_connection(self.there)
            self.ends += [here, there]
            for source, sink in ((here, there), (there, here)):
                self.threads.append(threading.Thread(target=self._carry, args=(source, sink)))
                self.threads[-1].start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while (part := source.recv(65536)) and not self.is_silent.is_set():
                sink.sendall(part)
            if not self.is_silent.is_set():
                sink.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def line(url: str) -> Iterator[Line]:
    found = Line(url)
    try:
        yield found
    finally:
        found.close()


def searched(hand: Hand, word: str) -> tuple[dict[str, Any], float]:
    """A question nobody asked before, and how long its answer took."""
    began = time.monotonic()
    said = hand.do(jobs.ask, spec(SearchQuery(word)))
    return said, time.monotonic() - began


@pytest.mark.service
@pytest.mark.parametrize("how", ["cut", "silent"])
def test_without_redis_a_process_goes_on_and_with_it_again_it_shares_again(
    how: str, redis_url: str, settings: Any, upstreams: Upstreams
) -> None:
    use_redis(settings, redis_url)
    upstreams.provider("a")
    with line(redis_url) as way, crew(1, REDIS_URL=way.url) as (hand,):
        assert hand.do(jobs.ask, spec(GasQuery()))["cached"] == "miss"
        way.cut() if how == "cut" else way.is_silent.set()
        said, seconds = searched(hand, "first")
        assert said["source"] == "a"
        assert seconds < 1.5
        said, seconds = searched(hand, "second")
        assert said["source"] == "a"
        assert seconds < 0.5, "it is left alone now"
        assert hand.do(jobs.ask, spec(GasQuery()))["cached"] == "hit"
        way.cut()
        way.mend()
        time.sleep(3.1)
        assert searched(hand, "third")[0]["source"] == "a"
        hand.do(jobs.forget)
        shared = hand.do(jobs.ask, spec(SearchQuery("third")))
        assert shared["cached"] == "hit", "off the shared shelf"


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a server locks no file")
def test_while_another_process_keeps_the_file_locked_visitors_are_answered(
    upstreams: Upstreams, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_redis(settings, "")
    monkeypatch.setattr(store, "PATIENCE_S", 0.2)
    upstreams.provider("a")
    gateway.answer(GasQuery())
    other = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        for word in ("first", "second", "third"):
            assert gateway.answer(SearchQuery(word)).source == "a"
        assert gateway.answer(GasQuery()).cached is Cached.HIT
        assert time.monotonic() - began < 1
    finally:
        other.close()
    cell._skip_until = 0.0
    gateway.answer(SearchQuery("fourth"))
    forget_everything()
    assert gateway.answer(SearchQuery("fourth")).cached is Cached.HIT


@pytest.mark.skipif(connection.vendor != "postgresql", reason="there is no line to a file")
@pytest.mark.usefixtures("each_store")
def test_without_postgresql_a_process_goes_on_by_the_rows_it_had(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    with line(database_url()) as way, crew(1, DATABASE_URL=way.url) as (hand,):
        assert hand.do(jobs.ask, spec(GasQuery()))["cached"] == "miss"
        assert hand.do(jobs.write_calls_again_after, 0.2)
        way.cut()
        time.sleep(1.6)  # its rows are due to be read again
        for word in ("first", "second", "third"):
            said, seconds = searched(hand, word)
            assert said["source"] == "a"
            assert seconds < 1
        assert hand.do(jobs.ask, spec(GasQuery()))["source"] == "a"
        assert Call.objects.count() == 1
        way.mend()
        end = time.monotonic() + 20
        while Call.objects.count() < 4:
            assert time.monotonic() < end, "calls are written once it is back"
            time.sleep(0.1)
        assert searched(hand, "fourth")[0]["source"] == "a"
