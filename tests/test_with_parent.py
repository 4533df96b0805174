"""A terminal that is closed takes along what `make run` started in it."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.private import free_port, installation, running

STARTED: dict[str, Callable[[int], str]] = {
    "web": lambda port: f"aggregator.serve --with-parent --port {port}",
    "worker": lambda port: "aggregator.respawn --silent 60 --with-parent sleep 1000",
    "sandbox": lambda port: f"django sandbox --with-parent --port {port}",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", STARTED)
def test_it_ends_when_the_one_who_started_it_is_killed(name: str, tmp_path: Path) -> None:
    port = free_port()
    line = f"{sys.executable} -m {STARTED[name](port)} & wait"
    env = installation(tmp_path, DJANGO_SETTINGS_MODULE="aggregator.settings", SANDBOX="1")
    with running(["sh", "-c", line], env=env, port=None if name == "worker" else port) as shell:
        family = wait_for_family(shell.process.pid, "sleep" if name == "worker" else "python")
        shell.process.send_signal(signal.SIGKILL)
        assert psutil.wait_procs(family, timeout=20)[1] == []


def wait_for_family(ancestor: int, member: str) -> list[psutil.Process]:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        family: list[psutil.Process] = psutil.Process(ancestor).children(recursive=True)
        if any(process.name().startswith(member) for process in family):
            return family
        time.sleep(0.05)
    raise AssertionError(f"no {member} was started")


def test_all_that_the_procfile_starts_is_started_so() -> None:
    lines = (Path(__file__).parent.parent / "Procfile").read_text().splitlines()
    assert len(lines) == 3
    assert all(line.endswith(" --with-parent") for line in lines)
