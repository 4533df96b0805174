"""kill -9 at the worst moment: the others soon go on, and nothing half-done is served."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest

from aggregator import answers, gateway
from providers.datasets import GasQuery, MarketQuery, spec
from providers.errors import Broken, CircuitOpen
from providers.resilience import Breaker, Cell, Guard
from tests.aggregator.visitors import age
from tests.chaos import jobs
from tests.crew import Hand, crew
from tests.upstreams import Upstreams

pytestmark = pytest.mark.django_db(transaction=True)

GAS = spec(GasQuery())


@pytest.fixture
def hand() -> Iterator[Hand]:
    with crew(1) as found:
        yield found[0]


def reached(mark: str) -> None:
    """Wait until the other process says that it has come so far."""
    end = time.monotonic() + 10
    while Cell(f"mark:{mark}", ttl=60).peek() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_who_dies_while_asking_holds_the_others_up_for_as_long_as_it_could_have_taken(
    hand: Hand, upstreams: Upstreams
) -> None:
    upstreams.provider("a")
    hand.begin(jobs.claim_and_hang, 1.0, "claim")
    reached("claim")
    hand.kill()
    began = time.monotonic()
    assert gateway.answer(GasQuery()).source == "a"
    assert time.monotonic() - began < 2


def test_who_dies_while_refreshing_holds_nobody_up(
    hand: Hand, upstreams: Upstreams, settings: Any
) -> None:
    settings.UPSTREAM_PATIENCE_S = 1
    upstreams.provider("a")
    gateway.answer(GasQuery())
    age(30)
    hand.begin(jobs.claim_and_hang, 60.0, "claim")
    reached("claim")
    hand.kill()
    began = time.monotonic()
    assert gateway.answer(GasQuery()).source == "a"
    assert time.monotonic() - began < 0.5


def test_who_dies_while_probing_leaves_the_probe_to_the_next(hand: Hand) -> None:
    breaker = Breaker(rests=(0.01,), probe_lease=1.0)
    guard = Guard("someone", breaker)
    with pytest.raises(Broken), guard.admit():
        raise Broken
    time.sleep(0.02)
    hand.begin(jobs.take_the_probe_and_hang, "someone", 1.0)
    reached("someone")
    hand.kill()
    with pytest.raises(CircuitOpen) as refused, guard.admit():
        pytest.fail("it had the only probe")
    assert 0 < (refused.value.wait or 0) <= 1
    time.sleep(refused.value.wait or 0)
    with guard.admit():
        assert guard.standing().circuit.probed_at


def whole(letters: str = "abcdefghij") -> str:
    """The letter of the answer that lies on the shared shelf, all of which must be of one."""
    answers.board.clear()
    found = answers.find(MarketQuery().upstream())
    assert found
    rows = json.loads(found.data)
    assert {*map(str, rows)} == {found.source * 100}
    assert found.source in letters
    return found.source


def test_who_dies_while_shelving_leaves_a_whole_answer_behind(each_store: str) -> None:
    with crew(1) as (hand,):
        killed_while_shelving(hand, after_s=0.3)


def killed_while_shelving(hand: Hand, after_s: float) -> None:
    mark = f"shelving-{random.random()}"
    hand.begin(jobs.write_without_end, mark, 1_000_000)
    reached(mark)
    end, seen = time.monotonic() + after_s, set()
    while time.monotonic() < end:
        seen.add(whole())
    hand.kill()
    assert len(seen) > 1, "the test did not meet a writer"
    last = whole()
    assert whole() == last
    answers.shelve(jobs._of_one_letter("z", 1000))
    assert whole("z") == "z"


@pytest.mark.slow
def test_killed_at_any_moment_nothing_half_written_is_served(each_store: str) -> None:
    for _ in range(8):
        answers.purge()
        with crew(1) as hands:
            killed_while_shelving(hands[0], after_s=0.2 + random.random() / 2)
