"""What the checks say decides who is asked first; nobody is left out for it."""

from __future__ import annotations

import time
from datetime import timedelta
from itertools import product

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from aggregator import asking, outlook
from aggregator.selection import Candidate, rank
from monitoring import cycle, ranking, roll
from providers import healthiest, roster
from providers.datasets import DATASETS, MarketQuery
from providers.health import Health, Kind
from providers.models import Policy, Provider
from providers.standing import Status
from tests.aggregator.test_selection import candidates, strategies
from tests.aggregator.visitors import get
from tests.upstreams import Upstreams, status

MARKET = MarketQuery.dataset
statuses = st.sampled_from(list(Status))


# -- The order ---------------------------------------------------------------------------------


def places(strategy: str, **found: Status) -> str:
    ranked = rank(strategy, [Candidate(name, status=how) for name, how in found.items()])
    return "".join(candidate.name for candidate in ranked)


@pytest.mark.parametrize("strategy", ["priority", "round_robin", "fastest", "adaptive"])
@pytest.mark.parametrize("ill", [Status.DOWN, Status.MISCONFIGURED, Status.MAINTENANCE])
def test_ill_comes_last_and_degraded_after_healthy(strategy: str, ill: Status) -> None:
    found = places(strategy, a=ill, b=Status.DEGRADED, c=Status.HEALTHY)
    assert found == "cba"


@pytest.mark.parametrize(
    "neutral", [Status.UNKNOWN, Status.RATE_LIMITED, Status.DISABLED, Status.HEALTHY]
)
def test_what_is_not_known_counts_neither_for_nor_against(neutral: Status) -> None:
    assert places("priority", a=neutral, b=Status.HEALTHY) == "ab"
    assert places("priority", a=Status.HEALTHY, b=neutral) == "ab"


def test_a_priority_decides_among_those_who_are_equally_well() -> None:
    for how in Status:
        first, second = Candidate("b", priority=90, status=how), Candidate("a", status=how)
        assert rank("priority", [second, first]) == [first, second]


def test_who_can_answer_comes_before_who_is_ill_and_before_who_rests() -> None:
    rests = Candidate("a", status=Status.HEALTHY, resting=True)
    ill = Candidate("b", status=Status.DOWN)
    spent = Candidate("c", status=Status.HEALTHY, tokens_left=0.01)
    poor = Candidate("d", status=Status.DEGRADED)
    assert [c.name for c in rank("priority", [rests, ill, spent, poor])] == ["d", "c", "b", "a"]


@given(strategies, st.lists(statuses, max_size=8), candidates, st.integers(0, 1000))
def test_nobody_is_ever_excluded(
    strategy: str, how: list[Status], found: list[Candidate], turn: int
) -> None:
    from dataclasses import replace

    ill = [replace(c, status=s) for c, s in zip(found, how, strict=False)]
    ranked = rank(strategy, ill, turn)
    assert sorted(c.name for c in ranked) == sorted(c.name for c in ill)
    for one, next_one in zip(ranked, ranked[1:], strict=False):
        if one.resting == next_one.resting:
            last = healthiest.Put.LAST
            assert not (
                healthiest.put(one.status) is last and healthiest.put(next_one.status) is not last
            )


def test_the_rules_are_one_for_the_gateway_and_for_others() -> None:
    assert ranking.rank is healthiest.rank
    assert ranking.Candidate is healthiest.Candidate
    for a, b in product(healthiest.WELL, healthiest.WELL):
        if healthiest.WELL[a] < healthiest.WELL[b]:
            assert healthiest.put(a) < healthiest.put(b)


# -- By the rows -------------------------------------------------------------------------------


def judge(slug: str, how: str, fresh: float = 900) -> None:
    """What the checks have just found."""
    Health.objects.update_or_create(
        name=slug,
        defaults={
            "provider": Provider.objects.get(slug=slug),
            "kind": Kind.DATA,
            "status": how,
            "fresh_until": now() + timedelta(seconds=fresh),
        },
    )


def order() -> list[str]:
    return [provider.slug for provider in asking.candidates(MARKET)]


@pytest.fixture
def pair(db: None, upstreams: Upstreams) -> Upstreams:
    upstreams.provider("a", priority=90)
    upstreams.provider("b", priority=10)
    return upstreams


def test_a_question_goes_to_who_is_well_and_says_who_was_passed_over(pair: Upstreams) -> None:
    judge("a", "down")
    found = get()
    assert found.meta["source"] == "b"
    assert found.attempts == [("a", "unwell")]
    assert pair.of("a") == []


def test_when_nobody_else_answers_who_is_down_is_asked(pair: Upstreams) -> None:
    judge("a", "down")
    pair.play["b"] = status(500)
    found = get()
    assert found.meta["source"] == "a"
    assert ("b", "broken") in found.attempts


def test_when_all_are_down_all_are_asked_as_by_priority(pair: Upstreams) -> None:
    judge("a", "down")
    judge("b", "misconfigured")
    assert order() == ["a", "b"]
    assert get().meta["source"] == "a"


def test_an_old_verdict_is_none(pair: Upstreams) -> None:
    """The watch has stopped: what it said last is not obeyed for ever."""
    judge("a", "down", fresh=-1)
    assert order() == ["a", "b"]


def test_a_verdict_is_obeyed_within_two_seconds(pair: Upstreams) -> None:
    assert order() == ["a", "b"]
    judge("a", "down")
    judged_at = time.monotonic()
    while order() != ["b", "a"]:
        assert time.monotonic() - judged_at < 2
        time.sleep(0.02)
    judge("a", "healthy")
    judged_at = time.monotonic()
    while order() != ["a", "b"]:
        assert time.monotonic() - judged_at < 2
        time.sleep(0.02)


def test_no_question_costs_a_query_for_it(pair: Upstreams) -> None:
    judge("a", "degraded")
    order()
    with CaptureQueriesContext(connection) as found:
        for _ in range(50):
            order()
    assert not [query for query in found if "providers_health" in query["sql"]]


@pytest.mark.django_db(transaction=True)
def test_what_a_round_of_checks_finds_is_what_the_gateway_goes_by(upstreams: Upstreams) -> None:
    for slug, priority in (("a", 90), ("b", 10)):
        upstreams.provider(slug, priority=priority, rests_s=[0.001], rest_ceiling_s=0.001)
    roll.sync()
    upstreams.play["a"] = status(500)
    for _ in range(3):
        Health.objects.get(name="a").endpoint.__class__.objects.update(next_due=None)
        cycle.run()
        time.sleep(0.01)
    roster.forget()
    assert Health.objects.get(name="a").status == "down"
    assert order() == ["b", "a"]


def test_the_outlook_of_a_policy_says_so(pair: Upstreams) -> None:
    Policy.objects.create(dataset="market")
    judge("a", "degraded")
    chosen = outlook.outlooks(DATASETS["market"])[0]
    assert [p.name for p in chosen.prospects] == ["b", "a"]
    assert chosen.prospects[1].why.endswith("; degraded by the checks, so it comes late")
