from __future__ import annotations

from collections import deque

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from providers import quota
from providers.errors import OutOfTokens
from providers.quota import BACKGROUND, DAY_S, LANES, REFRESHES, VISITORS, Quota
from providers.resilience import Breaker, Guard, Window
from tests.conftest import Clock

MONTH_S = 30 * DAY_S

quotas = st.builds(
    Quota,
    limit=st.floats(1, 1e6),
    per_s=st.sampled_from([3600.0, DAY_S, MONTH_S]),
    used=st.floats(0, 2e6),
    pace=st.floats(0, 10),
    resets_in_s=st.none() | st.floats(1, MONTH_S),
)


# -- When it ends ------------------------------------------------------------------------------


@given(quotas)
def test_it_ends_before_there_is_more_or_not_at_all(found: Quota) -> None:
    ends = found.ends_in_s
    assert ends is None or 0 <= ends <= found.lasts_s * 1.000001
    assert found.left or ends == 0


@given(quotas, st.floats(1, 100))
def test_who_is_faster_does_not_last_longer(found: Quota, times: float) -> None:
    faster = Quota(found.limit, found.per_s, found.used, found.pace * times, found.resets_in_s)
    slow, fast = found.ends_in_s, faster.ends_in_s
    assert slow is None or (fast is not None and fast <= slow * 1.000001)


@given(quotas)
def test_what_is_not_used_does_not_end(found: Quota) -> None:
    assume(found.left > 0)
    assert Quota(found.limit, found.per_s, found.used, 0, found.resets_in_s).ends_in_s is None


def test_a_month_at_twice_its_pace_ends_in_half_of_it() -> None:
    assert Quota(3000, MONTH_S, used=0, pace=200 / DAY_S).ends_in_s == pytest.approx(15 * DAY_S)
    assert Quota(3000, MONTH_S, used=2900, pace=100 / DAY_S).ends_in_s is None


def test_a_reset_that_is_near_saves_it() -> None:
    ends = Quota(3000, MONTH_S, used=2900, pace=90 / DAY_S, resets_in_s=DAY_S).ends_in_s
    assert ends is None
    ends = Quota(3000, MONTH_S, used=2900, pace=90 / DAY_S, resets_in_s=2 * DAY_S).ends_in_s
    assert ends == pytest.approx(100 / 90 * DAY_S)


def test_it_is_warned_of_quotas_and_not_of_rates() -> None:
    assert Quota(100, DAY_S, 80).is_warned_of
    assert not Quota(100, DAY_S, 79.9).is_warned_of
    assert not Quota(100, 60, 100).is_warned_of


# -- Who steps back ----------------------------------------------------------------------------


def test_a_lane_is_a_share_and_all_lanes_are_the_whole() -> None:
    assert sum(lane.share for lane in LANES) == 1


@given(st.lists(quotas, max_size=4))
def test_background_steps_back_first_and_visitors_last(found: list[Quota]) -> None:
    background, refreshes, visitors = (quota.spacing_s(found, lane) for lane in LANES)
    assert background >= refreshes >= visitors >= 0


@given(st.lists(quotas, max_size=4))
def test_nobody_steps_back_while_it_lasts(found: list[Quota]) -> None:
    lasting = [one for one in found if one.strain <= quota.STRAINED]
    assert not any(quota.spacing_s(lasting, lane) for lane in LANES)


@given(st.floats(10, 1e6), st.floats(0.81, 0.999), st.floats(1.01, 50), st.floats(60, MONTH_S))
def test_who_steps_back_makes_it_last(
    limit: float, share: float, times: float, resets_in_s: float
) -> None:
    """If all lanes call as often as they then may, what is left lasts until there is more."""
    pace = times * limit / resets_in_s
    found = Quota(limit, MONTH_S, limit * share, pace, resets_in_s)
    spacings = [quota.spacing_s([found], lane) for lane in LANES]
    assert all(spacings)
    spent = sum(found.lasts_s / spacing for spacing in spacings)
    assert spent == pytest.approx(found.left)


def test_when_each_steps_back() -> None:
    def who(used: float) -> list[str]:
        fast = Quota(1000, DAY_S, used, pace=1, resets_in_s=DAY_S)
        return [lane.name for lane in LANES if quota.spacing_s([fast], lane)]

    assert who(0) == ["background"]
    assert who(500) == ["background", "refreshes"]
    assert who(800) == ["background", "refreshes", "visitors"]


