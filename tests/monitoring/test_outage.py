"""While the database is away `runchecks` goes on by what it knew, and nothing it finds is lost."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring import cycle, late, outage, roll
from monitoring.models import CheckResult, Endpoint, Plan
from monitoring.outage import Timetable
from providers.models import Provider
from tests.crew import crew, environment
from tests.monitoring import jobs
from tests.monitoring.test_cycle import Calendar, health
from tests.private import ROOT, Mortal, mortal_postgres
from tests.upstreams import Said, Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def known(upstreams: Upstreams) -> Timetable:
    """Two that were checked a moment ago."""
    for slug in "ab":
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run()
    upstreams.asked.clear()
    return Timetable.current()


def test_what_is_due_is_checked_and_kept_and_nothing_else(
    known: Timetable, upstreams: Upstreams
) -> None:
    calendar = Calendar()
    assert known.run(calendar) == 0
    calendar.tick(minutes=8)
    assert (known.run(calendar), known.run(calendar)) == (2, 0)
    calendar.tick(minutes=8)
    assert known.run(calendar) == 2
    assert len(upstreams.asked) == 4
    assert (late.buffer().size(), CheckResult.objects.count()) == (4, 2)


def test_when_the_database_is_back_it_is_as_if_it_had_never_been_away(
    known: Timetable, upstreams: Upstreams
) -> None:
    calendar = Calendar()
    upstreams.play["a"] = status(500)
    for _ in range(3):
        calendar.tick(minutes=8)
        known.run(calendar)
    late.deliver()
    assert CheckResult.objects.count() == 8
    assert (health("a").status, health("a").failures) == ("down", 3)
    assert health("b").status == "healthy"
    changes = Endpoint.objects.get(health__name="a").changes.order_by("began_at")
    assert [row.status for row in changes] == ["healthy", "degraded", "down"]


def test_two_machines_that_check_the_same_turn_are_counted_once(
    known: Timetable, upstreams: Upstreams
) -> None:
    calendar, other = Calendar(), Timetable.current()
    calendar.tick(minutes=8)
    assert (known.run(calendar), other.run(calendar)) == (2, 2)
    late.deliver()
    assert CheckResult.objects.count() == 4


def test_one_process_of_a_machine_does_it(known: Timetable) -> None:
    calendar = Calendar()
    calendar.tick(minutes=8)
    with outage._alone() as is_ours:
        assert is_ours
        assert known.run(calendar) == 0
    assert known.run(calendar) == 2


def test_what_is_paused_or_under_way_elsewhere_is_left_alone(known: Timetable) -> None:
    calendar = Calendar()
    calendar.tick(minutes=8)
    known.rows[0].paused = True
    known.rows[1].lease_until = calendar.now + timedelta(seconds=5)
    assert known.due(calendar.now) == []
    calendar.tick(seconds=6)
    assert known.due(calendar.now) == [known.rows[1]]
    known.plan.paused = True
    assert known.due(calendar.now) == []


# -- A real server, a real loop ----------------------------------------------------------------


@pytest.fixture
def server() -> Iterator[Mortal]:
    with mortal_postgres() as found:
        yield found


def until(what: Callable[[], bool], patience: float = 40) -> None:
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


@pytest.mark.service
def test_the_loop_goes_on_while_the_server_is_dead(
    upstreams: Upstreams, server: Mortal, tmp_path: Path
) -> None:
    upstreams.play["p0"] = lambda asked: Said(body=b"{}")
    env = {"DATABASE_URL": server.url, "DATA_DIR": str(tmp_path)}
    with crew(1, **env) as (hand,):
        hand.do(jobs.prepare_for_the_loop, upstreams.url)
        loop = subprocess.Popen(
            [sys.executable, "manage.py", "runchecks"], cwd=ROOT, env=environment(**env)
        )
        try:
            until(lambda: hand.do(jobs.results) == {"results": 1, "leased": 0})
            time.sleep(1.5)  # it reads its timetable anew
            server.kill()
            until(lambda: len(upstreams.asked) >= 3)
            until(lambda: bool(late.buffer().size()))
            server.start()
            until(lambda: not late.buffer().size())
            until(lambda: hand.do(jobs.results_or_nothing).get("results") == len(upstreams.asked))
            assert hand.do(jobs.statuses) == {"p0": "healthy"}
        finally:
            loop.kill()
            loop.wait()


def test_the_plan_and_rows_are_what_the_database_says(known: Timetable) -> None:
    Plan(paused=True).save()
    roll.sync()
    assert Timetable.current().plan.paused
    assert {row.health.name for row in known.rows} == set(
        Provider.objects.values_list("slug", flat=True)
    )
