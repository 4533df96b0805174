"""Never two runs of one check, whatever the number of processes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils.timezone import now

from monitoring import cycle, leases, roll
from monitoring.models import CheckResult, Endpoint, Plan
from tests.crew import crew, each
from tests.monitoring import jobs
from tests.private import private_postgres
from tests.upstreams import Upstreams, slowly

pytestmark = pytest.mark.django_db(transaction=True)

NUMBER = 12
BEYOND = leases.LEASE + timedelta(seconds=1)


@pytest.fixture
def endpoint(upstreams: Upstreams) -> Endpoint:
    upstreams.provider("a")
    roll.sync()
    return Endpoint.objects.get()


def test_what_is_claimed_is_nobody_elses(endpoint: Endpoint) -> None:
    moment = now()
    (mine,) = leases.claim_due(moment, 9)
    assert mine.lease_token == endpoint.lease_token + 1
    assert leases.claim_due(moment, 9) == []
    assert leases.claim(Endpoint.objects.all(), moment) == []
    leases.release([mine])
    assert len(leases.claim_due(moment, 9)) == 1


def test_of_two_who_read_the_same_row_one_gets_it(endpoint: Endpoint) -> None:
    seen = [Endpoint.objects.get(), Endpoint.objects.get()]
    assert [len(leases.claim([row], now())) for row in seen] == [1, 0]


def test_what_was_put_off_meanwhile_is_not_claimed_as_due(endpoint: Endpoint) -> None:
    seen = Endpoint.objects.get()
    Endpoint.objects.update(next_due=now() + timedelta(hours=1))
    assert not leases._claim(seen, now(), only_due=True)
    assert leases._claim(seen, now())


def test_the_lease_of_one_that_died_runs_out(endpoint: Endpoint) -> None:
    moment = now()
    leases.claim_due(moment, 9)
    assert leases.claim_due(moment + BEYOND, 9)


def test_one_that_was_overtaken_writes_nothing(endpoint: Endpoint) -> None:
    """It slept through its lease, another checked meanwhile, and then it wakes up."""
    moment = now()
    slept = leases.claim_due(moment, 9)
    other = leases.claim_due(moment + BEYOND, 9)
    assert cycle.check(other, Plan()).checked == 1
    assert cycle.check(slept, Plan()).checked == 0
    assert CheckResult.objects.count() == 1
    assert Endpoint.objects.get().lease_until is None


@pytest.fixture(params=["this database", pytest.param("postgresql", marks=pytest.mark.service)])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Of the database that the processes share; empty for that of this test."""
    if request.param == "this database":
        yield ""
        return
    with private_postgres() as address:
        yield address


@pytest.mark.slow
def test_many_processes_check_each_endpoint_once(upstreams: Upstreams, url: str) -> None:
    for n in range(NUMBER):
        upstreams.play[f"p{n}"] = slowly(0.05)
    with crew(4, **({"DATABASE_URL": url} if url else {})) as hands:
        assert hands[0].do(jobs.prepare, upstreams.url, NUMBER) == NUMBER
        for turn in (1, 2, 3):
            hands[0].do(jobs.all_are_due)
            counts = each(hands, jobs.check_what_is_due)
            assert sum(counts) == NUMBER
            assert len(upstreams.asked) == turn * NUMBER
        found = hands[0].do(jobs.results)
        assert found == {"results": 3 * NUMBER, "leased": 0}
