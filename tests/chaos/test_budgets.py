"""What several processes share is exact: no update lost, no token granted twice, one probe."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from providers.errors import Broken
from providers.models import Credential
from providers.resilience import Breaker, Cell, Guard
from tests.chaos import jobs
from tests.crew import Hand, crew, each
from tests.upstreams import Keyed, Upstreams, status, usual

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("each_store")]


@pytest.fixture
def hands(each_store: str) -> Iterator[list[Hand]]:
    with crew(4) as found:
        yield found


def test_four_processes_with_threads_lose_nothing_and_grant_nothing_twice(
    hands: list[Hand], upstreams: Upstreams
) -> None:
    """One crew for all of it: to start four processes takes longer than what they prove."""
    no_update_is_lost(hands)
    a_budget_is_granted_once(hands)
    one_probes(hands)
    a_provider_is_called_as_often_as_it_may_be(hands, upstreams)
    a_key_is_used_as_often_as_it_may_be(hands, upstreams)
    all_providers_are_called_as_often_as_they_may_be(hands, upstreams)


def no_update_is_lost(hands: list[Hand]) -> None:
    assert each(hands, jobs.increment, "tally", 50, 4) == [200] * 4
    assert Cell("tally", ttl=600).peek() == 800


def a_budget_is_granted_once(hands: list[Hand]) -> None:
    granted = each(hands, jobs.spend, "shared", 100, 3600, 20, 4)
    assert sum(granted) == 100
    assert len([number for number in granted if number]) > 1, "the test did not share it"


def one_probes(hands: list[Hand]) -> None:
    failing = Guard("back", Breaker(rests=(0.01,)))
    _fail(failing)
    time.sleep(0.02)
    assert sum(each(hands, jobs.probe, "back", 4, 0.3)) == 1


def _fail(guard: Guard) -> None:
    with suppress(Broken), guard.admit():
        raise Broken


def a_provider_is_called_as_often_as_it_may_be(hands: list[Hand], upstreams: Upstreams) -> None:
    limits: list[dict[str, Any]] = [{"limit": 3, "per_s": 3600, "burst": 3}]
    upstreams.provider("a", limits=limits)
    seen: list[str] = sum((each(hands, jobs.call_directly, "a") for _ in range(3)), [])
    assert seen.count("ok") == len(upstreams.asked) == 3
    assert seen.count("out_of_tokens") == 9


def a_key_is_used_as_often_as_it_may_be(hands: list[Hand], upstreams: Upstreams) -> None:
    limits: list[dict[str, Any]] = [{"limit": 3, "per_s": 3600, "burst": 3, "scope": "key"}]
    provider = upstreams.provider("keyed", Keyed, limits=limits)
    for label in ("one", "two"):
        own = Credential(provider=provider, label=label)
        own.set_key(f"the-{label}-key")
        own.save()
    each(hands, jobs.forget)
    seen: list[str] = sum((each(hands, jobs.call_directly, "keyed") for _ in range(3)), [])
    sent = [asked.key for asked in upstreams.of("keyed")]
    assert seen.count("ok") == len(sent) == 6
    assert sent.count("the-one-key") == sent.count("the-two-key") == 3


def all_providers_are_called_as_often_as_they_may_be(
    hands: list[Hand], upstreams: Upstreams
) -> None:
    """Of forty a minute ten go out at once, and one every two seconds."""
    for slug in ("b", "c"):
        upstreams.provider(slug)
    began = time.monotonic()
    seen: list[str] = sum(
        (each(hands, jobs.call_within, slug, 40) for slug in ("b", "c") for _ in range(3)), []
    )
    granted = seen.count("ok")
    assert granted == len(upstreams.of("b", "c"))
    assert 10 <= granted <= 10 + (time.monotonic() - began) / 2
    assert seen.count("out_of_tokens") == 24 - granted


@pytest.mark.slow
def test_a_long_fight_over_few_cells_loses_nothing(hands: list[Hand]) -> None:
    assert each(hands, jobs.increment, "tally", 200, 8) == [1600] * 4
    assert Cell("tally", ttl=600).peek() == 6400
    for n in range(20):
        granted = each(hands, jobs.spend, f"shared-{n}", 37, 3600, 10, 8)
        assert sum(granted) == 37


@pytest.mark.slow
def test_probes_are_single_time_after_time(hands: list[Hand], upstreams: Upstreams) -> None:
    provider = upstreams.provider("a", rests_s=[0.5], rest_ceiling_s=0.5)
    upstreams.play["a"] = status(500)
    assert hands[0].do(jobs.call_directly, "a") == "broken"
    for _ in range(8):
        time.sleep(0.55)
        before = len(upstreams.asked)
        assert sorted(each(hands, jobs.call_directly, "a")) == ["broken"] + ["circuit_open"] * 3
        assert len(upstreams.asked) == before + 1
    upstreams.play["a"] = usual
    time.sleep(0.55)
    assert "ok" in each(hands, jobs.call_directly, "a")
    assert provider.guard.standing().circuit.back_at
