"""Many questions at once, each over a connection that stands already."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.bench.house import KEY

PATIENCE_S = 120.0


class Said(NamedTuple):
    seconds: float
    status: int
    body: Any

    @property
    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = self.body["meta"]
        return found


def at_once(urls: Sequence[str], paths: Sequence[str]) -> list[Said]:
    """What the servers at `urls`, in turn, said to the questions, all sent in the same moment."""
    return asyncio.run(asyncio.wait_for(_at_once(urls, paths), PATIENCE_S))


async def _at_once(urls: Sequence[str], paths: Sequence[str]) -> list[Said]:
    ready, start = asyncio.Semaphore(0), asyncio.Event()
    ports = [int(url.rpartition(":")[2]) for url in urls]
    tasks = [
        asyncio.create_task(_ask(ports[n % len(ports)], path, ready, start))
        for n, path in enumerate(paths)
    ]
    for _ in tasks:
        await ready.acquire()
    start.set()
    return await asyncio.gather(*tasks)


async def _ask(port: int, path: str, ready: asyncio.Semaphore, start: asyncio.Event) -> Said:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    ready.release()
    await start.wait()
    began = time.perf_counter()
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"X-API-Key: {KEY}", "Connection: close"]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    seconds = time.perf_counter() - began
    writer.close()
    return Said(seconds, int(head.split()[1]), json.loads(body))
