"""
What another hub of providers got wrong, each as a test by its letter: with its rule put in the
place of ours, the test fails.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, resolve, reverse

from aggregator.selection import Candidate, rank
from monitoring import cycle, readings, roll
from monitoring.health import Finding, finding
from providers import known, redaction, roster
from providers.catalogue import load
from providers.leaks import KEY_IN_PATH
from providers.models import Provider
from tests.aggregator.visitors import age
from tests.aggregator.visitors import get as ask
from tests.monitoring.test_cycle import health
from tests.monitoring.world import endpoint
from tests.test_layers import ROOT, modules, within_any
from tests.upstreams import Said, Upstreams, status

pytestmark = pytest.mark.django_db(transaction=True)

# What tells how things are, without a question to anybody.
TELLING = (
    "/api/status",
    "/api/providers/status",
    "/api/providers/status/a",
    "/api/providers/best",
    "/api/providers/history",
    "/api/providers/history/a",
    "/api/providers/export/csv",
    "/api/providers/health",
    "/api/providers/a/stats",
    "/api/capabilities",
    "/api/resources",
    "/api/system/status",
    "/api/incidents",
    "/api/alerts",
    "/api/ai-models/scan",
    "/api/ai-models/models",
    "/api/ai-models/models/available",
    "/api/ai-models/stats/summary",
    "/api/ai-models/dashboard",
    "/api/ai-models/agent/status",
    "/api/ai-models/health",
    "/status",
    "/status/a",
    "/status/drawer",
    "/status/models",
    "/status/incidents",
    "/status/feed.atom",
    "/status/summary.json",
    "/badge/a.svg",
    "/metrics",
    "/healthz",
    "/readyz",
)


# -- a: invented data --------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/market", "/api/market/global", "/api/gas"])
def test_a_when_nobody_answers_nothing_is_made_up(upstreams: Upstreams, path: str) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = status(500)
    found = ask(path)
    assert found.status == 503
    assert "data" not in found.body


# Who makes the values that are answered. Lots are for whom to ask, and when.
MAKE_VALUES = (
    *("providers.adapters", "aggregator.api", "aggregator.sentiment", "monitoring.api"),
    *(f"aggregator.{name}" for name in ("gateway", "merging", "moods", "consensus", "readouts")),
    *(f"aggregator.{name}" for name in ("capabilities", "figures", "pages", "library")),
    *(f"monitoring.{name}" for name in ("readings", "readouts", "histories", "pages", "views")),
    *(f"monitoring.{name}" for name in ("rollups", "histograms", "timeline", "drawing")),
    *(f"monitoring.{name}" for name in ("system", "mishaps", "drawer", "modelreadouts")),
    *(f"monitoring.{name}" for name in ("prometheus", "feeds", "badges", "pasts", "charts")),
)


def test_a_no_value_is_drawn_by_lot() -> None:
    makers = [module for module in modules() if within_any(module.name, MAKE_VALUES)]
    assert len(makers) > 60
    for module in makers:
        drawn = {name for name in module.imports() if within_any(name, ("random", "secrets"))}
        assert not drawn, module.name


def numbers(value: Any, at: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from numbers(item, f"{at}.{name}")
    elif isinstance(value, list):
        for item in value:
            yield from numbers(item, at)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield at, value


# Counts and settings, which are known before anything was measured.
KNOWN_BEFORE = {
    *("consecutive_failures", "total_requests", "failure_count", "rate_limit_hits", "priority"),
    *("resting_s", "check_interval_minutes", "providers_monitored", "unknown", "per_s", "limit"),
}


@pytest.mark.parametrize("path", ["/api/status", "/api/providers/status", "/api/providers/a/stats"])
def test_a_before_anything_was_measured_every_measure_is_null(
    upstreams: Upstreams, path: str
) -> None:
    upstreams.provider("a")
    roll.sync()
    readings.forget()
    found = dict(numbers(Client().get(path).json()))
    assert {at for at in found if at.rpartition(".")[2] not in KNOWN_BEFORE} == set()


def test_a_the_status_of_the_system_makes_nothing_up(upstreams: Upstreams) -> None:
    """It told of 127 entries, 78 % hits, 47 errors and a fastest provider that nobody had timed."""
    upstreams.provider("a")
    roll.sync()
    readings.forget()
    found = Client().get("/api/system/status").json()
    assert (found["overall_health"], found["error_details"]) == (None, [])
    assert found["infrastructure"]["database_entries"] == 0
    assert found["infrastructure"]["worker_next_run"] is None
    assert set(found["performance"].values()) == {None}
    [row] = found["providers_detailed"]
    measured = {at for at, _ in numbers(row) if at.rpartition(".")[2] not in KNOWN_BEFORE}
    assert measured == set()
    shown = found["resource_breakdown"]
    assert shown["total"] == len(known.everything()) == sum(shown["by_category"].values())


# -- b: the slowest first, and whoever was never tried before all ------------------------------


def test_b_among_equals_the_fastest_leads_and_failures_count_against_one() -> None:
    slow, fast = Candidate("slow", latency_s=2.0), Candidate("fast", latency_s=0.1)
    failing = Candidate("failing", latency_s=0.01, failures=2)
    assert [c.name for c in rank("priority", [slow, failing, fast])] == ["fast", "slow", "failing"]


def test_b_who_was_never_tried_is_not_first_for_that() -> None:
    fast, slow = Candidate("fast", latency_s=0.1), Candidate("slow", latency_s=2.0)
    assert rank("priority", [Candidate("untried"), slow, fast])[0] is fast


# -- c: a 429 found by looking for its digits in a text ----------------------------------------


@pytest.mark.parametrize(
    ("said", "outcome", "verdict"),
    [
        (Said(500, b'{"error": "429 Too Many Requests: rate limit"}'), "broken", "degraded"),
        (Said(200, b"[]", {"X-Note": "429 rate limit"}), "ok", "healthy"),
        (Said(429, b"{}"), "throttled", "rate_limited"),
        (Said(429, b"slow down"), "throttled", "rate_limited"),
    ],
)
def test_c_a_rate_limit_is_told_by_the_status_and_not_by_a_word(
    upstreams: Upstreams, said: Said, outcome: str, verdict: str
) -> None:
    upstreams.provider("a")
    upstreams.play["a"] = lambda asked: said
    cycle.run()
    assert (health("a").outcome, health("a").status) == (outcome, verdict)


def test_c_a_finding_goes_by_the_code_of_an_error() -> None:
    assert finding("throttled") is Finding.LIMITED
    assert finding("429 Too Many Requests") is Finding.NOTHING


# -- d: what had expired was thrown away, so there was nothing to fall back on -----------------


def test_d_an_old_answer_with_its_age_is_better_than_none(upstreams: Upstreams) -> None:
    upstreams.provider("a")
    assert ask().meta["stale"] is False
    age(100)
    upstreams.play["a"] = status(500)
    for _ in range(2):  # looking at it does not use it up
        found = ask()
        assert found.status == 200
        assert found.meta["age_s"] >= 100
        assert found.meta["fresh_for_s"] == 0


# -- e: routes hidden by others, and names with a slash that no route took ---------------------


def named(patterns: Any = None) -> Iterator[URLPattern]:
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if isinstance(pattern, URLResolver):
            if pattern.app_name != "admin":
                yield from named(pattern.url_patterns)
        elif pattern.name:
            yield pattern


def example(pattern: URLPattern, name: str = "some-name") -> str:
    """An address that the route takes, with this name, or with what it wants in its place."""
    regex = getattr(pattern.pattern, "regex", re.compile(""))
    wanted = dict(re.findall(r"\(\?P<(\w+)>((?:[^()]|\([^()]*\))*)\)", regex.pattern))
    assert wanted.keys() == regex.groupindex.keys(), "brackets within brackets"
    kwargs = {key: fitting(part, name) for key, part in wanted.items()}
    return str(reverse(str(pattern.name), kwargs=kwargs))


def fitting(part: str, name: str) -> str:
    """What a part of a route takes: the name, a number of it, a code, an id, one of some words."""
    number, code = str(len(name) * 1000), "0123456789ab"
    words = (name, number, code, str(UUID(int=len(name))), *part.split("|"))
    return next(word for word in words if re.fullmatch(part, word))


def test_e_every_route_reaches_its_own_view() -> None:
    found = list(named())
    assert len(found) > 30
    for pattern in found:
        path = example(pattern)
        bare = path.rstrip("/") or "/"
        for spelled in {path, path if path.startswith("/admin/") else bare}:
            assert resolve(spelled).url_name == pattern.name, spelled


def test_e_a_name_with_a_slash_reaches_the_view_that_takes_it() -> None:
    assert resolve("/api/economic/US/NY.GDP.MKTP.CD").kwargs == {"series": "US/NY.GDP.MKTP.CD"}
    for part in ("history", "stats"):
        found = resolve(f"/api/ai-models/models/ProsusAI/finbert/{part}")
        assert (found.url_name, found.kwargs) == (f"model-{part}", {"model_id": "ProsusAI/finbert"})


# -- f: an old list was loaded, and the summary of it said nought ------------------------------


def test_f_what_is_counted_is_what_was_shipped(shipped: None) -> None:
    slugs = {entry.slug for entry in load().providers}
    assert set(Provider.objects.values_list("slug", flat=True)) == slugs
    body = Client().get("/api/resources?limit=1").json()
    assert body["total"] == len(known.everything()) > len(slugs)
    assert sum(body["by_source"].values()) == sum(body["by_category"].values()) == body["total"]
    assert min(body["by_source"].values()) > 0


# -- g: every look at the status asked fourteen upstreams --------------------------------------


def test_g_every_route_that_tells_is_looked_at() -> None:
    """Beside those that change something, and single rows of what is listed."""
    looked_at = {resolve(path).url_name for path in TELLING}
    prefixes = ("/api/providers", "/api/system", "/api/ai-models", "/status", "/badge", "/metrics")
    routes = {str(p.name) for p in named() if example(p).startswith(prefixes)}
    acts = {"providers-check", "models-agent-start", "models-agent-stop"}
    rows = {"incident-page", "model-history", "model-stats"}
    assert routes - acts - rows <= looked_at


@pytest.mark.parametrize("path", TELLING)
def test_g_a_look_at_the_status_asks_nobody(upstreams: Upstreams, settings: Any, path: str) -> None:
    settings.METRICS = "open"
    endpoint("b")
    upstreams.provider("a")
    roster.forget()
    roll.sync()
    readings.forget()
    for _ in range(3):
        assert Client().get(path).status_code == 200
    assert upstreams.asked == []


# -- h: files with keys in them ----------------------------------------------------------------

SHIPPED = ("providers/catalogue", "providers/adapters", "chat/questions", "docs")


def test_h_no_shipped_file_holds_what_looks_like_a_key() -> None:
    paths = [path for folder in SHIPPED for path in sorted((ROOT / folder).rglob("*.*"))]
    files = [path for path in paths if path.suffix in (".yaml", ".json", ".jsonl", ".md", ".tsv")]
    assert len(files) > 50
    for path in files:
        for line in path.read_text().splitlines():
            for url in re.findall(r"https?://[^\s\"'<>)]+", line):
                assert redaction.redact(url) == url, f"{path}: {url}"
    for path in (ROOT / "providers/catalogue").rglob("*.yaml"):
        for url in re.findall(r"https?://[^\s\"'<>)]+", path.read_text()):
            found = KEY_IN_PATH.search(url)
            assert not found or "_" in found[0], f"{path}: {url}"


def test_h_no_literal_in_the_source_is_a_key() -> None:
    looks = re.compile(
        r"(sk-[A-Za-z0-9]{20,}|AIza[\w-]{30,}|hf_[A-Za-z]{30,}|gsk_\w{40,}|[0-9a-f]{40,})"
    )
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                assert not looks.fullmatch(node.value), f"{module.name}: {node.value[:8]}..."


# -- i: everybody's web page could ask with the visitor's own session --------------------------


@pytest.mark.parametrize("path", ["/api/gas", "/api/status", "/api/providers/status", "/nothing"])
@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_i_no_other_site_is_answered_with_the_visitors_credentials(
    upstreams: Upstreams, path: str, origin: str
) -> None:
    upstreams.provider("a")
    response = Client().get(path, headers={"Origin": origin})
    assert response.headers.get("Access-Control-Allow-Credentials") is None
    assert response.headers.get("Access-Control-Allow-Origin", "*") == "*"


def test_i_only_who_carries_a_token_of_ours_changes_anything() -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post("/api/providers/check", headers={"Origin": "https://evil.example"})
    assert response.status_code == 403


def test_the_files_are_where_these_tests_look() -> None:
    assert all((Path(ROOT) / folder).is_dir() for folder in SHIPPED)
