"""What was asked is counted once, by whichever process, and nobody can make up what is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import ledger
from aggregator import traffic as counting
from aggregator.api.urls import DATA
from aggregator.explorer import CHOICES
from aggregator.ledger import HOURS, MINUTES
from aggregator.traffic import (
    BOUNDS_S,
    MOST_PENDING,
    Traffic,
    answers_by_hour,
    area_of,
    data_routes,
    hit_rate,
    real_time_routes,
    route_of,
    totals,
)
from providers.models import Cell as CellRow
from providers.resilience import Cell, cell
from tests.conftest import Clock

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "home"),
        ("/api/market", "market"),
        ("/api/market/", "market"),
        ("/api/coins/bitcoin", "coin"),
        ("/status/kraken", "status-of"),
        ("/static/site.css", "static"),
        ("/admin/providers/provider/7/change/", "admin"),
        ("/made/up", "none"),
        ('/api/"}\n{', "none"),
    ],
)
def test_a_route_is_one_of_some_dozens(path: str, route: str) -> None:
    assert route_of(path) == route


def test_what_processes_counted_adds_up() -> None:
    one, other = Traffic(), Traffic()
    one.asked("market", 200, 0.0004)
    one.asked("market", 200, 0.3)
    one.asked("market", 503, 99.0)
    one.answered("hit")
    other.asked("market", 200, 0.003)
    other.answered("hit")
    other.answered("miss")
    for process in (one, other, one, other):
        process.settle()
    found = totals()
    assert found["requests"] == {"market 200": 3, "market 503": 1}
    assert found["answers"] == {"hit": 2, "miss": 1}
    seconds = found["seconds"]
    assert [seconds.get(f"market {n}", 0) for n in range(len(BOUNDS_S) + 1)] == [
        *(1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1)
    ]
    assert seconds[f"market {len(BOUNDS_S) + 1}"] == pytest.approx(99.3034)


def test_it_is_settled_every_few_seconds(clock: Clock) -> None:
    one = Traffic(clock)
    one.asked("home", 200, 0.1)
    one.settle_soon()
    one.asked("home", 200, 0.1)
    one.settle_soon()
    assert totals()["requests"] == {"home 200": 1}
    clock.tick(5)
    one.settle_soon()
    assert totals()["requests"] == {"home 200": 2}


def test_what_waits_for_the_store_is_of_the_minute_in_which_it_was_counted(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = NOON.timestamp()
    one = Traffic(clock)
    with monkeypatch.context() as patched:
        patched.setattr(cell, "_skip_until", float("inf"))
        for _ in range(3):
            one.asked("market", 200, 0.1)
            one.settle()
            clock.tick(60)
    one.settle_soon()
    found = MINUTES.read(NOON - timedelta(hours=1), NOON + timedelta(hours=1))
    page = {"area data ok": 1, "took market 5": 1}
    assert found == {NOON + timedelta(minutes=n): page for n in range(3)} | {
        NOON + timedelta(minutes=3): {}
    }
    assert HOURS.read(NOON, NOON + timedelta(hours=1)) == {
        NOON: {"area data ok": 3, "took market 5": 3}
    }


def test_what_waits_has_an_end(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    one = Traffic(clock)
    with monkeypatch.context() as patched:
        patched.setattr(cell, "_skip_until", float("inf"))
        for _ in range(MOST_PENDING + 50):
            one.asked("market", 200, 0.1)
            one.settle()
            clock.tick(60)
    assert len(one._pending) == MOST_PENDING


def test_an_idle_process_says_once_a_minute_that_it_is_there(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.now = NOON.timestamp()
    one = Traffic(clock)
    written: list[str] = []
    monkeypatch.setattr(ledger.Book, "add", lambda book, *_: written.append(book.name))
    for _ in range(24):
        one.settle_soon()
        clock.tick(5)
    assert written == ["minutes", "hours"] * 2


def test_the_ledger_lies_in_few_cells_however_long_we_run(clock: Clock) -> None:
    one = Traffic(clock)
    for _ in range(24 * 60):
        clock.tick(15 * 60)
        one.asked("market", 200, 0.1)
        one.settle()
    moment = datetime.fromtimestamp(clock.now + 1, UTC)
    rows = [row for row in CellRow.objects.all() if row.key.startswith("asked:")]
    kept = [name for name in cell._known if name.startswith("asked:")]
    assert 20 < len(kept) < 30
    assert not rows or len(rows) == len(kept)
    minutes = MINUTES.read(moment - timedelta(days=1), moment)
    assert len(minutes) == 9, "two hours with both ends, one in fifteen minutes"
    hours = HOURS.read(moment - timedelta(days=7), moment)
    assert len(hours) == 7 * 24 + 1
    assert {page["area data ok"] for page in list(hours.values())[1:-1]} == {4}
    assert len(HOURS.read(moment - timedelta(days=30), moment)) <= 9 * 24 + 1


def test_pages_of_processes_add_up_and_are_bounded_in_size(clock: Clock) -> None:
    clock.now = NOON.timestamp()
    for _ in range(2):
        one = Traffic(clock)
        for route in data_routes():
            for status in (200, 304, 400, 404, 429, 500, 502, 503):
                for seconds in (*BOUNDS_S, 99.0):
                    one.asked(route, status, seconds)
        one.asked("none", 404, 0.1)
        one.settle()
    page = MINUTES.read(NOON, NOON + timedelta(seconds=1))[NOON]
    assert page["took market 0"] == 2 * 2
    assert page["area data refused"] == 2 * 3 * 13 * len(data_routes())
    assert page["failed gas"] == 2 * 3 * 13
    assert page["area pages refused"] == 2
    assert len(page) < 400, "a page has as many lines as there are routes and places, at most"


def test_what_cannot_be_told_is_told_later(monkeypatch: pytest.MonkeyPatch) -> None:
    one = Traffic()
    one.asked("home", 200, 0.1)
    with monkeypatch.context() as patched:
        patched.setattr(cell, "_skip_until", float("inf"))
        one.settle()
    assert totals() == {}
    one.settle()
    assert totals()["requests"] == {"home 200": 1}


@pytest.mark.parametrize("written", [[], 7, {"requests": 3}, {"requests": {"home 200": "x"}}])
def test_what_is_no_book_is_begun_anew(written: object) -> None:
    Cell("traffic", ttl=60).update(lambda _: (written, None))
    one = Traffic()
    one.asked("home", 200, 0.1)
    one.settle()
    assert totals()["requests"] == {"home 200": 1}


@pytest.mark.parametrize("written", [[], 7, {"x": {}}, {"60": 3}, {"60": {"area data ok": "x"}}])
def test_what_is_no_sheet_is_begun_anew(written: object, clock: Clock) -> None:
    clock.now = 60.0
    moment = datetime.fromtimestamp(60, UTC)
    Cell(MINUTES._key(0), ttl=60).update(lambda _: (written, None))
    one = Traffic(clock)
    one.asked("market", 200, 0.1)
    one.settle()
    page = MINUTES.read(moment, moment + timedelta(seconds=1))[moment]
    assert page == {"area data ok": 1, "took market 5": 1}


def test_data_is_what_answers_data_and_real_time_is_the_market() -> None:
    assert set(data_routes()) == {query.query.dataset.name for _, query, _ in DATA} | {"analyze"}
    assert {f"api/{route}" for route, query, _ in DATA if route.startswith("market")} == {
        f"api/{CHOICES[name].shown_route}" for name in real_time_routes()
    }


@pytest.mark.parametrize(
    ("path", "area"),
    [
        ("/api/market", "data"),
        ("/api/sentiment/analyze", "data"),
        ("/api/chat", "chat"),
        ("/v1/chat/completions", "chat"),
        ("/chat", "chat"),
        ("/api/system/status", "status"),
        ("/api/providers/export/csv", "status"),
        ("/api/ai-models/models", "status"),
        ("/badge/all.svg", "status"),
        ("/status/drawer", "status"),
        ("/", "pages"),
        ("/api/resources", "pages"),
        ("/made/up", "pages"),
        ("/static/site.css", ""),
        ("/admin/", ""),
        ("/admin/matrix/", ""),
        ("/healthz", ""),
        ("/metrics", ""),
    ],
)
def test_visits_are_told_apart_by_where_they_go(path: str, area: str) -> None:
    assert area_of(route_of(path)) == area


def test_answers_stand_in_the_hour_in_which_they_were_given(clock: Clock) -> None:
    one = Traffic(clock)
    for cached, hours in (("hit", 0), ("miss", 0), ("stale", 13), ("hit", 13)):
        clock.now = (NOON + timedelta(hours=hours)).timestamp()
        one.answered(cached)
        one.settle()
    found = answers_by_hour(NOON - timedelta(days=1), NOON + timedelta(days=1))
    assert found == {
        NOON: {"hit": 1, "miss": 1},
        NOON + timedelta(hours=13): {"stale": 1, "hit": 1},
    }
    assert hit_rate(found) == 75
    late = answers_by_hour(NOON + timedelta(hours=1), NOON + timedelta(days=1))
    assert list(late) == [NOON + timedelta(hours=13)]
    assert hit_rate({}) is None


@given(st.lists(st.sampled_from(["hit", "miss", "stale", "coalesced", "refreshing"])))
def test_a_hit_rate_is_a_share(results: list[str]) -> None:
    page = {name: float(results.count(name)) for name in set(results)}
    found = hit_rate({NOON: page})
    assert (found is None) == (not results)
    assert found is None or 0 <= found <= 100


def test_a_child_tells_nothing_of_its_parents() -> None:
    counting.traffic.asked("home", 200, 0.1)
    counting._after_fork()
    counting.traffic.settle()
    assert totals() == {}
