"""
Looks at resources, before the sandbox: every fault it knows, and nobody asked whom it does not
speak for.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from django.utils.timezone import now

from monitoring import cycle, leases, resourcechecks
from monitoring.models import Endpoint, Plan
from providers import roster
from providers.health import Health
from providers.models import Provider, Resource
from providers.reaching import guard_of, host_of, sandbox_hosts
from providers.sandbox.faults import Rule
from tests.e2e.world import World

HOST, NAME = "api.kraken.com", "resource:kraken"


@pytest.fixture
def looked(world: World) -> World:
    """Nobody of ours speaks for Kraken, so it is a resource that the sandbox knows."""
    Provider.objects.filter(slug="kraken").delete()
    roster.forget()
    Plan(timeout_s=1).save()
    resourcechecks.sync(now())
    return world


def look(times: int = 1) -> Health:
    for _ in range(times):
        guard_of(HOST).reset()
        rows = Endpoint.objects.filter(health__name=NAME).select_related("health__resource")
        claimed = leases.claim(list(rows), now())
        cycle.check(claimed, Plan.current())
    return Health.objects.get(name=NAME)


@pytest.mark.parametrize(
    ("fault", "status", "outcome", "up"),
    [
        ("", "healthy", "ok", True),
        ("html", "healthy", "ok", True),
        ("malformed", "healthy", "ok", True),
        ("bomb=4", "healthy", "ok", True),
        ("drip=0.5", "healthy", "ok", True),
        ("status=401", "healthy", "ok", True),
        ("status=404", "healthy", "ok", True),
        ("redirect=https://example.org/", "healthy", "ok", True),
        ("redirect=http://169.254.169.254/latest/meta-data", "healthy", "ok", True),
        ("status=429;retry_after=300", "rate_limited", "throttled", True),
        ("status=451", "down", "blocked", True),
        ("status=503", "degraded", "broken", True),
        ("delay=5", "degraded", "timed_out", False),
        ("hang", "degraded", "timed_out", False),
        ("reset", "degraded", "unreachable", False),
    ],
)
def test_every_fault_is_what_it_is(
    looked: World, fault: str, status: str, outcome: str, up: bool
) -> None:
    if fault:
        looked.sandbox.rules.add(Rule(HOST, fault))
    found = look()
    assert (found.status, found.outcome, found.endpoint_up) == (status, outcome, up)
    row = looked.get("/api/resources?q=kraken.com").body["rows"][0]
    assert (row["status"], row["status_reason"]) == (status, found.reason)
    asked = sum(looked.sandbox.log.counts()[HOST].values())
    assert asked == 1 or fault == "reset", "asked once, and no further"


def test_three_faults_are_down_and_two_good_looks_up_again(looked: World) -> None:
    looked.sandbox.rules.add(Rule(HOST, "status=503"))
    assert look(3).status == "down"
    looked.heal()
    assert look(1).status == "down"
    assert look(1).status == "healthy"


def test_nobody_is_asked_for_whom_the_sandbox_does_not_speak(
    looked: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leaves(host: str, *args: Any, **kwargs: Any) -> Any:
        raise AssertionError(f"{host} was looked up")

    monkeypatch.setattr(socket, "getaddrinfo", leaves)
    look()
    watched = Health.objects.filter(kind="resource").select_related("resource")
    assert NAME in {row.name for row in watched}
    hosts = {host_of(row.resource.probe) for row in watched if row.resource}
    assert hosts <= set(looked.sandbox.hosts)
    assert set(looked.sandbox.log.counts()) <= {*hosts, "_sandbox"}
    told = looked.get("/api/resources?limit=250").body["rows"]
    others = [
        row for row in told if not row["providers"] and host_of(row["url"] or "") not in hosts
    ]
    assert len(others) > 100
    assert {(row["status"], row["checked_at"]) for row in others} == {("unknown", None)}


def test_an_endpoint_from_before_finds_nothing(looked: World) -> None:
    """Its host was spoken for by another sandbox: that this one is silent says nothing of it."""
    Resource.objects.filter(slug="kraken").update(probe_url="https://elsewhere.example/ping")
    found = look()
    assert (found.status, found.outcome) == ("unknown", "unsupported")


def test_without_a_sandbox_nobody_is_asked(looked: World, settings: Any) -> None:
    assert HOST in sandbox_hosts()
    settings.SANDBOX_URL = "http://127.0.0.1:9"
    assert resourcechecks.worth_a_look() == []
