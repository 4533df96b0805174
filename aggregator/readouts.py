"""
What others may ask us about ourselves: from rows and cells, never from an upstream.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Count, Max
from django.utils.timezone import now

from aggregator import heartbeat, schedules, shelf, traffic, work
from aggregator.encoding import timestamp
from aggregator.ledger import HOURS, MINUTES, Page
from aggregator.sentiment import local
from aggregator.traffic import AREAS as AREAS
from aggregator.traffic import BOUNDS_S as BOUNDS_S
from aggregator.traffic import data_routes as data_routes
from aggregator.traffic import in_time as in_time
from aggregator.traffic import real_time_routes as real_time_routes
from aggregator.traffic import shares_failed as shares_failed
from aggregator.traffic import visits as visits
from providers.health import Health
from providers.models import Call
from providers.overview import ProviderNow, providers_now
from providers.quota import Quota
from providers.resilience.cell import store_is_out
from providers.resilience.store import store
from providers.standing import Status


def _out() -> tuple[type[Exception], ...]:
    """What database and store raise when they are out of reach."""
    return (DatabaseError, *store().errors)


def status() -> dict[str, Any]:
    """GET /api/status."""
    found = providers_now()
    measured = [item.latency_ms for item in found if item.latency_ms is not None]
    return {
        "timestamp": timestamp(time.time()),
        "health": _health(found),
        "counts": dict(Counter(str(item.status) for item in found)),
        "avg_response_time_ms": round(sum(measured) / len(measured), 1) if measured else None,
        "providers": {
            item.provider.slug: {
                "status": item.status,
                "active": item.provider.enabled and item.status is not Status.DISABLED,
                "reason": item.reason,
                "circuit": item.phase,
                "resting_s": round(item.resting_s, 1),
                "tokens_left_percent": item.tokens_left_percent,
                "response_time_ms": item.latency_ms,
                "success_rate_percent": item.success_rate_percent,
                "has_key": item.has_key,
                "quotas": _quotas(item),
            }
            for item in found
        },
        "rotation": rotation(),
        "sandbox": bool(settings.SANDBOX),
    }


def _quotas(item: ProviderNow) -> list[dict[str, Any]]:
    """Every window of an hour or more: of our address, and of each key in its order, unnamed."""
    counted = [("address", quota) for quota in item.quotas]
    for place, key in enumerate(item.keys, 1):
        counted += [(f"key {place}", quota) for quota in key.quotas]
    return [_quota(of, quota) for of, quota in counted]


def _quota(of: str, quota: Quota) -> dict[str, Any]:
    ends_in_s = quota.ends_in_s
    return {
        "of": of,
        "per_s": quota.per_s,
        "limit": quota.limit,
        "used": round(quota.used, 1),
        "used_percent": round(quota.share * 100, 1),
        "warning": quota.is_warned_of,
        "ends_at": None if ends_in_s is None else timestamp(time.time() + ends_in_s),
    }


def _health(found: list[ProviderNow]) -> str:
    """Judged by what is switched on and was asked; what is switched off does not count."""
    asked = [item for item in found if item.status not in (Status.DISABLED, Status.UNKNOWN)]
    if not asked:
        return "unknown"
    good = sum(item.status in (Status.HEALTHY, Status.DEGRADED) for item in asked)
    if good == len(asked) and all(item.status is Status.HEALTHY for item in asked):
        return "online"
    return "degraded" if good else "offline"


def rotation(*, hours: int = 24) -> dict[str, dict[str, Any]]:
    """Who answered how often: {name: {served, share (percent), last_used}}."""
    rows = (
        Call.objects.ok()
        .exclude(purpose="check")  # nobody was served
        .since(now() - timedelta(hours=hours))
        .values("provider__slug")
        .annotate(served=Count("pk"), last_used=Max("at"))
        .order_by("-served")
    )
    counted = list(rows)
    total = sum(row["served"] for row in counted)
    return {
        row["provider__slug"]: {
            "served": row["served"],
            "share": round(100 * row["served"] / total, 2),
            "last_used": timestamp(row["last_used"].timestamp()),
        }
        for row in counted
    }


def readiness(connection: BaseDatabaseWrapper) -> dict[str, Any]:
    """GET /readyz: is this process fit to be sent traffic?"""
    database = _answers(lambda: connection.ensure_connection())
    shared = not store_is_out() and _answers(lambda: store().read_many(["readyz"]))
    return {
        "ready": database and shared,
        "database": "online" if database else "offline",
        "store": "online" if shared else "offline",
        # Neither a silent worker nor checks that stopped make this process unfit to answer.
        "worker": "active" if heartbeat.is_active() else "silent",
        "newest_check": _newest_check() if database else None,
        "sandbox": bool(settings.SANDBOX),
    }


def _newest_check() -> str | None:
    """When anybody was checked last; None before the first."""
    try:
        newest = Health.objects.aggregate(at=Max("checked_at"))["at"]
    except DatabaseError:
        return None
    return None if newest is None else timestamp(newest.timestamp())


def _answers(question: Any) -> bool:
    try:
        question()
    except _out():
        return False
    return True


def worker_age_s() -> float | None:
    """Seconds since the worker last ended a task; None when it never did."""
    return heartbeat.age_s()


def lost_work(since: datetime) -> int:
    """Tasks of the worker that failed, or ran out of time, since then."""
    return work.lost(since)


def shelf_size() -> int | None:
    """Answers on the shared shelf; None while it is out of reach."""
    try:
        return shelf.size()
    except _out():
        return None


def local_model() -> tuple[str, str]:
    """The name of the model of this machine, "" for none; and what it lacks to read texts."""
    return local.name(), local.lacking()


def worker_is_active() -> bool:
    """Has the worker done anything lately?"""
    return heartbeat.is_active()


# -- What monitoring tells beside the providers -------------------------------------------------


def database_is_online(connection: BaseDatabaseWrapper) -> bool:
    """Does it answer a question at this moment?"""

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    return _answers(ask)


def worker(moment: datetime) -> dict[str, str | None]:
    """Is the worker at work, and when is its next run? None where nobody can say."""
    active = heartbeat.is_active()
    try:
        due = schedules.next_run() if active else None
    except DatabaseError:
        due = None
    return {
        "background_worker": "active" if active else "silent",
        "worker_next_run": None if due is None else _next_run((due - moment).total_seconds()),
    }


def _next_run(seconds: float) -> str:
    """To the minute: it is asked for every few seconds, and would never stay the same."""
    minutes = ceil(seconds / 60)
    if minutes <= 0:
        return "Next run now"
    return f"Next run {minutes}m" if minutes < 120 else f"Next run {minutes // 60}h"


def cache_hits(start: datetime, end: datetime) -> dict[datetime, dict[str, float]]:
    """How answers came about in each hour of a span (see `traffic`); nothing before the first."""
    return traffic.answers_by_hour(start, end)


def hit_rate(hours: Mapping[datetime, Mapping[str, float]]) -> float | None:
    """Of the answers of these hours, how many came off the shelf, in percent; None without any."""
    return traffic.hit_rate(hours)


def cache_hit_rate(moment: datetime) -> float | None:
    """Of the answers of 24 hours, how many came off the shelf, in percent; None without any."""
    return traffic.hit_rate(cache_hits(moment - timedelta(hours=24), moment))


def requests_by_minute(start: datetime, end: datetime) -> dict[datetime, Page]:
    """
    What visitors asked, by the minutes that have a part in a span of the last two hours. A minute
    in which nobody was there to be asked has no page.
    """
    return MINUTES.read(start, end)


def requests_by_hour(start: datetime, end: datetime) -> dict[datetime, Page]:
    """The same by the hour, of nine days."""
    return HOURS.read(start, end)


def traffic_now() -> tuple[tuple[float, ...], dict[str, dict[str, float]]]:
    """
    The upper bounds (s) of the histograms, and `traffic.totals()` of all processes: what this one
    counted until now, and the others some seconds ago.
    """
    traffic.traffic.settle()
    return traffic.BOUNDS_S, traffic.totals()
