from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from aggregator import flights
from aggregator.answers import Answer, Cached
from providers.datasets import GasQuery
from providers.errors import GatewayError, Unanswered
from providers.resilience import Deadline
from tests.conftest import while_refreshing

ANSWER = Answer(GasQuery(), b"[]", "a", 1.0, 2.0, 3.0, cached=Cached.MISS)


class Flight:
    """A question whose answer comes when the test says so."""

    def __init__(self, outcome: Answer | BaseException = ANSWER) -> None:
        self.outcome = outcome
        self.flown = 0
        self.gate = threading.Event()

    def __call__(self) -> Answer:
        self.flown += 1
        assert self.gate.wait(5)
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome


def together(number: int, work: Callable[[], Any]) -> tuple[list[threading.Thread], list[Any]]:
    """So many threads at it; what they return or raise."""
    seen: list[Any] = []

    def one() -> None:
        try:
            seen.append(work())
        except GatewayError as error:
            seen.append(error)

    threads = [threading.Thread(target=one) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads, seen


def test_those_who_ask_the_same_meanwhile_share_one_flight() -> None:
    flight = Flight()
    threads, seen = together(10, lambda: flights.join("gas", Deadline(5), flight))
    time.sleep(0.05)
    flight.gate.set()
    for thread in threads:
        thread.join(5)
    assert flight.flown == 1
    assert sorted(answer.cached for answer in seen) == [Cached.COALESCED] * 9 + [Cached.MISS]


def test_they_share_its_failure_too() -> None:
    error = Unanswered("nobody")
    flight = Flight(error)
    threads, seen = together(4, lambda: flights.join("gas", Deadline(5), flight))
    time.sleep(0.05)
    flight.gate.set()
    for thread in threads:
        thread.join(5)
    assert flight.flown == 1
    assert seen == [error] * 4


def test_a_landed_flight_is_over_for_those_who_come_later() -> None:
    flight = Flight()
    flight.gate.set()
    for _ in range(3):
        assert flights.join("gas", Deadline(5), flight).cached is Cached.MISS
    assert flight.flown == 3


def test_different_questions_fly_apart() -> None:
    first, second = Flight(), Flight()
    second.gate.set()
    threads, seen = together(1, lambda: flights.join("gas", Deadline(5), first))
    assert flights.join("market", Deadline(5), second).cached is Cached.MISS
    assert not seen
    first.gate.set()
    threads[0].join(5)


def test_who_has_waited_long_enough_goes_without() -> None:
    flight = Flight()
    threads, _ = together(1, lambda: flights.join("gas", Deadline(5), flight))
    while not flight.flown:
        time.sleep(0.001)
    with pytest.raises(Unanswered):
        flights.join("gas", Deadline(0.05), flight)
    flight.gate.set()
    threads[0].join(5)


def test_behind_one_flies_and_nobody_waits() -> None:
    flight = Flight()
    began = time.monotonic()
    assert [flights.behind("gas", flight) for _ in range(5)] == [True] * 5
    assert time.monotonic() - began < 1
    flight.gate.set()
    while_refreshing()
    assert flight.flown == 1
    assert flights.behind("gas", flight)
    while_refreshing()
    assert flight.flown == 2


@pytest.mark.parametrize(
    ("wait", "least", "most"), [(None, 1.5, 2.1), (0.1, 1.5, 2.1), (10, 9, 10.1), (900, 29, 30.1)]
)
def test_after_a_failure_it_rests_as_told_within_reason(
    wait: float | None, least: float, most: float
) -> None:
    error = Unanswered("nobody")
    error.wait = wait
    flight = Flight(error)
    flight.gate.set()
    assert flights.behind("gas", flight)
    while_refreshing()
    assert not flights.behind("gas", flight)
    assert flights.rests("gas")
    assert flight.flown == 1
    assert least < flights._rests["gas"] - time.monotonic() < most
    flights.forget()
    assert flights.behind("gas", flight)
    while_refreshing()


def test_a_fault_of_our_own_behind_the_scenes_is_told_and_not_repeated_at_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    flight = Flight(ZeroDivisionError("ours"))
    flight.gate.set()
    flights.behind("gas", flight)
    while_refreshing()
    assert "ZeroDivisionError" in caplog.text
    assert not flights.behind("gas", flight)
