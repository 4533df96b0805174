"""Notices: written with what they tell of, sent at least once, grouped, put off and given up."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from monitoring import pruning, tasks
from monitoring.incidents import keeping
from monitoring.incidents.models import Incident
from monitoring.models import Endpoint
from monitoring.notices import outbox, sending, webhooks
from monitoring.notices.message import Message
from monitoring.notices.models import Channel, Event, Fate, MaintenanceWindow, Notice
from monitoring.notices.sending import Sent
from tests.monitoring.test_cycle import Calendar
from tests.monitoring.test_incidents import channel, put
from tests.monitoring.world import endpoint

pytestmark = pytest.mark.django_db(transaction=True)


class Post:
    """Takes messages, and says what it is told to."""

    def __init__(self, *answers: Sent) -> None:
        self.answers = list(answers)
        self.got: list[tuple[str, Message]] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, to: Channel, message: Message) -> Sent:
        assert not transaction.get_connection().in_atomic_block
        self.got.append((to.name, message))
        self.meanwhile()
        return self.answers.pop(0) if self.answers else Sent(True)


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def row() -> Endpoint:
    return endpoint("a")


def fates() -> list[tuple[str, str]]:
    return list(Notice.objects.order_by("pk").values_list("event", "fate"))


def goes_down(row: Endpoint, calendar: Calendar) -> None:
    put(row, "down", calendar.now)
    keeping.review(calendar.now)


def comes_back(row: Endpoint, calendar: Calendar) -> None:
    put(row, "healthy", calendar.now)
    calendar.tick(minutes=6)
    keeping.review(calendar.now)


def test_a_notice_goes_out_once(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    post = Post()
    outbox.drain(calendar, post)
    assert post.got == [], "what happens in half a minute goes into one message"
    calendar.tick(seconds=31)
    outbox.drain(calendar, post)
    outbox.drain(calendar, post)
    [(name, message)] = post.got
    assert (name, message.kind, len(message.lines)) == ("ops", "failure", 1)
    assert message.title.startswith("a is down")
    assert fates() == [("opened", "sent")]


def test_nothing_is_told_when_what_it_tells_of_is_not_written(calendar: Calendar) -> None:
    channel()

    @transaction.atomic
    def write() -> None:
        row = Incident.objects.create(title="x")
        outbox.tell(Event.OPENED, "major", calendar.now, incident=row)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        write()
    assert not Notice.objects.exists()


def test_an_event_is_written_once_however_often_it_is_told(calendar: Calendar) -> None:
    channel()
    row = Incident.objects.create(title="x")
    for _ in range(3):
        outbox.tell(Event.OPENED, "major", calendar.now, incident=row)
    assert Notice.objects.count() == 1


def test_it_is_tried_again_with_the_same_key(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    calendar.tick(seconds=31)
    post = Post(Sent(False, "no answer"), Sent(False, "no answer"))
    outbox.drain(calendar, post)
    outbox.drain(calendar, post)
    assert len(post.got) == 1, "not at once"
    calendar.tick(seconds=45)
    outbox.drain(calendar, post)
    assert Channel.objects.get().failing_since
    calendar.tick(seconds=100)
    outbox.drain(calendar, post)
    assert len(post.got) == 3
    assert len({message.key for _, message in post.got}) == 1
    assert len({line.key for _, message in post.got for line in message.lines}) == 1
    notice = Notice.objects.get()
    assert (notice.fate, notice.attempts) == (Fate.SENT, 3)
    assert Channel.objects.get().failing_since is None


def test_it_waits_as_long_as_it_is_asked_to(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    calendar.tick(seconds=31)
    post = Post(Sent(False, "busy", wait_s=1800))
    outbox.drain(calendar, post)
    calendar.tick(seconds=1790)
    outbox.drain(calendar, post)
    assert len(post.got) == 1
    calendar.tick(seconds=11)
    outbox.drain(calendar, post)
    assert len(post.got) == 2


def test_who_was_overtaken_writes_nothing(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    calendar.tick(seconds=31)
    slow, fast = Post(), Post()

    def overtake() -> None:
        calendar.tick(seconds=200)  # the lease is over
        outbox.drain(calendar, fast)

    slow.meanwhile = overtake
    done = outbox.drain(calendar, slow)
    assert done.overtaken == 1
    assert len(fast.got) == 1
    assert slow.got[0][1].key == fast.got[0][1].key, "its receiver sees that it is the same"
    assert Notice.objects.get().attempts == 2


def test_two_that_send_at_once_send_once(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    calendar.tick(seconds=31)
    post, second = Post(), Post()
    post.meanwhile = lambda: outbox.drain(calendar, second)
    outbox.drain(calendar, post)
    assert (len(post.got), len(second.got)) == (1, 0)


def test_what_was_over_before_it_was_told_is_one_line(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    comes_back(row, calendar)
    calendar.tick(seconds=31)
    post = Post()
    outbox.drain(calendar, post)
    [(_, message)] = post.got
    assert [line.event for line in message.lines] == ["resolved"]
    assert message.kind == "success"
    assert message.title.startswith("Over after 6 min")
    assert fates() == [("opened", "merged"), ("resolved", "sent")]


def test_many_incidents_are_one_message(calendar: Calendar) -> None:
    channel()
    for number in range(3):
        row = Incident.objects.create(title=f"trouble {number}")
        outbox.tell(Event.OPENED, "minor", calendar.now, incident=row)
    calendar.tick(seconds=31)
    post = Post()
    outbox.drain(calendar, post)
    [(_, message)] = post.got
    assert len(message.lines) == 3
    assert message.title == "trouble 0. (and 2 more)"


def test_a_window_puts_off_and_what_is_over_by_then_is_never_said(
    row: Endpoint, calendar: Calendar
) -> None:
    channel()
    goes_down(row, calendar)
    end = calendar.now + timedelta(hours=1)
    MaintenanceWindow.objects.create(title="move", starts_at=calendar.now, ends_at=end)
    calendar.tick(seconds=31)
    post = Post()
    outbox.drain(calendar, post)
    comes_back(row, calendar)
    calendar.tick(hours=2)
    outbox.drain(calendar, post)
    assert post.got == []
    assert {fate for _, fate in fates()} == {"silenced"}


def test_what_still_goes_on_after_a_window_is_said_then(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    assert row.health.provider
    window = MaintenanceWindow.objects.create(
        title="move", starts_at=calendar.now, ends_at=calendar.now + timedelta(minutes=50)
    )
    window.providers.add(row.health.provider)
    calendar.tick(seconds=31)
    post = Post()
    outbox.drain(calendar, post)
    assert post.got == []
    calendar.tick(minutes=51)
    outbox.drain(calendar, post)
    assert [line.event for _, message in post.got for line in message.lines] == ["opened"]


def test_it_reminds_until_somebody_takes_it(row: Endpoint, calendar: Calendar) -> None:
    channel()
    channel("quiet", reminders=False)
    goes_down(row, calendar)
    post = Post()
    for hours in (0.1, 1.1, 1.5, 4.2):
        calendar.now = Incident.objects.get().began_at + timedelta(hours=hours)
        outbox.drain(calendar, post)
        calendar.tick(seconds=31)
        outbox.drain(calendar, post)
    said = [(to, line.event) for to, message in post.got for line in message.lines]
    assert said.count(("ops", "reminder")) == 2
    assert ("quiet", "reminder") not in said
    Incident.objects.update(acknowledged_at=calendar.now)
    calendar.tick(hours=30)
    count = len(post.got)
    outbox.drain(calendar, post)
    calendar.tick(seconds=31)
    outbox.drain(calendar, post)
    assert len(post.got) == count


def test_a_channel_that_is_gone_is_switched_off_and_the_others_hear_of_it(
    row: Endpoint, calendar: Calendar, caplog: pytest.LogCaptureFixture
) -> None:
    bad = channel("gone")
    goes_down(row, calendar)
    channel("ops")
    post = Post(*[Sent(False, "it answered HTTP 410", permanent=True)] * 3)
    for _ in range(4):
        calendar.tick(minutes=5)
        outbox.drain(calendar, post)
    bad.refresh_from_db()
    assert bad.switched_off_at
    assert bad.switched_off_reason == "it answered HTTP 410"
    assert "the channel gone is switched off" in caplog.text
    assert {row.fate for row in bad.notices.all()} == {Fate.DEAD}
    calendar.tick(minutes=5)
    outbox.drain(calendar, post)
    to, message = post.got[-1]
    assert to == "ops"
    assert "gone is switched off" in message.body


def test_what_is_less_grave_than_a_channel_wants_is_not_sent_there(calendar: Calendar) -> None:
    channel("grave", least_severity="critical")
    row = Incident.objects.create(title="x")
    assert outbox.tell(Event.OPENED, "major", calendar.now, incident=row) == 0
    assert outbox.tell(Event.OPENED, "critical", calendar.now, incident=row) == 1


def test_hostile_texts_stay_texts(calendar: Calendar) -> None:
    channel()
    title = "{{7*7}} {% include 'x' %} $BODY %(x)s {0.__class__}\r\nBcc: a@b.c\u2028\u202e <b>"
    row = Incident.objects.create(title=title)
    outbox.tell(Event.OPENED, "minor", calendar.now, incident=row, text="api_key=abcdef123456")
    calendar.tick(seconds=31)
    post = Post()
    outbox.drain(calendar, post)
    [(_, message)] = post.got
    for text in (message.title, message.body):
        assert "{{7*7}} {% include 'x' %} $BODY %(x)s {0.__class__} Bcc: a@b.c <b>" in text
        assert text.isprintable()
        assert "abcdef" not in text


def test_the_lease_outlasts_a_message() -> None:
    assert outbox.LEASE.total_seconds() > max(sending.SECONDS, webhooks.TIMEOUT_S) + 30
    assert outbox.PATIENCE_S + max(sending.SECONDS, webhooks.TIMEOUT_S) < 55


def test_old_notices_go_but_what_is_to_be_sent_stays(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    comes_back(row, calendar)
    Notice.objects.filter(event="opened").update(fate=Fate.SENT)
    long_after = calendar.now + timedelta(days=91)
    assert pruning.prune(long_after)["notices"] == 1
    assert fates() == [("resolved", "pending")]


def test_the_task_says_what_it_did(row: Endpoint, calendar: Calendar) -> None:
    channel()
    goes_down(row, calendar)
    assert tasks.send_notices() == "0 messages sent, 0 failed"
    assert tasks.watch().startswith("0 steps of incidents, ")
