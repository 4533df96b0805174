"""
What happens when nothing is known yet, or nobody answers: that misses are bounded, that questions
which come together cost one call, and what a dead or hanging provider costs the visitor.
`python -m tests.bench.misses`
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.crowd import Said, at_once
from tests.bench.house import House, Stub, house, provider
from tests.bench.table import Row

TIMES = 15  # each way of failing
HURT_S = 0.05  # what a primary that is down may cost
AT_ONCE_S = 0.1  # a refusal, or an old answer
TIMEOUT_S = 0.5  # of a primary that hangs
PLACES = 16
NO_REST: dict[str, Any] = {"rests_s": [0.001], "rest_ceiling_s": 0.001}


def main() -> list[Row]:
    with provider() as stub:
        return [
            *bounded(stub),
            *one_call(stub),
            *failover(stub),
            *all_dead(stub),
        ]


@contextmanager
def _gateway(
    rows: Sequence[Mapping[str, Any]], settings: Mapping[str, str] | None = None, **kwargs: Any
) -> Iterator[House]:
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        house(Path(folder), rows, settings, **kwargs) as gateway,
    ):
        yield gateway


def bounded(stub: Stub) -> list[Row]:
    """All places hang; then four times as many ask as there are places."""
    settings = {"WEB_THREADS": str(PLACES), "WEB_QUEUE": str(PLACES), "UPSTREAM_PATIENCE_S": "5"}
    row = stub.row("bounded", timeout_s=4, **NO_REST)
    with _gateway([row], settings, policies={"market": {"fresh_s": 1}}) as gateway:
        at_once(gateway.urls, ["/api/market?limit=5"])
        stub.behave("bounded", "hang")
        pages = iter(range(2, 101))
        hanging = [f"/api/market?page={next(pages)}" for _ in range(PLACES)]
        waiting = threading.Thread(target=at_once, args=(gateway.urls, hanging))
        waiting.start()
        while stub.calls()["bounded"] < 1 + PLACES:
            time.sleep(0.01)
        time.sleep(1.1)  # the answer has gone stale
        more = [f"/api/market?page={next(pages)}" for _ in range(4 * PLACES)]
        refused = at_once(gateway.urls, more)
        old = [
            said for _ in range(TIMES) for said in at_once(gateway.urls, ["/api/market?limit=5"])
        ]
        waiting.join()
        stub.behave("bounded", "ok")
        healed_s = _until_answered(gateway, hanging[0])
    assert {said.status for said in refused} == {503}
    assert all(said.meta["stale"] for said in old)
    return [
        _within("refused while all places hang, median", refused, AT_ONCE_S),
        _within("stale answer while all places hang, median", old, AT_ONCE_S),
        Row("answers again by itself after", f"{healed_s:.1f} s", "2 s at most", healed_s <= 2),
    ]


def _until_answered(gateway: House, path: str) -> float:
    """Seconds; what comes back first is a probe, as the provider is let back in gradually."""
    began = time.monotonic()
    while at_once(gateway.urls, [path])[0].status != 200:
        assert time.monotonic() < began + 30
    return time.monotonic() - began


def _within(what: str, said: Sequence[Said], most: float) -> Row:
    found = median(one.seconds for one in said)
    slowest = max(one.seconds for one in said)
    return Row(
        what,
        f"{found * 1000:.0f} ms (slowest {slowest * 1000:.0f})",
        f"{most * 1000:.0f} ms at most",
        found <= most,
    )


def one_call(stub: Stub) -> list[Row]:
    with _gateway([stub.row("same", "after-0.2")], webs=2) as gateway:
        said = at_once(gateway.urls, ["/api/market?limit=9"] * 200)
        assert all(one.status == 200 for one in said)
        same = stub.calls()["same"]
    with _gateway([stub.row("symbols", "after-0.05")]) as gateway:
        said = at_once(gateway.urls, [f"/api/market/price?symbols=C{n:03d}" for n in range(100)])
        assert all(one.status == 200 for one in said)
        symbols = stub.calls()["symbols"]
    return [
        Row("200 the same, of two processes", f"{same} upstream calls", "1", same == 1),
        Row("100 symbols at once", f"{symbols} upstream calls", "2 at most", symbols <= 2),
    ]


def failover(stub: Stub) -> list[Row]:
    down = {"slug": "down", "base_url": "http://127.0.0.1:9", **NO_REST}
    hangs = stub.row("hangs", "hang", timeout_s=TIMEOUT_S, **NO_REST)
    alone = _one_by_one([stub.row("second")])
    refused = _one_by_one([down, stub.row("second")]) - alone
    late = _one_by_one([hangs, stub.row("second")]) - alone - TIMEOUT_S
    return [
        _more("primary refuses: later by", refused),
        _more(f"primary hangs: later than its {TIMEOUT_S} s by", late),
    ]


def _one_by_one(rows: Sequence[Mapping[str, Any]]) -> float:
    """The median second that a question takes which every provider in turn is asked."""
    with _gateway(rows) as gateway:
        found = [at_once(gateway.urls, [f"/api/market?page={n}"])[0] for n in range(2, TIMES + 4)]
    assert all(said.meta["source"] == "second" for said in found)
    return median(said.seconds for said in found[2:])


def _more(what: str, seconds: float) -> Row:
    limit = f"{HURT_S * 1000:.0f} ms at most"
    return Row(what, f"{seconds * 1000:.0f} ms", limit, seconds <= HURT_S)


def all_dead(stub: Stub) -> list[Row]:
    """One provider hangs, one is broken; one answer has gone stale, and one there never was."""
    rows = [stub.row("hung", timeout_s=1, **NO_REST), stub.row("broken", timeout_s=1, **NO_REST)]
    with _gateway(
        rows, {"UPSTREAM_PATIENCE_S": "3"}, policies={"market": {"fresh_s": 1}}
    ) as gateway:
        at_once(gateway.urls, ["/api/market?limit=5"])
        stub.behave("hung", "hang")
        stub.behave("broken", "broken")
        nothing = at_once(gateway.urls, ["/api/market?page=2"])[0]
        old = [
            said for _ in range(TIMES) for said in at_once(gateway.urls, ["/api/market?limit=5"])
        ]
    assert nothing.status == 503
    tried = {attempt["provider"] for attempt in nothing.body["attempts"]}
    assert tried == {"hung", "broken"}
    assert all(said.meta["stale"] for said in old)
    held = nothing.seconds < 3
    return [
        _within("all dead: the stale answer, median", old, AT_ONCE_S),
        Row("all dead: 503 with reasons", f"{nothing.seconds:.2f} s", "3 s at most", held),
    ]


if __name__ == "__main__":
    for row in main():
        print(row)
