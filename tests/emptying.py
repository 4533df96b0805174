"""
The database as a migration left it, again after each test that commits.

Django's own flush truncates every table, then makes content types, permissions and what our apps
bring with a migration anew: most of what a short test takes. Here content types and permissions
stay, which no test changes, only tables that have rows are emptied, and rows that have to be there
again are copied from tables beside them.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import count

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

STAY: tuple[type[Model], ...] = (ContentType, Permission)
TRIES = 20

_numbers = count(1)


def quoted(name: str) -> str:
    return connection.ops.quote_name(name)


class Copy:
    """The rows that tables have now, to be put back into the same tables when they are empty."""

    def __init__(self, tables: Iterable[str]) -> None:
        self.names = {quoted(table): quoted(f"copy_{next(_numbers)}") for table in tables}
        with connection.cursor() as cursor:
            for table, copy in self.names.items():
                cursor.execute(f"CREATE TABLE {copy} AS SELECT * FROM {table}")

    def restore(self) -> None:
        """Constraints are looked at when all is done: the order does not matter."""
        with transaction.atomic(), connection.cursor() as cursor:
            for table, copy in self.names.items():
                cursor.execute(f"INSERT INTO {table} SELECT * FROM {copy}")


class Fresh:
    """A database that no test has touched yet."""

    def __init__(self) -> None:
        models = apps.get_models(include_auto_created=True)
        self.tables = sorted({m._meta.db_table for m in models if m not in STAY and _is_table(m)})
        self.filled = self._with_rows()
        self.brought = Copy(self.filled)

    def copy(self) -> Copy:
        """The rows of every table that was empty and is not any longer."""
        return Copy(set(self._with_rows()) - set(self.filled))

    def restore(self) -> None:
        """
        In place of Django's flush, after a test. A thread or process that the test left behind
        may still write what belongs to rows we delete: then they are deleted once more.
        """
        for _ in range(TRIES - 1):
            try:
                self._restore()
                return
            except IntegrityError:
                time.sleep(0.1)
        self._restore()

    def _restore(self) -> None:
        with transaction.atomic():
            with connection.cursor() as cursor:
                for table in self._with_rows():
                    cursor.execute(f"DELETE FROM {quoted(table)}")
            self.brought.restore()

    def _with_rows(self) -> list[str]:
        asked = (f"SELECT '{t}' WHERE EXISTS (SELECT 1 FROM {quoted(t)})" for t in self.tables)
        with connection.cursor() as cursor:
            cursor.execute(" UNION ALL ".join(asked))
            return [table for (table,) in cursor.fetchall()]


def _is_table(model: type[Model]) -> bool:
    return model._meta.managed and not model._meta.proxy
