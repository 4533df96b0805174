"""
Notices all the way: from what checks find of providers that really fail, by the outbox, to a mail
server and web servers that really take them. Nothing is in the place of anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from monitoring import cycle
from monitoring.alerts import evaluating
from monitoring.alerts.models import Alert, AlertRule
from monitoring.incidents import keeping
from monitoring.incidents.models import Incident
from monitoring.notices import outbox, sending
from monitoring.notices.message import Line, Message
from monitoring.notices.models import Channel, Event, Fate, MaintenanceWindow, Notice
from monitoring.texts import clean
from providers.models import Provider
from tests.monitoring.receivers import Hooks, Mailbox, hooks, mailbox
from tests.monitoring.test_cycle import Calendar, again
from tests.providers.misbehaviour import Authority
from tests.upstreams import Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


@pytest.fixture
def mail() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def hook() -> Iterator[Hooks]:
    with hooks() as taken:
        yield taken


def to_mail(box: Mailbox, more: str = "&mode=insecure", kind: str = "mailto") -> Channel:
    """`mailto` with `mode=insecure` is without TLS, as a relay in one's own network may want it."""
    who = f"{kind}://ops:hunter22@127.0.0.1:{box.port}"
    return channel(f"{who}?to=you@example.com&from=ops@example.com{more}", "mail")


def to_hook(taken: Hooks, name: str = "hook") -> Channel:
    return channel(f"json://127.0.0.1:{taken.port}/in", name)


def channel(address: str, name: str) -> Channel:
    row = Channel(name=name)
    row.set_address(address)
    row.save()
    return row


def watched(upstreams: Upstreams, calendar: Calendar, *slugs: str) -> None:
    for slug in slugs:
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)


def goes_down(upstreams: Upstreams, calendar: Calendar, *slugs: str) -> None:
    for slug in slugs:
        upstreams.play[slug] = status(500)
    for _ in range(3):
        again(calendar)


def comes_back(upstreams: Upstreams, calendar: Calendar, *slugs: str) -> None:
    for slug in slugs:
        del upstreams.play[slug]
    for _ in range(3):
        again(calendar)
    keeping.review(calendar.now)


def sent(calendar: Calendar, **later: float) -> outbox.Drained:
    """A round of the worker, half a minute later or as told."""
    calendar.tick(**(later or {"seconds": 31}))
    return outbox.drain(calendar)


def test_a_provider_goes_down_and_comes_back_and_everybody_is_told(
    upstreams: Upstreams, calendar: Calendar, mail: Mailbox, hook: Hooks
) -> None:
    to_mail(mail)
    to_hook(hook)
    watched(upstreams, calendar, "a", "b", "c")
    goes_down(upstreams, calendar, "a")
    assert (sent(calendar).messages, sent(calendar).messages) == (2, 0)
    [letter] = mail.mails
    assert letter["Subject"].startswith("a is down.")
    assert letter["To"] == "you@example.com"
    assert "a: down since" in mail.texts()[0]
    [post] = hook.posts
    assert [event["event"] for event in post.told["events"]] == ["opened"]
    comes_back(upstreams, calendar, "a")
    sent(calendar)
    assert [mail["Subject"].partition(" after")[0] for mail in mail.mails[1:]] == ["Over"]
    assert "a was down" in mail.texts()[1]
    assert hook.posts[1].told["type"] == "success"
    assert {row.fate for row in Notice.objects.all()} == {Fate.SENT}


def test_an_alert_is_told_like_an_incident(calendar: Calendar, mail: Mailbox) -> None:
    to_mail(mail)
    AlertRule.objects.all().delete()
    AlertRule.objects.create(name="full", metric="memory", threshold=0.001, severity="critical")
    evaluating.run(calendar.now)
    sent(calendar)
    assert Alert.objects.get().said.startswith("Memory in use: ")
    assert mail.mails[0]["Subject"].startswith("Memory in use: ")


