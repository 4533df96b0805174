"""What each strategy promises; what holds for all of them is in test_selection.py."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import inf
from random import Random
from statistics import fmean

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from aggregator import adaptive
from aggregator.selection import CURIOUS_EVERY, Candidate, rank
from providers.lately import HALF_LIFE_S, Lately
from tests.aggregator.test_selection import T0, candidates, names

TURNS = 2000


def did(good: float = 0, good_s: float = 1.0, bad: float = 0, bad_s: float = 1.0) -> Lately:
    """So many calls that answered, and that did not, each in so many seconds."""
    return Lately(T0, good, bad, good * good_s + bad * bad_s, good * good_s)


def aged(seconds: float | None, calls: float = 5) -> Lately:
    known = did(calls)
    return known if seconds is None else replace(known, dated=calls, age_s=calls * seconds)


def leads(strategy: str, *found: Candidate, turns: int = TURNS) -> Counter[str]:
    """How often each leads."""
    return Counter(rank(strategy, found, turn)[0].name for turn in range(turns))


def able(strategy: str, found: list[Candidate], turn: int = 0) -> list[Candidate]:
    """Those who can just now, in their order."""
    ranked = rank(strategy, found, turn)
    return [c for c in ranked if not c.resting and (c.tokens_left is None or c.tokens_left > 0.1)]


# -- Weighted ----------------------------------------------------------------------------------


def test_each_leads_as_often_as_its_weight_says() -> None:
    found = [Candidate("a", weight=6), Candidate("b", weight=3), Candidate("c", weight=1)]
    shares = {name: count / TURNS for name, count in leads("weighted", *found).items()}
    assert shares == pytest.approx({"a": 0.6, "b": 0.3, "c": 0.1}, abs=0.04)


def test_when_the_leader_cannot_the_others_share_its_questions_by_weight() -> None:
    rests = Candidate("a", weight=6, resting=True)
    found = leads("weighted", rests, Candidate("b", weight=3), Candidate("c", weight=1))
    assert found["b"] / TURNS == pytest.approx(0.75, abs=0.04)
    assert not found["a"]


@given(candidates, st.integers(0, 2**32), st.data())
def test_more_weight_never_comes_later(
    found: list[Candidate], turn: int, data: st.DataObject
) -> None:
    assume(found)
    one = data.draw(st.sampled_from(found))
    heavier = [replace(c, weight=c.weight + 3) if c is one else c for c in found]
    before = [c.name for c in rank("weighted", found, turn)]
    after = [c.name for c in rank("weighted", heavier, turn)]
    assert after.index(one.name) <= before.index(one.name)


@given(candidates, st.integers(0, 2**32))
def test_without_weight_one_comes_after_all_who_have_some(
    found: list[Candidate], turn: int
) -> None:
    has_none = [c.weight == 0 for c in able("weighted", found, turn)]
    assert has_none == sorted(has_none)


# -- Fastest, freshest, cheapest ---------------------------------------------------------------


@given(candidates)
def test_the_fastest_goes_first_whatever_its_priority(found: list[Candidate]) -> None:
    took = [c.speed_s for c in able("fastest", found) if c.speed_s is not None]
    assert took == sorted(took)


@given(candidates)
def test_the_freshest_goes_first(found: list[Candidate]) -> None:
    ages = [c.data_age_s for c in able("freshest", found) if c.data_age_s is not None]
    assert ages == sorted(ages)


@given(candidates)
def test_the_cheapest_goes_first_and_what_nobody_knows_last(found: list[Candidate]) -> None:
    costs = [inf if c.cost is None else c.cost for c in able("cheapest", found)]
    assert costs == sorted(costs)


def test_what_was_measured_lately_outweighs_the_day() -> None:
    slow_by_now = Candidate("a", latency_s=0.1, lately=did(9, good_s=2.0))
    assert names("fastest", slow_by_now, Candidate("b", latency_s=0.5)) == ["b", "a"]
    long_ago = replace(slow_by_now, lately=did(9, good_s=2.0).faded(T0 + 9 * HALF_LIFE_S))
    assert names("fastest", long_ago, Candidate("b", latency_s=0.5)) == ["a", "b"]


def test_who_failed_is_not_banished_for_it_once_it_may_be_asked_again() -> None:
    found = [Candidate("a", latency_s=0.1, failures=3), Candidate("b", latency_s=0.5)]
    assert names("fastest", *found) == ["a", "b"]


@given(
    st.lists(st.integers(1, 10**6), min_size=2, max_size=7, unique=True),
    st.sampled_from(["aaa", "zzz"]),
    st.sampled_from(["fastest", "freshest"]),
    st.booleans(),
)
def test_one_that_was_not_measured_is_neither_first_nor_last(
    values: list[int], name: str, strategy: str, never_asked: bool
) -> None:
    measured = [
        Candidate(f"m{n}", latency_s=value, lately=replace(aged(value), good_s=0, good=0))
        for n, value in enumerate(values)
    ]
    one = Candidate(name, lately=None if never_asked else replace(aged(None), good_s=0, good=0))
    ranked = names(strategy, one, *measured)
    assert 0 < ranked.index(name) < len(ranked) - 1


@pytest.mark.parametrize("strategy", ["fastest", "freshest"])
def test_who_was_not_asked_lately_is_asked_now_and_then(strategy: str) -> None:
    known = Candidate("a", lately=aged(0.1)), Candidate("b", lately=aged(9))
    unknown = Candidate("c", latency_s=5.0), Candidate("d", lately=did(0.01))
    rests = Candidate("e", resting=True), Candidate("f", tokens_left=0.05)
    found = leads(strategy, *known, *unknown, *rests)
    assert found["c"] == found["d"] == TURNS / CURIOUS_EVERY / 2
    assert found["e"] == found["f"] == 0
    everybody = leads(strategy, *known, Candidate("c", lately=aged(None)))
    assert everybody == {"a": TURNS}, "one that does not say how old its rows are was asked"


def test_what_faded_differently_is_still_equal() -> None:
    ages = {
        name: aged(5.0, calls).faded(T0 + HALF_LIFE_S / 3 * calls)
        for name, calls in (("a", 3), ("b", 1), ("c", 2))
    }
    found = [Candidate(name, lately=lately) for name, lately in ages.items()]
    assert names("freshest", *found) == names("priority", *found)


def test_what_is_equal_is_settled_as_by_priority() -> None:
    found = [
        Candidate("a", priority=50, cost=0.0),
        Candidate("b", priority=90, cost=0.0, failures=1),
        Candidate("c", priority=90, cost=0.0),
        Candidate("d", priority=99, cost=0.001),
        Candidate("e", priority=100, cost=None),
    ]
    assert names("cheapest", *found) == ["c", "b", "a", "d", "e"]
    assert names("fastest", *found) == names("priority", *found)
    assert names("freshest", *found) == names("priority", *found)


# -- Adaptive ----------------------------------------------------------------------------------


def test_who_answers_sooner_leads() -> None:
    fast, slow = Candidate("a", lately=did(50, 0.2)), Candidate("b", 90, lately=did(50, 0.9))
    assert leads("adaptive", fast, slow)["a"] == TURNS


def test_who_is_fast_but_fails_comes_after_who_is_steady() -> None:
    flaky = Candidate("a", lately=did(30, 0.1, bad=30, bad_s=1.5))  # 1.6 s until an answer
    steady = Candidate("b", lately=did(60, 0.5))
    assert leads("adaptive", flaky, steady)["b"] > 0.99 * TURNS


def test_to_fail_at_once_costs_less_than_to_hang() -> None:
    quick = Candidate("a", lately=did(90, 0.3, bad=10, bad_s=0.05))
    hangs = Candidate("b", lately=did(90, 0.3, bad=10, bad_s=5.0))
    assert leads("adaptive", quick, hangs)["a"] > 0.95 * TURNS


@pytest.mark.parametrize("name", ["aaa", "zzz"])
def test_one_never_asked_leads_sometimes_and_not_always(name: str) -> None:
    equals = [Candidate(f"m{n}", lately=did(100, 0.3)) for n in range(3)]
    share = leads("adaptive", Candidate(name), *equals)[name] / TURNS
    assert 0.05 < share < 0.6


def test_what_was_learned_long_ago_is_doubted_again() -> None:
    slow, fast = did(100, 0.6), did(100, 0.3)
    found = {
        hours: leads(
            "adaptive",
            Candidate("a", lately=slow.faded(T0 + hours * 3600)),
            Candidate("b", lately=fast),
        )["a"]
        for hours in (0, 1, 2)
    }
    assert found[0] < 0.01 * TURNS
    assert found[0] < found[1] < found[2] < TURNS / 2


better = st.sampled_from(["good", "bad", "seconds"])


@given(st.floats(0, 1000), st.floats(0, 1000), st.floats(0, 1000), st.floats(0.01, 10), better)
def test_a_better_record_is_expected_to_answer_sooner(
    good: float, bad: float, seconds: float, usual: float, how: str
) -> None:
    """A failure turned into an answer, a failure less, or less time."""
    known = Lately(T0, good, bad + 1, seconds + 1, seconds)
    improved = {
        "good": replace(known, good=good + 1, bad=bad),
        "bad": replace(known, bad=bad, seconds=seconds),
        "seconds": replace(known, seconds=seconds),
    }[how]
    before, after = (adaptive.expected(one, usual) for one in (known, improved))
    assert after < before


@given(candidates, st.integers(0, 2**32))
def test_draws_are_finite_and_above_zero(found: list[Candidate], turn: int) -> None:
    drawn = adaptive.draw({c.name: c.lately for c in found}, Random(turn))
    assert set(drawn) == {c.name for c in found}
    assert all(0 < seconds < inf for seconds in drawn.values())


def test_draws_lie_about_what_is_expected_and_closer_the_more_is_known() -> None:
    spread = {}
    for calls in (10, 1000):
        known = did(calls * 0.9, 0.4, bad=calls * 0.1, bad_s=0.4)
        drawn = [adaptive.draw({"a": known}, Random(turn))["a"] for turn in range(TURNS)]
        expected = adaptive.expected(known, 0.4)
        assert fmean(drawn) == pytest.approx(expected, rel=0.25)
        spread[calls] = fmean(abs(one - expected) for one in drawn) / expected
    assert spread[1000] < 0.05 < spread[10]


def test_who_rests_does_not_lead_however_good_it_was() -> None:
    best = Candidate("a", lately=did(100, 0.1), resting=True)
    saves = Candidate("b", lately=did(100, 0.1), tokens_left=0.05)
    assert leads("adaptive", best, saves, Candidate("c", lately=did(9, 3.0))) == {"c": TURNS}
