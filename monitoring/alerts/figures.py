"""What is measured for alerts out of the box. None wherever there was too little to say."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import reduce
from math import inf
from operator import or_
from typing import Any

import psutil
from django.db.models import Count, Min, Q

from aggregator import readouts
from monitoring import network, readings, rollups
from monitoring.alerts import burning, forecasting
from monitoring.alerts.models import Slo
from monitoring.health import FAULTS, codes
from monitoring.metrics import Figures, metric
from monitoring.models import Notice, Rollup, Size
from monitoring.notices.models import Fate
from providers import standins, usage
from providers.aimodels import AiModel, ModelStatus
from providers.health import Kind
from providers.models import Call
from providers.quota import Quota
from providers.resilience import Cell
from providers.standing import Status
from providers.usage import Subject

LATELY, HOUR = timedelta(minutes=5), timedelta(hours=1)
BASELINE = timedelta(hours=24)
LEAST_CALLS = 20  # under which a share says nothing
LEAST_TRAFFIC = 300  # in five minutes: three times nothing is no crowd
LEAST_ANSWERS, LEAST_BASELINE = 5, 50
CPU_KEPT_S = 600.0
DRIFT_OF = timedelta(days=3)
PACE_OF, STEP = timedelta(hours=3), timedelta(minutes=15)


def _share(moment: datetime, span: timedelta, bad: Q, asked: Q) -> float | None:
    """In percent, of the calls of a span."""
    calls = Call.objects.filter(asked, at__gt=moment - span, at__lte=moment)
    told = calls.exclude(_while_cut_off()).aggregate(total=Count("pk"), bad=Count("pk", filter=bad))
    return 100 * told["bad"] / told["total"] if told["total"] >= LEAST_CALLS else None


def _while_cut_off() -> Q:
    """Calls that were made while our own network was out."""
    spans = (Q(at__gte=one.began_at, at__lt=one.ended_at) for one in network.outages())
    return reduce(or_, spans, Q())


_SAY = Q(outcome__in=["ok", *codes(FAULTS)])


@metric("error_rate", "Requests that failed, of five minutes", unit="%", scopes=readouts.AREAS)
def error_rate(moment: datetime) -> Figures:
    """
    Through us: who asks wrongly or too often fails by himself, and another provider may help.
    Minutes in which our own network was out are none.
    """
    pages = readouts.requests_by_minute(moment - LATELY, moment)
    return readouts.shares_failed(network.without(pages, burning.MINUTE), LEAST_CALLS)


@metric("provider_errors", "Questions to it that failed, of five minutes", unit="%", scoped=True)
def provider_errors(moment: datetime) -> Figures:
    """
    Of visitors' questions to each provider: another one may have answered after all. None of those
    are counted that were asked while our own network was out.
    """
    lately = Call.objects.filter(_SAY, purpose="visitor", at__gt=moment - LATELY, at__lte=moment)
    told = (
        lately.exclude(_while_cut_off())
        .values("provider__slug")
        .annotate(total=Count("pk"), bad=Count("pk", filter=~Q(outcome="ok")))
    )
    return {
        row["provider__slug"]: 100 * row["bad"] / row["total"]
        if row["total"] >= LEAST_CALLS
        else None
        for row in told.order_by("provider__slug")
    }


@metric("timeouts", "Questions that timed out, of ten minutes", unit="%")
def timeouts(moment: datetime) -> Figures:
    """None of those that our own network was the cause of: it is told by itself."""
    return {"": _share(moment, 2 * LATELY, Q(outcome="timed_out"), _SAY)}


@metric("traffic", "Requests of five minutes, by the mean of a day", unit="times")
def traffic(moment: datetime) -> Figures:
    """Of visitors. Hours in which nobody was there to be asked are in no mean."""
    hour = moment.replace(minute=0, second=0, microsecond=0)
    late = readouts.requests_by_minute(moment - LATELY, moment)
    usual = readouts.requests_by_hour(hour - BASELINE, hour)
    if not late or len(usual) < BASELINE / 4 / HOUR:
        return {"": None}  # not long enough to call it a baseline
    now = readouts.visits(late) * (LATELY / max(LATELY, moment - min(late)))
    before = readouts.visits(usual) * (LATELY / (len(usual) * HOUR))
    return {"": now / max(before, LEAST_TRAFFIC / 3)}


@metric("cache_hits", "Answers off the shelf, by the share of a day", unit="times")
def cache_hits(moment: datetime) -> Figures:
    """
    This hour and the one before it, beside the day before them: the books are by the hour. One in
    which our own network was out is none, as nothing could be put on the shelf.
    """
    split = moment.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    hours = network.without(readouts.cache_hits(split - BASELINE, moment), HOUR)
    late = {hour: page for hour, page in hours.items() if hour >= split}
    usual = {hour: page for hour, page in hours.items() if hour < split}
    now, before = (_hit_rate(late), _hit_rate(usual))
    return {"": now / before if now is not None and before else None}


def _hit_rate(hours: Mapping[datetime, Mapping[str, float]]) -> float | None:
    enough = sum(sum(page.values()) for page in hours.values()) >= LEAST_BASELINE
    return readouts.hit_rate(hours) if enough else None


# -- Endpoints ---------------------------------------------------------------------------------


@metric("provider_down", "Provider down", scoped=True, flag=True)
def provider_down(moment: datetime) -> Figures:
    """1 for what is down; nothing of what nobody knows."""
    return {
        name: None if item.status is Status.UNKNOWN else float(item.status is Status.DOWN)
        for name, item in readings.board().readings.items()
        if item.is_watched and item.health.kind != Kind.MODEL
    }


def _stand_in(key: str) -> str:
    """Who is asked instead of a model that is down."""
    model = AiModel.objects.filter(model_key=key).first()
    line = standins.in_line(model.model_id) if model else []
    able = [row.model_id for row in line if model and row.pk != model.pk]
    return f"{able[0]} stands in for it" if able else "nobody stands in for it"


@metric("model_down", "AI model down", scoped=True, flag=True, remark=_stand_in)
def model_down(moment: datetime) -> Figures:
    """
    1 for what answered once, and failed or is gone. Nothing of one that nobody looked at lately,
    that wants a token, or that never worked: many of the catalogue's are run by nobody.
    """
    gone = (ModelStatus.FAILED, ModelStatus.NOT_FOUND, ModelStatus.UNSERVED)
    found: dict[str, float | None] = {}
    for model in AiModel.objects.active().select_related("stats"):
        status, stats = model.status_at(moment), getattr(model, "stats", None)
        if status in gone:
            found[model.model_key] = 1.0 if stats and stats.successful_checks else None
        else:
            silent = status in (ModelStatus.UNKNOWN, ModelStatus.AUTH_REQUIRED)
            found[model.model_key] = None if silent else 0.0
    return found


@metric("latency_trend", "Slower than in the week, p95 of an hour", unit="times", scoped=True)
def latency_trend(moment: datetime) -> Figures:
    hour, week = readings.figures("1h"), readings.figures("7d")
    found: dict[str, float | None] = {}
    for name, item in readings.board().readings.items():
        now, usual = hour.get(item.endpoint.pk), week.get(item.endpoint.pk)
        if now is None or usual is None or not item.is_watched:
            continue
        p95, base = now.percentile(0.95), usual.percentile(0.95)
        enough = now.answers >= LEAST_ANSWERS and usual.answers >= LEAST_BASELINE
        found[name] = p95 / base if enough and p95 is not None and base else None
    return found


@metric("quota", "Quota used", unit="%", scoped=True)
def quota(moment: datetime) -> Figures:
    """The fullest window of an hour or more, of our address or of a key."""
    return {name: max(100 * one.share for one in all_) for name, all_ in _quotas().items()}


@metric("quota_hours_left", "Quota lasts for", unit="h", scoped=True, predictive=True)
def quota_hours_left(moment: datetime) -> Figures:
    """
    At the pace of three hours; endless where it lasts until there is more. What is spent already is
    no forecast.
    """
    known = usage.quotas()
    found: dict[str, float | None] = {}
    for subject in usage.subjects():
        for one in known.get(subject.name, ()):
            seconds = _lasts_s(subject, one, moment) if one.ends_in_s else inf
            before = found.get(subject.provider.slug)
            found[subject.provider.slug] = min(inf if before is None else before, seconds / 3600)
    return found


def _lasts_s(subject: Subject, quota: Quota, moment: datetime) -> float:
    """By the median slope: tests/bench/alerts.py tells how many false alarms that saves."""
    calls = Call.objects.filter(provider=subject.provider, at__gt=moment - PACE_OF)
    if subject.credential is not None:
        calls = calls.filter(credential=subject.credential)
    costs = [0.0] * (PACE_OF // STEP + 1)
    for at, cost in calls.order_by().values_list("at", "cost"):
        costs[min(len(costs) - 1, max(0, (moment - at) // STEP))] += cost
    used, points = quota.used, []
    for back, cost in enumerate(costs):  # from now into the past
        points.append((-back * STEP.total_seconds(), used))
        used -= cost
    left = forecasting.exhausted_in_s(points[::-1], quota.limit)
    return inf if left is None or left > quota.lasts_s else left


def _quotas() -> dict[str, list[Quota]]:
    """By provider."""
    known = usage.quotas()
    found: dict[str, list[Quota]] = {}
    for subject in usage.subjects():
        if mine := known.get(subject.name):
            found.setdefault(subject.provider.slug, []).extend(mine)
    return found


@metric("latency_drift", "Drift of latency", unit="%", scoped=True, predictive=True)
def latency_drift(moment: datetime) -> Figures:
    """Medians by the hour, of three days: see `forecasting.drift`. Over 100 % is a drift."""
    since = moment - DRIFT_OF
    series: dict[int, list[float]] = {}
    rows = Rollup.objects.filter(size=Size.HOUR, start__gte=since, answers__gt=0).order_by("start")
    for row in rows:
        if (middle := rollups.summary(row).percentile(0.5)) is not None:
            series.setdefault(row.endpoint_id, []).append(middle)
    found: dict[str, float | None] = {}
    for name, item in readings.board().readings.items():
        drift = forecasting.drift(series.get(item.endpoint.pk, []))
        if item.is_watched:
            found[name] = None if drift is None else 100 * drift
    return found


# -- Ourselves ---------------------------------------------------------------------------------


@metric("cpu", "CPU busy, since the last look", unit="%")
def cpu(moment: datetime) -> Figures:
    """Of the machine whose worker looks: all of its processors, over the minute."""
    times = psutil.cpu_times()
    # Time of guests stands in that of their hosts already.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    idle = times.idle + getattr(times, "iowait", 0.0)

    def note(last: Any) -> tuple[Any, Any]:
        return [total, idle], last

    last = Cell(f"cpu:{socket.gethostname()}", ttl=CPU_KEPT_S).update(note)
    if not isinstance(last, list) or len(last) != 2 or total <= last[0]:
        return {"": None}  # the first look, or the machine was started anew
    busy = 100 * (1 - (idle - last[1]) / (total - last[0]))
    return {"": min(100.0, max(0.0, busy))}


@metric("memory", "Memory in use", unit="%")
def memory(moment: datetime) -> Figures:
    return {"": float(psutil.virtual_memory().percent)}


@metric("lost_work", "Work that was dropped, of ten minutes", unit="tasks")
def lost_work(moment: datetime) -> Figures:
    """Tasks of the worker that failed or ran out of time, and notices that were given up."""
    since = moment - 2 * LATELY
    given_up = Notice.objects.filter(fate=Fate.DEAD, settled_at__gt=since).count()
    return {"": float(readouts.lost_work(since) + given_up)}


@metric("worker_silent", "The worker ended no task for", unit="s")
def worker_silent(moment: datetime) -> Figures:
    """Seen by another worker or by `runchecks`: who is silent says nothing."""
    return {"": readouts.worker_age_s()}


@metric("checks_late", "The newest check is old", unit="intervals")
def checks_late(moment: datetime) -> Figures:
    board = readings.board()
    if board.newest is None or board.plan.paused:
        return {"": None}
    return {"": max(0.0, (moment - board.newest).total_seconds()) / board.plan.interval_s}


@metric("notices_late", "The oldest notice waits", unit="s")
def notices_late(moment: datetime) -> Figures:
    """
    Also between two attempts; not in a maintenance window, nor while our own network is out: they
    go out when it is back.
    """
    if network.is_held(moment):
        return {"": None}
    waiting = Notice.objects.filter(fate=Fate.PENDING, held=False)
    oldest = waiting.aggregate(at=Min("created_at"))["at"]
    return {"": 0.0 if oldest is None else (moment - oldest).total_seconds()}


@metric("own_network", "Nobody answers: it is our own network", flag=True)
def own_network(moment: datetime) -> Figures:
    """1 while nobody at all answers, as `silence` finds it."""
    return {"": float(network.is_held(moment))}


# -- Service levels ----------------------------------------------------------------------------


def _burns(moment: datetime, short: str, long: str) -> Figures:
    found: dict[str, float | None] = {}
    for slo in Slo.objects.filter(enabled=True):
        told = burning.counts(slo, moment)
        each = (burning.burn(told[name], slo.objective_percent) for name in (short, long))
        found[slo.name] = burning.both(*each)
    return found


@metric("slo_burn_fast", "Budget burns, of 1 h and of 5 min", unit="times", scoped=True)
def slo_burn_fast(moment: datetime) -> Figures:
    return _burns(moment, "5m", "1h")


@metric("slo_burn_slow", "Budget burns, of 6 h and of 30 min", unit="times", scoped=True)
def slo_burn_slow(moment: datetime) -> Figures:
    return _burns(moment, "30m", "6h")
