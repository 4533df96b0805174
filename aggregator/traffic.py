"""
What was asked of this installation, and how: requests by route and status, how long they took, and
whether answers came off the shelf.

Counted in the process and settled every few seconds into shared books, so that whoever asks hears
of all processes, and counting costs no round trip. What cannot be settled is kept and told later,
in the minute in which it was counted.
"""

from __future__ import annotations

import os
import threading
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from django.urls import Resolver404, get_resolver, resolve

from aggregator.ledger import HOURS, MINUTES, Page, added
from providers.resilience import Cell
from providers.resilience.cell import store_is_out

EVERY_S = 5.0
KEPT_S = 60 * 86400.0  # the totals: they begin anew when nobody asked anything for so long
MOST_PENDING = 120  # minutes that wait for a store that is out; beyond them the oldest go
# Upper bounds in seconds; what took longer counts in the last place. A hit takes under a
# millisecond, and nobody waits longer than UPSTREAM_PATIENCE_S.
BOUNDS_S = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SHELVED = ("hit", "stale", "refreshing")  # answers that cost their caller no upstream

Asked = tuple[str, int]  # route and status
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


# Where visitors' requests go, by the beginning of the route's path: the first that fits. What
# programs and pages poll is apart, or it would hide what becomes of everything else.
DATA, CHAT, STATUS, PAGES = AREAS = ("data", "chat", "status", "pages")
OK, REFUSED, FAILED = FATES = ("ok", "refused", "failed")
REAL_TIME = "api/market"
_AREAS_BY_PATH = (
    *(("", path) for path in ("admin", "healthz", "metrics", "readyz")),  # nobody's visit
    *((CHAT, path) for path in ("api/chat", "api/privacy", "chat", "v1/")),
    *((STATUS, f"api/{path}") for path in ("status", "system", "providers", "incidents", "alerts")),
    *((STATUS, path) for path in ("api/ai-models", "status", "badge")),
    *((PAGES, f"api/{path}") for path in ("capabilities", "resources", "schema")),
    (DATA, "api/"),
    (PAGES, ""),
)


@lru_cache(maxsize=200)
def area_of(route: str) -> str:
    """One of AREAS; "" for what no visitor asks."""
    if route in ("static", "admin"):
        return ""
    path = _path_of(route)
    return next(area for area, beginning in _AREAS_BY_PATH if path.startswith(beginning))


def _path_of(route: str) -> str:
    """'api/coins/%(id)s'"""
    ways = get_resolver().reverse_dict.getlist(route)
    return str(ways[0][0][0][0]) if ways else ""


def data_routes() -> tuple[str, ...]:
    """The routes that answer data, by name."""
    names = (name for name in get_resolver().reverse_dict if isinstance(name, str))
    return tuple(sorted(name for name in names if area_of(name) == DATA))


def real_time_routes() -> tuple[str, ...]:
    """`/api/market` and all below it."""
    return tuple(name for name in data_routes() if _path_of(name).startswith(REAL_TIME))


