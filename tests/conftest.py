"""What every test stands on: nothing remembered of the test before, and a clock that waits."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import django
import pytest
from django.test import TransactionTestCase
from django_redis import get_redis_connection
from hypothesis import settings as hypothesis_settings
from redis.exceptions import RedisError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

# Seconds are measured in tests/bench: a busy machine makes no property wrong.
hypothesis_settings.register_profile("full", deadline=None)
hypothesis_settings.register_profile("short", deadline=None, max_examples=10)
hypothesis_settings.load_profile("full")

from aggregator import answers, batching, demand, flights, hot, shelf  # noqa: E402
from providers import calls, loading, roster, standins, usage  # noqa: E402
from providers.resilience import cell  # noqa: E402
from providers.resilience import store as stores  # noqa: E402
from tests.emptying import Copy, Fresh  # noqa: E402
from tests.private import enforce, private_redis  # noqa: E402
from tests.upstreams import upstreams  # noqa: E402, F401


def pytest_runtest_setup(item: pytest.Item) -> None:
    enforce({mark.name for mark in item.iter_markers()})


class Clock:
    """Seconds since the epoch that pass when a test says so."""

    def __init__(self, now: float = 1_760_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def tick(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
def _forgetful(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A test begins like a process does. Calls are written when it says `calls.flush()`."""
    monkeypatch.setattr(calls, "_start", lambda: None)
    # Another thread's connection would see nothing of a test's transaction.
    monkeypatch.setattr(roster, "_start", lambda job: job())
    forget_everything()
    yield
    while_refreshing()
    forget_everything()
    if settings.REDIS_URL:
        with suppress(RedisError):  # a test may have killed it
            redis = get_redis_connection("default")
            for key in redis.scan_iter(f"{settings.STORE_PREFIX}:*", count=1000):
                redis.delete(key)


def forget_everything() -> None:
    """What this process remembers of rows, cells, answers, callers and calls."""
    roster.forget()
    standins.forget()
    usage.forget()
    hot.forget()
    flights.forget()
    if callers := sys.modules.get("aggregator.callers"):
        callers.forget()
    if metering := sys.modules.get("aggregator.meter"):
        metering.meter.forget()
    if counting := sys.modules.get("aggregator.traffic"):
        counting.traffic.forget()
    if system := sys.modules.get("monitoring.system"):
        system.forget()
    if prometheus := sys.modules.get("monitoring.prometheus"):
        prometheus.forget()
    if pages := sys.modules.get("monitoring.pages"):
        pages.forget()
    if monitored := sys.modules.get("monitoring.readings"):
        monitored.forget()
    if classifier := sys.modules.get("chat.classifier"):
        classifier.forget()
    answers.board.clear()
    answers._purge_seen, answers._purge_checked = None, float("-inf")
    batching._gatherers.clear()
    demand._counted.clear()
    calls._waiting.clear()
    cell._known.clear()
    cell._skip_until = 0.0
    stores.store.cache_clear()
    shelf._shelf.cache_clear()


def while_refreshing(patience: float = 5.0) -> None:
    """Wait until no refresh of this process is under way."""
    end = time.monotonic() + patience
    while flights._behind and time.monotonic() < end:
        time.sleep(0.005)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[Fresh]:
    """pytest-django's, and what a test has committed is gone after it at little cost."""
    with django_db_blocker.unblock():
        fresh = Fresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda case: fresh.restore())
        yield fresh


@pytest.fixture(scope="session")
def _catalogue(django_db_setup: Fresh, django_db_blocker: Any) -> Copy:
    """What the first load of the catalogue makes; that takes half a second."""
    with django_db_blocker.unblock():
        try:
            loading.load()
            return django_db_setup.copy()
        finally:
            django_db_setup.restore()


@pytest.fixture
def shipped(_catalogue: Copy, db: None) -> None:
    """The test begins with the rows of the catalogue, as `loading.load()` makes them."""
    _catalogue.restore()
    roster.forget()


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """A Redis: the one this run is told to use, or one of its own."""
    if url := os.environ.get("REDIS_URL"):
        yield url
        return
    with private_redis() as url:
        yield url


@pytest.fixture(params=["database", pytest.param("redis", marks=pytest.mark.service)])
def each_store(request: pytest.FixtureRequest, settings: Any) -> str:
    """The test runs on either store, whatever this run is configured with."""
    use_redis(settings, request.getfixturevalue("redis_url") if request.param == "redis" else "")
    name: str = request.param
    return name


def use_redis(settings: Any, url: str) -> None:
    """Move cells and shelf to the Redis at `url`, or with "" to the database."""
    settings.REDIS_URL = url
    if url:
        settings.CACHES = {
            "default": {
                "BACKEND": "django_redis.cache.RedisCache",
                "LOCATION": url,
                "OPTIONS": {"SOCKET_CONNECT_TIMEOUT": 0.5, "SOCKET_TIMEOUT": 0.5},
            }
        }
    stores.store.cache_clear()
    shelf._shelf.cache_clear()
