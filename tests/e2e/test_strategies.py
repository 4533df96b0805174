"""A strategy chosen in the admin is who is asked first, two seconds later, by what was measured."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from statistics import fmean

import pytest

from providers import calls, roster
from providers.models import Call, Policy, Provider
from tests.e2e.world import PATIENCE_S, World

THREE = ("coingecko_free", "coinpaprika", "coinlore")  # in the order of their priority
OBEYED_S = 2.0
ROUNDS = 8


def asked_first(world: World) -> str:
    """Who answers a question that nothing on the shelf answers; nobody may fail on the way."""
    world.empty_the_shelf()
    said = world.get("/api/market?limit=5")
    assert said.attempts == {}
    return str(said.meta["source"])


def choose(strategy: str) -> None:
    """As another process does it: this one is told nothing."""
    assert Policy.objects.filter(dataset="market").update(strategy=strategy) == 1


def slow_down(world: World, slug: str, seconds: float) -> None:
    world.spoil(slug, f"delay={seconds}")
    Provider.objects.filter(slug=slug).update(timeout_s=PATIENCE_S)


@pytest.fixture
def measured(world: World) -> World:
    """Each was asked some times, by turns; the one of highest priority is slow."""
    world.only(*THREE)
    slow_down(world, THREE[0], 0.15)
    choose("round_robin")
    roster.forget()
    seen = Counter(asked_first(world) for _ in range(ROUNDS * len(THREE)))
    assert seen == dict.fromkeys(THREE, ROUNDS)
    assert calls.flush()
    return world


def best(value: str) -> str:
    """Whose calls had the lowest `value` on average, of those that have one."""
    values: dict[str, list[float]] = {slug: [] for slug in THREE}
    for slug, found in Call.objects.ok().values_list("provider__slug", value):
        values[slug] += [] if found is None else [found]
    means = {slug: round(fmean(found), 6) for slug, found in values.items() if found}
    assert len(set(means.values())) == len(means) >= 2, means
    return min(means, key=means.__getitem__)


def weigh_the_second_alone() -> str:
    Provider.objects.filter(slug__in=THREE).update(weight=0)
    Provider.objects.filter(slug=THREE[1]).update(weight=5)
    return THREE[1]


def price_all_but_the_last() -> str:
    Provider.objects.filter(slug__in=THREE).update(cost_per_call=0.001)
    Provider.objects.filter(slug=THREE[2]).update(cost_per_call=0.0001)
    return THREE[2]


@pytest.mark.parametrize(
    ("strategy", "prepare"),
    [
        ("priority", lambda: THREE[0]),
        pytest.param("weighted", weigh_the_second_alone, marks=pytest.mark.slow),
        pytest.param("fastest", lambda: best("seconds"), marks=pytest.mark.slow),
        pytest.param("freshest", lambda: best("age_s"), marks=pytest.mark.slow),
        ("cheapest", price_all_but_the_last),
    ],
)
def test_another_strategy_is_obeyed_within_two_seconds(
    measured: World, strategy: str, prepare: Callable[[], str]
) -> None:
    wanted = prepare()
    choose(strategy)
    time.sleep(OBEYED_S)
    assert [asked_first(measured) for _ in range(3)] == [wanted] * 3


@pytest.mark.slow
def test_adaptive_leaves_the_slow_one_alone(measured: World) -> None:
    choose("adaptive")
    time.sleep(OBEYED_S)
    seen = Counter(asked_first(measured) for _ in range(10))
    assert seen[THREE[0]] <= 1, seen


@pytest.mark.slow
def test_adaptive_turns_away_from_who_becomes_slow(measured: World) -> None:
    choose("adaptive")
    time.sleep(OBEYED_S)
    ((leader, _),) = Counter(asked_first(measured) for _ in range(10)).most_common(1)
    measured.heal()
    slow_down(measured, leader, 0.25)
    for _ in range(3):
        for _ in range(4):
            asked_first(measured)
        assert calls.flush()
        time.sleep(OBEYED_S)
    seen = Counter(asked_first(measured) for _ in range(10))
    assert seen[leader] <= 3, seen
