from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.selection import STRATEGIES, Candidate, rank
from providers.catalogue import STRATEGIES as SHIPPED
from providers.lately import Lately
from providers.models import Strategy

T0 = 1_760_000_000.0


@st.composite
def known(draw: st.DrawFn) -> Lately:
    """What calls came to: good and bad ones, and how long each took."""
    good, bad, dated = draw(counts), draw(counts), draw(st.booleans())
    good_s = good * draw(st.floats(0.001, 30))
    return Lately(
        T0,
        good=good,
        bad=bad,
        seconds=good_s + bad * draw(st.floats(0.001, 30)),
        good_s=good_s,
        dated=good if dated else 0.0,
        age_s=good * draw(st.floats(0, 86400)) if dated else 0.0,
    )


counts = st.sampled_from([0.0, 0.2, 1.0, 40.0, 5000.0])
candidates = st.lists(
    st.builds(
        Candidate,
        name=st.text("abcdef", min_size=1, max_size=4),
        priority=st.sampled_from([10, 50, 90]),
        failures=st.integers(0, 3),
        latency_s=st.none() | st.floats(0.001, 30),
        resting=st.booleans(),
        tokens_left=st.none() | st.floats(0, 1),
        weight=st.integers(0, 5),
        cost=st.none() | st.floats(0, 1),
        lately=st.none() | known(),
    ),
    unique_by=lambda candidate: candidate.name,
    max_size=8,
)
strategies = st.sampled_from(sorted(STRATEGIES))


def test_what_one_may_choose_is_what_there_is() -> None:
    assert set(STRATEGIES) == set(Strategy.values) == set(SHIPPED)


def names(strategy: str, *found: Candidate, turn: int = 0) -> list[str]:
    return [candidate.name for candidate in rank(strategy, found, turn)]


@given(strategies, candidates, st.integers(0, 1000))
def test_nobody_is_lost_and_nobody_comes_twice(
    strategy: str, found: list[Candidate], turn: int
) -> None:
    assert Counter(rank(strategy, found, turn)) == Counter(found)


@given(strategies, candidates, st.integers(0, 1000))
def test_who_rests_comes_last_and_before_them_who_runs_out(
    strategy: str, found: list[Candidate], turn: int
) -> None:
    classes = [
        (c.resting, c.tokens_left is not None and c.tokens_left < 0.1)
        for c in rank(strategy, found, turn)
    ]
    assert classes == sorted(classes)


@given(strategies, candidates, st.integers(0, 1000), st.integers(0, 99))
def test_the_order_they_are_given_in_does_not_matter(
    strategy: str, found: list[Candidate], turn: int, seed: int
) -> None:
    shuffled = random.Random(seed).sample(found, len(found))
    assert rank(strategy, found, turn) == rank(strategy, shuffled, turn)


@given(strategies, candidates, st.integers(0, 2**32))
def test_one_turn_has_one_order(strategy: str, found: list[Candidate], turn: int) -> None:
    assert rank(strategy, found, turn) == rank(strategy, found, turn)


@given(candidates)
def test_a_higher_priority_goes_first_among_those_who_can(found: list[Candidate]) -> None:
    able = [c for c in rank("priority", found) if not c.resting and c.tokens_left is None]
    assert [c.priority for c in able] == sorted((c.priority for c in able), reverse=True)


def test_ties_are_settled_by_failures_and_then_by_speed() -> None:
    assert names(
        "priority",
        Candidate("slow", latency_s=2.0),
        Candidate("failing", failures=1, latency_s=0.1),
        Candidate("fast", latency_s=0.2),
        Candidate("first", priority=60, failures=3, latency_s=9.0),
    ) == ["first", "fast", "slow", "failing"]


@given(
    st.lists(st.integers(1, 30_000), min_size=2, max_size=7, unique=True),
    st.sampled_from(["aaa", "zzz"]),
    candidates,
)
def test_an_untried_one_is_neither_first_nor_last_of_its_equals(
    latencies: list[int], name: str, others: list[Candidate]
) -> None:
    equals = [Candidate(f"m{n}", 70, latency_s=ms / 1000) for n, ms in enumerate(latencies)]
    untried = Candidate(name, 70)
    ranked = [c for c in rank("priority", [untried, *equals, *others]) if c.priority == 70]
    assert 0 < ranked.index(untried) < len(ranked) - 1


def test_when_nobody_was_tried_names_decide_so_that_processes_agree() -> None:
    assert names("priority", Candidate("b"), Candidate("c"), Candidate("a")) == ["a", "b", "c"]


@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_no_candidates_are_no_error(strategy: str) -> None:
    assert rank(strategy, [], 7) == []


def test_in_a_round_each_leads_once_and_the_circle_stays() -> None:
    found = [Candidate(name) for name in "abc"]
    seen = [names("round_robin", *found, turn=turn) for turn in range(4)]
    assert seen == [list("abc"), list("bca"), list("cab"), list("abc")]


def test_who_cannot_just_now_is_passed_over_in_its_turn() -> None:
    found = [Candidate("a", resting=True), Candidate("b", tokens_left=0.05), Candidate("c")]
    assert names("round_robin", *found, turn=0) == ["c", "b", "a"]


def test_who_nobody_counts_tokens_for_does_not_run_out() -> None:
    found = [Candidate("a", tokens_left=None), Candidate("b", priority=90, tokens_left=0.09)]
    assert names("priority", *found) == ["a", "b"]
