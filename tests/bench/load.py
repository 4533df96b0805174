"""Load generators and measured rounds for the benchmarks."""

from __future__ import annotations

import re
import shutil
import statistics
import subprocess
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 60e3}


class Load(NamedTuple):
    """What a server did: requests a second, the 99th percentile in ms, and what went wrong."""

    rps: float
    p99_ms: float
    errors: int


def lacking(*programs: str) -> list[str]:
    return [name for name in programs if not shutil.which(name) and not _in_sbin(name)]


def _in_sbin(name: str) -> str | None:
    return shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def program(name: str) -> str:
    found = shutil.which(name) or _in_sbin(name)
    assert found, f"{name} is not installed"
    return found


def wrk(url: str, headers: Mapping[str, str], *, connections: int = 64, seconds: int = 4) -> Load:
    """wrk (https://github.com/wg/wrk) with one thread: the other core is the server's."""
    said = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    shape = ["-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
    done = subprocess.run(
        [program("wrk"), *shape, *said, url], capture_output=True, text=True, check=True
    )
    rps = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s|m)", done.stdout)
    assert rps, done.stdout
    assert p99, done.stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", done.stdout)
    broken = re.search(r"Socket errors: (.+)", done.stdout)
    errors = int(refused[1]) if refused else 0
    errors += sum(map(int, re.findall(r"\d+", broken[1]))) if broken else 0
    return Load(float(rps[1]), float(p99[1]) * UNITS[p99[2]], errors)


def in_turn(measures: Mapping[str, Callable[[], Load]], rounds: int) -> list[dict[str, Load]]:
    """Every measure once a round, so that what else the machine does hurts all alike."""
    return [{name: measure() for name, measure in measures.items()} for _ in range(rounds)]


def median_ratio(found: Sequence[Mapping[str, Load]], one: str, other: str) -> float:
    """The median over the rounds of how many times as many requests `one` answered as `other`."""
    return statistics.median(round[one].rps / round[other].rps for round in found)
