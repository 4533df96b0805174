"""Bars and bands as SVG paths: a shape for each state, so that no colour has to be told. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil, floor, log10

from monitoring.timeline import Span
from providers.standing import Status

LONE = 5  # how long a stretch of one hour is drawn: a dot is overlooked
STEP, WIDTH, HEIGHT = 8, 6, 32  # of a bar, in the drawing's own units

# A day that was down for less than that is drawn as degraded: five minutes are no lost day.
SLIGHT_PERCENT = 95.0


def shape(span: Span) -> str:
    """What a span looks like: a status, or 'unknown' where nothing is known of it."""
    found = span.gravest
    if found is None or found is Status.DISABLED:
        return Status.UNKNOWN.value
    availability = span.availability_percent
    if found is Status.DOWN and availability is not None and availability >= SLIGHT_PERCENT:
        return Status.DEGRADED.value
    return found.value


def _block(x: int, top: int, bottom: int) -> str:
    return f"M{x} {top}h{WIDTH}V{bottom}h-{WIDTH}z"


def _pointed(x: int) -> str:
    half = WIDTH // 2
    return f"M{x + half} 6L{x + WIDTH} 14V{HEIGHT}H{x}V14z"


_SHAPES: dict[str, Callable[[int], str]] = {
    "healthy": lambda x: _block(x, 0, HEIGHT),
    # Two pieces
    "degraded": lambda x: _block(x, 0, 13) + _block(x, 18, HEIGHT),
    # A short block with a bar over it
    "down": lambda x: _block(x, 0, 3) + _block(x, 22, HEIGHT),
    "rate_limited": _pointed,
    "misconfigured": lambda x: _block(x, 0, 8) + _block(x, 12, 20) + _block(x, 24, HEIGHT),
    "maintenance": lambda x: _block(x, 16, HEIGHT),
    "unknown": lambda x: _block(x, 29, HEIGHT),
}


@dataclass(frozen=True)
class Bars:
    """One path for each state that occurs, and what the drawing says in words."""

    width: int
    paths: Sequence[tuple[str, str]]  # state, path
    label: str


def bars(states: Sequence[str], label: str) -> Bars:
    """A bar for each state, as `shape` names them."""
    paths: dict[str, str] = {}
    for number, state in enumerate(states):
        paths[state] = paths.get(state, "") + _bar(state, number * STEP)
    return Bars(len(states) * STEP - STEP + WIDTH, sorted(paths.items()), label)


@lru_cache(maxsize=2000)
def _bar(state: str, x: int) -> str:
    return _SHAPES[state](x)


# -- A band of percentiles ---------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """Of one bucket; `x` is where it lies, 0 to 1."""

    x: float
    low: float
    high: float


@dataclass(frozen=True)
class Band:
    """The band from low to high, and the line of low; both break where there is no data."""

    area: str
    line: str
    ticks: Sequence[tuple[float, str]]  # height and label


BAND_WIDTH, BAND_HEIGHT = 720, 160


def band(
    runs: Sequence[Sequence[Point]],
    top: float | None = None,
    said: Callable[[float], str] | None = None,
) -> Band | None:
    """
    Of runs of neighbouring points; None without any. Nothing is drawn between two runs. It reaches
    up to `top`, or to what is round above them all; `said` labels its heights, in ms if not told.
    """
    highest = max((point.high for run in runs for point in run), default=None)
    if highest is None:
        return None
    top = top or ceiling(highest)

    def place(x: float, value: float) -> str:
        return f"{x * BAND_WIDTH:.1f} {BAND_HEIGHT - value / top * BAND_HEIGHT:.1f}"

    area, line = "", ""
    for run in runs:
        lows = [place(p.x, p.low) for p in run]
        highs = [place(p.x, p.high) for p in run]
        area += f"M{'L'.join(lows)}L{'L'.join(reversed(highs))}z"
        # A run of one has no length, and would not be seen.
        line += f"M{'L'.join(lows)}" + (f"h-{LONE}" if len(run) == 1 else "")
    ticks = [(BAND_HEIGHT * (1 - n / 4), (said or _ms)(top * n / 4)) for n in range(5)]
    return Band(area, line, ticks)


@dataclass(frozen=True)
class Parts:
    """A lying bar of several parts, one after the other, and how long it is of a hundred."""

    paths: Sequence[tuple[str, str]]  # state, path
    width: float = 100.0


def parts(amounts: Sequence[tuple[str, float]], whole: float) -> Parts:
    """Of (state, amount); `whole` is the amount that fills the width. What is there is seen."""
    found, x = [], 0.0
    for state, amount in amounts:
        if amount > 0 and whole > 0:
            wide = min(100.0 - x, max(0.5, 100 * amount / whole))
            found.append((state, f"M{x:.2f} 0h{wide:.2f}v8h-{wide:.2f}z"))
            x += wide
    return Parts(found)


def runs_of(points: Sequence[Point], apart: float) -> list[list[Point]]:
    """Points in their order as runs; those further `apart` than that are of two runs."""
    found: list[list[Point]] = []
    for point in points:
        if not found or point.x - found[-1][-1].x > apart:
            found.append([])
        found[-1].append(point)
    return found


def ceiling(value: float) -> float:
    """The next round number: 1, 2, 4 or 8 times a power of ten. So do its quarters look well."""
    power = 10.0 ** floor(log10(max(value, 1.0)))
    return next(step * power for step in (1, 2, 4, 8, 10) if step * power >= value)


def _ms(value: float) -> str:
    return f"{value:g} ms" if value < 1000 else f"{value / 1000:g} s"


def two_decimals(percent: float | None) -> str | None:
    """A percentage that is never rounded up to a hundred: that would hide an outage."""
    if percent is None:
        return None
    cut = floor(percent * 100) / 100
    return f"{cut:.2f}" if cut < 100 else "100"


def gathered(spans: Sequence[Span]) -> Span:
    """Several spans as one."""
    whole = Span(spans[0].start, spans[-1].end)
    for span in spans:
        for status, seconds in span.seconds.items():
            whole.seconds[status] = whole.seconds.get(status, 0.0) + seconds
    return whole


def minutes(seconds: float) -> int:
    return ceil(seconds / 60)
