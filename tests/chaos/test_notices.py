"""kill -9 while a notice is on its way: it is told again, by the same key, and by one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
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
from tests.monitoring.receivers import hooks
from tests.monitoring.test_incidents import channel, put
from tests.monitoring.test_notices_arrive import to_hook
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


def until(what: Callable[[], object]) -> None:
    end = time.monotonic() + 20
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)


def test_who_dies_between_writing_and_sending_loses_nothing(hands: list[Hand]) -> None:
    with hooks() as hook:
        to_hook(hook)
        down("a")
        hands[0].do(jobs.review_often)
        hands[0].kill()
        assert hook.posts == []
        overdue()
        assert hands[1].do(jobs.send) == "1 messages sent, 0 failed"
        assert hands[1].do(jobs.send) == "0 messages sent, 0 failed"
    [post] = hook.posts
    assert post.told["events"][0]["key"] == Notice.objects.get().key.rpartition("-to-")[0]


def test_who_dies_after_the_receiver_took_it_tells_it_again_by_the_same_key(
    hands: list[Hand],
) -> None:
    with hooks() as hook:
        to_hook(hook)
        down("a")
        keeping.review(now())
        overdue()
        hook.hold.clear()
        hands[0].begin(jobs.send)
        until(lambda: hook.posts)
        hands[0].kill()
        hook.hold.set()
        assert Notice.objects.get().fate == Fate.PENDING
        assert hands[1].do(jobs.send) == "0 messages sent, 0 failed", "its lease lasts"
        Channel.objects.update(lease_until=now() - timedelta(seconds=1))
        assert hands[1].do(jobs.send) == "1 messages sent, 0 failed"
    assert len(hook.posts) == 2
    assert len(set(hook.keys)) == len({post.body for post in hook.posts}) == 1
    found = Notice.objects.get()
    assert (found.fate, found.attempts) == (Fate.SENT, 2)


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
