"""Our own network: told from theirs, held against nobody, and over for everybody at once."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils.timezone import now

from aggregator import heartbeat
from aggregator.traffic import Traffic
from monitoring import cycle, network, readings, silence, tasks
from monitoring.alerts import defaults, evaluating
from monitoring.alerts.models import Alert
from monitoring.incidents.models import Incident
from monitoring.models import CheckResult, Endpoint, Plan
from monitoring.notices import outbox
from monitoring.notices.models import Channel, Event, Notice
from monitoring.notices.sending import Sent
from providers import roster
from providers.models import Call, Provider
from tests.monitoring.test_cycle import Calendar, again, health, visited
from tests.monitoring.test_incidents import channel
from tests.monitoring.test_outbox import Post
from tests.monitoring.world import endpoint
from tests.upstreams import Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)


PLAN = Plan(timeout_s=1)


def cut_off(*slugs: str) -> None:
    """Nothing listens there."""
    Provider.objects.filter(slug__in=slugs).update(base_url="http://127.0.0.1:9")
    roster.forget()


def put_back(upstreams: Upstreams, *slugs: str) -> None:
    for slug in slugs:
        Provider.objects.filter(slug=slug).update(base_url=f"{upstreams.url}/{slug}")
    roster.forget()


@pytest.fixture
def calendar() -> Calendar:
    return Calendar()


def test_when_nobody_answers_no_verdict_moves(upstreams: Upstreams, calendar: Calendar) -> None:
    slugs = ("a", "b", "c")
    for slug in slugs:
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)
    heard = health("a").heard_at
    cut_off(*slugs)
    again(calendar)
    for _ in range(3):
        again(calendar, minutes=1)
    assert {health(slug).status for slug in slugs} == {"healthy"}
    assert health("a").heard_at == heard
    assert "our own network" in health("a").error_message
    assert set(CheckResult.objects.filter(at__gt=heard).values_list("finding", flat=True)) == {
        "nothing"
    }
    again(calendar, minutes=5)
    assert {health(slug).status for slug in slugs} == {"unknown"}


def test_one_that_is_silent_while_others_answer_is_down(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    for slug in ("a", "b", "c"):
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)
    cut_off("a", "b")
    for _ in range(3):
        again(calendar)
    assert [health(slug).status for slug in ("a", "b", "c")] == ["down", "down", "healthy"]
    assert health("a").endpoint_up is False


def test_those_whose_turn_it_is_not_are_asked_whether_the_network_works(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    for slug in ("a", "b", "c", "d"):
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)
    Endpoint.objects.exclude(health__name="a").update(next_due=calendar.now + timedelta(days=1))
    cut_off("a")
    again(calendar)
    assert health("a").status == "degraded"
    cut_off("b", "c", "d")
    again(calendar)
    assert (health("a").status, health("a").failures) == ("degraded", 1)


@pytest.mark.parametrize("others", [["well"], []])
def test_those_that_were_down_before_are_no_witnesses(
    upstreams: Upstreams, calendar: Calendar, others: list[str]
) -> None:
    dead = ("a", "b", "c")
    for slug in (*dead, "fails", *others):
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)
    cut_off(*dead)
    for _ in range(3):
        again(calendar)
    assert {health(slug).status for slug in dead} == {"down"}
    cut_off("fails")
    for _ in range(3):
        calendar.tick(minutes=1)
        Endpoint.objects.exclude(health__name="fails").update(
            next_due=calendar.now + timedelta(days=1)
        )
        Endpoint.objects.filter(health__name="fails").update(next_due=calendar.now)
        roster.forget()
        cycle.run(calendar)
    assert health("fails").status == "down"


def test_when_it_is_back_nobody_is_blamed_for_the_rest_it_had(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    slugs = ("first", "b", "c", "d")
    for slug in slugs:
        rest = 0.001 if slug == "first" else 900
        upstreams.provider(slug, rests_s=[0.001, 0.001, rest], rest_ceiling_s=rest)
    cycle.run(calendar)
    cut_off(*slugs)
    for _ in range(4):
        again(calendar, minutes=1 if _ else 10)
    assert {health(slug).status for slug in slugs} == {"healthy"}
    put_back(upstreams, *slugs)
    for _ in range(3):
        again(calendar, minutes=1)
        assert {health(slug).status for slug in slugs} == {"healthy"}
    assert not Incident.objects.exists()
    assert all(len(upstreams.of(slug)) > 1 for slug in slugs), "each was asked again at once"


def test_what_visitors_missed_meanwhile_is_no_part_that_fails(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    for slug in "abcd":
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    row = Provider.objects.get(slug="a")
    cycle.run(calendar)
    calendar.tick(minutes=6)
    network.hold(calendar.now, calendar.now - timedelta(minutes=2))
    visited(row, *["unreachable"] * 5, at=calendar.now - timedelta(minutes=1))
    network.end(calendar.now)
    visited(row, *["ok"] * 5, at=calendar.now)
    Endpoint.objects.update(next_due=None)
    again(calendar, minutes=1)
    assert (health("a").status, health("a").reason) == ("healthy", "answers")
    visited(row, *["unreachable"] * 5, *["ok"] * 5, at=calendar.now + timedelta(seconds=1))
    Endpoint.objects.update(next_due=None)
    again(calendar, minutes=1)
    assert health("a").status == "degraded", "what is its own counts"


def test_what_they_said_themselves_stands_when_it_is_back(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    for slug in ("a", "b", "c", "slow"):
        upstreams.provider(slug, rests_s=[900], rest_ceiling_s=900)
    upstreams.play["slow"] = status(429, retry_after=3600)
    cycle.run(calendar)
    cut_off("a", "b", "c")
    again(calendar)
    put_back(upstreams, "a", "b", "c")
    Provider.objects.get(slug="a").guard.reset()
    again(calendar)
    resting = {
        slug: Provider.objects.get(slug=slug).guard.standing().circuit.open_until
        for slug in ("b", "c", "slow")
    }
    assert (resting["b"], resting["c"]) == (None, None)
    assert resting["slow"]


def test_one_of_our_own_network_is_no_way_out_of_it(
    upstreams: Upstreams, calendar: Calendar, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A language model on this machine answers, whatever becomes of the line."""
    far = ("a", "b", "c")
    for slug in (*far, "at-home"):
        upstreams.provider(slug, rests_s=[0.001], rest_ceiling_s=0.001)
    cycle.run(calendar)
    cut_off(*far)
    monkeypatch.setattr(silence, "is_own", lambda url: url.endswith("/at-home"))
    for _ in range(2):
        again(calendar, minutes=6)
    assert {health(slug).reason for slug in far} == {"answers"}
    assert network.is_held(calendar.now)
    assert health("at-home").status == "healthy"


