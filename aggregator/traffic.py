"""
What was asked of this installation, and how: requests by route and status, how long they took, and
whether answers came off the shelf.

Counted in the process and settled every few seconds into shared books, so that whoever asks hears
of all processes, and counting costs no round trip. What cannot be settled is kept and told later.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from django.urls import Resolver404, resolve

from providers.resilience import Cell
from providers.resilience.cell import peek_many, store_is_out

EVERY_S = 5.0
KEPT_S = 60 * 86400.0  # the totals: they begin anew when nobody asked anything for so long
BOOK_KEPT_S = 9 * 86400.0  # what one day's answers were, hour by hour
# Upper bounds in seconds; what took longer counts in the last place. A hit takes under a
# millisecond, and nobody waits longer than UPSTREAM_PATIENCE_S.
BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SHELVED = ("hit", "stale", "refreshing")  # answers that cost their caller no upstream

Key = tuple[str, str]  # of a book: part and name

# Anybody may make up paths: what is no route of ours is one.
NOWHERE = "none"
_AREAS = (("/static/", "static"), ("/admin", "admin"))


@lru_cache(maxsize=5000)
def route_of(path: str) -> str:
    """The name of the route a path leads to: one of some dozens, whatever is asked."""
    for beginning, area in _AREAS:
        if path.startswith(beginning):
            return area
    try:
        return resolve(path).url_name or NOWHERE
    except Resolver404:
        return NOWHERE


class Traffic:
    """Totals of this process. `asked` and `answered` are for one thread alone: the event loop."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._settling = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._requests: dict[tuple[str, int], int] = {}
        self._seconds: dict[str, list[float]] = {}
        self._answers: dict[str, int] = {}
        self._told: dict[Key, float] = {}
        self._due = 0.0

    def asked(self, route: str, status: int, seconds: float) -> None:
        """One request, and the seconds until its response was ready."""
        key = route, status
        self._requests[key] = self._requests.get(key, 0) + 1
        found = self._seconds.get(route)
        if found is None:
            found = self._seconds[route] = [0] * (len(BOUNDS_S) + 1) + [0.0]
        found[bisect_left(BOUNDS_S, seconds)] += 1
        found[-1] += seconds

    def answered(self, cached: str) -> None:
        """One answer to a question, and how it came about (`answers.Cached`)."""
        self._answers[cached] = self._answers.get(cached, 0) + 1

    def settle_soon(self) -> None:
        """Settle when it is time to."""
        if self.clock() >= self._due:
            self.settle()

    def settle(self) -> None:
        """Tell the shared books what was counted here since the last time."""
        with self._settling:
            self._due = self.clock() + EVERY_S
            total = self._counted()
            told = self._told
            new = {key: n - told.get(key, 0) for key, n in total.items() if n != told.get(key)}
            if not new or store_is_out():
                return
            Cell("traffic", ttl=KEPT_S).update(lambda shared: (_plus(shared, new), None))
            self._told = total
            answers = {key[1]: number for key, number in new.items() if key[0] == "answers"}
            if answers:
                _note(answers, datetime.fromtimestamp(self.clock(), UTC))

    def _counted(self) -> dict[Key, float]:
        """All totals. Copies, as the event loop goes on counting."""
        found: dict[Key, float] = {}
        for (route, status), number in list(self._requests.items()):
            found["requests", f"{route} {status}"] = number
        for route, places in list(self._seconds.items()):
            for place, value in enumerate(list(places)):
                found["seconds", f"{route} {place}"] = value
        for cached, number in list(self._answers.items()):
            found["answers", cached] = number
        return found


def _plus(shared: Any, new: Mapping[Key, float]) -> dict[str, dict[str, float]]:
    """The book with what is new; what is no number in it counts as nothing."""
    book: dict[str, dict[str, float]] = _book(shared)
    for (part, name), number in new.items():
        page = book.setdefault(part, {})
        page[name] = page.get(name, 0) + number
    return book


def _book(shared: Any) -> dict[str, dict[str, float]]:
    if not isinstance(shared, dict):
        return {}
    return {
        part: {name: n for name, n in page.items() if isinstance(n, int | float)}
        for part, page in shared.items()
        if isinstance(page, dict)
    }


# -- Reading -----------------------------------------------------------------------------------


def totals() -> dict[str, dict[str, float]]:
    """
    Of all processes since the beginning: `requests` by "route status", `answers` by how they came
    about, `seconds` by "route place": counts up to each of BOUNDS_S, beyond them, and the sum.
    """
    return _book(Cell("traffic", ttl=KEPT_S).peek())


def _name(day: datetime) -> str:
    return f"answers:{day:%Y-%m-%d}"


def _note(answers: Mapping[str, float], moment: datetime) -> None:
    new = {(f"{moment:%H}", cached): number for cached, number in answers.items()}
    Cell(_name(moment), ttl=BOOK_KEPT_S).update(lambda shared: (_plus(shared, new), None))


def answers_by_hour(start: datetime, end: datetime) -> dict[datetime, dict[str, float]]:
    """How answers came about in each hour (UTC) that has a part in the span; none without any."""
    first = start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [first + timedelta(days=n) for n in range((end - first).days + 1)]
    found = peek_many(_name(day) for day in days)
    hours = {
        day + timedelta(hours=int(hour)): page
        for day in days
        for hour, page in _book(found.get(_name(day))).items()
        if hour.isdecimal()
    }
    return {h: page for h, page in hours.items() if start < h + timedelta(hours=1) and h < end}


def hit_rate(pages: Mapping[datetime, Mapping[str, float]]) -> float | None:
    """The share of answers, in percent, that were served off the shelf; None without any."""
    every = sum(sum(page.values()) for page in pages.values())
    served = sum(page.get(name, 0) for page in pages.values() for name in SHELVED)
    return round(100 * served / every, 2) if every else None


traffic = Traffic()


def _after_fork() -> None:
    traffic._settling = threading.Lock()
    traffic.forget()


os.register_at_fork(after_in_child=_after_fork)
