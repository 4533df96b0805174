"""
Where shared state lives: a few small JSON values under keys, changed by compare-and-swap.

Two stores with one meaning: the database (default: several processes of one machine share it)
and Redis (many machines). JSON and never pickle: a value may have been written by anybody who can
reach the store.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, NamedTuple, Protocol

from django.conf import settings
from django.db import Error, connection

Token = bytes | int | None

PATIENCE_S = 2.0  # with another writer of an SQLite file, who may be stopped or gone astray


class Version(NamedTuple):
    """What stands under a key; `text` is the JSON it was read from, if it was any."""

    value: Any
    token: Token
    text: str | bytes


class Store(Protocol):
    """A token names the version that was read; None stands for "there was nothing"."""

    def read(self, key: str) -> tuple[Any, Token]: ...

    def read_many(self, keys: Iterable[str]) -> dict[str, Version]: ...

    def swap(self, key: str, token: Token, value: Any, ttl: float) -> Token:
        """
        Write `value` for `ttl` seconds if the key still holds what was read: the token of what
        stands there now, or None when somebody else was quicker.
        """

    def delete(self, key: str) -> None: ...


class DatabaseStore:
    """Rows of `providers.models.Cell`, by plain SQL: an ORM object costs more than the query."""

    errors: tuple[type[Exception], ...] = (Error,)

    def read(self, key: str) -> tuple[Any, Token]:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT value, version, expires_at FROM providers_cell WHERE key = %s", [key]
            )
            row = cursor.fetchone()
        if row is None:
            return None, None
        return (_read(row[0]) if row[2] > time.time() else None), int(row[1])

    def read_many(self, keys: Iterable[str]) -> dict[str, Version]:
        wanted = list(keys)
        if not wanted:
            return {}
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT key, value, version FROM providers_cell "
                f"WHERE {_one_of('key')} AND expires_at > %s",  # noqa: S608
                [_many(wanted), time.time()],
            )
            return {
                key: Version(_read(text), int(version), text)
                for key, text, version in cursor.fetchall()
            }

    def swap(self, key: str, token: Token, value: Any, ttl: float) -> Token:
        expires_at, text = time.time() + ttl, json.dumps(value)
        with hurried_cursor() as cursor:
            if token is None:
                cursor.execute(
                    "INSERT INTO providers_cell (key, value, version, expires_at) "
                    "VALUES (%s, %s, 1, %s) ON CONFLICT (key) DO NOTHING",
                    [key, text, expires_at],
                )
            else:
                cursor.execute(
                    "UPDATE providers_cell SET value = %s, version = version + 1, "
                    "expires_at = %s WHERE key = %s AND version = %s",
                    [text, expires_at, key, token],
                )
            return int(token or 0) + 1 if cursor.rowcount == 1 else None

    def delete(self, key: str) -> None:
        # Emptied, not removed: a version that starts again at 1 could be taken for an old one.
        with hurried_cursor() as cursor:
            cursor.execute(
                "UPDATE providers_cell SET expires_at = 0, version = version + 1 WHERE key = %s",
                [key],
            )


class RedisStore:
    """Strings in Redis; a script compares and sets in one step."""

    SWAP = """
        if (redis.call('GET', KEYS[1]) or '') ~= ARGV[1] then return 0 end
        redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
        return 1
    """

    def __init__(self) -> None:
        from django_redis import get_redis_connection  # only when there is a Redis
        from redis.exceptions import RedisError

        self.errors: tuple[type[Exception], ...] = (RedisError, OSError)
        self.redis = get_redis_connection("default")
        self.script = self.redis.register_script(self.SWAP)
        self.prefix = f"{settings.STORE_PREFIX}:cell:"

    def read(self, key: str) -> tuple[Any, Token]:
        found = self.redis.get(self.prefix + key)
        if found is None:
            return None, None
        return _read(found), found

    def read_many(self, keys: Iterable[str]) -> dict[str, Version]:
        wanted = list(keys)
        if not wanted:
            return {}
        found = self.redis.mget([self.prefix + key for key in wanted])
        pairs = zip(wanted, found, strict=True)
        return {key: Version(_read(text), text, text) for key, text in pairs if text is not None}

    def swap(self, key: str, token: Token, value: Any, ttl: float) -> Token:
        text = json.dumps(value).encode()
        arguments = [token or "", text, max(1, int(ttl * 1000))]
        return text if self.script([self.prefix + key], arguments) else None

    def delete(self, key: str) -> None:
        self.redis.delete(self.prefix + key)


@cache
def store() -> DatabaseStore | RedisStore:
    """The store of this installation."""
    return RedisStore() if settings.REDIS_URL else DatabaseStore()


@contextmanager
def hurried_cursor() -> Iterator[Any]:
    """A cursor for writing what no visitor should wait long for: an SQLite file may be locked."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            yield cursor
            return
        usual_s = connection.settings_dict["OPTIONS"].get("timeout", 5.0)
        cursor.execute(f"PRAGMA busy_timeout = {PATIENCE_S * 1000:.0f}")
        try:
            yield cursor
        finally:
            cursor.execute(f"PRAGMA busy_timeout = {usual_s * 1000:.0f}")


def _one_of(column: str) -> str:
    """A condition with one parameter, `_many`: to read one for each of hundreds takes long."""
    if connection.vendor == "postgresql":
        return f"{column} = ANY(%s)"
    return f"{column} IN (SELECT value FROM json_each(%s))"


def _many(values: list[str]) -> Any:
    return values if connection.vendor == "postgresql" else json.dumps(values)


def let_go() -> None:
    """
    Give a pooled connection back before waiting for anything: there are fewer of them than
    visitors, and who waits with one keeps it from those who could go on.
    """
    if not connection.in_atomic_block and "pool" in connection.settings_dict.get("OPTIONS", {}):
        connection.close()


def _read(text: str | bytes) -> Any:
    """A stored value; what is no JSON counts as nothing, and is overwritten by the next swap."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def clean_value(value: Any) -> dict[str, Any]:
    """A stored object, or an empty one where the store held something else."""
    return dict(value) if isinstance(value, Mapping) else {}
