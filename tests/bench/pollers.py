"""
What hundreds of dashboards cost that ask every three seconds how everything is: the time of the
processor that one web process takes, SQL queries, and calls of providers: of those there are none.

500 connections, spread evenly, each with the ETag of the answer before. The providers were checked
just before, as many as the catalogue has. Of the machine there is something new all the time.
`python -m tests.bench.pollers [clients]`
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.bench.house import KEY, House, house, provider
from tests.bench.table import Row
from tests.private import ROOT

CLIENTS, EVERY_S, FOR_S = 500, 3.0, 15.0
PROVIDERS = 57  # as many as the catalogue has
ROUTES = ("/api/system/status", "/api/providers/status")
MOST_CORE = 0.25


@dataclass
class Polled:
    """What pollers were told, and what that cost."""

    statuses: Counter[int] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    lasted_s: float = 0.0
    cpu_s: float = 0.0
    idle_cpu_s: float = 0.0  # of as long a time before, when nobody asked
    queries: int = 0
    calls: int = 0  # of providers, for the pollers

    @property
    def polls(self) -> int:
        return self.statuses.total()


def main(clients: int = CLIENTS, lasting_s: float = FOR_S) -> list[Row]:
    found = measure(clients, lasting_s)
    core = found.cpu_s / found.lasted_s
    errors = sum(number for status, number in found.statuses.items() if status >= 400)
    p99 = sorted(found.seconds)[int(0.99 * len(found.seconds))]
    rate = found.polls / found.lasted_s
    return [
        Row(f"{clients} clients every {EVERY_S:g} s, two routes", f"{rate:.0f} polls a second"),
        Row(
            "CPU seconds of the web process a second",
            f"{core:.2f} of one core",
            f"{MOST_CORE} or less",
            core <= MOST_CORE,
        ),
        Row("the same while nobody asks", f"{found.idle_cpu_s / found.lasted_s:.2f} of one core"),
        Row("CPU time a poll", f"{1e6 * found.cpu_s / found.polls:.0f} us"),
        Row("answers, p99", f"{1000 * p99:.0f} ms"),
        Row("not modified (304)", f"{100 * found.statuses[304] / found.polls:.0f} %"),
        Row(
            "SQL queries a poll",
            f"{found.queries / found.polls:.2f}",
            "less than 1",
            found.queries < found.polls,
        ),
        Row("calls of providers for them", str(found.calls), "0", found.calls == 0),
        Row("refused or broken", str(errors), "0", errors == 0),
    ]


def measure(clients: int, lasting_s: float) -> Polled:
    found = Polled()
    with tempfile.TemporaryDirectory() as folder, provider() as stub:
        rows = [stub.row(f"p{n}") for n in range(PROVIDERS)]
        with house(Path(folder), rows, application="tests.bench.counted:application") as gateway:
            _checked(gateway)
            before = stub.calls()
            found.idle_cpu_s = _cpu_s(gateway, lambda: time.sleep(lasting_s))
            for route in ROUTES:
                gateway.get(route, headers={"X-API-Key": KEY}).raise_for_status()
            queries = int(gateway.get("/queries").text)
            began = time.monotonic()
            found.cpu_s = _cpu_s(
                gateway, lambda: asyncio.run(_poll(gateway, found, clients, lasting_s))
            )
            found.lasted_s = time.monotonic() - began
            found.queries = int(gateway.get("/queries").text) - queries
            found.calls = sum(stub.calls().values()) - sum(before.values())
    return found


def _checked(gateway: House) -> None:
    """One round of checks, so that every provider has something to tell."""
    env = {**gateway.env, "DJANGO_SETTINGS_MODULE": "aggregator.settings"}
    once = [sys.executable, "manage.py", "runchecks", "--once"]
    subprocess.run(once, cwd=ROOT, env=env, check=True, capture_output=True)


def _cpu_s(gateway: House, work: Callable[[], None]) -> float:
    """The processor's time that the web process takes while something is done."""
    supervisor = psutil.Process(gateway.webs[0].process.pid)
    processes = [supervisor, *supervisor.children(recursive=True)]

    def spent() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in processes)

    before = spent()
    work()
    return spent() - before


# -- The pollers -------------------------------------------------------------------------------


async def _poll(gateway: House, found: Polled, clients: int, lasting_s: float) -> None:
    port = int(gateway.url.rpartition(":")[2])
    end = time.monotonic() + lasting_s
    waits = [EVERY_S * number / clients for number in range(clients)]
    await asyncio.gather(*(_one(port, found, wait, end) for wait in waits))


async def _one(port: int, found: Polled, wait: float, end: float) -> None:
    """One dashboard: both routes over a connection that stays open, then a rest."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    tags = dict.fromkeys(ROUTES, "none")
    due = time.monotonic() + wait
    while due < end:
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        for route in ROUTES:
            began = time.perf_counter()
            lines = [f"GET {route} HTTP/1.1", "Host: localhost", f"X-API-Key: {KEY}"]
            lines += ["Accept: application/json", f"If-None-Match: {tags[route]}"]
            writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            if length := re.search(r"(?i)^content-length: (\d+)", head, re.MULTILINE):
                await reader.readexactly(int(length[1]))
            if tag := re.search(r"(?i)^etag: (\S+)", head, re.MULTILINE):
                tags[route] = tag[1]
            found.seconds.append(time.perf_counter() - began)
            found.statuses[int(head.split()[1])] += 1
        due += EVERY_S
    writer.close()


if __name__ == "__main__":
    for row in main(*map(int, sys.argv[1:])):
        print(row)
