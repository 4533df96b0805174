"""
Other processes of ours, on the database and store of the test that starts them.

    with crew(4) as hands:
        assert sum(each(hands, jobs.increment, "tally", 200)) == 800

A job is a function of a module that the process can import; its arguments and its result are JSON.
A process that runs jobs is `python -m tests.crew`.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from tests.private import ROOT


def environment(**more: str) -> dict[str, str]:
    """Of a process that shares this test's database, store and prefix."""
    from django.conf import settings

    shared = {
        "DJANGO_SETTINGS_MODULE": os.environ["DJANGO_SETTINGS_MODULE"],
        "DATABASE_URL": database_url(),
        "REDIS_URL": settings.REDIS_URL,
        "STORE_PREFIX": settings.STORE_PREFIX,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    return dict(os.environ) | shared | more


def database_url() -> str:
    from django.db import connection

    found = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{found['NAME']}"
    who = f"{found['USER']}:{found['PASSWORD']}" if found["PASSWORD"] else found["USER"]
    return f"postgres://{who}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


class Hand:
    """One process. `begin` hands it a job, `end` waits for the result; `do` is both."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "tests.crew"]
        pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.process = subprocess.Popen(command, cwd=ROOT, env=env, **pipes, text=True)

    def begin(self, job: Callable[..., Any], *args: Any) -> None:
        assert self.process.stdin
        order = {"module": job.__module__, "job": job.__name__, "args": args}
        self.process.stdin.write(json.dumps(order) + "\n")
        self.process.stdin.flush()

    def end(self, patience: float = 30) -> Any:
        assert self.process.stdout
        ready, _, _ = select.select([self.process.stdout], [], [], patience)
        assert ready, "no result in time"
        line = self.process.stdout.readline()
        assert line, "the process has ended"
        said = json.loads(line)
        assert "error" not in said, said["error"]
        return said["result"]

    def do(self, job: Callable[..., Any], *args: Any, patience: float = 30) -> Any:
        self.begin(job, *args)
        return self.end(patience)

    def kill(self) -> None:
        """kill -9"""
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        self.kill()
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdout.close()
        with suppress(BrokenPipeError):
            self.process.stdin.close()


@contextmanager
def crew(number: int, **env: str) -> Iterator[list[Hand]]:
    hands = [Hand(environment(**env)) for _ in range(number)]
    try:
        for hand in hands:
            assert hand.end(60) == "ready"
        yield hands
    finally:
        for hand in hands:
            hand.close()


def each(hands: Sequence[Hand], job: Callable[..., Any], *args: Any) -> list[Any]:
    """The same job in all of them, at the same moment."""
    start = time.time() + 0.05
    for hand in hands:
        hand.begin(at, job.__module__, job.__name__, start, args)
    return [hand.end() for hand in hands]


def at(module: str, job: str, start: float, args: Sequence[Any]) -> Any:
    """Do a job when it is time."""
    work = getattr(importlib.import_module(module), job)
    time.sleep(max(0.0, start - time.time()))
    return work(*args)


def main() -> None:
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever is logged must not be taken for a result

    import django

    django.setup()
    from providers import registry
    from tests.upstreams import FAKES

    registry._adapters.update({adapter.name: adapter for adapter in FAKES})
    replies.write('{"result": "ready"}\n')
    for line in sys.stdin:
        order = json.loads(line)
        try:
            work = getattr(importlib.import_module(order["module"]), order["job"])
            said = {"result": work(*order["args"])}
        except BaseException:  # noqa: BLE001 (the test hears of it, whatever it is)
            said = {"error": traceback.format_exc()}
        replies.write(json.dumps(said) + "\n")


if __name__ == "__main__":
    main()
