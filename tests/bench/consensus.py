"""
What it costs to ask everybody: the consensus with the whole catalogue switched on, before a sandbox
whose hosts take a while each. All are to be asked within the time of the slowest, and a little.
`python -m tests.bench.consensus`
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import requests

from providers.sandbox.control import Remote
from tests.bench.crowd import Said
from tests.bench.house import PLENTY
from tests.bench.table import Row
from tests.e2e.houses import Env, manage, rows, upstreams, web
from tests.private import installation

SYMBOLS = ["ETH", "XRP", "SOL", "DOGE", "ADA", "LTC", "LINK", "DOT", "BCH", "XLM", "AVAX", "UNI"]
DELAY_S, SLOWEST_S = 0.2, 0.4
MOST_MS = 20.0

EVERYTHING = """
from providers.models import Credential, Provider
Provider.objects.update(enabled=True, limits=[], timeout_s=10)
for row in Provider.objects.all():
    if row.needs_key:
        key = Credential(provider=row, label="bench")
        key.set_key("sandbox-of-the-bench")
        key.save()
"""
PRICED = "SELECT slug, base_url, adapter_name FROM providers_provider"


def main() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, _gateway(folder) as (env, url):
        _ask(url, "BTC")  # threads and lines stand
        everybody = requests.get(f"{url}/api/capabilities", timeout=30).json()["data"]
        priced = {
            row["provider"] for row in everybody if row["dataset"] == "price" and row["supported"]
        }
        _slow_down(env, priced)
        return _rows([_ask(url, symbol) for symbol in SYMBOLS])


def _ask(url: str, symbol: str) -> Said:
    began = time.perf_counter()
    found = requests.get(f"{url}/api/market/consensus?symbol={symbol}", timeout=30)
    seconds = time.perf_counter() - began
    found.raise_for_status()
    return Said(seconds, found.status_code, found.json())


@contextmanager
def _gateway(folder: str) -> Iterator[tuple[Env, str]]:
    env = installation(Path(folder), SANDBOX="1", ANONYMOUS_PER_MINUTE=str(PLENTY))
    manage(env, "start", "--prepare-only")
    manage(env, "shell", "-c", EVERYTHING)
    with upstreams(env), web(env) as url:
        yield env, url


def _slow_down(env: Env, slugs: set[str]) -> None:
    from providers import registry

    registry.discover()
    remote = Remote(int(env["SANDBOX_PORT"]))
    for slug, base_url, adapter in rows(env, PRICED):
        if slug in slugs:
            host = urlsplit(base_url or registry.get(adapter).base_url).netloc
            remote.fault(host, f"delay={SLOWEST_S if slug == 'kraken' else DELAY_S}")


def _rows(said: list[Said]) -> list[Row]:
    asked = [len(one.meta["sources"]) for one in said]
    slowest = [one.meta["latency_ms"] for one in said]
    more = [one.seconds * 1000 - ms for one, ms in zip(said, slowest, strict=True)]
    share = [
        one.seconds * 1000 / sum(part["latency_ms"] for part in one.meta["sources"]) for one in said
    ]
    return [
        Row("consensus: providers in an answer", f"{min(asked)} to {max(asked)}"),
        Row(
            "consensus: more than the slowest took",
            f"{median(more):.0f} ms (worst {max(more):.0f})",
            f"{MOST_MS:.0f} ms at most",
            median(more) <= MOST_MS,
        ),
        Row("consensus: of the time one after the other", f"{median(share):.0%}"),
    ]


if __name__ == "__main__":
    for row in main():
        print(row)
