"""A worker that dies is started again; one that is told to stop, stops in its own order."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from aggregator.respawn import OFTEN, Watch
from tests.private import Running, running

RESPAWN = [sys.executable, "-m", "aggregator.respawn", sys.executable, "-c"]

# It has a child, as django-q's cluster does, and stops it itself when it is told to stop.
PARENT = """
import signal, subprocess, sys
child = subprocess.Popen(["sleep", "600"])
def stop(number, frame):
    print("child was alive:", child.poll() is None, flush=True)
    child.kill()
    sys.exit()
signal.signal(signal.SIGTERM, stop)
print("ready", flush=True)
signal.pause()
"""


def family(started: Running) -> list[psutil.Process]:
    found: list[psutil.Process] = psutil.Process(started.process.pid).children(recursive=True)
    return found


def test_what_dies_is_started_again_and_leaves_nothing_behind() -> None:
    with running([*RESPAWN, PARENT]) as started:
        started.wait_for("ready")
        first = family(started)
        os.kill(first[0].pid, signal.SIGKILL)
        started.wait_for("started again")
        started.wait_for("ready\n", count=2)
        assert family(started)[0].pid != first[0].pid
        assert psutil.wait_procs(first, timeout=5)[1] == []


def test_a_signal_to_the_group_stops_the_command_and_not_its_children() -> None:
    with running([*RESPAWN, PARENT]) as started:
        started.wait_for("ready")
        everyone = family(started)
        assert len(everyone) == 2
        started.signal_group(signal.SIGTERM)
        assert started.process.wait(10) == 0
        assert "child was alive: True" in started.output()
        assert psutil.wait_procs(everyone, timeout=5)[1] == []


def test_what_is_stopped_is_not_started_again(tmp_path: Path) -> None:
    mark = tmp_path / "starts"
    once = (
        f"open({str(mark)!r}, 'a').write('x'); import time; print('up', flush=True); time.sleep(99)"
    )
    with running([*RESPAWN, once]) as started:
        started.wait_for("up")
        started.signal_group(signal.SIGINT)
        assert started.process.wait(10) == 0
    assert mark.read_text() == "x"


# -- What lives and does nothing ---------------------------------------------------------------

# It touches the file ten times a second, as the worker does after each task.
BEATING = """
import os, pathlib, time
print("up", os.getpid(), flush=True)
while True:
    pathlib.Path(os.environ["HEARTBEAT_FILE"]).touch()
    time.sleep(0.1)
"""
WATCHED = [sys.executable, "-m", "aggregator.respawn", "--silent", "1", sys.executable, "-c"]


def first(started: Running) -> psutil.Process:
    return family(started)[0]


@pytest.mark.slow
def test_what_is_stopped_in_its_tracks_is_ended_and_started_again() -> None:
    with running([*WATCHED, BEATING]) as started:
        started.wait_for("up")
        time.sleep(2.5)
        stuck = first(started)
        assert started.output().count("up") == 1, "who beats is left alone"
        os.kill(stuck.pid, signal.SIGSTOP)  # it does not hear SIGTERM any more
        started.wait_for("no sign of life")
        started.wait_for("up ", count=2)
        assert not stuck.is_running()
        assert first(started).pid != stuck.pid
        started.signal_group(signal.SIGTERM)
        assert started.process.wait(10) == 0


@pytest.mark.slow
def test_the_children_of_what_is_stuck_go_with_it() -> None:
    with running([*WATCHED, PARENT]) as started:
        started.wait_for("ready")
        everyone = family(started)
        os.kill(everyone[0].pid, signal.SIGSTOP)
        started.wait_for("ready", count=2)
        assert psutil.wait_procs(everyone, timeout=5)[1] == []


def test_a_guard_that_is_told_to_stop_waits_for_the_last_task() -> None:
    slowly = "import signal, time\n"
    slowly += "signal.signal(15, lambda *_: (time.sleep(0.5), print('done', flush=True), exit()))\n"
    slowly += "print('up', flush=True)\nwhile True: signal.pause()"
    with running([*RESPAWN, slowly]) as started:
        started.wait_for("up")
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(10) == 0
        assert "done" in started.output()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_who_was_heard_of_is_not_silent(tmp_path: Path) -> None:
    clock, beat = Clock(), tmp_path / "beat"
    watch = Watch(beat, 180, clock)
    watch.begin()
    clock.now += 179
    assert not watch.is_silent()
    beat.touch()
    clock.now += 170
    assert not watch.is_silent()
    clock.now += 181
    assert watch.is_silent()


def test_the_time_of_the_file_does_not_matter_but_that_it_changes(tmp_path: Path) -> None:
    """A clock that was set wrong, by hours and either way, makes nobody silent, and nobody loud."""
    clock, beat = Clock(), tmp_path / "beat"
    beat.touch()
    watch = Watch(beat, 180, clock)
    watch.begin()
    for when in (1e9, 5e9, 2.0):
        os.utime(beat, (when, when))
        clock.now += 179
        assert not watch.is_silent()
    clock.now += 181
    assert watch.is_silent()


def test_restarts_that_change_nothing_become_rarer_and_are_told(tmp_path: Path) -> None:
    """Where the database is away no restart helps."""
    clock, beat = Clock(), tmp_path / "beat"
    watch = Watch(beat, 180, clock)
    waited = []
    for _ in range(6):
        watch.begin()
        began = clock.now
        while not watch.is_silent():
            clock.now += 1
        waited.append(clock.now - began)
        number = watch.note_end()
    assert waited == [181, 361, 721, 901, 901, 901]
    assert number >= OFTEN
    watch.begin()
    beat.touch()
    assert not watch.is_silent()
    clock.now += 181
    assert watch.is_silent(), "once it was heard of again, patience is as at first"
