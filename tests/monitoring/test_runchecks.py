"""The plain loop, as its operator runs it."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from monitoring.models import CheckResult, Endpoint
from providers.models import Provider
from tests.crew import environment
from tests.private import ROOT
from tests.upstreams import Said, Upstreams

pytestmark = pytest.mark.django_db(transaction=True)


def until(what: Callable[[], bool], patience: float = 30) -> None:
    end = time.monotonic() + patience
    while not what():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.05)


def test_it_checks_again_and_again_until_it_is_told_to_stop(upstreams: Upstreams) -> None:
    upstreams.play["a"] = lambda asked: Said(body=b"{}")
    Provider.objects.create(
        slug="a", title="a", adapter_name="binance", base_url=f"{upstreams.url}/a"
    )
    command = [sys.executable, "manage.py", "runchecks"]
    running = subprocess.Popen(command, cwd=ROOT, env=environment())
    try:
        until(lambda: CheckResult.objects.count() == 1)
        until(lambda: not Endpoint.objects.exclude(lease_until=None).exists())
        Endpoint.objects.update(next_due=None)
        until(lambda: CheckResult.objects.count() == 2)
        running.send_signal(signal.SIGTERM)
        assert running.wait(20) == 0
    finally:
        running.kill()
        running.wait()
    assert {row.finding for row in CheckResult.objects.all()} == {"good"}
