"""
How fast the edge is, beside nginx with the same bytes in a file and FastAPI with them in memory.
Also beside an ASGI function in the same server that does nothing but send them: hits that took no
short way (`aggregator/quick.py`) could not be faster than that.

Needs wrk (https://github.com/wg/wrk) and nginx; says so and skips what it cannot measure. All
servers run at once, each with one worker, and are measured in turn for several rounds: load
generator, servers and whatever else the machine does share its cores, so only ratios mean anything.
`python -m tests.bench.edge [rounds]`
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median

import psutil
import requests

from tests.bench import rivals
from tests.bench.house import KEY, House, Stub, house, provider
from tests.bench.load import Load, in_turn, lacking, median_ratio, wrk
from tests.bench.table import Row

ROUNDS = 5
QUESTION = "/api/market?limit=100"
HEADERS = {"X-API-Key": KEY}
HANGING = 50  # clients that wait for a provider which never answers


def main(rounds: int = ROUNDS) -> list[Row]:
    if absent := lacking("wrk", "nginx"):
        return [Row("edge", f"skipped: {' and '.join(absent)} not installed")]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        stub = stack.enter_context(provider())
        calm = stack.enter_context(_gateway(folder / "calm", stub))
        busy = stack.enter_context(_gateway(folder / "busy", stub))
        body = calm.get(QUESTION, headers=HEADERS).content
        assert busy.get(QUESTION, headers=HEADERS).ok
        stack.enter_context(_hanging(busy, stub))
        file = stack.enter_context(rivals.nginx(_made(folder / "nginx"), body))
        nothing_else = stack.enter_context(rivals.bare(_made(folder / "bare"), body))
        fastapi = stack.enter_context(rivals.fastapi(_made(folder / "fastapi"), body))
        measures: dict[str, Callable[[], Load]] = {
            "edge": partial(wrk, calm.url + QUESTION, HEADERS),
            "nginx": partial(wrk, file, {}),
            "ASGI function": partial(wrk, nothing_else, HEADERS),
            "edge, providers hanging": partial(wrk, busy.url + QUESTION, HEADERS),
            "FastAPI, dict": partial(wrk, f"{fastapi}/dict", {}, seconds=2),
            "FastAPI, typed dict": partial(wrk, f"{fastapi}/model", {}, seconds=2),
            "FastAPI, bytes": partial(wrk, f"{fastapi}/bytes", {}, seconds=2),
        }
        found = in_turn(measures, rounds)
        return _rows(found, len(body)) + _memory(calm)


def _rows(found: list[dict[str, Load]], size: int) -> list[Row]:
    ratio = partial(median_ratio, found, "edge")
    p99 = median(round["edge"].p99_ms for round in found)
    hurt = median_ratio(found, "edge, providers hanging", "edge")
    errors = {name: sum(round[name].errors for round in found) for name in found[0]}
    ours = sum(number for name, number in errors.items() if name.startswith("edge"))
    return [
        *(_speed(name, found, size) for name in found[0]),
        Row("edge : nginx", f"{ratio('nginx'):.2f}", "0.5 at least", ratio("nginx") >= 0.5),
        Row("edge : ASGI function that only sends", f"{ratio('ASGI function'):.2f}"),
        Row("edge, p99", f"{p99:.1f} ms", "20 ms at most", p99 < 20),
        Row("edge while 50 hang : edge", f"{hurt:.2f}", "0.9 at least", hurt >= 0.9),
        _times("FastAPI, dict", ratio("FastAPI, dict"), 40),
        _times("FastAPI, bytes", ratio("FastAPI, bytes"), 3),
        Row("edge, refused or broken", str(ours), "0", ours == 0),
        Row("rivals, refused or broken", str(sum(errors.values()) - ours)),
    ]


def _speed(name: str, found: list[dict[str, Load]], size: int) -> Row:
    rps = median(round[name].rps for round in found)
    p99 = median(round[name].p99_ms for round in found)
    return Row(f"{name}, {size} bytes", f"{rps:,.0f} requests/s, p99 {p99:.1f} ms")


def _times(name: str, ratio: float, least: float) -> Row:
    return Row(f"edge : {name}", f"{ratio:.1f}", f"{least} at least", ratio >= least)


def _memory(gateway: House) -> list[Row]:
    """After the rounds, which are far more than 10,000 requests."""
    processes = psutil.Process(gateway.webs[0].process.pid).children(recursive=True)
    most = max(process.memory_info().rss for process in processes) / 2**20
    return [Row("web process", f"{most:.0f} MB", "130 MB at most", most < 130)]


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def _gateway(folder: Path, stub: Stub) -> Iterator[House]:
    """One whose provider may take all the time there is, and whose answers stay fresh meanwhile."""
    row = stub.row(folder.name, min_fresh_s=3600, timeout_s=120)
    with house(folder, [row], {"UPSTREAM_PATIENCE_S": "120"}) as gateway:
        yield gateway


@contextmanager
def _hanging(gateway: House, stub: Stub) -> Iterator[None]:
    """Distinct questions of 50 clients to a provider that does not answer any more."""
    stub.behave("busy", "hang")

    def ask(page: int) -> None:
        try:
            gateway.get(f"/api/market?page={page}", headers=HEADERS, timeout=300)
        except requests.RequestException:
            return  # the benchmark is over, and the gateway with it

    for page in range(2, 2 + HANGING):
        threading.Thread(target=ask, args=(page,), daemon=True).start()
    while stub.calls()["busy"] < HANGING:
        threading.Event().wait(0.05)
    yield


if __name__ == "__main__":
    for row in main(*map(int, sys.argv[1:])):
        print(row)
