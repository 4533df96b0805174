"""Who is on the way is waited for, and nobody for ever."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack

import pytest

from aggregator import arrivals


@pytest.fixture(autouse=True)
def _nobody_left(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not arrivals._coming
    monkeypatch.setattr(arrivals, "_crowded_at", float("-inf"))


def waited(seconds: float = 5.0) -> float:
    began = time.monotonic()
    arrivals.wait(seconds)
    return time.monotonic() - began


def test_with_nobody_on_the_way_nobody_waits() -> None:
    assert waited() < 0.02


def test_who_was_announced_is_waited_for_until_it_says_it_is_here() -> None:
    with arrivals.announced() as arrival:
        said = threading.Event()

        def travel() -> None:
            said.wait(5)
            arrivals.arrived()

        thread = threading.Thread(target=arrival.carried_by(travel))
        thread.start()
        threading.Timer(0.1, said.set).start()
        assert 0.05 <= waited() < 2  # the timer set out before the wait did
        thread.join()


def test_who_never_says_anything_has_ended_with_its_request() -> None:
    def request() -> None:
        with arrivals.announced():
            time.sleep(0.1)

    thread = threading.Thread(target=request)
    thread.start()
    while not arrivals._coming:
        time.sleep(0.001)
    assert waited() < 2
    thread.join()


def test_nobody_is_waited_for_longer_than_was_said() -> None:
    with arrivals.announced():
        assert 0.05 <= waited(0.05) < 1


def test_when_there_is_enough_nobody_waits_on() -> None:
    with arrivals.announced():
        began = time.monotonic()
        arrivals.wait(5, lambda: True)
        assert time.monotonic() - began < 0.5


def test_after_a_crowd_a_moment_is_given_to_those_who_follow() -> None:
    with ExitStack() as crowd:
        for _ in range(arrivals.CROWD):
            crowd.enter_context(arrivals.announced())
    assert arrivals.PAUSE_S <= waited() < 2


def test_two_who_happen_to_meet_are_no_crowd() -> None:
    with arrivals.announced(), arrivals.announced():
        pass
    assert waited() < 0.02


def test_a_thread_that_carries_nothing_has_nothing_to_say() -> None:
    with arrivals.announced():
        arrivals.arrived()
        assert arrivals._coming


def test_what_a_thread_carried_before_is_not_carried_on() -> None:
    with arrivals.announced() as arrival:
        assert arrival.carried_by(lambda: 7)() == 7
        arrivals.arrived()
        assert arrivals._coming == {arrival}
