"""
How fast an error budget burns: 1 spends it in just the time it is for. Pure, but for `counts`.

Two windows each: the long one says that it matters, the short one that it still goes on
(https://sre.google/workbook/alerting-on-slos/).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from aggregator import readouts
from monitoring import network
from monitoring.alerts.models import Slo

WINDOWS = {
    "5m": timedelta(minutes=5),
    "30m": timedelta(minutes=30),
    "1h": timedelta(hours=1),
    "6h": timedelta(hours=6),
    "3d": timedelta(days=3),
}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)  # longer windows are of whole hours
LEAST = 20  # requests in a window, under which it says nothing


@dataclass(frozen=True, slots=True)
class Tally:
    """Requests that were to be answered, and those that were, in time."""

    good: int = 0
    total: int = 0

    @property
    def percent(self) -> float | None:
        return 100 * self.good / self.total if self.total else None


def burn(tally: Tally, objective_percent: float, least: int = LEAST) -> float | None:
    """Of one window: bad questions by those that are allowed. None with too few of them."""
    if tally.total < least:
        return None
    bad = (tally.total - tally.good) / tally.total
    return bad / (1 - objective_percent / 100)


def both(one: float | None, other: float | None) -> float | None:
    """What two windows say together: the lesser."""
    return None if one is None or other is None else min(one, other)


def budget_left(tally: Tally, objective_percent: float) -> float | None:
    """In percent of what was allowed; below 0 when more than that was spent."""
    if not tally.total:
        return None
    allowed = tally.total * (1 - objective_percent / 100)
    return 100 * (1 - (tally.total - tally.good) / allowed)


def counts(slo: Slo, moment: datetime) -> dict[str, Tally]:
    """
    By window, and "all" for the whole of it: visitors' requests for data, also those that were
    answered off the shelf. Whoever asked wrongly or too often is not among them. The windows that
    alerts go by leave out when our own network was; the whole leaves out nothing.
    """
    spans = {**WINDOWS, "all": timedelta(days=slo.window_days)}
    minutes = network.without(readouts.requests_by_minute(moment - HOUR, moment), MINUTE)
    days = readouts.requests_by_hour(moment - max(spans.values()), moment)
    hours = network.without(days, HOUR)
    routes = (slo.dataset,) if slo.dataset else readouts.real_time_routes()
    found = {}
    for name, span in spans.items():
        pages, length = (minutes, MINUTE) if span <= HOUR else (hours, HOUR)
        pages = days if name == "all" else pages
        inside = {at: page for at, page in pages.items() if at + length > moment - span}
        found[name] = Tally(*readouts.in_time(inside, routes, slo.within_ms / 1000))
    return found
