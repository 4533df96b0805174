"""Rules at work: what they measure, what they say, and what is written of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils.timezone import now

from aggregator import heartbeat, readouts
from monitoring import metrics, turns
from monitoring.alerts import defaults, evaluating, figures
from monitoring.alerts.models import Alert, AlertRule, Measured, Slo
from monitoring.metrics import Figures
from monitoring.models import ModelStats
from monitoring.notices import outbox
from monitoring.notices.message import Message
from monitoring.notices.models import Channel, Notice
from monitoring.notices.sending import Sent
from providers.aimodels import AiModel
from tests.monitoring.test_incidents import channel
from tests.monitoring.world import endpoint

pytestmark = pytest.mark.django_db(transaction=True)


class Gauge:
    """A metric that shows what a test says."""

    def __init__(self) -> None:
        self.shows: Any = 0.0

    def __call__(self, moment: datetime) -> Figures:
        if isinstance(self.shows, Exception):
            raise self.shows
        return self.shows if isinstance(self.shows, dict) else {"": self.shows}


@pytest.fixture
def gauge() -> Iterator[Gauge]:
    found = Gauge()
    metrics._known["gauge"] = metrics.Metric("gauge", "Gauge", "%", found)
    yield found
    metrics.forget("gauge")


@pytest.fixture
def rule(gauge: Gauge) -> AlertRule:
    AlertRule.objects.all().delete()
    return AlertRule.objects.create(
        name="too much", metric="gauge", threshold=90, for_s=60, clear_for_s=60, severity="major"
    )


def look(*minutes: float) -> None:
    for minute in minutes:
        evaluating.run(START + timedelta(minutes=minute))


START = now()


def test_an_alert_opens_grows_worse_and_closes_with_notices(rule: AlertRule, gauge: Gauge) -> None:
    channel()
    gauge.shows = 95.0
    look(0)
    assert not Alert.objects.exists()
    look(1)
    gauge.shows = 99.0
    look(2)
    alert = Alert.objects.get()
    assert (alert.value, alert.worst, alert.threshold, alert.severity) == (95, 99, 90, "major")
    assert alert.said == "Gauge: 95 % (alert above 90 %)"
    assert not alert.predictive
    gauge.shows = 50.0
    look(3, 4)
    alert.refresh_from_db()
    assert alert.ended_at == START + timedelta(minutes=4)
    assert list(Notice.objects.order_by("pk").values_list("event", flat=True)) == [
        "opened",
        "resolved",
    ]


def test_each_scope_has_an_alert_of_its_own(rule: AlertRule, gauge: Gauge) -> None:
    gauge.shows = {"a": 95.0, "b": 10.0, "c": None}
    look(0, 1)
    assert Alert.objects.get().scope == "a"
    rule.scope = "b"
    rule.save()
    gauge.shows = {"a": 95.0, "b": 95.0}
    look(2, 3)
    assert set(Alert.objects.values_list("scope", flat=True)) == {"a", "b"}


def test_what_comes_and_goes_says_so_once(rule: AlertRule, gauge: Gauge) -> None:
    channel()
    AlertRule.objects.update(for_s=0, clear_for_s=0)
    sent: list[str] = []

    def post(to: Channel, message: Message) -> Sent:
        sent.extend(line.event for line in message.lines)
        return Sent(True)

    for minute in range(0, 20, 2):
        for value, at in ((95.0, minute), (10.0, minute + 1)):
            gauge.shows = value
            look(at)
            outbox.drain(lambda at=at: START + timedelta(minutes=at, seconds=31), post)  # type: ignore[misc]
    assert Alert.objects.count() == 10
    assert sent == ["opened", "resolved", "opened", "resolved", "flapping", "resolved"]


def test_what_is_gone_is_forgotten_once_it_fires_no_more(rule: AlertRule, gauge: Gauge) -> None:
    gauge.shows = {"a": 95.0, "b": 10.0}
    look(0, 1)
    gauge.shows = {"c": 1.0}
    look(2)
    assert set(Measured.objects.values_list("scope", flat=True)) == {"a", "c"}
    assert Alert.objects.get().ended_at is None, "nobody knows yet"
    look(70)
    assert Alert.objects.get().ended_at
    look(71)
    assert set(Measured.objects.values_list("scope", flat=True)) == {"c"}


def test_a_thousand_scopes_take_a_handful_of_queries(
    rule: AlertRule, gauge: Gauge, django_assert_max_num_queries: Any
) -> None:
    gauge.shows = {f"p{n}": 10.0 for n in range(1000)}
    look(0)
    with django_assert_max_num_queries(30):
        look(1)


def test_a_metric_nobody_registered_measures_nothing_and_says_so() -> None:
    AlertRule.objects.all().delete()
    AlertRule.objects.create(name="x", metric="of_the_future", threshold=1)
    look(0, 1, 2)
    row = Measured.objects.get()
    assert (row.value, row.note) == (None, "no such metric yet: nothing measured")
    assert not Alert.objects.exists()


def test_a_metric_that_breaks_harms_no_other(
    rule: AlertRule, gauge: Gauge, caplog: pytest.LogCaptureFixture
) -> None:
    AlertRule.objects.create(name="memory", metric="memory", threshold=-1)
    gauge.shows = RuntimeError("boom")
    look(0, 1)
    assert Alert.objects.get().rule.name == "memory"
    assert "gauge could not be measured" in caplog.text
    assert "see the log" in Measured.objects.get(rule=rule).note


def test_a_rule_that_is_switched_off_ends_its_alerts(rule: AlertRule, gauge: Gauge) -> None:
    gauge.shows = 95.0
    look(0, 1)
    AlertRule.objects.update(enabled=False)
    look(2)
    assert Alert.objects.get().ended_at
    assert not Measured.objects.exists()


def test_one_that_sends_no_notice_still_shows(rule: AlertRule, gauge: Gauge) -> None:
    channel()
    AlertRule.objects.update(notify=False)
    gauge.shows = 95.0
    look(0, 1)
    assert Alert.objects.exists()
    assert not Notice.objects.exists()


def test_one_worker_at_a_time_looks(rule: AlertRule, gauge: Gauge) -> None:
    token = turns.claim("alerts", START, timedelta(seconds=50))
    assert token
    assert evaluating.run(START) == "another worker looks"
    turns.release("alerts", token)
    assert evaluating.run(START) == "0 alerts opened, 0 closed"
    assert turns.claim("alerts", START, timedelta(seconds=50)) != token


# -- What is shipped ---------------------------------------------------------------------------


def test_the_shipped_rules_are_there_once_and_are_the_operators_to_change() -> None:
    AlertRule.objects.all().delete()
    Slo.objects.all().delete()
    defaults.sync()
    assert AlertRule.objects.count() == len(defaults.RULES)
    assert Slo.objects.get().objective_percent == 95
    AlertRule.objects.filter(slug="cpu").update(threshold=75, name="mine")
    defaults.sync()
    assert AlertRule.objects.count() == len(defaults.RULES)
    assert AlertRule.objects.get(slug="cpu").threshold == 75


@pytest.mark.parametrize(
    ("metric", "threshold", "for_s"),
    [
        ("error_rate", 5, 120),
        ("cpu", 90, 300),
        ("memory", 90, 300),
        ("lost_work", 0, 0),
        ("traffic", 3, 120),
        ("quota", 80, 0),
        ("worker_silent", 180, 0),
        ("timeouts", 10, 120),
        ("latency_trend", 2, 600),
        ("model_down", 0, 0),
    ],
)
def test_what_is_on_by_default(metric: str, threshold: float, for_s: int) -> None:
    defaults.sync()
    rule = AlertRule.objects.get(metric=metric)
    assert (rule.threshold, rule.for_s, rule.direction) == (threshold, for_s, "above")
    assert (rule.enabled, rule.notify) == (True, True)


def test_the_service_level_to_begin_with() -> None:
    Slo.objects.all().delete()
    AlertRule.objects.all().delete()
    defaults.sync()
    slo = Slo.objects.get()
    assert (slo.objective_percent, slo.within_ms, slo.dataset, slo.enabled) == (95, 1000, "", True)


def test_the_shipped_rules_name_metrics_that_are_there() -> None:
    assert not [rule["metric"] for rule in defaults.RULES if metrics.get(rule["metric"]) is None]


@pytest.mark.parametrize(
    ("late", "usual", "share"),
    [((30, 70), (60, 40), 0.5), ((1, 9), (60, 40), None), ((50, 50), (0, 0), None)],
)
def test_hits_are_measured_by_those_of_the_day(
    late: tuple[int, int], usual: tuple[int, int], share: float | None, monkeypatch: Any
) -> None:
    hour = START.replace(minute=0, second=0, microsecond=0)
    books = {hour: late, hour - timedelta(hours=5): usual}
    pages = {
        at: {"hit": float(hits), "miss": float(misses)} for at, (hits, misses) in books.items()
    }
    monkeypatch.setattr(readouts, "cache_hits", lambda start, end: pages)
    assert figures.cache_hits(START) == {"": share}


@pytest.mark.parametrize(
    ("status", "worked", "is_down"),
    [
        ("available", 3, 0.0),
        ("failed", 3, 1.0),
        ("not_found", 3, 1.0),
        ("unserved", 3, 1.0),
        ("unserved", 0, None),
        ("failed", None, None),
        ("unknown", 3, None),
        ("auth_required", 3, None),
    ],
)
def test_a_model_is_down_when_it_worked_and_does_no_more(
    status: str, worked: int | None, is_down: float | None
) -> None:
    row = AiModel.objects.create(
        model_id="x/a", model_key="a", status=status, fresh_until=now() + timedelta(minutes=15)
    )
    AiModel.objects.create(model_id="x/off", model_key="off", status="failed", is_active=False)
    if worked is not None:
        ModelStats.objects.create(model=row, successful_checks=worked)
    assert figures.model_down(now()) == {"a": is_down}
    later = now() + timedelta(minutes=16)
    assert figures.model_down(later) == {"a": None}, "nobody looked lately"


@pytest.mark.parametrize(
    ("of_the_other", "says"),
    [("available", "x/b stands in for it"), ("failed", "nobody stands in for it")],
)
def test_an_alert_of_a_model_says_who_stands_in(of_the_other: str, says: str) -> None:
    lasts = {"fresh_until": START + timedelta(hours=1), "task": "text-generation"}
    AiModel.objects.create(model_id="x/b", model_key="b", status=of_the_other, **lasts)
    row = AiModel.objects.create(
        model_id="x/a", model_key="a", status="failed", fallback="x/b", **lasts
    )
    ModelStats.objects.create(model=row, successful_checks=3)
    AlertRule.objects.all().delete()
    AlertRule.objects.create(name="down", metric="model_down", threshold=0, clear_at=0)
    look(0)
    assert Alert.objects.get().said == f"a: AI model down; {says}"


def test_a_quiet_installation_raises_no_alert() -> None:
    defaults.sync()
    endpoint("a")
    heartbeat.beat()
    for minute in range(12):
        evaluating.run(START + timedelta(minutes=minute))
    busy = {"CPU busy", "Memory full"}  # this machine may be
    assert not Alert.objects.exclude(rule__name__in=busy).exists()
