"""The worker's books, as far as others may ask: what became of its tasks."""

from __future__ import annotations

from datetime import datetime

from django_q.models import Failure


def lost(since: datetime) -> int:
    """Tasks that failed, or ran out of time, since then."""
    return int(Failure.objects.filter(stopped__gt=since).count())
