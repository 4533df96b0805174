"""The worker as the Procfile starts it: it begins to check at once, and outlives its cluster."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from tests.private import ROOT, Running, installation, running
from tests.upstreams import Said, Upstreams

SEED = """
import django
django.setup()
from django.core.management import call_command
call_command("migrate", verbosity=0)
from providers.models import Provider
Provider.objects.create(slug="a", title="a", adapter_name="binance", base_url={url!r}, timeout_s=5)
"""


@pytest.fixture
def env(upstreams: Upstreams, tmp_path: Path) -> dict[str, str]:
    upstreams.play["a"] = lambda asked: Said(body=b"{}")
    found = installation(tmp_path, ALLOW_PRIVATE_UPSTREAMS="127.0.0.1")
    seed = [sys.executable, "-c", SEED.format(url=f"{upstreams.url}/a")]
    with_settings = {**found, "DJANGO_SETTINGS_MODULE": "aggregator.settings"}
    subprocess.run(seed, env=with_settings, cwd=ROOT, check=True)
    return found


@pytest.fixture
def worker(env: dict[str, str]) -> Iterator[Running]:
    line = next(row for row in (ROOT / "Procfile").read_text().splitlines() if "worker:" in row)
    words = line.removeprefix("worker: exec env WORKER=1 python ").split()
    with running([sys.executable, *words], env=env | {"WORKER": "1"}) as started:
        yield started


def asked(env: dict[str, str], query: str) -> list[tuple[object, ...]]:
    path = Path(env["DATA_DIR"]) / "aggregator.sqlite3"
    with closing(sqlite3.connect(path, timeout=20)) as database, database:
        return database.execute(query).fetchall()


def results(env: dict[str, str]) -> int:
    return len(asked(env, "SELECT id FROM monitoring_checkresult"))


def until(what: Callable[[], object], patience: float = 60) -> None:
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


@pytest.mark.slow
def test_it_checks_at_once_and_goes_on_after_kill_9_of_its_whole_cluster(
    env: dict[str, str], worker: Running
) -> None:
    began = time.monotonic()
    until(lambda: results(env) == 1)
    assert time.monotonic() - began < 20, "it waited for a schedule"
    guard = psutil.Process(worker.process.pid)
    until(lambda: len(guard.children(recursive=True)) >= 5)
    cluster = guard.children(recursive=True)
    asked(env, "UPDATE monitoring_endpoint SET next_due = NULL")
    os.killpg(os.getpgid(cluster[0].pid), signal.SIGKILL)
    psutil.wait_procs(cluster, timeout=10)
    until(lambda: results(env) == 2)
    assert len(asked(env, "SELECT DISTINCT endpoint_id, run FROM monitoring_checkresult")) == 2
    assert asked(env, "SELECT status FROM providers_health") == [("healthy",)]
    assert guard.is_running()
    assert worker.stop(40) == 0
