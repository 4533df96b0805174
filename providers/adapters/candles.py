"""
What all candles have in common, whoever draws them: which ones a query means, and how the rows
of an answer become Candle records.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from operator import itemgetter, sub
from typing import Any, NamedTuple

from providers.adapters.base import (
    EARLIEST,
    LATEST,
    MOST_DIGITS,
    UNREADABLE,
    Adapter,
    amount,
    listed,
    number,
    whole,
)
from providers.datasets import Candle, OhlcQuery
from providers.errors import Garbled, Unsupported

LEAST, MOST = Decimal(10) ** -MOST_DIGITS, Decimal(10) ** (MOST_DIGITS + 1)


class Layout(NamedTuple):
    """
    Which column of an upstream's rows holds what, in rows of at least `width`. `unit` is 1000
    where times are milliseconds; `closing` says that they are those of the close.
    """

    width: int
    time: int
    open: int
    high: int
    low: int
    close: int
    volume: int | None
    unit: int = 1
    closing: bool = False


def first_open(query: OhlcQuery, now: float) -> int:
    """When the oldest candle that the query asks for opens, in seconds since the epoch."""
    step = query.seconds
    if query.start:
        return _next(query.start.timestamp(), step)
    return last_open(query, now) - (query.limit - 1) * step


def last_open(query: OhlcQuery, now: float) -> int:
    """When the newest candle that the query asks for opens: before its end, and by now."""
    step = query.seconds
    newest = int(now // step) * step
    if query.end:
        newest = min(newest, _next(query.end.timestamp(), step) - step)
    if query.start:
        newest = min(newest, first_open(query, now) + (query.limit - 1) * step)
    return newest


def _next(second: float, step: int) -> int:
    """The first multiple of `step` that is not before `second`."""
    return -int(-second // step) * step


def within_reach(query: OhlcQuery, now: float, seconds: float) -> None:
    """Unsupported when the query goes further back than the `seconds` that are kept here."""
    if first_open(query, now) < now - seconds:
        raise Unsupported(f"{query.interval} candles do not go back that far here")


def spans(query: OhlcQuery, now: float, most: int) -> Iterator[tuple[int, int]]:
    """(open of the first, open of the last) candle of every call, `most` candles in each."""
    step, last = query.seconds, last_open(query, now)
    for first in range(first_open(query, now), last + 1, most * step):
        yield first, min(first + (most - 1) * step, last)


def candles(adapter: Adapter, query: OhlcQuery, items: Any, layout: Layout) -> Sequence[Candle]:
    """
    The candles that the query asks for out of the rows of an answer: ascending, each time once.

    A row that contradicts itself is dropped and counted. Garbled when none can be read, or when
    they are closer together than the interval, and so not what was asked for.
    """
    step = query.seconds * layout.unit
    found = _read(adapter, listed(items), layout, step)
    times = sorted(found)
    if min(map(sub, times[1:], times), default=step) < step:
        raise Garbled("candles of a shorter interval than was asked for")
    return _asked_for([found[time] for time in times], query)


def _asked_for(rows: list[Candle], query: OhlcQuery) -> Sequence[Candle]:
    """Those that open in [start, end): the first of them after a start, else the newest."""
    opens = itemgetter(0)
    first = bisect_left(rows, query.start, key=opens) if query.start else 0
    stop = bisect_left(rows, query.end, key=opens) if query.end else len(rows)
    if query.start:
        return rows[first : min(stop, first + query.limit)]
    return rows[max(stop - query.limit, 0) : stop]


def _read(adapter: Adapter, items: list[Any], layout: Layout, step: int) -> dict[int, Candle]:
    """
    Candles by the time of their opening in units of the layout; `step` is their length in those.

    Exactly `number`, `positive` and `amount` of each column, spelled out: an answer of a thousand
    rows spends nearly all its time in this loop.
    """
    unit, shift, has_volume = layout.unit, step * layout.closing, layout.volume is not None
    earliest, latest = EARLIEST * unit, LATEST * unit
    done = adapter.now().timestamp() * unit - step
    columns = itemgetter(
        *layout[1:6], layout.close if layout.volume is None else layout.volume, layout.width - 1
    )
    exact, when, made = Decimal, datetime.fromtimestamp, tuple.__new__  # Candle() is twice as dear
    found: dict[int, Candle] = {}
    failed: Exception | None = None
    for item in items:
        try:
            at, op, hi, lo, cl, vol, _ = columns(item)
            if type(at) is not int:
                at = whole(at)
            at -= shift
            if type(op) is type(hi) is type(lo) is type(cl) is type(vol) is str:
                op, hi, lo, cl, vol = exact(op), exact(hi), exact(lo), exact(cl), exact(vol)
            else:
                op, hi, lo, cl, vol = map(number, (op, hi, lo, cl, vol))
            if not (LEAST <= lo <= op <= hi < MOST and lo <= cl <= hi and earliest <= at <= latest):
                raise Garbled("a candle that contradicts itself")
            if not LEAST <= vol < MOST:
                vol = amount(vol)
            row = (when(at / unit, UTC), op, hi, lo, cl, vol if has_volume else None, at <= done)
            found[at] = made(Candle, row)
        except UNREADABLE as error:
            adapter.dropped += 1
            failed = error
    if failed and not found:
        raise Garbled(f"no candle could be read: {failed}") from failed
    return found
