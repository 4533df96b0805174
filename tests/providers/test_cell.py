from __future__ import annotations

import os
import time
from typing import Any

import pytest

from providers.models import Cell as Row
from providers.resilience import Cell, cell
from providers.resilience.cell import forget, peek_many, store_is_out
from providers.resilience.store import DatabaseStore, store

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("each_store")]


def plus(number: int) -> Any:
    def change(value: Any) -> tuple[int, int]:
        total = (value or 0) + number
        return total, total

    return change


def put(key: str, text: str) -> None:
    """What somebody else wrote under a key, JSON or not."""
    if redis := getattr(store(), "redis", None):
        redis.set(f"{store().prefix}{key}", text)  # type: ignore[union-attr]
    else:
        Row.objects.create(key=key, value=text, version=1, expires_at=time.time() + 60)


def test_a_cell_keeps_what_the_last_change_made_of_it() -> None:
    tally = Cell("tally", ttl=60)
    assert tally.peek() is None
    assert tally.update(plus(2)) == 2
    assert Cell("tally", ttl=60).update(plus(3)) == 5
    assert tally.peek() == 5


def test_many_are_read_at_once_and_what_is_not_there_is_absent() -> None:
    Cell("a", ttl=60).update(plus(1))
    Cell("b", ttl=60).update(plus(2))
    assert peek_many(["a", "b", "c"]) == {"a": 1, "b": 2}
    assert peek_many([]) == {}


def test_a_change_runs_again_on_what_somebody_else_wrote_meanwhile() -> None:
    seen = []

    def change(value: Any) -> tuple[int, int]:
        seen.append(value)
        if len(seen) == 1:  # between our reading and our writing
            read, token = store().read("race")
            assert store().swap("race", token, (read or 0) + 100, 60)
        return (value or 0) + 1, 0

    Cell("race", ttl=60).update(plus(1))
    Cell("race", ttl=60).update(change)
    assert seen == [1, 101]
    assert Cell("race", ttl=60).peek() == 102


