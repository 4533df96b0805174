"""How all this is used, drawn: what was measured, and nothing between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from aggregator.traffic import Traffic
from monitoring import charts, drawing, pages, readings
from monitoring.drawing import Point
from providers import roster, usage
from providers.models import Provider
from tests.monitoring.world import called, endpoint, results

pytestmark = pytest.mark.django_db


def test_the_rate_has_a_gap_where_nobody_asked() -> None:
    moment = now().replace(minute=0)
    hours = {
        moment - timedelta(hours=9): {"hit": 3.0, "miss": 1.0},
        moment - timedelta(hours=8): {"stale": 1.0},
        moment - timedelta(hours=2): {"coalesced": 1.0},
    }
    band = charts.rate(hours, moment)
    assert band
    assert band.line.count("M") == 2
    assert [label for _, label in band.ticks] == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert charts.rate({}, moment) is None


@given(st.lists(st.floats(0, 1), max_size=40), st.floats(0.001, 0.5))
def test_every_point_is_in_one_run_and_neighbours_are_near(xs: list[float], apart: float) -> None:
    points = [Point(x, 0, 1) for x in sorted(xs)]
    runs = drawing.runs_of(points, apart)
    assert [point for run in runs for point in run] == points
    for run in runs:
        assert all(b.x - a.x <= apart for a, b in zip(run, run[1:], strict=False))


@given(st.lists(st.floats(0, 1e9), max_size=5), st.floats(0, 1e9))
def test_parts_never_leave_their_frame(amounts: list[float], whole: float) -> None:
    total = max(whole, sum(amounts))
    bar = drawing.parts([("healthy", amount) for amount in amounts], total)
    ends = [path[1:].split(" 0h") for _, path in bar.paths]
    assert all(float(x) + float(rest.partition("v")[0]) <= 100.02 for x, rest in ends)
    assert len(bar.paths) == sum(amount > 0 for amount in amounts)


def test_calls_are_of_a_day_and_the_most_asked_come_first(client: Client) -> None:
    for slug in ("a", "b"):
        endpoint(slug)
    a, b = Provider.objects.order_by("slug")
    called(a, "ok", "missing")
    called(b, "ok", "ok", "broken")
    called(a, *["ok"] * 9, hours=26)
    found = charts.now()
    assert [(one.name, one.calls, one.failed) for one in found.calls] == [("b", 3, 1), ("a", 2, 0)]
    page = " ".join(client.get("/status").content.decode().split())
    assert '<td class="n">3</td><td class="n">1</td>' in page


def test_quotas_are_shown_where_they_are_counted(client: Client) -> None:
    endpoint("a")
    Provider.objects.update(limits=[{"limit": 100, "per_s": 3600, "burst": 2}])
    called(Provider.objects.get(), *["ok"] * 90)
    roster.forget()
    usage.forget()
    pages.forget()
    (used,) = charts.quotas("a")
    assert (used.of, used.bar.paths[0][0]) == ("address", "degraded")
    assert 80 <= used.percent <= 90
    for path in ("/status", "/status/a"):
        assert f"{used.said}</td>" in client.get(path).content.decode()


def test_the_rate_of_all_processes_is_on_the_page(client: Client) -> None:
    results(endpoint("a"), "good")
    process = Traffic()
    for cached in ("hit", "hit", "hit", "miss"):
        process.answered(cached)
    process.settle()
    readings.forget()
    assert "75.0 % of 4 answers" in client.get("/status").content.decode()


def test_where_nobody_asked_it_says_so(client: Client) -> None:
    endpoint("a")
    assert "Nobody has asked anything yet." in client.get("/status").content.decode()
