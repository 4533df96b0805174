"""Results that the database could not take are written when it is back: all, once, in order."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import Error as DatabaseIsOut
from django.db import OperationalError
from django.utils.timezone import now

from monitoring import cycle, late, leases, recording, roll
from monitoring.buffer import Buffer
from monitoring.health import Finding
from monitoring.models import CheckResult, Endpoint, Plan, StateChange
from monitoring.probing import Found
from monitoring.recording import Checked
from tests.crew import crew
from tests.monitoring import jobs
from tests.monitoring.test_cycle import Calendar, again, health
from tests.private import mortal_postgres
from tests.upstreams import Upstreams, slowly

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _own_folder(settings: Any, tmp_path: Any) -> None:
    settings.DATA_DIR = tmp_path


@pytest.fixture
def outage(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """While its only item is True no result is written."""
    is_out = [False]
    usual = CheckResult.objects.bulk_create

    def create(*args: Any, **kwargs: Any) -> Any:
        if is_out[0]:
            raise OperationalError("the server is gone")
        return usual(*args, **kwargs)

    monkeypatch.setattr(CheckResult.objects, "bulk_create", create)
    return is_out


def ago(minutes: float) -> Any:
    return now() - timedelta(minutes=minutes)


def found(endpoint: Endpoint, run: int, minutes: float, finding: str = "good") -> Checked:
    row = Endpoint(pk=endpoint.pk, health_id=endpoint.health_id, lease_token=run)
    seen = Found(ago(minutes), Finding(finding), "ok" if finding == "good" else "broken", "said")
    return Checked(row, seen, endpoint.rules(Plan(), 300), now() + timedelta(minutes=5))


@pytest.fixture
def endpoint(upstreams: Upstreams) -> Endpoint:
    upstreams.provider("a")
    roll.sync()
    return Endpoint.objects.select_related("health").get()


def test_what_the_database_does_not_take_is_written_when_it_is_back(
    upstreams: Upstreams, outage: list[bool]
) -> None:
    upstreams.provider("a")
    upstreams.provider("b")
    calendar = Calendar()
    outage[0] = True
    assert cycle.run(calendar).kept == 2
    assert (CheckResult.objects.count(), health("a").status) == (0, "unknown")
    outage[0] = False
    calendar.tick(seconds=5)
    cycle.run(calendar)
    assert len(upstreams.asked) == 2, "nothing was asked twice for it"
    assert CheckResult.objects.count() == 2
    assert (health("a").status, health("b").status) == ("healthy", "healthy")
    assert not Endpoint.objects.exclude(lease_until=None).exists()
    assert late.buffer().size() == 0


def test_an_outage_in_the_middle_of_writing_loses_nothing(
    upstreams: Upstreams, outage: list[bool]
) -> None:
    upstreams.provider("a")
    outage[0] = True
    cycle.run()
    for _ in range(3):
        with pytest.raises(DatabaseIsOut):
            late.deliver()
    outage[0] = False
    assert [late.deliver(), late.deliver()] == [1, 0]
    assert CheckResult.objects.count() == 1


def test_what_was_written_already_is_not_written_twice(endpoint: Endpoint) -> None:
    """The commit arrived, and the word that it did was lost."""
    items = [found(endpoint, run, 30 - run, "fault") for run in (1, 2)]
    recording.write_late(items)
    late.keep([*items, items[0]])
    late.deliver()
    assert CheckResult.objects.count() == 2
    assert health("a").failures == 2


def test_verdicts_follow_the_order_in_which_things_were_found(endpoint: Endpoint) -> None:
    late.keep([found(endpoint, 5, 5), found(endpoint, 4, 10)])
    late.keep([found(endpoint, n, 15 - n, "fault") for n in (1, 2, 3)])
    late.deliver()
    said = list(StateChange.objects.order_by("began_at").values_list("status", flat=True))
    assert said == ["degraded", "down", "healthy"]
    assert health("a").status == "healthy"


def test_what_is_older_than_the_verdict_is_history_and_moves_nothing(endpoint: Endpoint) -> None:
    late.keep([found(endpoint, run, 30 + run, "fault") for run in (90, 91, 92)])
    recording.write_late([found(endpoint, 93, 1)])
    late.deliver()
    assert CheckResult.objects.count() == 4
    assert (health("a").status, health("a").failures) == ("healthy", 0)
    assert set(CheckResult.objects.filter(run__lt=93).values_list("status", flat=True)) == {
        "unknown"
    }


def test_a_run_that_was_overtaken_meanwhile_counts_and_frees_nobody_elses_lease(
    endpoint: Endpoint,
) -> None:
    (mine,) = leases.claim_due(ago(10), 9)
    late.keep([found(endpoint, mine.lease_token, 9)])
    assert leases.claim_due(now(), 9), "its lease had run out"
    late.deliver()
    assert CheckResult.objects.count() == 1
    assert Endpoint.objects.get().lease_until is not None


def test_what_cannot_be_read_or_belongs_to_nobody_holds_nothing_up(
    endpoint: Endpoint, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Endpoint(pk=9999, health_id=9999)
    gone.health = endpoint.health
    late.buffer().append(['{"torn', "[]", '{"endpoint": "x"}'])
    late.keep([found(gone, 1, 3), found(endpoint, 1, 2)])
    assert late.deliver() == 5
    assert CheckResult.objects.count() == 1
    assert sum("cannot be read" in record.message for record in caplog.records) == 3


def test_what_was_dropped_is_counted_and_told(
    endpoint: Endpoint,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    settings: Any,
) -> None:
    monkeypatch.setattr(late, "buffer", lambda: Buffer(settings.DATA_DIR / "few", 5))
    for run in range(20):
        late.keep([found(endpoint, run, 60 - run)])
    late.deliver()
    kept = CheckResult.objects.count()
    assert kept <= 6
    assert f"{20 - kept} results were lost" in caplog.text
    assert sorted(CheckResult.objects.values_list("run", flat=True)) == list(range(20 - kept, 20))


def test_a_full_disk_is_told_and_stops_no_checks(
    upstreams: Upstreams, outage: list[bool], caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    upstreams.provider("a")
    settings.DATA_DIR.joinpath("unwritten").write_text("no folder")
    outage[0] = True
    assert cycle.run().kept == 1
    assert "1 results are lost" in caplog.text
    outage[0] = False
    assert again(Calendar()).checked == 1


# -- A real server -----------------------------------------------------------------------------


@pytest.mark.service
def test_a_database_that_is_killed_in_the_middle_of_a_round_gets_all_of_it_later(
    upstreams: Upstreams, tmp_path: Any
) -> None:
    for n in range(6):
        upstreams.play[f"p{n}"] = slowly(1.0)
    with (
        mortal_postgres() as server,
        crew(1, DATABASE_URL=server.url, DATA_DIR=str(tmp_path)) as (hand,),
    ):
        hand.do(jobs.prepare, upstreams.url, 6)
        hand.begin(jobs.check_though_it_fails)
        end = time.monotonic() + 10
        while len(upstreams.asked) < 6:
            assert time.monotonic() < end
            time.sleep(0.02)
        server.kill()
        assert "OperationalError" in hand.end()
        assert hand.do(jobs.kept) == 6
        hand.kill()  # another comes, after the database is back
        server.start()
        with crew(1, DATABASE_URL=server.url, DATA_DIR=str(tmp_path)) as (other,):
            other.do(jobs.check_though_it_fails)
            found = other.do(jobs.results)
            assert found == {"results": 6, "leased": 0}
            assert other.do(jobs.statuses) == {f"p{n}": "healthy" for n in range(6)}
            assert len(upstreams.asked) == 6
            assert other.do(jobs.kept) == 0
