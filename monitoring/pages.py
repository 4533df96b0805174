"""What the status pages show: every figure as it stands there, None where nothing is known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from django.conf import settings
from django.db.models import OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.template import loader
from django.utils.safestring import SafeString

from monitoring import charts, drawing, pasts, prepared, readings, readouts, rollups
from monitoring.drawing import Bars, Point
from monitoring.histograms import Summary
from monitoring.incidents import showing
from monitoring.models import CheckResult, Size, StateChange
from monitoring.notices import windows
from monitoring.pasts import DAYS, Past
from monitoring.readings import Board, Reading
from monitoring.timeline import Interval, Span, day_edges, spans
from providers.roster import Remembered
from providers.standing import Status
from providers.wording import span as duration

EVENTS_SHOWN, RESULTS_SHOWN = 20, 20
EVENTS_LOOKED_AT = 100
EVENTS_OF = timedelta(days=14)
NOTHING_KNOWN = (Status.DISABLED.value, Status.UNKNOWN.value)
CHART_OF = timedelta(days=7)


def may_look(request: HttpRequest) -> bool:
    """Where answers need a key, so does how the providers are; staff may always look."""
    return bool(settings.ANONYMOUS_ACCESS or request.user.is_staff)


@dataclass(frozen=True)
class Row:
    """One endpoint in the overview."""

    item: Reading
    past: Past
    day: Summary

    @property
    def bars(self) -> Bars:
        return self.past.bars(self.item.name)

    def drawn(self) -> SafeString:
        percentile = self.day.percentile
        return _drawn(
            self.item.name,
            self.item.status,
            self.item.reason,
            self.past,
            percentile(0.5),
            percentile(0.95),
        )


@lru_cache(maxsize=2000)
def _drawn(
    name: str, status: Status, reason: str, past: Past, p50_ms: float | None, p95_ms: float | None
) -> SafeString:
    """Most of hundreds of endpoints are as they were a second ago."""
    told = {
        "name": name,
        "status": status,
        "reason": reason,
        "past": past,
        "bars": past.bars(name),
        "p50_ms": p50_ms,
        "p95_ms": p95_ms,
        "days": DAYS,
    }
    return loader.render_to_string("status/row.html", told)


@dataclass(frozen=True)
class Event:
    name: str
    status: str
    reason: str
    began_at: datetime
    lasted: str | None  # None: it goes on


class Drawn(NamedTuple):
    """The overview as it is sent to everybody."""

    said: str
    now: SafeString


def drawn() -> Drawn:
    """Drawn at most a second ago; nobody waits for that who comes within a second of another."""
    return _page.get()


def _draw() -> Drawn:
    told = overview(readings.board())
    return Drawn(told["said"], loader.render_to_string("status/now.html", told))


_page = Remembered(_draw, readings.READ_S, grace=readings.GRACE_S)


def forget() -> None:
    _page.forget()
    charts.forget()


def overview(board: Board) -> dict[str, Any]:
    items = list(board.readings.values())
    watched = [item for item in items if item.is_watched]
    open_ = list(showing.incidents("open"))
    code, said = showing.banner(*readouts.banner(items, board), open_)
    return {
        "incidents": showing.shown(open_, board.at),
        "windows": windows.ahead(board.at),
        "code": code,
        "said": said,
        "groups": _groups(watched, board.at),
        "idle": [item for item in items if not item.is_watched],
        "events": events(items, board.at) if board.newest else [],
        "events_days": EVENTS_OF.days,
        "charts": charts.now() if board.newest else None,
        "chart_width": drawing.BAND_WIDTH,
        "chart_height": drawing.BAND_HEIGHT,
        "newest": board.newest,
        "newest_age_s": (board.at - board.newest).total_seconds() if board.newest else None,
        "stale_after": duration(3 * board.plan.interval_s),
        "interval": duration(board.plan.interval_s),
        "paused": board.plan.paused,
        "days": DAYS,
    }


def _groups(items: Sequence[Reading], moment: datetime) -> list[tuple[str, list[SafeString]]]:
    endpoints, day = [item.endpoint for item in items], readings.figures("24h")
    were = pasts.of(endpoints, prepared.days(endpoints, moment), moment)
    found: dict[str, list[SafeString]] = {}
    for item in items:
        row = Row(item, were[item.endpoint.pk], day.get(item.endpoint.pk, readouts.EMPTY))
        found.setdefault(_group(item), []).append(row.drawn())
    return sorted(found.items())


def _group(item: Reading) -> str:
    category = item.provider.category if item.provider else ""
    word = category or item.health.get_kind_display()
    return "DeFi" if word == "defi" else word.replace("_", " ").capitalize()


def events(
    items: Iterable[Reading],
    now: datetime,
    since: timedelta = EVENTS_OF,
    *,
    with_first: bool = False,
) -> list[Event]:
    """
    What changed lately, newest first; that something was switched off or on is no event. Nor is it,
    but `with_first`, that somebody was found well who was not looked at before: of all providers
    together that is a list of thirty times nothing.
    """
    by_endpoint = {item.endpoint.pk: item for item in items}
    rows = (
        StateChange.objects.between(now - since, now)
        .filter(endpoint__among=by_endpoint, began_at__gte=now - since)
        .exclude(status__in=NOTHING_KNOWN)
        .order_by("-began_at", "-pk")
        # To leave the first ones out here would mean to look back from each of hundreds.
        .annotate(before=_status_before())
        .values_list("endpoint_id", "status", "reason", "began_at", "ended_at", "before")
    )
    return [
        Event(
            by_endpoint[pk].name,
            status,
            reason,
            began_at,
            duration((ended_at - began_at).total_seconds()) if ended_at else None,
        )
        for pk, status, reason, began_at, ended_at, before in rows[:EVENTS_LOOKED_AT]
        if with_first or status != Status.HEALTHY or before not in NOTHING_KNOWN
    ][:EVENTS_SHOWN]


def _status_before() -> Coalesce:
    """What an endpoint was before a change; unknown where nothing was."""
    earlier = StateChange.objects.filter(
        endpoint=OuterRef("endpoint"), began_at__lt=OuterRef("began_at")
    ).order_by("-began_at", "-pk")
    return Coalesce(Subquery(earlier.values("status")[:1]), Value(Status.UNKNOWN.value))


# -- One endpoint ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Stretch:
    """Availability of the last so many days."""

    title: str
    availability: str | None
    coverage: str


@dataclass(frozen=True)
class Day:
    date: datetime
    state: str
    availability: str | None
    down: str | None


def one(item: Reading, board: Board) -> dict[str, Any]:
    edges = day_edges(board.at, DAYS)
    past = pasts.intervals([item.endpoint], edges[0], board.at)[item.endpoint.pk]
    days = spans(past, edges)
    newest = item.health.checked_at
    day = readings.figures("24h").get(item.endpoint.pk, readouts.EMPTY)
    return {
        "item": item,
        "row": Row(item, pasts.past(days), day),
        "since_s": max(0.0, (board.at - item.health.since).total_seconds()),
        "checked_age_s": (board.at - newest).total_seconds() if newest else None,
        "stretches": _stretches(past, board.at),
        "day": day,
        "chart": drawing.band(_runs(item, board.at)),
        "chart_width": drawing.BAND_WIDTH,
        "chart_height": drawing.BAND_HEIGHT,
        "chart_from": board.at - CHART_OF,
        "threshold": item.endpoint.threshold_ms or board.plan.threshold_ms,
        "interval": duration(board.plan.interval_of(item.endpoint)),
        "quotas": charts.quotas(item.name) if item.is_watched else [],
        "events": events([item], board.at, timedelta(days=DAYS), with_first=True),
        "events_days": DAYS,
        "results": list(CheckResult.objects.filter(endpoint=item.endpoint)[:RESULTS_SHOWN]),
        "table": [_day(span) for span in reversed(days) if span.seconds],
        "days": DAYS,
    }


def _stretches(past: Sequence[Interval], now: datetime) -> list[Stretch]:
    found = []
    for title, length in (("24 hours", 1), ("7 days", 7), ("30 days", 30), ("90 days", DAYS)):
        (span,) = spans(past, [now - timedelta(days=length), now])
        available = drawing.two_decimals(span.availability_percent)
        found.append(Stretch(title, available, pasts.coverage(span)))
    return found


def _day(span: Span) -> Day:
    return Day(
        span.start,
        (span.gravest or Status.UNKNOWN).value,
        drawing.two_decimals(span.availability_percent),
        duration(60 * drawing.minutes(span.down_s)) if span.down_s else None,
    )


def _runs(item: Reading, now: datetime) -> list[list[Point]]:
    """Hours with answers, in runs without a gap: p50 and p95 of each."""
    start = now - CHART_OF
    found: list[list[Point]] = []
    last: datetime | None = None
    for hour, summed in rollups.series(item.endpoint.pk, Size.HOUR, start):
        low, high = summed.percentile(0.5), summed.percentile(0.95)
        if low is None or high is None:
            continue
        if last is None or hour - last > timedelta(hours=1):
            found.append([])
        last = hour
        middle = hour + timedelta(minutes=30)
        x = min(1.0, (middle - start) / CHART_OF)
        found[-1].append(Point(x, low, high))
    return found
