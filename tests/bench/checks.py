"""
How long a round of checks takes with one worker, and whether its memory stays flat.

Upstreams on this machine that answer after 200 ms, an installation of its own on SQLite.
`python -m tests.bench.checks small` is a look of half a minute.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.bench.table import Row
from tests.private import ROOT, free_port, installation, running

DELAY_S = 0.2
ROUNDS = 3  # of which the best counts: the machine may be busy with something else
WHOLE = {"endpoints": [200, 1000], "cycles": 1000, "few": 20}
SMALL = {"endpoints": [200], "cycles": 60, "few": 20}
WANTED_S = {200: 3.0, 1000: 15.0}
MOST_GROWTH_MB = 5.0


def main(sizes: dict[str, Any] | None = None) -> list[Row]:
    sizes = sizes or WHOLE
    port = free_port()
    upstream = [sys.executable, "-m", "tests.bench.checks", "upstream", str(port)]
    with running(upstream, port=port), tempfile.TemporaryDirectory() as folder:
        env = installation(Path(folder), ALLOW_PRIVATE_UPSTREAMS="127.0.0.1", LOG_LEVEL="ERROR")
        env |= {"DJANGO_SETTINGS_MODULE": "aggregator.settings", "WORKER": "1"}
        work = [sys.executable, "-m", "tests.bench.checks", "work", str(port), json.dumps(sizes)]
        done = subprocess.run(work, env=env, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    found = json.loads(done.stdout.splitlines()[-1])
    rows = []
    for number, seconds in found["rounds"]:
        wanted = WANTED_S[number]
        what = f"a round of {number} endpoints, 200 ms each"
        rows.append(Row(what, f"{seconds:.2f} s", f"{wanted:g} s or less", seconds <= wanted))
    grown = found["grown_mb"]
    what = f"memory over {sizes['cycles']} rounds of {sizes['few']}"
    rows.append(
        Row(what, f"{grown:+.1f} MB", f"{MOST_GROWTH_MB:g} MB or less", grown <= MOST_GROWTH_MB)
    )
    return rows


# -- The upstreams -----------------------------------------------------------------------------


async def _serve(port: int) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                while (await reader.readline()).strip():
                    continue
                if b"/late/" in line:
                    await asyncio.sleep(DELAY_S)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


# -- The worker --------------------------------------------------------------------------------


def work(port: int, sizes: dict[str, Any]) -> dict[str, Any]:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    url = f"http://127.0.0.1:{port}"
    rounds = [[number, _best_round(f"{url}/late", number)] for number in sizes["endpoints"]]
    return {"rounds": rounds, "grown_mb": _growth_mb(url, sizes["few"], sizes["cycles"])}


def _providers(url: str, number: int) -> None:
    from monitoring import roll
    from providers import roster
    from providers.models import Provider

    Provider.objects.all().delete()
    Provider.objects.bulk_create(
        Provider(slug=f"p{n}", title="p", adapter_name="binance", base_url=f"{url}/p{n}", limits=[])
        for n in range(number)
    )
    roster.forget()
    roll.sync()


def _round(number: int) -> float:
    from monitoring import cycle
    from monitoring.models import Endpoint

    Endpoint.objects.update(next_due=None)
    began = time.monotonic()
    done = cycle.run()
    seconds = time.monotonic() - began
    assert (done.checked, done.well) == (number, number), done
    return seconds


def _best_round(url: str, number: int) -> float:
    _providers(url, number)
    return min(_round(number) for _ in range(ROUNDS))


def _growth_mb(url: str, number: int, cycles: int) -> float:
    """RSS after the last of many rounds less that after the first tenth of them."""
    import psutil

    _providers(url, number)
    process = psutil.Process(os.getpid())
    for _ in range(max(cycles // 10, 10)):
        _round(number)
    before = process.memory_info().rss
    for _ in range(cycles):
        _round(number)
    return float((process.memory_info().rss - before) / 1e6)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["upstream", port]:
            asyncio.run(_serve(int(port)))
        case ["work", port, wanted]:
            print(json.dumps(work(int(port), json.loads(wanted))))
        case ["small"]:
            print(*main(SMALL), sep="\n")
        case _:
            print(*main(), sep="\n")
