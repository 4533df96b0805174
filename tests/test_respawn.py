"""A worker that dies is started again; one that is told to stop, stops in its own order."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import psutil

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
