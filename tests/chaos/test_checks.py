"""Checks while everything around them dies: nothing twice, nothing stuck, nobody falsely down."""

from __future__ import annotations

import resource
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, F
from django.utils.timezone import now

from monitoring import cycle, leases, roll
from monitoring.models import CheckResult, Endpoint, StateChange
from providers.health import Health
from tests.crew import crew, each
from tests.monitoring import jobs
from tests.monitoring.test_cycle import Calendar, again
from tests.upstreams import Upstreams, slowly

pytestmark = pytest.mark.django_db(transaction=True)

BEYOND = leases.LEASE + timedelta(seconds=1)


def several(upstreams: Upstreams, number: int = 6) -> list[str]:
    names = [f"p{n}" for n in range(number)]
    for name in names:
        upstreams.provider(name, rests_s=[0.001], rest_ceiling_s=0.001)
    roll.sync()
    return names


def under_way(upstreams: Upstreams, number: int) -> None:
    end = time.monotonic() + 15
    while len(upstreams.asked) < number:
        assert time.monotonic() < end
        time.sleep(0.01)


def statuses() -> set[str]:
    return set(Health.objects.values_list("status", flat=True))


def twice() -> int:
    runs = CheckResult.objects.values("endpoint", "run").order_by().annotate(n=Count("pk"))
    return runs.filter(n__gt=1).count()


@pytest.mark.parametrize("how_many", [1, 3])
def test_kill_9_of_one_or_all_who_check(upstreams: Upstreams, how_many: int) -> None:
    """Their leases run out, and what they were at is checked once by whoever comes next."""
    names = several(upstreams)
    for name in names:
        upstreams.play[name] = slowly(5)
    with crew(how_many) as hands:
        for hand in hands:
            hand.begin(jobs.check_what_is_due)
        under_way(upstreams, len(names))
        for hand in hands:
            hand.kill()
    upstreams.play.clear()
    assert CheckResult.objects.count() == 0
    assert cycle.run().checked == 0, "the dead hold their leases for a while"
    assert cycle.run(lambda: now() + BEYOND).checked == len(names)
    assert (CheckResult.objects.count(), twice()) == (len(names), 0)
    assert not Endpoint.objects.exclude(lease_until=None).exists()
    assert statuses() == {"healthy"}


@pytest.mark.slow
def test_who_was_stopped_and_wakes_up_writes_nothing_over_what_others_found(
    upstreams: Upstreams,
) -> None:
    names = several(upstreams)
    for name in names:
        upstreams.play[name] = slowly(1.5)
    with crew(1) as (slow,):
        slow.begin(jobs.check_what_is_due)
        under_way(upstreams, len(names))
        upstreams.play.clear()
        assert cycle.run(lambda: now() + BEYOND).checked == len(names)
        assert slow.end() == 0
    assert (CheckResult.objects.count(), twice()) == (len(names), 0)


@pytest.mark.slow
def test_two_clusters_of_which_one_dies_every_round(upstreams: Upstreams) -> None:
    names = several(upstreams)
    for name in names:
        upstreams.play[name] = slowly(0.1)
    with crew(2) as survivors:
        for _ in range(3):
            Endpoint.objects.update(next_due=None, lease_until=None)
            with crew(1) as (victim,):
                before = len(upstreams.asked)
                victim.begin(jobs.check_what_is_due)
                each(survivors, jobs.check_what_is_due)
                under_way(upstreams, before + 1)
                victim.kill()
    stuck = Endpoint.objects.filter(lease_until__gt=now() + leases.LEASE)
    assert not stuck.exists()
    cycle.run(lambda: now() + BEYOND)
    assert (statuses(), twice()) == ({"healthy"}, 0)
    assert len(names) <= CheckResult.objects.count() <= len(upstreams.asked)


# -- A clock that jumps ------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [1, 24, 24 * 365])
def test_a_clock_that_jumps_ahead_makes_nobody_down(upstreams: Upstreams, hours: float) -> None:
    several(upstreams)
    calendar = Calendar()
    cycle.run(calendar)
    calendar.tick(hours=hours)
    for _ in range(2):
        again(calendar)
    assert statuses() == {"healthy"}
    assert not StateChange.objects.filter(status="down").exists()


@pytest.mark.parametrize("hours", [1, 24, 24 * 365])
def test_a_clock_that_is_put_back_stops_no_checks_and_holds_no_lease(
    upstreams: Upstreams, hours: float
) -> None:
    """What was checked in the future is checked now, not when that future comes."""
    names = several(upstreams)
    calendar = Calendar()
    cycle.run(calendar)
    leases.claim(Endpoint.objects.all(), calendar.now)  # and whoever claimed then is dead
    calendar.tick(hours=-hours)
    for _ in range(2):
        again(calendar, minutes=6)
    assert len(upstreams.asked) >= 2 * len(names)
    assert statuses() == {"healthy"}
    assert not Endpoint.objects.exclude(lease_until=None).exists()
    assert not Endpoint.objects.filter(next_due__gt=calendar.now + timedelta(minutes=10)).exists()
    assert not StateChange.objects.filter(ended_at__lt=F("began_at")).exists()


# -- A full disk -------------------------------------------------------------------------------


def fill_the_disk_while_checking(limit: int) -> dict[str, Any]:
    """What becomes of a round when no file of this process may grow beyond so many bytes."""
    from monitoring import late
    from monitoring.outage import Timetable

    known = Timetable.current()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        failed = jobs.check_though_it_fails()
        kept = known.run()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    on_disk = late.buffer().size()
    after = jobs.check_though_it_fails()
    return {"failed": failed, "kept": kept, "on_disk": on_disk, "after": after}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="a server has a disk of its own")
def test_a_full_disk_loses_nothing_and_makes_nobody_down(
    upstreams: Upstreams, tmp_path: Path
) -> None:
    names = several(upstreams, 3)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    with crew(1, DATA_DIR=str(tmp_path)) as (hand,):
        said = hand.do(fill_the_disk_while_checking, 4000, patience=60)
    assert said["failed"] == "OperationalError"
    assert (said["kept"], said["on_disk"]) == (len(names), len(names))
    assert (CheckResult.objects.count(), twice()) == (2 * len(names), 0)
    assert statuses() == {"healthy"}