@pytest.mark.parametrize(
    ("purpose", "lane"),
    [
        ("visitor", VISITORS),
        ("refresh", REFRESHES),
        ("warming", BACKGROUND),
        ("listing", BACKGROUND),
        ("whatever", BACKGROUND),
        ("test", None),
    ],
)
def test_whose_lane_is_whose(purpose: str, lane: quota.Lane | None) -> None:
    assert quota.lane_of(purpose) == lane
    fast = [Quota(1000, DAY_S, 900, pace=1, resets_in_s=DAY_S)]
    assert [window.lane for window in quota.pacing(fast, purpose)] == ([lane.name] if lane else [])


STEP_S = 60.0


@settings(max_examples=40)
@given(used=st.integers(0, 500), demand=st.floats(0.05, 0.3), hours=st.integers(2, 72))
@example(used=500, demand=0.3, hours=72)
def test_background_alone_does_not_spend_a_quota_early(
    used: int, demand: float, hours: int
) -> None:
    """
    Every minute it takes what it would like, or what its spacing lets through. The pace is
    that of the last hour, so until that hour what is left lasts.
    """
    limit, spent = 1000, float(used)
    lately: deque[float] = deque([0.0], maxlen=int(3600 / STEP_S))
    for step in range(int((hours - 1) * 3600 / STEP_S)):
        known = Quota(limit, MONTH_S, spent, sum(lately) / 3600, hours * 3600 - step * STEP_S)
        spacing = quota.spacing_s([known], BACKGROUND)
        lately.append(min(demand, STEP_S / spacing) if spacing else demand)
        spent += lately[-1]
        assert spent < limit


def test_a_lane_is_kept_by_the_guard(clock: Clock, db: None) -> None:
    guard = Guard("a", Breaker(), [Window(100, 60)], clock=clock)
    slow = [Window(1, 600, 1, lane="background")]
    with guard.admit(1, slow):
        pass
    with pytest.raises(OutOfTokens, match="others go first") as caught, guard.admit(1, slow):
        pass
    assert caught.value.wait == pytest.approx(600)
    with guard.admit(1):
        pass  # who is not held back is not
    clock.tick(300)
    slower = [Window(1, 1200, 1, lane="background")]
    with pytest.raises(OutOfTokens) as caught, guard.admit(1, slower):
        pass
    assert caught.value.wait == pytest.approx(900), "a quarter came back while nobody looked"
    clock.tick(900)
    with guard.admit(1, slower):
        pass


# -- Plans -------------------------------------------------------------------------------------


def told(*pairs: tuple[float, float], ours: list[Window]) -> list[tuple[float, float]]:
    return [(w.limit, w.per_s) for w in quota.with_plan(ours, {p: limit for limit, p in pairs})]


def test_what_a_plan_says_stands_for_ours_of_the_same_length() -> None:
    ours = [Window(6, 60), Window(10_000, MONTH_S)]
    assert told((500, 60), (500_000, MONTH_S), ours=ours) == [(500, 60), (500_000, MONTH_S)]


def test_our_own_slices_go_when_the_plan_is_known() -> None:
    ours = [Window(30, 60), Window(333, DAY_S), Window(10_000, MONTH_S)]
    assert told((60, 60), (120_000, MONTH_S), ours=ours) == [(60, 60), (120_000, MONTH_S)]


def test_what_a_plan_does_not_tell_stays() -> None:
    assert told((1_500_000, DAY_S), ours=[Window(3, 1), Window(100_000, DAY_S)]) == [
        (3, 1),
        (1_500_000, DAY_S),
    ]
    assert told(ours=[Window(3, 1)]) == [(3, 1)]


@given(
    st.lists(st.sampled_from([1.0, 60.0, 3600.0, DAY_S, MONTH_S]), unique=True),
    st.dictionaries(st.sampled_from([1.0, 60.0, 3600.0, DAY_S, MONTH_S]), st.floats(1, 1e6)),
)
def test_each_length_comes_once_and_all_that_was_told_comes(
    ours: list[float], plan: dict[float, float]
) -> None:
    found = quota.with_plan([Window(10, per_s) for per_s in ours], plan)
    lengths = [window.per_s for window in found]
    assert len(set(lengths)) == len(lengths)
    assert {w.per_s: w.limit for w in found if w.per_s in plan} == plan


def test_a_chosen_burst_grows_with_the_limit() -> None:
    [window] = quota.with_plan([Window(100, 60, burst=10)], {60: 500})
    assert window.burst == 50
