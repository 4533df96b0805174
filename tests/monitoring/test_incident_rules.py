"""When incidents open, grow, open again and close: the pure rules, over whatever may happen."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.incidents.rules import (
    POLICY,
    Close,
    Flap,
    Grow,
    Known,
    Open,
    Reopen,
    Seen,
    Step,
    is_ill,
    plan,
    severity,
)
from providers.standing import Status

NOW = datetime(2026, 5, 18, 12, tzinfo=UTC)


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def seen(key: int, status: str = "healthy", minutes: float = 60, **more: object) -> Seen:
    return Seen(key, f"p{key}", Status(status), ago(minutes=minutes), **more)  # type: ignore[arg-type]


def incident(*members: int, **more: object) -> Known:
    values: dict[str, object] = {"began_at": ago(minutes=20)}
    return Known(1, members=frozenset(members), **values | more)  # type: ignore[arg-type]


WELL = [seen(key) for key in range(10, 28)]


def test_what_goes_down_together_is_one_incident() -> None:
    down = [seen(1, "down", 1), seen(2, "down", 2)]
    assert plan([*down, *WELL], [], NOW) == [Open((1, 2), "major")]


def test_one_of_many_is_minor_half_of_them_critical() -> None:
    assert severity([seen(1, "down")], [seen(1, "down"), *WELL]) == "minor"
    few = [seen(1, "down"), seen(2, "down"), seen(3), seen(4)]
    assert severity(few, few) == "critical"


def test_what_fails_a_moment_later_joins() -> None:
    young = incident(1, began_at=ago(minutes=3))
    steps = plan([seen(1, "down", 3), seen(2, "down", 0), *WELL], [young], NOW)
    assert steps[-1] == Grow(1, (2,), "major")


def test_what_fails_much_later_is_another() -> None:
    steps = plan([seen(1, "down", 60), seen(2, "down", 0), *WELL], [incident(1)], NOW)
    assert Open((2,), "minor") in steps


def test_it_closes_after_five_minutes_of_being_well() -> None:
    assert plan([seen(1, minutes=4), *WELL], [incident(1)], NOW) == []
    assert plan([seen(1, minutes=5), *WELL], [incident(1)], NOW) == [Close(1)]


@pytest.mark.parametrize("status", ["unknown", "down"])
def test_it_stays_open_while_nobody_saw_it_work(status: str) -> None:
    steps = plan([seen(1, status, 500), *WELL], [incident(1)], NOW)
    assert not any(isinstance(step, Close) for step in steps)


def test_what_is_in_maintenance_holds_no_incident_open_and_opens_none() -> None:
    down = seen(1, "down", 500, excused=True)
    assert plan([down, *WELL], [incident(1)], NOW) == [Close(1)]
    assert plan([down, *WELL], [], NOW) == []


def test_it_opens_again_within_half_an_hour() -> None:
    ended = incident(1, ended_at=ago(minutes=29))
    assert plan([seen(1, "down", 0), *WELL], [ended], NOW) == [Reopen(1, (1,), "minor")]
    long_ago = replace(ended, ended_at=ago(minutes=31))
    assert plan([seen(1, "down", 0), *WELL], [long_ago], NOW) == [Open((1,), "minor")]


def test_what_comes_and_goes_stays_open_until_it_was_calm_for_half_an_hour() -> None:
    shaky = [seen(1, minutes=6, downs=3), *WELL]
    assert plan(shaky, [incident(1)], NOW) == [Flap(1)]
    assert plan(shaky, [incident(1, flapping=True)], NOW) == []
    calm = [seen(1, minutes=31), *WELL]
    assert plan(calm, [incident(1, flapping=True)], NOW) == [Close(1)]


def test_most_of_it_at_once_is_rather_our_own_trouble() -> None:
    down = [seen(key, "down", 1) for key in range(6)]
    assert plan([*down, *WELL[:4]], [], NOW) == [Open(tuple(range(6)), "critical", True)]
    one_by_one = [seen(key, "down", 10 * key + 1) for key in range(6)]
    (step,) = plan([*one_by_one, *WELL[:4]], [], NOW)
    assert step == Open(tuple(range(6)), "critical", False)


def test_slow_answers_are_an_incident_after_half_an_hour() -> None:
    assert not is_ill(seen(1, "degraded", 29), NOW)
    assert plan([seen(1, "degraded", 30), *WELL], [], NOW) == [Open((1,), "minor")]


def test_it_grows_graver_and_never_less_grave() -> None:
    down = [seen(1, "down", 9), seen(2, "down", 9)]
    assert plan([*down, *WELL], [incident(1, 2)], NOW) == [Grow(1, (), "major")]
    assert plan([*down, *WELL], [incident(1, 2, severity="critical")], NOW) == []


# -- Whatever happens --------------------------------------------------------------------------

STATUSES = st.sampled_from(
    ["down", "healthy", "degraded", "unknown", "rate_limited", "misconfigured"]
)
DAYS = st.lists(
    st.tuples(st.integers(0, 4), STATUSES, st.integers(1, 45), st.booleans()), max_size=60
)


def done(known: list[Known], steps: list[Step], now: datetime) -> list[Known]:
    """What `keeping` does to rows."""
    found = {row.key: row for row in known}
    for step in steps:
        match step:
            case Open(members, grave, ours):
                key = max(found, default=0) + 1
                found[key] = Known(key, now, frozenset(members), grave, of_ours=ours)
            case Grow(key, members, grave, ours):
                all_ = found[key].members | set(members)
                found[key] = replace(found[key], members=all_, severity=grave, of_ours=ours)
            case Reopen(key, members, grave):
                found[key] = replace(found[key], ended_at=None, severity=grave)
            case Flap(key):
                found[key] = replace(found[key], flapping=True)
            case Close(key):
                found[key] = replace(found[key], ended_at=now)
    return list(found.values())


@given(DAYS)
def test_whoever_is_down_is_in_exactly_one_open_incident(
    days: list[tuple[int, str, int, bool]],
) -> None:
    now, known = NOW, list[Known]()
    states = {key: seen(key) for key in range(5)}
    for key, status, minutes, excused in days:
        now += timedelta(minutes=minutes)
        if states[key].status != status:
            states[key] = Seen(key, f"p{key}", Status(status), now)
        states[key] = replace(states[key], excused=excused)
        known = done(known, plan(list(states.values()), known, now), now)
        open_ = [row for row in known if row.ended_at is None]
        for item in states.values():
            holding = sum(item.key in row.members for row in open_)
            assert holding <= 1
            if is_ill(item, now):
                assert holding == 1
        # Doing it again does nothing more.
        assert plan(list(states.values()), known, now) == []


@given(DAYS)
def test_after_a_calm_hour_nothing_is_open(days: list[tuple[int, str, int, bool]]) -> None:
    now, known = NOW, list[Known]()
    states = {key: seen(key) for key in range(5)}
    for key, status, minutes, _ in days:
        now += timedelta(minutes=minutes)
        states[key] = Seen(key, f"p{key}", Status(status), now)
        known = done(known, plan(list(states.values()), known, now), now)
    states = {key: Seen(key, f"p{key}", Status.HEALTHY, now) for key in states}
    now += POLICY.calm_after
    known = done(known, plan(list(states.values()), known, now), now)
    assert all(row.ended_at for row in known)
