"""The meter: exact within a process, a second's worth off between processes."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import meter as metering
from aggregator.callers import Caller
from aggregator.meter import WINDOW_S, Meter
from tests.conftest import Clock

ANN, BOB = Caller("client:1", 3), Caller("client:2", 3)

CALLERS = [Caller(f"client:{n}", limit) for n, limit in enumerate((1, 3, 10))]


@given(asked=st.lists(st.sampled_from(CALLERS), max_size=60))
def test_nobody_gets_more_than_the_limit_and_nobody_less(asked: list[Caller]) -> None:
    meter = Meter(Clock())
    allowed = Counter(caller for caller in asked if meter.count(caller).allowed)
    assert all(allowed[c] == min(asked.count(c), c.per_minute) for c in CALLERS)


def test_what_is_left_is_told_before_and_after_it_is_used_up() -> None:
    meter = Meter(Clock(60.0))
    left = [meter.count(ANN).remaining for _ in range(4)]
    assert left == [2, 1, 0, 0]
    assert dict(meter.count(ANN).headers()) == {
        b"x-ratelimit-limit": b"3",
        b"x-ratelimit-remaining": b"0",
        b"x-ratelimit-reset": b"60",
    }


@given(second=st.integers(0, 59))
def test_a_new_minute_begins_when_it_was_said_to(second: int) -> None:
    clock = Clock(600.0 + second)
    meter = Meter(clock)
    verdicts = [meter.count(ANN) for _ in range(4)]
    assert not verdicts[-1].allowed
    clock.tick(verdicts[-1].resets_in_s - 0.001)
    assert not meter.count(ANN).allowed
    clock.tick(0.002)
    assert meter.count(ANN).remaining == 2


def test_very_many_addresses_share_one_count_and_clients_do_not_suffer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(metering, "MOST_CALLERS", 4)
    meter = Meter(Clock())
    crowd = [Caller(f"address:{n}", 3, anonymous=True) for n in range(20)]
    assert sum(meter.count(caller).allowed for caller in crowd) == 4 + 3
    assert meter.count(ANN).remaining == 2
    assert len(meter._since) <= 4 + 2
    assert meter.count(crowd[0]).remaining == 1  # who was known before is still told apart


@pytest.mark.django_db
class TestBetweenProcesses:
    """Two meters on one store are two processes."""

    @pytest.fixture
    def meters(self, clock: Clock, each_store: str) -> tuple[Meter, Meter]:
        return Meter(clock), Meter(clock)

    def test_what_one_counted_the_other_knows_once_both_settled(
        self, meters: tuple[Meter, Meter]
    ) -> None:
        here, there = meters
        there.count(BOB)
        here.count(ANN)
        here.count(ANN)
        here.settle()
        there.settle()
        assert there.count(ANN).remaining == 0
        assert there.count(BOB).remaining == 1

    def test_settling_again_counts_nothing_twice(self, meters: tuple[Meter, Meter]) -> None:
        here, there = meters
        here.count(ANN)
        for _ in range(3):
            here.settle()
            there.settle()
        assert here.count(ANN).remaining == 1

    def test_the_store_holds_one_minute_and_no_more(
        self, meters: tuple[Meter, Meter], clock: Clock
    ) -> None:
        here, _ = meters
        for _ in range(3):
            here.count(ANN)
            here.settle()
            clock.tick(WINDOW_S)
        held = here._cell.peek()
        assert held["counts"] == {ANN.name: 1}

    def test_a_clock_that_lags_does_not_undo_the_new_minute(
        self, clock: Clock, each_store: str
    ) -> None:
        late = Clock(clock() // WINDOW_S * WINDOW_S - 0.5)
        ahead, behind = Meter(clock), Meter(late)
        behind.count(ANN)
        ahead.count(ANN)
        ahead.settle()
        behind.settle()
        assert ahead._cell.peek()["counts"] == {ANN.name: 1}
        assert behind.count(ANN).remaining == 1

    def test_nonsense_in_the_store_is_nothing(
        self, meters: tuple[Meter, Meter], each_store: str
    ) -> None:
        here, _ = meters
        here._cell.update(lambda _: ({"window": "yesterday", "counts": 7}, None))
        here.count(ANN)
        here.settle()
        assert here._cell.peek()["counts"] == {ANN.name: 1}

    def test_a_process_that_nobody_asks_leaves_the_store_alone(
        self, meters: tuple[Meter, Meter]
    ) -> None:
        here, _ = meters
        here.settle()
        assert here._cell.peek() is None
