"""Experiments: sticky buckets, guard rails, a verdict at the horizon, and an A/A test."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat.experiments import FEWEST, Unit, alarms, arm_of, figures, ratio, verdict

UNITS = st.lists(
    st.builds(
        Unit,
        questions=st.integers(3, 9),
        up=st.integers(0, 1),
        down=st.integers(0, 1),
        clarified=st.integers(0, 1),
        latency_ms=st.floats(0, 100),
    ),
    max_size=80,
)


@given(st.text(), st.uuids(), st.integers(1, 99))
def test_a_unit_stays_in_its_arm(salt: str, unit: object, share: int) -> None:
    assert arm_of(salt, str(unit), share) == arm_of(salt, str(unit), share)
    if arm_of(salt, str(unit), share) == "challenger":  # also when it gets more of them
        assert arm_of(salt, str(unit), 99) == "challenger"


def test_arms_get_their_share_and_salts_are_independent() -> None:
    units = [str(number) for number in range(10_000)]
    one = {unit for unit in units if arm_of("one", unit, 20) == "challenger"}
    other = {unit for unit in units if arm_of("other", unit, 20) == "challenger"}
    assert len(one) == pytest.approx(2000, abs=200)
    assert len(one & other) == pytest.approx(400, abs=100)


def visits(rng: Random, number: int, helpful: float = 0.7, clarified: float = 0.1) -> list[Unit]:
    """Conversations as they come: of one to six questions, some of which get a thumb."""
    found = []
    for _ in range(number):
        questions = rng.randint(1, 6)
        thumbs = sum(rng.random() < 0.3 for _ in range(questions))
        up = sum(rng.random() < helpful for _ in range(thumbs))
        found.append(
            Unit(
                questions=questions,
                up=up,
                down=thumbs - up,
                clarified=sum(rng.random() < clarified for _ in range(questions)),
                latency_ms=questions * rng.lognormvariate(2.5, 0.6),
            )
        )
    return found


def test_an_a_a_test_finds_nothing() -> None:
    """Of 300 with nothing to find, some one in twenty is fooled, and no guard rail rings."""
    rng, fooled, rung = Random(11), 0, 0
    for _ in range(300):
        one, other = figures(visits(rng, 300)), figures(visits(rng, 300))
        said = verdict(one, other, 300)
        assert said is not None
        fooled += said.outcome != "no difference"
        rung += bool(alarms(one, other))
    assert 3 <= fooled <= 29  # 15 wanted; so far out by chance in less than one of a thousand
    assert rung == 0


@pytest.mark.slow
def test_guard_rails_stay_silent_however_often_they_look() -> None:
    rng, rung = Random(5), 0
    for _ in range(60):
        one, other = visits(rng, 600), visits(rng, 600)
        looks = range(FEWEST, 600, 10)
        rung += any(alarms(figures(one[:n]), figures(other[:n])) for n in looks)
    assert rung <= 2


def test_a_better_model_is_found() -> None:
    rng = Random(2)
    said = verdict(figures(visits(rng, 1250)), figures(visits(rng, 1250, helpful=0.8)), 1250)
    assert said
    assert said.outcome == "better"


@pytest.mark.parametrize(
    ("worse", "rail"),
    [
        ({"helpful": 0.2}, "negative feedback"),
        ({"clarified": 0.5}, "questions asked back"),
    ],
)
def test_a_bad_model_runs_into_its_rail(worse: dict[str, float], rail: str) -> None:
    rng = Random(3)
    found = alarms(figures(visits(rng, 200)), figures(visits(rng, 200, **worse)))
    assert [alarm.partition(":")[0] for alarm in found] == [rail]


def test_a_slow_model_runs_into_its_rail() -> None:
    quick, slow = [Unit(1, latency_ms=10.0)] * FEWEST, [Unit(1, latency_ms=90.0)] * FEWEST
    assert alarms(figures(quick), figures(slow)) == ["latency in ms: 90 instead of 10"]
    assert alarms(figures(slow), figures(quick)) == []
    assert alarms(figures(quick[1:]), figures(slow)) == []  # too few to judge


def test_no_verdict_before_the_horizon() -> None:
    rng = Random(4)
    few, many = figures(visits(rng, 99)), figures(visits(rng, 500))
    assert verdict(few, many, 100) is None


@given(UNITS, UNITS)
def test_any_conversations_can_be_compared(one: list[Unit], other: list[Unit]) -> None:
    champion, challenger = figures(one), figures(other)
    alarms(champion, challenger)
    assert verdict(champion, challenger, 0) is not None
    for rate in (champion.helpful, champion.clarified):
        assert rate.value is None or 0 <= rate.value <= 1
        assert rate.variance >= 0


def test_questions_of_one_conversation_do_not_count_as_independent() -> None:
    """Ten conversations of ten equal thumbs tell as much as ten thumbs."""
    lumps = ratio([(10, 10)] * 5 + [(0, 10)] * 5)
    singles = ratio([(1, 1)] * 5 + [(0, 1)] * 5)
    assert lumps.variance == pytest.approx(singles.variance)
