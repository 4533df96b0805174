"""kill -9 while a notice is on its way: it is told again, by the same key, and by one at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils.timezone import now

from monitoring.incidents import keeping
from monitoring.incidents.models import Incident
from monitoring.models import Endpoint
from monitoring.notices import outbox
from monitoring.notices.models import Channel, Fate, Notice
from providers.health import Health
from tests.chaos import jobs
from tests.chaos.test_kills import reached
from tests.crew import Hand, crew, each
from tests.monitoring.test_incidents import channel, put
from tests.monitoring.test_outbox import Post
from tests.monitoring.world import endpoint

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hands() -> Iterator[list[Hand]]:
    with crew(2) as found:
        yield found


def down(name: str) -> Endpoint:
    row = endpoint(name)
    put(row, "down", now())
    return row


def overdue() -> None:
    Notice.objects.update(due_at=now() - timedelta(seconds=1))


def test_who_dies_while_sending_loses_nothing(hands: list[Hand]) -> None:
    channel()
    down("a")
    keeping.review(now())
    overdue()
    hands[0].begin(jobs.send_and_hang, "sending")
    reached("sending")
    hands[0].kill()
    first = Notice.objects.get()
    assert (first.fate, first.attempts) == (Fate.PENDING, 1)
    post = Post()
    outbox.drain(now, post)
    assert post.got == [], "whoever has it may still be at it"
    Channel.objects.update(lease_until=now() - timedelta(seconds=1))
    outbox.drain(now, post)
    [(_, message)] = post.got
    assert message.key == first.message, "its receiver sees that it is the same"
    assert Notice.objects.get().fate == Fate.SENT


def test_who_dies_before_it_is_written_leaves_neither_incident_nor_notice(
    hands: list[Hand],
) -> None:
    channel()
    down("a")
    hands[0].begin(jobs.review_and_die)
    end = time.monotonic() + 20
    while hands[0].process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert not Incident.objects.exists()
    assert not Notice.objects.exists()
    keeping.review(now())
    assert (Incident.objects.count(), Notice.objects.count()) == (1, 1)


def test_two_that_review_at_once_open_one_incident(hands: list[Hand]) -> None:
    channel()
    down("a")
    Health.objects.filter(name="a").update(since=now() - timedelta(minutes=1))
    each(hands, jobs.review_often)
    assert Incident.objects.count() == 1
    assert Notice.objects.count() == 1
