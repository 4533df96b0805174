"""
When the worker does what: a table that `sync` enforces after every migration.

No schedule is ever made from what somebody typed: one row that cannot be read stops all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Min
from django_q.models import Schedule
from django_q.tasks import async_task


@dataclass(frozen=True)
class Entry:
    name: str
    func: str
    minutes: int


ENTRIES = (
    Entry("warm answers", "aggregator.tasks.warm_answers", 1),
    Entry("run checks", "monitoring.tasks.run_checks", 1),
    Entry("watch figures", "monitoring.tasks.watch", 1),
    Entry("send notices", "monitoring.tasks.send_notices", 1),
    Entry("scan models", "monitoring.tasks.scan_models", 1),
    Entry("prune rows", "aggregator.tasks.prune_rows", 60),
    Entry("read plans", "aggregator.tasks.read_plans", 15),
    Entry("prune checks", "monitoring.tasks.prune_checks", 60),
    Entry("train models", "chat.tasks.train_models", 1),
    Entry("watch questions", "chat.tasks.watch_questions", 1),
    Entry("archive datasets", "chat.tasks.archive_datasets", 24 * 60),
    Entry("let go of what people said", "chat.tasks.let_go", 60),
    Entry("learn listings", "aggregator.tasks.learn_listings", 24 * 60),
)


AT_START = ("monitoring.tasks.run_checks",)


def begin() -> None:
    """Ask for what a worker does as soon as it runs: the queue looks at schedules later."""
    for func in AT_START:
        async_task(func)


def sync(**kwargs: Any) -> None:
    """Make the schedules those of the table: nothing missing, nothing else."""
    names = [entry.name for entry in ENTRIES]
    Schedule.objects.exclude(name__in=names).delete()
    for entry in ENTRIES:
        rows = Schedule.objects.filter(name=entry.name)
        values = {
            "func": entry.func,
            "schedule_type": Schedule.MINUTES,
            "minutes": entry.minutes,
            "args": None,
            "kwargs": None,
            "hook": None,
            "cluster": None,
            "repeats": -1,
        }
        first = rows.order_by("pk").first()
        if first is None:
            Schedule.objects.create(name=entry.name, **values)
        else:
            rows.exclude(pk=first.pk).delete()
            rows.filter(pk=first.pk).update(**values)


def next_run() -> datetime | None:
    """When the worker has something to do next; None while nothing is scheduled."""
    found: datetime | None = Schedule.objects.aggregate(next=Min("next_run"))["next"]
    return found