def test_what_is_not_taken_is_tried_again_by_the_same_key(
    upstreams: Upstreams, calendar: Calendar, mail: Mailbox, hook: Hooks
) -> None:
    to_mail(mail)
    to_hook(hook)
    watched(upstreams, calendar, "a", "b")
    hook.answers, mail.says = [500, 503], "451 come back later"
    goes_down(upstreams, calendar, "a")
    assert sent(calendar).failed == 2
    assert not mail.mails
    mail.says = ""
    assert sent(calendar, seconds=45).messages == 1
    assert sent(calendar, minutes=3).messages == 1
    assert len(mail.mails) == 1
    assert len(hook.posts) == 3
    assert len(set(hook.keys)) == 1
    assert len({post.body for post in hook.posts}) == 1
    assert {row.fate for row in Notice.objects.all()} == {Fate.SENT}


def test_a_channel_that_is_gone_is_switched_off_and_the_mail_says_so(
    upstreams: Upstreams, calendar: Calendar, mail: Mailbox, hook: Hooks
) -> None:
    to_mail(mail)
    gone = to_hook(hook, "old hook")
    watched(upstreams, calendar, "a", "b")
    hook.answers = [410] * 9
    goes_down(upstreams, calendar, "a")
    for _ in range(4):
        sent(calendar, minutes=5)
    gone.refresh_from_db()
    assert (bool(gone.switched_off_at), gone.switched_off_reason) == (True, "it answered HTTP 410")
    assert len(hook.posts) == 3
    sent(calendar)
    assert mail.mails[-1]["Subject"].startswith("The channel old hook is switched off")
    comes_back(upstreams, calendar, "a")
    sent(calendar)
    assert len(hook.posts) == 3, "it hears of nothing any more"
    assert mail.mails[-1]["Subject"].startswith("Over")


def test_in_a_maintenance_window_nothing_is_said_and_afterwards_what_still_is(
    upstreams: Upstreams, calendar: Calendar, hook: Hooks
) -> None:
    to_hook(hook)
    watched(upstreams, calendar, "a", "b", "c", "d")
    goes_down(upstreams, calendar, "a", "b")
    window = MaintenanceWindow.objects.create(
        title="moving",
        starts_at=calendar.now,
        ends_at=calendar.now + timedelta(hours=2),
    )
    window.providers.set(Provider.objects.filter(slug__in=["a", "b"]))
    sent(calendar)
    sent(calendar, minutes=30)
    assert hook.posts == []
    comes_back(upstreams, calendar, "a", "b")
    sent(calendar, hours=3)
    assert hook.posts == [], "what is over by then is told to nobody"
    assert set(Notice.objects.values_list("fate", flat=True)) == {Fate.SILENCED}
    goes_down(upstreams, calendar, "c")
    sent(calendar)
    assert [event["event"] for event in hook.posts[0].told["events"]] == ["opened"]


def test_what_happens_at_once_is_one_message(
    upstreams: Upstreams, calendar: Calendar, hook: Hooks, mail: Mailbox
) -> None:
    to_hook(hook)
    to_mail(mail)
    watched(upstreams, calendar, *"abcdefghijklmnop")
    goes_down(upstreams, calendar, "a")
    AlertRule.objects.all().delete()
    AlertRule.objects.create(name="full", metric="memory", threshold=0.001, severity="minor")
    evaluating.run(calendar.now)
    sent(calendar)
    [post] = hook.posts
    subjects = {event["subject"].partition("-")[0] for event in post.told["events"]}
    assert subjects == {"incident", "alert"}
    assert post.told["title"].endswith("(and 1 more)")
    assert len({event["key"] for event in post.told["events"]}) == 2
    assert len(mail.mails) == 1


