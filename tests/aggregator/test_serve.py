"""How the server starts, or says why it does not. What it does then: test_answers_on_the_wire."""

from __future__ import annotations

import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

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
