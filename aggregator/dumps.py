"""
A database into a file and back, with each engine's own means, while others read and write.

Dumping sees one moment of the database. Loading replaces everything in one transaction: who
looks meanwhile sees the old rows, or the new ones, and a failure leaves the old ones.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

from django.db import Error as DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.client import DatabaseClient
from django.db.migrations.recorder import MigrationRecorder

# Where Debian keeps the client programs of each version, beside wrappers in PATH.
POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")
LOCK_PATIENCE = "-c lock_timeout=20s"


class DumpFailed(Exception):
    """The database or its client program refused; says why in one line."""


def dump(connection: BaseDatabaseWrapper, target: Path) -> None:
    if connection.vendor == "sqlite":
        _dump_sqlite(connection, target)
    else:
        _postgres(connection, "pg_dump", "--format=custom", *PLAIN, f"--file={target}")


def load(connection: BaseDatabaseWrapper, source: Path) -> None:
    if connection.vendor == "sqlite":
        _load_sqlite(connection, source)
    else:
        _load_postgres(connection, source)


def _dump_sqlite(connection: BaseDatabaseWrapper, target: Path) -> None:
    """https://www.sqlite.org/lang_vacuum.html#vacuum_with_an_into_clause"""
    try:
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(target)])
    except DatabaseError as error:
        raise DumpFailed(f"SQLite: {error}") from None


def _load_sqlite(connection: BaseDatabaseWrapper, source: Path) -> None:
    """
    Copies page by page into the standing file: https://www.sqlite.org/backup.html

    To put a new file in its place would be shorter, and would lose what a process that still
    has the old one open writes, or let that process delete the new one's log on leaving.
    """

    def give_up_when_busy(status: int, remaining: int, total: int) -> None:
        if status == sqlite3.SQLITE_BUSY:
            raise DumpFailed("the database is busy: stop Aggregator, then try again")

    try:
        connection.ensure_connection()
        with closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True)) as old:
            old.backup(connection.connection, progress=give_up_when_busy)
    except (DatabaseError, sqlite3.Error) as error:
        raise DumpFailed(f"SQLite: {error}") from None


# Rows and tables alone: the roles of the machine that made a dump need not exist here.
PLAIN = ("--no-owner", "--no-privileges")


def _load_postgres(connection: BaseDatabaseWrapper, source: Path) -> None:
    """
    The dump becomes a script first, so that one cut short by an error is never committed.

    Our tables go in the same transaction: those made since the dump would be in the way of
    its foreign keys, and of the migrations that follow.
    """
    script, drop = source.with_suffix(".sql"), source.with_suffix(".drop.sql")
    drop.write_text(_drop_tables(connection))
    make = ["--clean", "--if-exists", *PLAIN, f"--file={script}", str(source)]
    _run([_program("pg_restore"), *make], {})
    once = ["--single-transaction", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"]
    _postgres(connection, "psql", *once, f"--file={drop}", f"--file={script}")


def _drop_tables(connection: BaseDatabaseWrapper) -> str:
    names = connection.introspection.django_table_names(only_existing=True)
    if MigrationRecorder(connection).has_table():
        names.append(MigrationRecorder.Migration._meta.db_table)
    tables = ", ".join(connection.ops.quote_name(name) for name in names)
    return f"DROP TABLE IF EXISTS {tables} CASCADE;\n" if tables else ""


def _postgres(connection: BaseDatabaseWrapper, name: str, *options: str) -> None:
    """Run a client program on our database; the password travels in its environment."""
    (_, *address), environ = DatabaseClient.settings_to_cmd_args_env(connection.settings_dict, [])
    _run([_program(name), *options, *address], environ or {})


def _program(name: str) -> str:
    """The newest of its kind: it must not be older than the server."""
    versions = POSTGRES_PROGRAMS.glob(f"*/bin/{name}")
    newest = max(versions, key=lambda path: float(path.parts[-3]), default=None)
    found = str(newest) if newest else shutil.which(name)
    if not found:
        raise DumpFailed(f"{name} is not installed (on Debian and Ubuntu: postgresql-client)")
    return found


def _run(command: list[str], environ: dict[str, str]) -> None:
    quiet = {"PGOPTIONS": f"{LOCK_PATIENCE} -c client_min_messages=warning", "LC_ALL": "C"}
    done = subprocess.run(command, env=environ | quiet, capture_output=True, text=True)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise DumpFailed(f"{os.path.basename(command[0])}: {lines[0]}")
