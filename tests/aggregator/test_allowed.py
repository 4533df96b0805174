"""Nothing but our own tasks gets into the queue, however it is asked for."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import signing
from django_q.models import OrmQ, Schedule
from django_q.scheduler import scheduler
from django_q.signing import SignedPackage
from django_q.tasks import async_task

from aggregator import allowed, schedules, tasks
from aggregator.schedules import ENTRIES

pytestmark = pytest.mark.django_db(transaction=True)

STRANGE = [
    "os.system",
    "subprocess.run",
    "django.core.management.call_command",
    "aggregator.tasks.prune",  # imported there, defined elsewhere
    "aggregator.tasks._rank",
    "aggregator.tasks",
    "aggregator.tasks.nothing",
    "aggregator.tasks.os.system",
    "aggregator.backups.restore",
    "monitoring.tasks.cycle.run",
    "evil.tasks.run_checks",
    "providers.tasks.nothing",
    "builtins.eval",
    "",
    print,
    None,
]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_every_schedule_of_ours_may_run(entry: schedules.Entry) -> None:
    assert allowed.is_allowed(entry.func)


@pytest.mark.parametrize("func", STRANGE, ids=str)
def test_nothing_else_may(func: object) -> None:
    assert not allowed.is_allowed(func)


@pytest.fixture
def queued(settings: Any) -> None:
    if settings.REDIS_URL:
        pytest.skip("the queue is in Redis")
    OrmQ.objects.all().delete()


def in_the_queue() -> list[str]:
    return [SignedPackage.loads(row.payload)["func"] for row in OrmQ.objects.order_by("pk")]


def test_a_strange_function_is_replaced_by_one_that_fails(queued: None) -> None:
    async_task("os.system", "touch /tmp/evil", hook="os.system", chain=[("os.system", ())])
    (row,) = OrmQ.objects.all()
    task = SignedPackage.loads(row.payload)
    assert (task["func"], task["args"], task["kwargs"]) == (allowed.REFUSED, ("os.system",), {})
    assert not {"hook", "chain"} & set(task)
    with pytest.raises(PermissionError, match=r"os\.system is no task of ours"):
        tasks.refused(*task["args"])


def test_a_strange_hook_is_enough_to_refuse(queued: None) -> None:
    async_task("monitoring.tasks.run_checks", hook="os.system")
    assert in_the_queue() == [allowed.REFUSED]


def test_a_schedule_that_somebody_slipped_in_runs_nothing_and_stops_no_other(
    queued: None,
) -> None:
    Schedule.objects.all().delete()
    Schedule.objects.create(name="evil", func="os.system", args="('true',)")
    Schedule.objects.create(name="ours", func="monitoring.tasks.run_checks")
    scheduler()
    assert in_the_queue() == [allowed.REFUSED, "monitoring.tasks.run_checks"]


def test_what_was_not_signed_with_our_key_is_not_even_read(queued: None) -> None:
    async_task("monitoring.tasks.run_checks")
    payload = OrmQ.objects.get().payload
    with pytest.raises(signing.BadSignature):
        SignedPackage.loads(payload[:-2] + "xx")
