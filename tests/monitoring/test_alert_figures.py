"""What is measured for alerts out of the box, and when there was too little to say."""

from __future__ import annotations

import time
from datetime import timedelta
from math import inf
from typing import Any
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now
from django_q.models import Failure

from aggregator import heartbeat, readouts
from aggregator.traffic import Traffic
from monitoring import network, readings, rollups
from monitoring.alerts import burning, evaluating, figures
from monitoring.alerts.models import Alert, AlertRule, Slo
from monitoring.histograms import bucket
from monitoring.models import Plan, Rollup, Size
from monitoring.notices.models import Fate, Notice
from providers import roster, tallies, usage
from providers.models import Call, Provider
from tests.monitoring.test_incidents import channel
from tests.monitoring.world import endpoint, results

pytestmark = pytest.mark.django_db(transaction=True)

START = now()


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
    evaluating.run(START)
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


def test_hours_in_which_our_own_network_was_out_say_nothing_of_hits(monkeypatch: Any) -> None:
    hour = START.replace(minute=0, second=0, microsecond=0)
    books = {hour: (30.0, 70.0), hour - timedelta(hours=5): (60.0, 40.0)}
    pages = {at: {"hit": hits, "miss": misses} for at, (hits, misses) in books.items()}
    monkeypatch.setattr(readouts, "cache_hits", lambda start, end: pages)
    network.hold(hour + timedelta(minutes=5))
    network.end(hour + timedelta(minutes=6))
    assert figures.cache_hits(START) == {"": None}


def test_lost_work_is_what_failed_and_what_was_given_up() -> None:
    assert figures.lost_work(now()) == {"": 0.0}
    for minutes in (1, 5, 30):
        at = now() - timedelta(minutes=minutes)
        Failure.objects.create(
            id=uuid4().hex, name="x", func="x", started=at, stopped=at, success=False
        )
    row = channel()
    for minutes, fate in ((1, Fate.DEAD), (30, Fate.DEAD), (1, Fate.SENT)):
        at = now() - timedelta(minutes=minutes)
        key = f"{minutes}-{fate}"
        Notice.objects.create(channel=row, event="test", key=key, fate=fate, settled_at=at)
    assert figures.lost_work(now()) == {"": 3.0}


def test_a_worker_that_ended_nothing_for_long_is_silent() -> None:
    assert figures.worker_silent(now()) == {"": None}, "there may be none"
    heartbeat.beat(lambda: time.time() - 200)
    silent = figures.worker_silent(now())[""]
    assert silent == pytest.approx(200, abs=5)


def test_checks_are_late_by_their_interval_unless_somebody_paused_them() -> None:
    assert figures.checks_late(now()) == {"": None}
    endpoint("a", checked_at=now() - timedelta(minutes=20))
    endpoint("b", checked_at=now() - timedelta(minutes=10))
    assert figures.checks_late(now()) == {"": pytest.approx(2, abs=0.1)}
    Plan(paused=True).save()
    readings.forget()
    assert figures.checks_late(now()) == {"": None}


def test_a_notice_waits_also_between_two_attempts_but_not_in_a_window() -> None:
    assert figures.notices_late(now()) == {"": 0.0}
    row, at = channel(), now() - timedelta(minutes=40)
    later = now() + timedelta(minutes=30)
    waits = Notice.objects.create(
        channel=row, event="test", key="a", created_at=at, due_at=later, attempts=6
    )
    assert figures.notices_late(now()) == {"": pytest.approx(2400, abs=5)}
    network.hold(now())
    assert figures.notices_late(now()) == {"": None}
    network.end(now())
    Notice.objects.update(held=True)
    assert figures.notices_late(now()) == {"": 0.0}
    Notice.objects.filter(pk=waits.pk).update(held=False, fate=Fate.SENT)
    assert figures.notices_late(now()) == {"": 0.0}


@pytest.mark.parametrize(("lately", "drifts"), [(100.0, False), (300.0, True)])
def test_a_latency_that_drifts_is_told_in_percent_of_a_drift(lately: float, drifts: bool) -> None:
    row, hour = endpoint("a"), rollups.start_of(now(), Size.HOUR)
    assert figures.latency_drift(now()) == {"a": None}
    for back in range(60):
        ms = lately if back < 8 else 95.0 + back % 5
        Rollup.objects.create(
            endpoint=row,
            size=Size.HOUR,
            start=hour - timedelta(hours=back),
            ok=10,
            answers=10,
            histogram={str(bucket(ms)): 10},
            min_ms=ms,
            max_ms=ms,
        )
    drift = figures.latency_drift(now())["a"]
    assert drift is not None
    assert (drift > 100) is drifts


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
