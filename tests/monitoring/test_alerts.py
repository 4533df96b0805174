"""Rules at work: what they measure, what they say, and what is written of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import inf
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from aggregator import heartbeat, readouts
from aggregator.traffic import Traffic
from monitoring import metrics, network, turns
from monitoring.alerts import burning, defaults, evaluating, figures
from monitoring.alerts.models import Alert, AlertRule, Measured, Slo
from monitoring.metrics import Figures
from monitoring.models import ModelStats
from monitoring.notices import outbox
from monitoring.notices.message import Message
from monitoring.notices.models import Channel, Notice
from monitoring.notices.sending import Sent
from providers import roster, tallies, usage
from providers.aimodels import AiModel
from providers.models import Call, Provider
from tests.monitoring.test_incidents import channel
from tests.monitoring.world import endpoint, results

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


# -- What is measured --------------------------------------------------------------------------


def called(by: Provider, *outcomes: str, minutes: float = 1, seconds: float = 0.1) -> None:
    at = now() - timedelta(minutes=minutes)
    rows = [Call(provider=by, dataset="price", outcome=o, seconds=seconds, at=at) for o in outcomes]
    Call.objects.bulk_create(rows)
    tallies.add(rows)


def provider(slug: str = "a", **fields: Any) -> Provider:
    row = Provider.objects.create(slug=slug, title=slug, adapter_name="binance", **fields)
    roster.forget()
    return row


def asked(route: str, *statuses: int, minutes: float = 1, seconds: float = 0.1) -> None:
    """What a web process counted and told so many minutes ago."""
    web = Traffic(lambda: (START - timedelta(minutes=minutes)).timestamp())
    for status in statuses:
        web.asked(route, status, seconds)
    web.settle(present=True)


def test_errors_are_a_share_of_enough_requests_of_an_area() -> None:
    nothing = dict.fromkeys(readouts.AREAS)
    assert figures.error_rate(START) == nothing
    asked("market", *[503] * 10)
    assert figures.error_rate(START) == nothing, "ten say nothing"
    asked("price", *[200] * 25, *[304] * 5, *[429] * 50, *[404] * 50)
    asked("system-status", *[304] * 1000)
    found = {**nothing, "data": 25.0, "status": 0.0}
    assert figures.error_rate(START) == found, "a 429 or 404 is no error, and polls hide none"
    assert figures.error_rate(START + timedelta(minutes=6)) == nothing


def test_operators_and_probes_are_no_visitors() -> None:
    for route in ("admin", "static", "healthz", "readyz", "metrics"):
        asked(route, *[500] * 50)
    assert figures.error_rate(START) == dict.fromkeys(readouts.AREAS)


def test_a_rule_may_be_of_one_area_and_of_none_that_is_not() -> None:
    row = AlertRule(name="x", metric="error_rate", scope="data", threshold=5)
    row.full_clean()
    row.scope = "kraken"
    with pytest.raises(ValidationError, match="One of data, chat, status, pages"):
        row.full_clean()


def test_errors_of_a_provider_are_those_of_its_questions() -> None:
    a, b = provider(), provider("b")
    called(a, *["broken"] * 10, *["ok"] * 30, *["throttled"] * 50)
    called(b, *["broken"] * 10)
    assert figures.provider_errors(now()) == {"a": 25.0, "b": None}, "a 429 is no error"
    assert figures.provider_errors(now() + timedelta(minutes=5)) == {}


def test_timeouts_are_a_share_too() -> None:
    called(provider(), *["timed_out"] * 5, *["ok"] * 15)
    assert figures.timeouts(now()) == {"": 25.0}


def test_no_provider_is_blamed_for_our_own_network() -> None:
    called(provider(), *["timed_out"] * 40)
    assert figures.timeouts(now()) == {"": 100.0}
    assert figures.provider_errors(now()) == {"a": 100.0}
    network.hold(now(), now() - timedelta(minutes=2))
    assert figures.timeouts(now()) == {"": None}
    assert figures.provider_errors(now()) == {}


def test_traffic_is_measured_by_what_is_usual() -> None:
    assert figures.traffic(START) == {"": None}
    for hours in range(1, 13):
        asked("market", *[200] * 2400, minutes=60 * hours)
    assert figures.traffic(START) == {"": None}, "nobody knows of the last five minutes"
    asked("market", *[200] * 500, *[429] * 300)
    asked("status-drawer", *[304] * 9000)
    told = figures.traffic(START)[""]
    assert told
    assert 3 < told <= 4, "200 in five minutes were usual; who polls is no crowd"


def test_a_quiet_house_has_no_crowd() -> None:
    for hours in range(1, 13):
        asked("home", 200, minutes=60 * hours)
    asked("home", *[200] * 250)
    told = figures.traffic(START)[""]
    assert told
    assert told < 3


def test_nobody_came_is_not_nobody_looked() -> None:
    for hours in range(1, 13):
        asked("home", *[200] * 6000, minutes=60 * hours)
    asked("home")
    assert figures.traffic(START) == {"": 0.0}


def test_a_provider_that_is_down_is_one_and_unknown_is_nothing() -> None:
    endpoint("a", "down")
    endpoint("b")
    endpoint("c", "unknown")
    endpoint("d", "disabled")
    assert figures.provider_down(now()) == {"a": 1.0, "b": 0.0, "c": None, "d": None}


def test_latency_is_compared_with_the_week() -> None:
    row = endpoint("a")
    results(row, *["good"] * 200, at=now() - timedelta(hours=5), ms=100)
    assert figures.latency_trend(now()) == {"a": None} or not figures.latency_trend(now())
    results(row, *["good"] * 10, ms=400)
    told = figures.latency_trend(now())["a"]
    assert told
    assert told > 1


def test_quotas_are_told_by_provider_with_a_forecast() -> None:
    by = provider(limits=[{"limit": 1000, "per_s": 86400}])
    provider("b", limits=[{"limit": 1000, "per_s": 86400}])
    for quarter in range(12):  # sixty an hour would last, two hundred do not
        called(by, *["ok"] * 50, minutes=15 * quarter + 7)
    usage.forget()
    roster.forget()
    told = figures.quota(now())
    assert told["a"] == pytest.approx(60, abs=1)
    left = figures.quota_hours_left(now())
    assert left["a"]
    assert 1.5 < left["a"] < 2.5
    assert left["b"] == inf
    rule = AlertRule.objects.get_or_create(
        name="soon", defaults={"metric": "quota_hours_left", "threshold": 6, "direction": "below"}
    )[0]
    AlertRule.objects.exclude(pk=rule.pk).update(enabled=False)
    look(0)
    alert = Alert.objects.get()
    assert (alert.scope, alert.predictive) == ("a", True)


def test_processor_time_is_of_the_minute_between_two_looks() -> None:
    assert figures.cpu(now()) == {"": None}
    sum(n * n for n in range(300_000))
    told = figures.cpu(now())[""]
    assert told is None or 0 <= told <= 100
    memory = figures.memory(now())[""]
    assert memory
    assert 0 < memory < 100


def test_our_own_network_is_told_for_three_minutes() -> None:
    moment = now()
    assert figures.own_network(moment) == {"": 0.0}
    network.hold(moment)
    assert figures.own_network(moment + timedelta(minutes=2)) == {"": 1.0}
    assert figures.own_network(moment + timedelta(minutes=4)) == {"": 0.0}


def test_budgets_burn_by_the_lesser_of_two_windows() -> None:
    slo = Slo.objects.create(name="quick", objective_percent=95, within_ms=1000)
    asked("market", *[200] * 50, minutes=50)
    asked("price", *[200] * 25, seconds=2.0)
    asked("ohlc", *[503] * 25, *[400, 404, 429] * 25)
    asked("news", *[200] * 1000, seconds=9.0)
    told = burning.counts(slo, START)
    assert told["5m"] == burning.Tally(0, 50)
    assert told["1h"] == burning.Tally(50, 100)
    assert burning.burn(told["5m"], 95) == pytest.approx(20)
    assert figures.slo_burn_fast(START)["quick"] == pytest.approx(10)
    assert burning.budget_left(told["all"], 95) == pytest.approx(-900)
    assert burning.burn(burning.Tally(0, 19), 95) is None, "too few to say anything"
    slo.dataset = "price"
    assert burning.counts(slo, START)["all"] == burning.Tally(0, 25)


def test_a_budget_is_burned_by_no_outage_of_ours_but_what_was_kept_is_told() -> None:
    slo = Slo.objects.create(name="quick", objective_percent=95, within_ms=1000)
    asked("market", *[503] * 30, minutes=150)
    asked("market", *[503] * 30, minutes=10)
    asked("market", *[200] * 30, minutes=300)
    asked("market", *[200] * 30, minutes=2)
    for minutes in (150, 10):
        began = START - timedelta(minutes=minutes + 1)
        network.hold(began + timedelta(minutes=1), began)
        network.end(began + timedelta(minutes=2))
    told = burning.counts(slo, START)
    assert {told[name] for name in ("5m", "30m", "1h")} == {burning.Tally(30, 30)}
    assert told["6h"].good == told["6h"].total
    assert told["6h"].total >= 30
    assert told["all"] == burning.Tally(60, 120)


@pytest.mark.parametrize(
    ("days", "windows"),
    [(0.2, {"6h", "3d", "all"}), (2, {"3d", "all"}), (6, {"all"}), (8, set())],
)
def test_a_budget_is_of_its_days(days: float, windows: set[str]) -> None:
    slo = Slo.objects.create(name="quick", objective_percent=95, within_ms=1000)
    asked("market", *[200] * 9, minutes=days * 1440)
    told = burning.counts(slo, START)
    assert {name for name, tally in told.items() if tally.total} == windows


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"within_ms": 800}, "up to one of 1, 5, 10"), ({"dataset": "status"}, "One of analyze")],
)
def test_a_service_level_is_of_what_is_counted(wrong: dict[str, Any], says: str) -> None:
    Slo(name="soon", within_ms=500, dataset="gas").full_clean()
    with pytest.raises(ValidationError, match=says):
        Slo(name="soon", **wrong).full_clean()
