"""Lines on disk: in order, none lost, none twice, bounded; whoever dies, and whenever."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.buffer import Buffer


class Away(Exception):
    """Whom the lines are for does not answer."""


@pytest.fixture
def buffer(tmp_path: Path) -> Buffer:
    return Buffer(tmp_path / "kept")


def taken(buffer: Buffer, at_once: int = 500) -> list[str]:
    found: list[str] = []
    buffer.take(found.extend, at_once)
    return found


def test_an_empty_one_makes_no_folder(buffer: Buffer) -> None:
    assert taken(buffer) == []
    assert not buffer.folder.exists()


def test_what_is_kept_outlives_who_kept_it(buffer: Buffer) -> None:
    buffer.append(["a", "b"])
    buffer.append(["c"])
    later = Buffer(buffer.folder)
    assert later.size() == 3
    assert taken(later, at_once=2) == ["a", "b", "c"]
    assert (later.size(), taken(later)) == (0, [])


def test_what_nobody_took_stays_and_comes_before_what_is_new(buffer: Buffer) -> None:
    def fail(lines: list[str]) -> None:
        raise Away

    buffer.append(["a", "b"])
    with pytest.raises(Away):
        buffer.take(fail)
    buffer.append(["c"])
    assert buffer.size() == 3
    assert taken(buffer) == ["a", "b", "c"]


def test_beyond_its_bounds_the_oldest_go_and_are_counted(tmp_path: Path) -> None:
    buffer = Buffer(tmp_path, most=10)
    for n in range(30):
        buffer.append([str(n)])
        assert buffer.size() <= 11
    left = taken(buffer)
    assert left == [str(n) for n in range(30 - len(left), 30)]
    assert buffer.dropped() == 30 - len(left)
    assert (buffer.tell_dropped(), buffer.dropped()) == (30 - len(left), 0)


def test_a_line_that_was_torn_swallows_no_other(buffer: Buffer) -> None:
    buffer.append(["whole"])
    with open(buffer.folder / "waiting.jsonl", "a") as file:
        file.write('{"torn')
    buffer.append(["after"])
    assert taken(buffer) == ["whole", '{"torn', "after"]


def test_one_takes_at_a_time_and_nobody_waits_for_it(buffer: Buffer) -> None:
    buffer.append(["a"])
    seen: list[list[str]] = []

    def slowly(lines: list[str]) -> None:
        seen.append(lines)
        assert Buffer(buffer.folder).take(seen.append) == 0
        if len(seen) == 1:
            buffer.append(["b"])  # who keeps something is not held up either

    assert buffer.take(slowly) == 2
    assert seen == [["a"], ["b"]]


def test_many_threads_lose_nothing(buffer: Buffer) -> None:
    found: list[str] = []

    def keep(name: int) -> None:
        for n in range(25):
            buffer.append([f"{name}-{n}"])
            buffer.take(found.extend)

    threads = [threading.Thread(target=keep, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found += taken(buffer)
    assert sorted(found) == sorted(f"{name}-{n}" for name in range(4) for n in range(25))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OSError, match="denied"):
        Buffer(tmp_path / "kept").append(["a"])


steps = st.lists(st.one_of(st.integers(1, 4), st.sampled_from(["take", "fail", "fail later"])))


@given(steps)
def test_whatever_happens_in_whatever_order_all_arrive_in_order(found: list[int | str]) -> None:
    """Twice is allowed after a failure: who writes them knows what was written."""
    with tempfile.TemporaryDirectory() as folder:
        buffer, numbers = Buffer(Path(folder)), iter(range(1000))
        kept: list[str] = []
        arrived: dict[str, None] = {}
        for step in found:
            if isinstance(step, int):
                new = [str(next(numbers)) for _ in range(step)]
                kept += new
                buffer.append(new)
            else:
                _take(buffer, arrived, step)
        _take(buffer, arrived, "take")
        assert list(arrived) == kept


def _take(buffer: Buffer, arrived: dict[str, None], how: str) -> None:
    def writes() -> Iterator[bool]:
        yield how == "fail"
        while True:
            yield how != "take"

    fails = writes()

    def write(lines: list[str]) -> None:
        if next(fails):
            raise Away
        arrived.update(dict.fromkeys(lines))

    try:
        buffer.take(write, at_once=2)
    except Away:
        assert how != "take"