def test_what_visitors_were_told_a_minute_ago_is_no_word_of_now(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    """Else whoever was well for them before the line was cut would speak for it."""
    slugs = ("a", "b", "c", "d")
    rows = [upstreams.provider(s, rests_s=[0.001], rest_ceiling_s=0.001) for s in slugs]
    cycle.run(calendar)
    calendar.tick(minutes=9)
    visited(rows[0], *["ok"] * 5, at=calendar.now)
    cut_off(*slugs)
    Endpoint.objects.update(next_due=None)
    again(calendar, minutes=1)
    assert health("a").status == "healthy"
    assert network.is_held(calendar.now)
    assert {health(slug).reason for slug in slugs} == {"answers"}


# -- Visitors notice first ---------------------------------------------------------------------


def test_visitors_who_hear_of_nobody_are_believed_before_it_is_anybodys_turn(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    rows = [upstreams.provider(slug) for slug in ("a", "b", "c", "d")]
    cycle.run(calendar)
    cut_off("a", "b", "c", "d")
    silence.listen(PLAN, calendar)
    assert not network.outages(), "nobody complained"
    calendar.tick(minutes=1)
    visited(rows[0], "timed_out", at=calendar.now)
    calendar.tick(seconds=5)
    silence.listen(PLAN, calendar)
    assert network.is_held(calendar.now)
    assert {health(slug).status for slug in "abcd"} == {"healthy"}


def test_whose_quota_is_small_is_asked_last_to_make_sure(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    """Of 25 calls a day none is for a question that another can answer."""
    for slug in "abcde":
        limits = [{"limit": 25, "per_s": 86400}] if slug in "ab" else []
        upstreams.provider(slug, limits=limits)
    cycle.run(calendar)
    roster.forget()
    asked = [row.slug for row in silence._witnesses(PLAN, calendar.now, but=())]
    assert sorted(asked) == ["c", "d", "e"]
    Provider.objects.filter(slug__in="cd").update(enabled=False)
    roster.forget()
    asked = [row.slug for row in silence._witnesses(PLAN, calendar.now, but=())]
    assert asked[0] == "e"
    assert sorted(asked) == ["a", "b", "e"]


def test_visitors_who_hear_of_somebody_make_nobody_ask(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    rows = [upstreams.provider(slug) for slug in ("a", "b", "c", "d")]
    cycle.run(calendar)
    asked = len(upstreams.asked)
    for row in rows[:3]:
        visited(row, "timed_out", at=calendar.now)
    visited(rows[3], "broken", at=calendar.now)
    calendar.tick(seconds=5)
    silence.listen(PLAN, calendar)
    assert len(upstreams.asked) == asked


def test_that_it_is_back_is_noticed_though_all_of_them_rest(
    upstreams: Upstreams, calendar: Calendar
) -> None:
    slugs = ("a", "b", "c", "d")
    for slug in slugs:
        upstreams.provider(slug, rests_s=[900], rest_ceiling_s=900)
    cycle.run(calendar)
    cut_off(*slugs)
    again(calendar)
    assert network.is_held(calendar.now)
    put_back(upstreams, *slugs)
    calendar.tick(minutes=1)
    silence.listen(PLAN, calendar)
    assert not network.is_held(calendar.now)
    circuits = [row.guard.standing().circuit for row in Provider.objects.all()]
    assert not any(circuit.failures for circuit in circuits), "nobody rests on for it"


def test_the_worker_listens_before_it_looks_at_alerts(upstreams: Upstreams) -> None:
    for slug in ("a", "b", "c"):
        visited(upstreams.provider(slug), "unreachable")
    cycle.run()
    cut_off("a", "b", "c")
    Call.objects.all().delete()
    for row in Provider.objects.all():
        visited(row, "unreachable")
    tasks.watch()
    tasks.watch()
    assert [row.rule.metric for row in Alert.objects.all()] == ["own_network"]


# -- What follows of it ------------------------------------------------------------------------

BEGAN, ENDED, WATCHED = 10, 25, 50  # minutes


def visitors(moment: datetime, of: Provider, *, out: bool) -> None:
    """A minute of them, as web processes count it."""
    web = Traffic(lambda: moment.timestamp())
    for _ in range(60):
        web.asked("price", 503 if out else 200, 2.0 if out else 0.01)
    web.settle(present=True)
    visited(of, *["timed_out" if out else "ok"] * 30, at=moment)


@pytest.mark.parametrize("known", [True, False])
def test_of_our_own_network_there_is_one_alert_and_none_afterwards(known: bool) -> None:
    """Not known: the same minutes without a word of silence, so that this could fail."""
    defaults.sync()
    endpoint("a")
    start = now().replace(second=30) - timedelta(minutes=WATCHED)
    by = Provider.objects.get()
    for minute in range(WATCHED):
        moment = start + timedelta(minutes=minute)
        out = BEGAN <= minute < ENDED
        visitors(moment, by, out=out)
        if known and out and minute > BEGAN:  # found out a minute later
            network.hold(moment, start + timedelta(minutes=BEGAN - 1))
        if known and minute == ENDED:
            network.end(moment)
        heartbeat.beat()
        readings.forget()
        evaluating.run(moment)
    alerts = Alert.objects.exclude(rule__metric__in=["cpu", "memory", "checks_late"])
    found = {row.rule.metric for row in alerts}
    if known:
        assert found == {"own_network"}
        assert Alert.objects.get(rule__metric="own_network").ended_at
    else:
        assert found == {"error_rate", "timeouts", "slo_burn_fast", "slo_burn_slow"}


def test_a_channel_is_not_given_up_for_it_and_is_told_soon_when_it_is_over(
    calendar: Calendar,
) -> None:
    ops = channel(reminders=False)
    incident = Incident.objects.create(title="x")
    outbox.tell(Event.OPENED, "major", calendar.now, incident=incident)
    cut = Post(*[Sent(False, "no connection")] * 60)
    for _ in range(30):
        calendar.tick(hours=1)
        network.hold(calendar.now)
        outbox.drain(calendar, cut)
    ops.refresh_from_db()
    assert not ops.switched_off_at
    assert len(cut.got) == 30
    network.end(calendar.now)
    calendar.tick(minutes=2, seconds=1)
    post = Post()
    outbox.drain(calendar, post)
    assert [line.event for _, message in post.got for line in message.lines] == ["opened"]
    assert Channel.objects.get().failing_since is None


def test_a_receiver_that_asks_us_to_wait_is_obeyed_also_then(calendar: Calendar) -> None:
    channel(reminders=False)
    incident = Incident.objects.create(title="x")
    outbox.tell(Event.OPENED, "major", calendar.now, incident=incident)
    calendar.tick(minutes=1)
    network.hold(calendar.now)
    outbox.drain(calendar, Post(Sent(False, "it answered HTTP 429", wait_s=1800)))
    assert Notice.objects.get().due_at - calendar.now >= timedelta(minutes=30)
