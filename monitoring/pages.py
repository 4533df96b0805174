"""What the status pages show: every figure as it stands there, None where nothing is known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.http import HttpRequest

from monitoring import charts, drawing, histories, readings, readouts
from monitoring.drawing import Bars, Point
from monitoring.histograms import Summary
from monitoring.incidents import showing
from monitoring.models import CheckResult, Rollup, Size, StateChange
from monitoring.notices import windows
from monitoring.readings import Board, Reading
from monitoring.rollups import summary
from monitoring.timeline import Interval, Span, day_edges, spans
from providers.roster import Remembered
from providers.standing import Status
from providers.wording import span as duration

DAYS = 90
EVENTS_SHOWN, RESULTS_SHOWN = 20, 20
EVENTS_OF = timedelta(days=14)
CHART_OF = timedelta(days=7)
PASTS_S = 20.0


def may_look(request: HttpRequest) -> bool:
    """Where answers need a key, so does how the providers are; staff may always look."""
    return bool(settings.ANONYMOUS_ACCESS or request.user.is_staff)


class Past(NamedTuple):
    """How one endpoint was, as it is drawn."""

    bars: Bars
    availability: str | None
    coverage: str


@dataclass(frozen=True)
class Row:
    """One endpoint in the overview."""

    item: Reading
    bars: Bars
    availability: str | None
    coverage: str
    day: Summary

    @property
    def p50_ms(self) -> float | None:
        return self.day.percentile(0.5)

    @property
    def p95_ms(self) -> float | None:
        return self.day.percentile(0.95)


@dataclass(frozen=True)
class Event:
    name: str
    status: str
    reason: str
    began_at: datetime
    lasted: str | None  # None: it goes on


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
        "groups": _groups(watched),
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


def _groups(items: Sequence[Reading]) -> list[tuple[str, list[Row]]]:
    known, day = _pasts.get(), readings.figures("24h")
    if any(item.endpoint.pk not in known for item in items):
        _pasts.outdate()  # one has just come
        known = _pasts.get()
    found: dict[str, list[Row]] = {}
    for item in items:
        if past := known.get(item.endpoint.pk):
            row = Row(item, *past, day.get(item.endpoint.pk, readouts.EMPTY))
            found.setdefault(_group(item), []).append(row)
    return sorted(found.items())


def _read_pasts() -> dict[int, Past]:
    """Of every endpoint that is watched: most of ninety days is the same in half a minute."""
    board = readings.board()
    items = [item for item in board.readings.values() if item.is_watched]
    edges = day_edges(board.at, DAYS)
    intervals = histories.intervals(items, edges[0], board.at)
    return {i.endpoint.pk: _past(i.name, spans(intervals[i.endpoint.pk], edges)) for i in items}


_pasts = Remembered(_read_pasts, PASTS_S)


def forget() -> None:
    _pasts.forget()
    charts.forget()


def _group(item: Reading) -> str:
    category = item.provider.category if item.provider else ""
    word = category or item.health.get_kind_display()
    return "DeFi" if word == "defi" else word.replace("_", " ").capitalize()


def _past(name: str, days: Sequence[Span]) -> Past:
    whole, states = drawing.gathered(days), [drawing.shape(day) for day in days]
    return Past(
        drawing.bars(states, _in_words(name, states, whole)),
        drawing.two_decimals(whole.availability_percent),
        _coverage(whole),
    )


def _coverage(span: Span) -> str:
    percent = span.coverage_percent
    return "under 1" if 0 < percent < 1 else f"{percent:.0f}"


def _in_words(name: str, states: Sequence[str], whole: Span) -> str:
    counts = sorted(Counter(states).items())
    said = [f"{number} {state.replace('_', ' ')}" for state, number in counts]
    available = drawing.two_decimals(whole.availability_percent)
    share = "nothing is known of it" if available is None else f"available {available} %"
    return f"{name}, the last {len(states)} days: {share}; days: {', '.join(said)}."


def events(items: Iterable[Reading], now: datetime, since: timedelta = EVENTS_OF) -> list[Event]:
    """What changed lately, newest first; that something was switched off or on is no event."""
    by_endpoint = {item.endpoint.pk: item for item in items}
    rows = (
        StateChange.objects.between(now - since, now)
        .filter(endpoint__in=by_endpoint, began_at__gte=now - since)
        .exclude(status__in=[Status.DISABLED.value, Status.UNKNOWN.value])
        .order_by("-began_at", "-pk")[:EVENTS_SHOWN]
    )
    return [
        Event(
            by_endpoint[row.endpoint_id].name,
            row.status,
            row.reason,
            row.began_at,
            duration((row.ended_at - row.began_at).total_seconds()) if row.ended_at else None,
        )
        for row in rows
    ]


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
    past = histories.intervals([item], edges[0], board.at)[item.endpoint.pk]
    days = spans(past, edges)
    newest = item.health.checked_at
    day = readings.figures("24h").get(item.endpoint.pk, readouts.EMPTY)
    return {
        "item": item,
        "row": Row(item, *_past(item.name, days), day),
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
        "events": events([item], board.at, timedelta(days=DAYS)),
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
        found.append(Stretch(title, available, _coverage(span)))
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
    rows = Rollup.objects.filter(
        endpoint=item.endpoint, size=Size.HOUR, start__gte=start, answers__gt=0
    ).order_by("start")
    found: list[list[Point]] = []
    last: datetime | None = None
    for row in rows:
        summed = summary(row)
        low, high = summed.percentile(0.5), summed.percentile(0.95)
        if low is None or high is None:
            continue
        if last is None or row.start - last > timedelta(hours=1):
            found.append([])
        last = row.start
        middle = row.start + timedelta(minutes=30)
        x = min(1.0, (middle - start) / CHART_OF)
        found[-1].append(Point(x, low, high))
    return found
