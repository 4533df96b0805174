"""How the server starts, or says why it does not. What it does then: test_answers_on_the_wire."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest
import requests

from aggregator import stuck
from tests.private import ROOT, free_port, installation, running

SERVE = [sys.executable, "-m", "aggregator.serve"]


@pytest.mark.slow
def test_a_setting_that_makes_no_sense_stops_it_with_one_clear_line(tmp_path: Path) -> None:
    """And not again and again: a process that cannot start is not started once more."""
    env = installation(tmp_path, WEB_THREADS="many")
    command = [*SERVE, "--port", str(free_port())]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert done.stderr.count("ERROR web: cannot start: WEB_THREADS=many: use a whole number") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--port", "99999"], "argument --port: 99999: use 0 to 65535"),
        (["--port", "-1"], "argument --port: -1: use 0 to 65535"),
        (["--workers", "0"], "argument --workers: 0: use 1 to 64"),
        (["--workers", "few"], "argument --workers: few: use 1 to 64"),
    ],
)
def test_arguments_that_make_no_sense_are_named(words: list[str], said: str) -> None:
    done = subprocess.run([*SERVE, *words], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert said in done.stderr


def test_what_it_says_at_start_holds_nothing_for_terminals(tmp_path: Path) -> None:
    port = free_port()
    with running([*SERVE, "--port", str(port)], env=installation(tmp_path), port=port) as server:
        server.wait_for("Application startup complete")
        assert "\\u001b" not in server.output()
        assert "color_message" not in server.output()


def test_connections_that_come_at_once_are_dealt_out_among_the_processes(tmp_path: Path) -> None:
    port = free_port()
    command = [*SERVE, "--port", str(port), "--workers", "2"]
    with ExitStack() as stack:
        server = stack.enter_context(running(command, env=installation(tmp_path), port=port))
        server.wait_for("Application startup complete", count=2)
        lines = [
            stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(64)
        ]
        for line in lines:
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(100)
        family = psutil.Process(server.process.pid).children()
        held = [
            sum(at.status == psutil.CONN_ESTABLISHED for at in web.net_connections("tcp"))
            for web in family
        ]
        assert sum(held) == 64
        assert sum(number >= 10 for number in held) == 2


@pytest.mark.slow
def test_a_process_whose_loop_stands_still_is_replaced(tmp_path: Path) -> None:
    port = free_port()
    command = [*SERVE, "tests.aggregator.wedged:application", "--port", str(port)]
    with running(command, env=installation(tmp_path), port=port) as server:
        url = f"http://127.0.0.1:{port}"
        assert requests.get(f"{url}/healthz", timeout=10).ok
        with pytest.raises(requests.RequestException):
            requests.get(f"{url}/stand/still", timeout=60)
        assert "the event loop stands still" in server.output()
        assert "wedged.py" in server.output()
        server.wait_for("Application startup complete", count=2)
        assert requests.get(f"{url}/healthz", timeout=10).ok


def test_a_loop_that_goes_on_or_a_machine_that_slept_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stuck, "LOOK_S", 0.01)
    gone = threading.Event()
    watch = stuck.Watch(gone.set)
    for _ in range(100):  # for longer than it would take
        watch.beat()
        time.sleep(0.005)
    assert not gone.is_set()
    assert gone.wait(10)
