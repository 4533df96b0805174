from __future__ import annotations

from importlib import import_module
from multiprocessing import Queue, Value
from typing import Any

import pytest
from django.conf import settings
from django_q.models import Schedule
from django_q.worker import worker

from aggregator import heartbeat, schedules

pytestmark = pytest.mark.django_db


def test_a_migration_leaves_exactly_the_schedules_of_the_table() -> None:
    assert {s.name for s in Schedule.objects.all()} == {e.name for e in schedules.ENTRIES}


def test_sync_mends_what_somebody_changed() -> None:
    Schedule.objects.create(name="evil", func="os.system", args="('true',)")
    Schedule.objects.filter(name="prune rows").update(args="not python(", minutes=1)
    Schedule.objects.create(name="prune rows", func="aggregator.tasks.prune_rows")
    schedules.sync()
    assert Schedule.objects.count() == len(schedules.ENTRIES)
    row = Schedule.objects.get(name="prune rows")
    assert (row.args, row.minutes) == (None, 60)


@pytest.mark.parametrize("entry", schedules.ENTRIES, ids=lambda e: e.name)
def test_every_schedule_names_a_task(entry: schedules.Entry) -> None:
    module, name = entry.func.rsplit(".", 1)
    assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("name", ["aggregator.tasks.prune_rows", "monitoring.tasks.run_checks"])
def test_a_task_that_ends_is_the_workers_heartbeat(name: str) -> None:
    assert not heartbeat.is_active()
    done_by_the_worker(name)
    assert heartbeat.is_active()
    assert not heartbeat.is_active(clock=lambda: 4e9)


def test_a_task_that_fails_is_no_sign_of_life() -> None:
    with pytest.raises(PermissionError):
        done_by_the_worker("aggregator.tasks.refused", "os.system")
    assert not heartbeat.is_active()


def done_by_the_worker(name: str, *args: Any) -> None:
    """What django-q's own loop makes of a task; in sync it raises what the task raises."""
    tasks: Any = Queue()
    task = {"func": name, "args": args, "kwargs": {}, "id": "1", "name": "one", "sync": True}
    tasks.put(task)
    tasks.put("STOP")
    worker(tasks, Queue(), Value("f", -1), -1)


def test_the_queues_lock_outlasts_a_full_prefetch() -> None:
    """A task is locked from its prefetch: with a shorter retry it would run twice."""
    q = settings.Q_CLUSTER
    waiting = -(-(q["queue_limit"] + q["bulk"]) // q["workers"])
    assert q["retry"] >= (q["timeout"] + 3 + q["guard_cycle"]) * (1 + waiting) + 30
    assert isinstance(q["timeout"], int)
