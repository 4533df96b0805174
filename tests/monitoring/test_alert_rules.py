"""From figures to alerts: hold time and hysteresis, whatever the figures do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from monitoring.alerts.rules import LOST_AFTER, MOST_GAP, Change, Rule, State, step

NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)
RULE = Rule(90, for_s=300, clear_at=80, clear_for_s=120)


def run(figures: Sequence[float | None], rule: Rule = RULE, every_s: float = 60) -> list[Change]:
    """The changes of a series, one figure a minute."""
    state, found = State(), []
    for number, value in enumerate(figures):
        state, change = step(state, value, NOON + timedelta(seconds=number * every_s), rule)
        found += [change] if change else []
    return found


def test_it_has_to_last() -> None:
    assert run([95] * 5) == []
    assert run([95] * 6) == [Change.OPENED]
    assert run([95, 95, 95, 89, 95, 95, 95]) == []


def test_at_the_threshold_is_not_above_it() -> None:
    assert run([90] * 20) == []


def test_it_is_over_under_the_second_threshold_for_long_enough() -> None:
    assert run([95] * 6 + [85] * 20) == [Change.OPENED]
    assert run([95] * 6 + [79, 79]) == [Change.OPENED]
    assert run([95] * 6 + [79, 79, 79]) == [Change.OPENED, Change.CLOSED]
    assert run([95] * 6 + [79, 79, 85, 79, 79]) == [Change.OPENED]


def test_below_works_the_other_way_round() -> None:
    rule = Rule(60, above=False, for_s=60, clear_for_s=0)
    assert run([50, 50, 63, 66], rule) == [Change.OPENED, Change.CLOSED]


def test_without_figures_nothing_is_proved() -> None:
    assert run([95, None, 95, None, 95, None, 95]) == []
    assert run([95] * 6 + [None] * 30) == [Change.OPENED]
    lost = int(LOST_AFTER.total_seconds() / 60) + 6
    assert run([95] * 6 + [None] * lost) == [Change.OPENED, Change.LOST]


def test_a_worker_that_slept_saw_nothing() -> None:
    gap = MOST_GAP.total_seconds() + 1
    assert run([95, 95, 95], every_s=gap) == []


def test_a_second_threshold_on_the_wrong_side_does_no_harm() -> None:
    silly = Rule(90, clear_at=95, clear_for_s=0)
    assert run([93, 93, 93], silly) == [Change.OPENED]


FIGURES = st.lists(st.one_of(st.none(), st.floats(0, 200)), max_size=200)
RULES = st.builds(
    Rule,
    threshold=st.floats(10, 150),
    above=st.booleans(),
    clear_at=st.one_of(st.none(), st.floats(0, 200)),
    for_s=st.integers(0, 600),
    clear_for_s=st.integers(0, 600),
)


@given(FIGURES, RULES)
def test_opening_and_closing_alternate(figures: list[float | None], rule: Rule) -> None:
    changes = run(figures, rule)
    assert all(change is Change.OPENED for change in changes[::2])
    assert all(change is not Change.OPENED for change in changes[1::2])


@given(FIGURES, RULES)
def test_nothing_opens_without_so_much_time_over_the_threshold(
    figures: list[float | None], rule: Rule
) -> None:
    state, over_s = State(), 0.0
    for number, value in enumerate(figures):
        state, change = step(state, value, NOON + timedelta(minutes=number), rule)
        over = value is not None and rule.is_over(value)
        if change is Change.OPENED:
            assert over
            assert over_s >= rule.for_s
        over_s = over_s + 60 if over else 0.0


@given(FIGURES, RULES)
def test_a_calm_half_hour_ends_everything(figures: list[float | None], rule: Rule) -> None:
    calm = rule.clear - 1 if rule.above else rule.clear + 1
    if rule.is_over(calm):
        return
    state = State()
    for number, value in enumerate([*figures, *[calm] * 30]):
        state, _ = step(state, value, NOON + timedelta(minutes=number), rule)
    assert not state.firing
