from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from providers.resilience import Deadline
from tests.conftest import Clock

seconds = st.floats(0, 1000)


def test_time_left_runs_out_and_stays_out(clock: Clock) -> None:
    deadline = Deadline(5, clock)
    assert deadline.left() == 5
    clock.tick(3)
    assert deadline.left() == 2
    clock.tick(3)
    assert deadline.left() == 0


def test_a_pause_is_allowed_when_time_is_left_after_it(clock: Clock) -> None:
    deadline = Deadline(5, clock)
    assert deadline.allows(4.9)
    assert not deadline.allows(5)
    clock.tick(9)
    assert not deadline.allows(0)


@given(st.lists(st.tuples(seconds, seconds), min_size=1, max_size=10), seconds)
def test_a_deadline_handed_down_is_never_later_than_the_one_it_came_from(
    steps: list[tuple[float, float]], whole: float
) -> None:
    clock = Clock()
    deadlines = [Deadline(whole, clock)]
    for part, elapsed in steps:
        deadlines.append(deadlines[-1].within(part))
        assert deadlines[-1].left() <= part + 1e-6
        clock.tick(elapsed)
        lefts = [deadline.left() for deadline in deadlines]
        assert lefts == sorted(lefts, reverse=True)
