from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.resilience import Tokens, Window
from providers.resilience.bucket import give_back, left, take

T = 1_760_000_000.0
MINUTE = Window(60, 60, burst=10)

limits = st.integers(1, 50) | st.floats(0.2, 50).map(lambda n: round(n, 3))
spans = st.sampled_from([1.0, 2.0, 10.0, 60.0, 86400.0])


@st.composite
def windows(draw: st.DrawFn) -> Window:
    limit = draw(limits)
    burst = draw(st.just(0.0) | st.floats(0, 1).map(lambda share: round(share * limit, 3)))
    return Window(limit, draw(spans), burst)


# How long after the one before each call comes, as a share of the window, and what it costs.
calls = st.lists(
    st.tuples(st.floats(0, 1.2) | st.sampled_from([0.0, 0.001, 0.25, 1.0]), st.integers(1, 5)),
    min_size=1,
    max_size=80,
)


def granted(window: Window, arrivals: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """(when, cost) of the calls that got through."""
    tokens: dict[str, Tokens] = {}
    now, through = T, []
    for gap, cost in arrivals:
        now += gap * window.per_s
        tokens, wait = take([window], tokens, now, cost)
        if not wait:
            through.append((now, cost))
    return through


def busiest(through: list[tuple[float, int]], seconds: float) -> int:
    """The most that went out within `seconds`, the moment at their end excluded."""
    return max(
        (
            sum(cost for at, cost in through[i:] if at < start + seconds * (1 - 1e-6))
            for i, (start, _) in enumerate(through)
        ),
        default=0,
    )


@given(windows(), calls)
@example(Window(1, 10), [(0.0, 1), (0.5, 1), (0.5, 1), (0.5, 1)])
@example(Window(10, 1, burst=10), [(0.05, 1)] * 40)
@example(Window(0.5, 1), [(0.5, 1)] * 20)
def test_no_window_ever_sees_more_than_its_limit(
    window: Window, arrivals: list[tuple[float, int]]
) -> None:
    single = [(gap, 1) for gap, _ in arrivals]
    assert busiest(granted(window, single), window.per_s) <= max(1, window.limit)


@given(windows(), calls)
def test_no_window_ever_sees_more_whatever_a_call_costs(
    window: Window, arrivals: list[tuple[float, int]]
) -> None:
    """A call that costs more than the burst goes out from a full bucket, and is paid off."""
    dearest = max(cost for _, cost in arrivals)
    most = max(window.limit, window.limit - window.capacity + dearest)
    assert busiest(granted(window, arrivals), window.per_s) <= max(1, math.ceil(most))


@given(windows(), calls, st.integers(1, 5))
def test_waiting_as_told_is_enough(
    window: Window, arrivals: list[tuple[float, int]], cost: int
) -> None:
    tokens: dict[str, Tokens] = {}
    now = T
    for gap, spent in arrivals:
        now += gap * window.per_s
        tokens, _ = take([window], tokens, now, spent)
    _, wait = take([window], tokens, now, cost)
    assert take([window], tokens, now + wait, cost)[1] == 0
    assert wait <= 12 * window.per_s / min(window.limit, 1)


@pytest.mark.parametrize(
    ("window", "capacity", "per_second"),
    [
        (Window(100, 50), 25, 1.5),
        (Window(3, 2), 1, 1),
        (Window(1, 10), 1, 0.1),
        (Window(0.5, 1), 0.5, 0.5),
        (Window(10, 1, burst=2.7), 2, 8),
        (Window(10, 1, burst=99), 10, 1),
    ],
)
def test_what_goes_out_at_once_and_what_flows_in_make_the_limit(
    window: Window, capacity: float, per_second: float
) -> None:
    assert (window.capacity, window.per_second) == (capacity, per_second)


def test_a_budget_is_used_up_to_its_limit_in_the_long_run() -> None:
    through = granted(MINUTE, [(0.005, 1)] * 2000)  # for ten minutes, thrice as often as allowed
    assert 0.95 * 60 * 10 * 5 / 6 <= len(through) <= 60 * 10


@pytest.mark.parametrize("window", [Window(10, 1, burst=10), Window(4, 2, burst=4)])
def test_a_burst_of_the_whole_limit_is_followed_by_a_pause(window: Window) -> None:
    through = granted(window, [(0.0, 1)] * 20 + [(0.01, 1)] * 99)
    assert len(through) <= window.limit


def test_one_in_ten_seconds_is_one_in_ten_seconds() -> None:
    window = Window(1, 10)
    through = granted(window, [(0.1, 1)] * 50)
    assert [at - through[0][0] for at, _ in through] == pytest.approx([0, 10, 20, 30, 40])


def test_several_windows_give_together_or_not_at_all() -> None:
    second, minute = Window(4, 1, burst=4), Window(6, 60, burst=5)
    tokens: dict[str, Tokens] = {}
    for _ in range(4):
        tokens, wait = take([second, minute], tokens, T)
        assert wait == 0
    refused, wait = take([second, minute], tokens, T)
    assert wait > 0
    assert refused["60"].level == tokens["60"].level == 1
    tokens, wait = take([second, minute], tokens, T + 1)
    assert wait == 0
    refused, wait = take([second, minute], tokens, T + 2)
    assert wait > 10
    assert refused["1"].level >= tokens["1"].level


def test_a_dear_call_leaves_a_debt() -> None:
    tokens, wait = take([MINUTE], {}, T, 30)
    assert wait == 0
    assert tokens["60"].level == -20
    assert take([MINUTE], tokens, T, 1)[1] == pytest.approx(21 / MINUTE.per_second)


def test_tokens_of_a_call_that_was_not_made_are_given_back() -> None:
    tokens, _ = take([MINUTE], {}, T, 7)
    assert give_back([MINUTE], tokens, T, 7)["60"].level == 10
    assert give_back([MINUTE], tokens, T + 60, 7)["60"].level == 10
    assert give_back([MINUTE], {}, T, 7) == {}


# -- What headers teach ----------------------------------------------------------------------


def test_a_lower_limit_is_learned_and_unlearned() -> None:
    tokens = MINUTE.learn(Tokens(10, T), T, left=None, limit=30, wait=0)
    assert MINUTE.learned(tokens) == Window(30, 60, burst=10)
    tokens = MINUTE.learn(tokens, T, left=None, limit=20, wait=0)
    assert MINUTE.learned(tokens).limit == 20
    tokens = MINUTE.learn(tokens, T, left=None, limit=60, wait=0)
    assert MINUTE.learned(tokens) == MINUTE


@pytest.mark.parametrize("limit", [0, -5, 61, 1e9])
def test_a_limit_that_is_none_or_more_than_ours_teaches_nothing(limit: float) -> None:
    tokens = MINUTE.learn(Tokens(10, T), T, left=None, limit=limit, wait=0)
    assert MINUTE.learned(tokens) == MINUTE


@given(st.integers(1, 20), calls)
def test_a_learned_limit_is_kept_like_ones_own(
    limit: int, arrivals: list[tuple[float, int]]
) -> None:
    tokens = {"60": MINUTE.learn(Tokens(0, T), T, left=0, limit=limit, wait=0)}
    now, through = T, []
    for gap, _ in arrivals:
        now += gap * 60
        tokens, wait = take([MINUTE], tokens, now)
        if not wait:
            through.append((now, 1))
    assert busiest(through, 60) <= limit


def test_what_is_left_lowers_the_level_and_never_lifts_it() -> None:
    assert MINUTE.learn(Tokens(8, T), T, left=3, limit=None, wait=0).level == 3
    assert MINUTE.learn(Tokens(2, T), T, left=50, limit=None, wait=0).level == 2
    assert MINUTE.learn(Tokens(8, T), T, left=-4, limit=None, wait=0).level == 0
    assert MINUTE.learn(Tokens(8, T), T, left=3, limit=None, wait=30) == Tokens(3, T)


def test_nothing_left_means_waiting_until_it_is_said_to_be_back() -> None:
    tokens = {"60": MINUTE.learn(Tokens(8, T), T, left=0, limit=None, wait=30)}
    assert take([MINUTE], tokens, T + 29.9)[1] > 0
    _, wait = take([MINUTE], tokens, T)
    assert wait == pytest.approx(30 + 1 / MINUTE.per_second)
    assert take([MINUTE], tokens, T + wait)[1] == 0


# -- Clocks that differ ----------------------------------------------------------------------


def test_machines_whose_clocks_differ_do_not_grant_more() -> None:
    """One clock is thirty seconds ahead; both ask in turn."""
    tokens: dict[str, Tokens] = {}
    through = []
    for step in range(600):
        now = T + step / 4
        tokens, wait = take([MINUTE], tokens, now + (30 if step % 2 else 0))
        if not wait:
            through.append((now, 1))
    assert busiest(through, 60) <= 60
    assert len(through) > 60


def test_a_clock_that_is_behind_does_not_turn_back_time() -> None:
    tokens, _ = take([MINUTE], {}, T)
    tokens, _ = take([MINUTE], tokens, T - 100)
    assert tokens["60"] == Tokens(8, T)


def test_the_share_left_is_that_of_the_scarcest_window() -> None:
    hour = Window(100, 3600, burst=50)
    assert left([], {}, T) is None
    assert left([MINUTE, hour], {}, T) == 1
    tokens, _ = take([MINUTE, hour], {}, T, 9)
    assert left([MINUTE, hour], tokens, T) == pytest.approx(0.1)
    tokens, _ = take([MINUTE], {}, T, 30)
    assert left([MINUTE], tokens, T) == 0
