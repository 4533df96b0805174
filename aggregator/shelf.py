"""
The shared board of the shelf: rows of `ShelvedAnswer`, or Redis with the durable datasets in rows
too. A shelf out of reach is survived: we ask again, and say so in the log.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.db import Error

from aggregator.models import ShelvedAnswer
from providers.datasets import DATASETS, Dataset
from providers.resilience.cell import SKIP_S, report, store_is_out
from providers.resilience.store import hurried_cursor

logger = logging.getLogger(__name__)

R = TypeVar("R")


@dataclass(frozen=True)
class Item:
    """An answer as it lies on the shelf."""

    key: str
    question: str
    dataset: Dataset
    source: str
    payload: bytes
    fetched_at: float
    stale_until: float


class Shelf(Protocol):
    def read(self, keys: Sequence[str]) -> dict[str, bytes]: ...

    def write(self, items: Sequence[Item]) -> None: ...

    def purge(self, datasets: Sequence[str]) -> int: ...

    def size(self) -> int: ...


class DatabaseShelf:
    errors: tuple[type[Exception], ...] = (Error,)

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        rows = ShelvedAnswer.objects.filter(key__in=keys).values_list("key", "payload")
        return {key: payload.encode() for key, payload in rows}

    def write(self, items: Sequence[Item]) -> None:
        """An answer never replaces a newer one."""
        with hurried_cursor() as cursor:
            cursor.executemany(
                "INSERT INTO aggregator_shelvedanswer "
                "(key, question, dataset, source, payload, fetched_at, stale_until) "
                "VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (key) DO UPDATE SET "
                "source = excluded.source, payload = excluded.payload, "
                "fetched_at = excluded.fetched_at, stale_until = excluded.stale_until "
                "WHERE excluded.fetched_at >= aggregator_shelvedanswer.fetched_at",
                [
                    (
                        item.key,
                        item.question,
                        item.dataset.name,
                        item.source,
                        item.payload.decode(),
                        item.fetched_at,
                        item.stale_until,
                    )
                    # In one order everywhere: else two writers may wait for each other's rows.
                    for item in sorted(items, key=lambda item: item.key)
                ],
            )

    def purge(self, datasets: Sequence[str]) -> int:
        rows = ShelvedAnswer.objects.all()
        return (rows.filter(dataset__in=datasets) if datasets else rows).delete()[0]

    def size(self) -> int:
        return ShelvedAnswer.objects.count()


class RedisShelf:
    """Strings in Redis: when it was fetched, to the microsecond, a line end, the payload."""

    WRITE = """
        local known = tonumber(redis.call('GETRANGE', KEYS[1], 0, 16))
        if known and known > tonumber(ARGV[1]) then return 0 end
        redis.call('SET', KEYS[1], ARGV[1] .. '\\n' .. ARGV[2], 'EX', ARGV[3])
        return 1
    """

    def __init__(self) -> None:
        from django_redis import get_redis_connection  # only when there is a Redis
        from redis.exceptions import RedisError

        self.errors: tuple[type[Exception], ...] = (RedisError, OSError)
        self.redis = get_redis_connection("default")
        self.script = self.redis.register_script(self.WRITE)
        self.prefix = f"{settings.STORE_PREFIX}:shelf:"
        self.rows = DatabaseShelf()
        self.rows_skipped_until = 0.0

    def read(self, keys: Sequence[str]) -> dict[str, bytes]:
        found = self.redis.mget([self.prefix + key for key in keys])
        pairs = zip(keys, found, strict=True)
        shelved = {key: value.partition(b"\n")[2] for key, value in pairs if value}
        absent = [key for key in keys if key not in shelved and _is_durable(key)]
        if absent:
            shelved |= self._on_rows(lambda: self.rows.read(absent)) or {}
        return shelved

    def write(self, items: Sequence[Item]) -> None:
        """An answer never replaces a newer one."""
        if len(items) == 1:  # a pipeline asks first whether Redis knows the script
            self._write(items[0], self.redis)
        else:
            with self.redis.pipeline(transaction=False) as pipeline:
                for item in items:
                    self._write(item, pipeline)
                pipeline.execute()
        if durable := [item for item in items if item.dataset.durable]:
            self._on_rows(lambda: self.rows.write(durable))

    def _write(self, item: Item, client: Any) -> None:
        seconds = max(1, int(item.stale_until - item.fetched_at))
        arguments = [f"{item.fetched_at:.6f}", item.payload, seconds]
        self.script([self.prefix + item.key], arguments, client=client)

    def _on_rows(self, work: Callable[[], R]) -> R | None:
        """`work` in the database, which is left alone for a while after it failed: Redis is not."""
        if time.monotonic() < self.rows_skipped_until:
            return None
        try:
            return work()
        except Error as error:
            self.rows_skipped_until = time.monotonic() + SKIP_S
            logger.error("the database is out of reach, durable answers are not kept: %s", error)
            return None

    def purge(self, datasets: Sequence[str]) -> int:
        gone = self.rows.purge(datasets)
        for dataset in datasets or [""]:
            pattern = f"{self.prefix}{dataset}{':' if dataset else ''}*"
            for key in self.redis.scan_iter(pattern, count=500):
                gone += self.redis.delete(key)
        return gone

    def size(self) -> int:
        return sum(1 for _ in self.redis.scan_iter(f"{self.prefix}*", count=1000))


def _is_durable(key: str) -> bool:
    return DATASETS[key.partition(":")[0]].durable


@cache
def _shelf() -> DatabaseShelf | RedisShelf:
    return RedisShelf() if settings.REDIS_URL else DatabaseShelf()


def read(keys: Sequence[str]) -> dict[str, bytes]:
    """Payloads by key; what is not there, or cannot be reached, is absent."""
    if store_is_out():
        return {}
    try:
        return _shelf().read(keys)
    except _shelf().errors as error:
        report(error)
        return {}


def write(items: Sequence[Item]) -> None:
    if store_is_out():
        return
    try:
        _shelf().write(items)
    except _shelf().errors as error:
        report(error)


def purge(datasets: Sequence[str]) -> int:
    return _shelf().purge(datasets)


def size() -> int:
    """How many answers lie on the shared board."""
    return _shelf().size()