class Traffic:
    """Totals of this process. `asked` and `answered` are for one thread alone: the event loop."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self.clock = clock
        self._settling = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._places: dict[Asked, list[float]] = {}
        self._answers: dict[str, int] = {}
        self._told: dict[Key, float] = {}
        self._noted: Page = {}
        self._pending: dict[int, dict[str, float]] = {}  # pages that are not in the ledger yet
        self._marked = -1  # the last minute whose page is there
        self._due = 0.0

    def asked(self, route: str, status: int, seconds: float) -> None:
        """One request, and the seconds until its response was ready."""
        key = route, status
        found = self._places.get(key)
        if found is None:
            found = self._places[key] = [0] * (len(BOUNDS_S) + 1) + [0.0]
        found[bisect_left(BOUNDS_S, seconds)] += 1
        found[-1] += seconds

    def answered(self, cached: str) -> None:
        """One answer to a question, and how it came about (`answers.Cached`)."""
        self._answers[cached] = self._answers.get(cached, 0) + 1

    def settle_soon(self) -> None:
        """Settle when it is time to."""
        if self.clock() >= self._due:
            self.settle(present=True)

    def settle(self, *, present: bool = False) -> None:
        """
        Tell the shared books what was counted here since the last time; `present`, that this minute
        was looked at, too, though nobody came.
        """
        with self._settling:
            now = self.clock()
            self._due = now + EVERY_S
            # Copies, as the event loop goes on counting.
            places = [(key, list(found)) for key, found in list(self._places.items())]
            answers = dict(list(self._answers.items()))
            minute = int(now // 60)
            self._note(_page(places, answers), minute)
            if present and minute != self._marked:
                self._pending.setdefault(minute, {})
            self._tell(_totals(places, answers))
            self._hand_over()

    def _tell(self, total: dict[Key, float]) -> None:
        told = self._told
        new = {key: n - told.get(key, 0) for key, n in total.items() if n != told.get(key)}
        if not new or store_is_out():
            return
        Cell("traffic", ttl=KEPT_S).update(lambda shared: (_plus(shared, new), None))
        if not store_is_out():
            self._told = total

    def _note(self, total: Page, minute: int) -> None:
        """What is new is of this minute, whenever it can be told."""
        noted, self._noted = self._noted, total
        new = {name: n - noted.get(name, 0) for name, n in total.items() if n != noted.get(name)}
        if new:
            page = self._pending.setdefault(minute, {})
            for name, number in new.items():
                page[name] = page.get(name, 0) + number
        while len(self._pending) > MOST_PENDING:
            del self._pending[min(self._pending)]

    def _hand_over(self) -> None:
        for minute, page in list(self._pending.items()):
            if store_is_out():
                return
            moment = datetime.fromtimestamp(60 * minute, UTC)
            MINUTES.add(moment, page)
            HOURS.add(moment, page)
            if not store_is_out():
                del self._pending[minute]
                self._marked = minute


def _totals(
    places: Iterable[tuple[Asked, list[float]]], answers: Mapping[str, int]
) -> dict[Key, float]:
    found: dict[Key, float] = {("answers", cached): n for cached, n in answers.items()}
    for (route, status), counts in places:
        found["requests", f"{route} {status}"] = sum(counts[:-1])
        for place, value in enumerate(counts):
            key = "seconds", f"{route} {place}"
            found[key] = found.get(key, 0) + value
    return found


def _page(places: Iterable[tuple[Asked, list[float]]], answers: Mapping[str, int]) -> Page:
    """The same as the ledger has it: by area, and how long data took by route."""
    found: dict[str, float] = {f"answers {cached}": n for cached, n in answers.items()}
    for (route, status), counts in places:
        area, fate = area_of(route), _fate(status)
        if not area:
            continue
        names = [(f"area {area} {fate}", sum(counts[:-1]))]
        if area == DATA and fate == OK:
            names += [(f"took {route} {n}", number) for n, number in enumerate(counts[:-1])]
        elif area == DATA and fate == FAILED:
            names.append((f"failed {route}", sum(counts[:-1])))
        for name, number in names:
            if number:
                found[name] = found.get(name, 0) + number
    return found


def _fate(status: int) -> str:
    """Whoever asks for what there is not, or too often, was answered well: that fails nobody."""
    if status < 400:
        return OK
    return REFUSED if status < 500 else FAILED


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


def answers_by_hour(start: datetime, end: datetime) -> dict[datetime, dict[str, float]]:
    """How answers came about in each hour (UTC) that has a part in the span; none without any."""
    found: dict[datetime, dict[str, float]] = {}
    for hour, page in HOURS.read(start, end).items():
        told = {name.split()[1]: n for name, n in page.items() if name.startswith("answers ")}
        if told:
            found[hour] = told
    return found


def hit_rate(pages: Mapping[datetime, Mapping[str, float]]) -> float | None:
    """The share of answers, in percent, that were served off the shelf; None without any."""
    every = sum(sum(page.values()) for page in pages.values())
    served = sum(page.get(name, 0) for page in pages.values() for name in SHELVED)
    return round(100 * served / every, 2) if every else None


def shares_failed(pages: Mapping[datetime, Page], least: int) -> dict[str, float | None]:
    """
    By area, in percent of the requests that were to be answered: those that ended in a 5xx. Who
    asked wrongly, or too often, is not among them. None with fewer than `least`.
    """
    all_ = added(pages)
    found: dict[str, float | None] = {}
    for area in AREAS:
        failed = all_.get(f"area {area} {FAILED}", 0)
        total = failed + all_.get(f"area {area} {OK}", 0)
        found[area] = 100 * failed / total if total and total >= least else None
    return found


def visits(pages: Mapping[datetime, Page]) -> float:
    """Requests of all areas but what is polled."""
    wanted = {f"area {area} {fate}" for area in (DATA, CHAT, PAGES) for fate in FATES}
    return sum(number for name, number in added(pages).items() if name in wanted)


def in_time(
    pages: Mapping[datetime, Page], routes: Iterable[str], seconds: float
) -> tuple[int, int]:
    """
    Requests of data routes that were answered within one of BOUNDS_S, and those that were to be
    answered at all.
    """
    all_ = added(pages)
    good = total = 0.0
    for route in routes:
        took = [all_.get(f"took {route} {place}", 0) for place in range(len(BOUNDS_S) + 1)]
        good += sum(took[: bisect_right(BOUNDS_S, seconds)])
        total += sum(took) + all_.get(f"failed {route}", 0)
    return int(good), int(total)


traffic = Traffic()


def _after_fork() -> None:
    traffic._settling = threading.Lock()
    traffic.forget()


os.register_at_fork(after_in_child=_after_fork)
