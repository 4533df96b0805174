"""
How all this is used, as the status page draws it: whether answers came off the shelf, who was
asked, and what is left of quotas. Figures stand beside every drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Sum
from django.utils.timezone import now as current_time

from aggregator import readouts as gateway
from monitoring import drawing, mishaps
from monitoring.drawing import Band, Parts, Point
from providers import roster, usage
from providers.models import Outcome
from providers.quota import Quota
from providers.roster import Remembered
from providers.wording import span

READ_S, GRACE_S = 20.0, 300.0
RATE_OF, CALLS_OF = timedelta(days=7), timedelta(hours=24)
MOST_ROWS = 10
SERVED = ("hit", "stale", "refreshing")


@dataclass(frozen=True)
class Called:
    """Calls of one provider: what they brought, and what failed."""

    name: str
    calls: int
    failed: int
    bar: Parts


@dataclass(frozen=True)
class Used:
    """A quota; `of` is whom it counts: a provider's address, or one of its keys, unnamed."""

    name: str
    of: str
    said: str
    percent: float
    ends: str | None
    bar: Parts


@dataclass(frozen=True)
class Charts:
    began: datetime  # of the first chart
    rate: Band | None
    rate_percent: float | None
    answers: int
    calls: Sequence[Called]
    calls_more: int
    quotas: Sequence[Used]


def now() -> Charts:
    return _charts.get()


def forget() -> None:
    _charts.forget()


def _read() -> Charts:
    moment = current_time()
    hours = gateway.cache_hits(moment - RATE_OF, moment)
    every = sum(sum(page.values()) for page in hours.values())
    served = sum(page.get(name, 0) for page in hours.values() for name in SERVED)
    called = _called(moment)
    return Charts(
        moment - RATE_OF,
        rate(hours, moment),
        100 * (served / every) if every else None,
        int(every),
        called[:MOST_ROWS],
        max(0, len(called) - MOST_ROWS),
        quotas()[:MOST_ROWS],
    )


_charts = Remembered(_read, READ_S, grace=GRACE_S)


def rate(hours: dict[datetime, dict[str, float]], moment: datetime) -> Band | None:
    """The share of answers off the shelf by the hour; a gap where nobody asked."""
    start = moment - RATE_OF
    points = []
    for hour, page in sorted(hours.items()):
        every = sum(page.values())
        if every:
            share = 100 * sum(page.get(name, 0) for name in SERVED) / every
            middle = (hour + timedelta(minutes=30) - start) / RATE_OF
            points.append(Point(min(1.0, max(0.0, middle)), share, share))
    runs = drawing.runs_of(points, apart=1.5 * (timedelta(hours=1) / RATE_OF))
    return drawing.band(runs, top=100.0, said=lambda percent: f"{percent:g} %")


def _called(moment: datetime) -> list[Called]:
    rows = (
        Outcome.objects.filter(hour__gte=moment - CALLS_OF)
        .order_by()
        .values_list("provider__slug", "outcome")
        .annotate(Sum("calls"))
    )
    counts: dict[str, list[int]] = {}
    for slug, outcome, calls in rows:
        ok_failed = counts.setdefault(slug, [0, 0])
        ok_failed[outcome not in mishaps.NO_MISHAP] += calls
    most = max(map(sum, counts.values()), default=0)
    found = [
        Called(slug, good + bad, bad, drawing.parts([("healthy", good), ("down", bad)], most))
        for slug, (good, bad) in counts.items()
    ]
    return sorted(found, key=lambda one: (-one.calls, one.name))


def quotas(slug: str | None = None) -> list[Used]:
    """Those of all, or of one provider, the fullest first."""
    catalogue, known = roster.current(), usage.quotas()
    found = []
    for provider in catalogue.providers:
        if slug in (None, provider.slug):
            found += [_used(provider.slug, "address", q) for q in known.get(provider.slug, ())]
            for place, key in enumerate(catalogue.keys_of(provider), 1):
                mine = known.get(key.guard_name, ())
                found += [_used(provider.slug, f"key {place}", quota) for quota in mine]
    return sorted(found, key=lambda used: (-used.percent, used.name, used.of))


def _used(name: str, of: str, quota: Quota) -> Used:
    percent = 100 * quota.share
    state = "down" if percent >= 100 else "degraded" if quota.is_warned_of else "healthy"
    return Used(
        name,
        of,
        f"{quota.used:,.0f} of {quota.limit:,.0f} in {span(quota.per_s)}",
        percent,
        None if quota.ends_in_s is None else span(quota.ends_in_s),
        drawing.parts([(state, percent)], 100),
    )
