"""What is remembered of the times in which our own network was out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitoring import network
from monitoring.network import HELD, Outage

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 5, 18, 12, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def test_looks_that_follow_each_other_are_one_outage() -> None:
    network.hold(at(0), at(-3))
    network.hold(at(1))
    network.hold(at(3))
    assert network.outages() == [Outage(at(-3), at(3) + HELD)]
    assert network.is_held(at(5))
    assert network.end(at(5)) is True
    assert network.end(at(6)) is False
    assert network.outages() == [Outage(at(-3), at(5), is_over=True)]
    assert not network.is_held(at(5))
    network.hold(at(5))
    assert len(network.outages()) == 2


def test_an_outage_that_nobody_looks_at_any_more_ends_by_itself_and_is_not_forgotten() -> None:
    network.hold(at(0))
    assert not network.is_held(at(4))
    assert network.known_to_be_out()
    network.hold(at(30))
    assert [one.began_at for one in network.outages()] == [at(0), at(30)]
    assert network.end(at(31)) is True
    assert [one.ended_at for one in network.outages()] == [at(0) + HELD, at(31)]
    network.hold(at(40 + 24 * 60))
    assert len(network.outages()) == 1, "what is a day old is in no window"


def test_a_clock_that_jumped_ahead_and_back_holds_nothing_for_ever() -> None:
    network.hold(at(6000))
    assert not network.is_held(at(0))
    network.hold(at(0))
    assert network.is_held(at(1))
    assert network.end(at(1)) is True
    assert not network.is_held(at(1))
    assert not network.is_held(at(6001))


@pytest.mark.parametrize("stored", [7.5, "x", [[1, 2]], [{"a": 1}], [["x", 1, False]], None])
def test_what_another_version_stored_counts_as_nothing(stored: object) -> None:
    network._cell.update(lambda _: (stored, None))
    assert network.outages() == []
    network.hold(at(0))
    assert network.is_held(at(0))
