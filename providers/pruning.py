"""Delete rows in small chunks, so that nobody waits long for a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

CHUNK = 2000
PAUSE_S = 0.05  # between chunks: a writer that waits gets its turn


def delete_in_chunks(rows: QuerySet[Any], sleep: Callable[[float], None]) -> int:
    """How many rows there were; nothing else may hang on them."""
    gone = 0
    while keys := list(rows.order_by().values_list("pk", flat=True)[:CHUNK]):
        gone += rows.model._default_manager.filter(pk__in=keys)._raw_delete(rows.db)
        if len(keys) < CHUNK:
            break
        sleep(PAUSE_S)
    return gone
