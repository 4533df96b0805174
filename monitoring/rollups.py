"""
Results summed up by five minutes, hours and days (UTC).

A bucket is always made anew of all there is, and put in the place of the old one: a run that dies,
or runs twice, does no harm. What was written since the last run decides which are made anew, so a
result that comes late finds its bucket too. Buckets whose makings were pruned are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.db.models import Q, QuerySet, TextField
from django.db.models.functions import Cast
from orjson import loads

from monitoring.health import FAULTS, OK, Finding
from monitoring.histograms import Summary, from_json
from monitoring.models import CheckResult, Plan, Rollup, Size, Watermark

# A transaction may end so much later than it dated its rows.
MARGIN = timedelta(minutes=2)
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
AT_ONCE = 500

Bucket = tuple[int, datetime]  # endpoint and start

_KINDS = {
    **{finding.value: "ok" for finding in OK},
    **{finding.value: "fault" for finding in FAULTS},
    Finding.LIMITED.value: "limited",
}
_BELOW = {Size.HOUR: Size.MINUTES, Size.DAY: Size.HOUR}


def start_of(moment: datetime, size: int) -> datetime:
    """The beginning of the bucket that a moment lies in."""
    return datetime.fromtimestamp(moment.timestamp() // size * size, UTC)


def run(moment: datetime) -> int:
    """Bring all roll-ups up to date; how many were made anew."""
    plan = Plan.current()
    kept = {
        Size.MINUTES: plan.keep_results_days,
        Size.HOUR: plan.keep_minutes_days,
        Size.DAY: plan.keep_hours_days,
    }
    return sum(_run(size, moment, moment - timedelta(days=days)) for size, days in kept.items())


def _run(size: Size, moment: datetime, whole_since: datetime) -> int:
    mark = Watermark.objects.filter(size=size).first()
    since = (mark.seen_until if mark else BEGINNING) - MARGIN
    touched = _touched_by_results(since) if size is Size.MINUTES else _touched(size, since)
    made = 0
    by_start: dict[datetime, set[int]] = {}
    for endpoint, start in touched:
        if start >= whole_since:
            by_start.setdefault(start, set()).add(endpoint)
    for start in sorted(by_start):
        made += _make(size, start, by_start[start], moment)
    Watermark.objects.update_or_create(size=size, defaults={"seen_until": moment})
    return made


def _touched_by_results(since: datetime) -> Iterator[Bucket]:
    rows = CheckResult.objects.filter(written_at__gt=since).order_by()
    for endpoint, at in rows.values_list("endpoint_id", "at").iterator(10_000):
        yield endpoint, start_of(at, Size.MINUTES)


def _touched(size: Size, since: datetime) -> Iterator[Bucket]:
    rows = Rollup.objects.filter(size=_BELOW[size], updated_at__gt=since).order_by()
    for endpoint, start in rows.values_list("endpoint_id", "start").iterator():
        yield endpoint, start_of(start, size)


def _make(size: Size, start: datetime, endpoints: set[int], moment: datetime) -> int:
    end = start + timedelta(seconds=size)
    summed: dict[int, Summary] = {endpoint: Summary() for endpoint in endpoints}
    if size is Size.MINUTES:
        results = CheckResult.objects.filter(at__gte=start, at__lt=end, endpoint__in=endpoints)
        for endpoint, finding, ms in results.order_by().values_list(
            "endpoint_id", "finding", "response_time_ms"
        ):
            summed[endpoint].count(_KINDS.get(finding, "other"), ms)
    else:
        parts = Rollup.objects.filter(
            size=_BELOW[size], start__gte=start, start__lt=end, endpoint__in=endpoints
        )
        for row in parts:
            summed[row.endpoint_id].merge(summary(row))
    _put(size, start, summed, moment)
    return len(summed)


_VALUES = (
    *("ok", "fault", "limited", "other"),
    *("answers", "sum_ms", "min_ms", "max_ms", "histogram"),
)


def _put(size: Size, start: datetime, summed: dict[int, Summary], moment: datetime) -> None:
    rows = (
        Rollup(
            endpoint_id=endpoint,
            size=size,
            start=start,
            updated_at=moment,
            **{name: getattr(found, name) for name in _VALUES},
        )
        for endpoint, found in summed.items()
    )
    while batch := list(islice(rows, AT_ONCE)):
        Rollup.objects.bulk_create(
            batch,
            update_conflicts=True,
            unique_fields=["endpoint", "size", "start"],
            update_fields=[*_VALUES, "updated_at"],
        )


def summary(row: Rollup) -> Summary:
    values = {name: getattr(row, name) for name in _VALUES}
    return Summary(**values | {"histogram": from_json(row.histogram)})


# -- Reading -----------------------------------------------------------------------------------


def parts(start: datetime, end: datetime) -> list[tuple[Size, datetime, datetime]]:
    """
    The roll-ups that make up a span: the larger the longer it is, and small ones for its end. It
    begins with the bucket that `start` lies in: inexact by less than a part in twenty-four.
    """
    span = end - start
    sizes = [Size.MINUTES]
    if span > timedelta(hours=6):
        sizes = [Size.HOUR, Size.MINUTES]
    if span > timedelta(days=7):
        sizes = [Size.DAY, Size.HOUR, Size.MINUTES]
    found = []
    begin = start_of(start, sizes[0])
    for size in sizes:
        until = end if size is sizes[-1] else start_of(end, size)
        if begin < until:
            found.append((size, begin, until))
        begin = until
    return found


def between(start: datetime, end: datetime) -> QuerySet[Rollup]:
    """The roll-ups of a span, each moment in one of them, oldest first."""
    chosen = Q(pk__in=[])
    for size, begin, until in parts(start, end):
        chosen |= Q(size=size, start__gte=begin, start__lt=until)
    return Rollup.objects.filter(chosen).order_by("start")


def figures(rows: QuerySet[Rollup]) -> dict[int, Summary]:
    """
    What roll-ups add up to, by endpoint. Written for speed, as pages wait for it: a day of two
    hundred endpoints is some seven thousand rows, and as many objects would take thrice as long.
    """
    found: dict[int, Summary] = {}
    histograms: dict[int, dict[str, int]] = {}
    as_text = rows.order_by().annotate(text=Cast("histogram", TextField()))
    for endpoint, ok, fault, limited, other, answers, sum_ms, low, high, histogram in (
        as_text.values_list("endpoint_id", *_VALUES[:-1], "text")  # as `_VALUES` are ordered
    ):
        total = found.setdefault(endpoint, Summary())
        total.ok += ok
        total.fault += fault
        total.limited += limited
        total.other += other
        if answers:
            total.answers += answers
            total.sum_ms += sum_ms
            total.min_ms = low if total.min_ms is None else min(low, total.min_ms)
            total.max_ms = high if total.max_ms is None else max(high, total.max_ms)
            counted = histograms.setdefault(endpoint, {})
            for index, number in loads(histogram).items():
                counted[index] = counted.get(index, 0) + number
    for endpoint, counted in histograms.items():
        found[endpoint].histogram = from_json(counted)
    return found


def series(endpoint: int, size: Size, since: datetime) -> Iterator[tuple[datetime, Summary]]:
    """One endpoint's buckets with answers, oldest first."""
    rows = Rollup.objects.filter(endpoint=endpoint, size=size, start__gte=since, answers__gt=0)
    for start, *values, histogram in rows.order_by("start").values_list("start", *_VALUES):
        found = Summary(*values)  # as `_VALUES` are ordered
        found.histogram = from_json(histogram)
        yield start, found