def test_it_reminds_over_the_wire_until_somebody_takes_it(
    upstreams: Upstreams, calendar: Calendar, mail: Mailbox
) -> None:
    to_mail(mail)
    watched(upstreams, calendar, "a", "b")
    goes_down(upstreams, calendar, "a")
    sent(calendar)
    sent(calendar, hours=1)
    sent(calendar)
    assert mail.mails[-1]["Subject"].startswith("Still, for 1 h")
    Incident.objects.update(acknowledged_at=calendar.now)
    sent(calendar, hours=30)
    sent(calendar)
    assert len(mail.mails) == 2


# -- Mail --------------------------------------------------------------------------------------

HOSTILE = (
    "a <script>{{7*7}} {% include 'x' %}\r\nBcc: all@example.com\r\n.\r\nMAIL FROM:<x@y.z>"
    "\u2028\x00\x85 \N{PILE OF POO} \ud800 \N{RIGHT-TO-LEFT OVERRIDE}"
)
MESSAGE = Message(
    "k1", "a is down", "failure", (Line("i-1-opened", "opened", "incident-1", "major", "a"),)
)


def test_nothing_in_a_text_becomes_a_header_or_a_command_of_the_mail(
    calendar: Calendar, mail: Mailbox
) -> None:
    to_mail(mail)
    incident = Incident.objects.create(title="x", began_at=calendar.now)
    said = {"incident": incident, "text": clean(HOSTILE)}
    outbox.tell(Event.UPDATE, "major", calendar.now, **said)  # type: ignore[arg-type]
    assert sent(calendar).messages == 1
    [letter] = mail.mails
    assert letter["Bcc"] is None
    assert "{{7*7}} {% include 'x' %}" in mail.texts()[0]
    assert "\N{PILE OF POO}" in mail.texts()[0]
    commands = [line.partition(":")[0].upper() for line in mail.said]
    assert commands.count("MAIL FROM") == commands.count("RCPT TO") == 1
    assert not any("x@y.z" in line or "all@" in line for line in mail.said)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secure(authority: Authority) -> Iterator[Mailbox]:
    """With STARTTLS, and a certificate of an authority of its own."""
    with mailbox(authority.server("localhost")) as box:
        yield box


def to_localhost(box: Mailbox, more: str = "") -> Channel:
    address = f"mailtos://ops:hunter22@localhost:{box.port}?to=you@example.com&mode=starttls"
    return channel(f"{address}&from=ops@example.com{more}", "mail")


def passwords(box: Mailbox) -> list[str]:
    return [line for line in box.said if line.startswith("AUTH")]


def test_mail_goes_to_a_server_whose_certificate_this_machine_trusts(
    secure: Mailbox, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert sending.send(to_localhost(secure), MESSAGE) == sending.Sent(True)
    assert secure.said.index("STARTTLS") < secure.said.index(passwords(secure)[0])
    assert len(secure.mails) == 1


def test_a_server_whose_certificate_nobody_vouches_for_gets_no_password(secure: Mailbox) -> None:
    found = sending.send(to_localhost(secure), MESSAGE)
    assert not found.ok
    assert "certificate verify failed" in found.error
    assert (passwords(secure), secure.mails) == ([], [])


def test_one_of_another_name_gets_none_either(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with mailbox(authority.server("mail.example")) as box:
        assert not sending.send(to_localhost(box), MESSAGE).ok
        assert passwords(box) == []


def test_whoever_says_not_to_look_is_obeyed(secure: Mailbox) -> None:
    assert sending.send(to_localhost(secure, "&verify=no"), MESSAGE).ok


def test_a_password_never_leaves_in_the_clear_when_tls_was_wanted(mail: Mailbox) -> None:
    """This server has no STARTTLS: whoever stands between could have taken it away."""
    assert not sending.send(to_localhost(mail), MESSAGE).ok
    assert (passwords(mail), mail.mails) == ([], [])


def test_why_a_server_did_not_take_a_mail_is_told(mail: Mailbox) -> None:
    mail.says = "550 no such mailbox"
    found = sending.send(to_mail(mail), MESSAGE)
    assert not found.ok
    assert "no such mailbox" in found.error
    assert "hunter22" not in found.error
