"""A gateway as its operator runs it: real processes over a folder of their own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from tests.bench.house import serving
from tests.private import ROOT, Running, running

Env = Mapping[str, str]


def manage(env: Env, *words: str) -> str:
    """What `manage.py` says when it is told `words`."""
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def upstreams(env: Env) -> Iterator[Running]:
    """The sandbox, on its port."""
    port = int(env["SANDBOX_PORT"])
    with running([sys.executable, "manage.py", "sandbox"], port=port, env=env) as process:
        yield process


@contextmanager
def web(env: Env) -> Iterator[str]:
    """The web process, as the Procfile starts it; gives its address."""
    port = int(env["PORT"])
    with running(serving(port), port=port, env=env):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def worker(env: Env) -> Iterator[Running]:
    """The cluster's processes; told to stop as the Procfile does it, by its first one."""
    command = [sys.executable, "manage.py", "qcluster"]
    with running(command, env={**env, "WORKER": "1"}) as started:
        yield started
        started.process.terminate()
        started.process.wait(20)


def database(env: Env) -> Path:
    place = "sandbox" if env.get("SANDBOX") == "1" else ""
    return Path(env["DATA_DIR"]) / place / "aggregator.sqlite3"


def rows(env: Env, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """What is in the installation's database, or what becomes of a change to it."""
    with closing(sqlite3.connect(database(env), timeout=20)) as connection, connection:
        return connection.execute(query, values).fetchall()


def dump(env: Env) -> list[str]:
    """Every row of the installation's database."""
    with closing(sqlite3.connect(database(env))) as connection:
        return list(connection.iterdump())


def wait_until(what: Callable[[], Any], patience: float = 30.0) -> Any:
    """What `what` gives once that is something; AssertionError when time is up."""
    end = time.monotonic() + patience
    while not (found := what()):
        assert time.monotonic() < end, f"not within {patience} s"
        time.sleep(0.1)
    return found