def _counting(asked: list[str], name: str, real: Any) -> Any:
    def call(*args: Any) -> Any:
        asked.append(name)
        return real(*args)

    return call


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the store is asked from now on, by name."""
    asked: list[str] = []
    for name in ("read", "swap"):
        monkeypatch.setattr(store(), name, _counting(asked, name, getattr(store(), name)))
    return asked


def test_who_is_alone_with_a_cell_does_not_read_it_again(monkeypatch: pytest.MonkeyPatch) -> None:
    Cell("mine", ttl=60).update(plus(1))
    asked = counted(monkeypatch)
    assert Cell("mine", ttl=60).update(plus(1)) == 2
    assert Cell("mine", ttl=60).update(plus(1)) == 3
    assert asked == ["swap", "swap"]
    assert Cell("mine", ttl=60).update(lambda value: (value, value)) == 3
    assert asked == ["swap", "swap", "read"]  # to leave it alone is to know how it is


def test_who_shares_a_cell_reads_it_until_he_is_alone_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = Cell("ours", ttl=60)
    cell.update(plus(1))

    def others() -> None:
        value, token = store().read("ours")
        assert store().swap("ours", token, value + 10, 60)

    others()
    asked = counted(monkeypatch)
    assert cell.update(plus(1)) == 12
    assert asked == ["swap", "read", "swap"]  # a wrong guess
    others()
    del asked[:]
    assert cell.update(plus(1)) == 23
    assert cell.update(plus(1)) == 24
    assert asked == ["read", "swap", "read", "swap"]
    del asked[:]
    assert cell.update(plus(1)) == 25
    assert asked == ["swap"]


def test_what_was_just_seen_is_changed_without_reading_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("seen", "1")
    peek_many(["seen"])
    asked = counted(monkeypatch)
    assert Cell("seen", ttl=60).update(plus(1)) == 2
    assert asked == ["swap"]


def test_what_was_seen_and_is_another_by_now_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    put("seen", "1")
    peek_many(["seen"])
    _, token = store().read("seen")
    assert store().swap("seen", token, 7, 60)
    asked = counted(monkeypatch)
    assert Cell("seen", ttl=60).update(plus(1)) == 8
    assert asked == ["swap", "read", "swap"]


def test_who_may_go_by_what_is_recent_leaves_it_alone_unread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    put("recent", "1")
    peek_many(["recent"])
    asked = counted(monkeypatch)
    unchanged = Cell("recent", ttl=60, recent_s=20)
    assert unchanged.update(lambda value: (value, value)) == 1
    assert asked == []
    unchanged.recent_s = 0.0
    assert unchanged.update(lambda value: (value, value)) == 1
    assert asked == ["read"]


def test_a_guess_hands_out_no_object_that_others_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Cell("list", ttl=60)
    cell.update(lambda _: ({"a": [1]}, None))

    def careless(value: Any) -> tuple[Any, None]:
        value["a"].append(2)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cell.update(careless)
    assert cell.update(lambda value: ({**value, "b": 1}, value["a"])) == [1]


def test_what_is_often_empty_is_written_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = counted(monkeypatch)
    assert Cell("claim", ttl=60, often_empty=True).update(plus(1)) == 1
    assert asked == ["swap"]
    cell._known.clear()
    assert Cell("claim", ttl=60, often_empty=True).update(plus(1)) == 2
    assert asked == ["swap", "swap", "read", "swap"]


def test_what_a_change_leaves_alone_is_not_written() -> None:
    Cell("calm", ttl=60).update(plus(1))
    before = store().read("calm")
    assert Cell("calm", ttl=60).update(lambda value: (value, "seen")) == "seen"
    assert store().read("calm") == before


def test_an_error_in_a_change_changes_nothing() -> None:
    Cell("calm", ttl=60).update(plus(1))
    with pytest.raises(ZeroDivisionError):
        Cell("calm", ttl=60).update(lambda value: (value / 0, None))
    assert Cell("calm", ttl=60).update(plus(1)) == 2


def test_an_expired_cell_is_empty_and_can_be_written_again() -> None:
    Cell("brief", ttl=0.02).update(plus(7))
    time.sleep(0.03)
    assert Cell("brief", ttl=60).peek() is None
    assert Cell("brief", ttl=60).update(plus(1)) == 1


def test_an_old_token_is_worth_nothing_after_a_reset() -> None:
    Cell("reset", ttl=60).update(plus(1))
    _, token = store().read("reset")
    forget("reset")
    assert Cell("reset", ttl=60).peek() is None
    assert not store().swap("reset", token, 99, 60)
    assert Cell("reset", ttl=60).update(plus(1)) == 1


def test_two_who_find_nothing_do_not_both_write() -> None:
    _, token = store().read("new")
    assert token is None
    assert store().swap("new", None, 1, 60)
    assert not store().swap("new", None, 2, 60)


@pytest.mark.parametrize("garbage", ["", "{", "\x01", "[" * 100_000, '{"a":'])
def test_what_is_no_json_counts_as_nothing(garbage: str) -> None:
    put("odd", garbage)
    assert Cell("odd", ttl=60).peek() is None
    assert Cell("odd", ttl=60).update(plus(1)) == 1
    assert Cell("odd", ttl=60).peek() == 1


def test_numbers_keep_every_digit() -> None:
    moment = 1_760_000_000.123456
    Cell("exact", ttl=60).update(lambda _: ({"at": moment}, None))
    assert Cell("exact", ttl=60).peek() == {"at": moment}


# -- A store that is out of reach ------------------------------------------------------------


class Out(Exception):
    """What a store raises when it cannot be reached."""


class Flaky:
    """A store that can be switched off."""

    errors = (Out,)

    def __init__(self) -> None:
        self.behind = DatabaseStore()
        self.off = False
        self.asked = 0

    def __getattr__(self, name: str) -> Any:
        def ask(*args: Any) -> Any:
            self.asked += 1
            if self.off:
                raise Out("no store")
            return getattr(self.behind, name)(*args)

        return ask


@pytest.fixture
def flaky(monkeypatch: pytest.MonkeyPatch) -> Flaky:
    found = Flaky()
    monkeypatch.setattr(cell, "store", lambda: found)
    return found


def test_without_its_store_a_process_goes_on_by_itself_and_says_so(
    flaky: Flaky, caplog: pytest.LogCaptureFixture
) -> None:
    flaky.off = True
    tally = Cell("tally", ttl=60)
    assert [tally.update(plus(1)) for _ in range(3)] == [1, 2, 3]
    assert tally.peek() == 3
    assert "out of reach" in caplog.text


def test_a_store_that_failed_is_left_alone_for_a_while(flaky: Flaky) -> None:
    flaky.off = True
    for _ in range(50):
        Cell("tally", ttl=60).update(plus(1))
        peek_many(["tally"])
    assert flaky.asked == 1
    assert store_is_out()
    assert not store_is_out(lambda: time.monotonic() + cell.SKIP_S)


def test_a_store_that_is_back_is_used_again_and_believed(flaky: Flaky) -> None:
    tally = Cell("tally", ttl=60)
    tally.update(plus(10))
    flaky.off = True
    assert tally.update(plus(1)) == 11, "from what it knew last"
    assert tally.update(plus(1)) == 12
    flaky.off, cell._skip_until = False, 0.0
    assert tally.peek() == 10
    assert tally.update(plus(1)) == 11
    flaky.off = True
    assert tally.update(plus(1)) == 12, "what was done alone last time is over"


def test_what_is_kept_for_such_times_is_bounded(
    flaky: Flaky, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cell, "MOST_KNOWN", 3)
    flaky.off = True
    Cell("guard", ttl=60).update(plus(1))
    for n in range(10):
        Cell(f"question-{n}", ttl=60).update(plus(1))
        assert Cell("guard", ttl=60).update(plus(1)) == n + 2
    assert len(cell._known) == 3


def test_a_reset_does_not_need_the_store(flaky: Flaky) -> None:
    flaky.off = True
    Cell("tally", ttl=60).update(plus(5))
    forget("tally")
    assert Cell("tally", ttl=60).update(plus(1)) == 1


# -- Forks ------------------------------------------------------------------------------------


def test_a_forked_child_does_not_wait_for_its_parents_locks() -> None:
    """A thread of the parent may hold a cell's lock at that moment."""
    for lock in cell._locks:
        lock.acquire()
    try:
        child = os.fork()
        if not child:
            free = not any(lock.locked() for lock in cell._locks)
            os._exit(0 if free else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    finally:
        for lock in cell._locks:
            lock.release()
