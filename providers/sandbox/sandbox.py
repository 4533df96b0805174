"""The sandbox without its socket: who answers, what goes wrong, what was asked."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from providers.sandbox import coins as catalogue
from providers.sandbox.coins import Coin
from providers.sandbox.faults import NONE, Fault, Rules, Speaker
from providers.sandbox.hosts import HOSTS
from providers.sandbox.limits import Meter
from providers.sandbox.market import Market
from providers.sandbox.replay import Player
from providers.sandbox.wire import Reply, Request, json_reply, silence

FAULT_HEADER = "x-sandbox-fault"
REMEMBERED = 1000  # requests in the log


class Log:
    """What was asked: an exact count by host and path, and the last requests in full."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._last: deque[dict[str, Any]] = deque(maxlen=REMEMBERED)
        self._lock = threading.Lock()

    def note(self, request: Request) -> None:
        row = {
            "time": request.now,
            "method": request.method,
            "host": request.host,
            "path": request.path,
            "query": {name: _shown(name, value) for name, value in request.query},
        }
        with self._lock:
            self._counts[request.host, request.path] += 1
            self._last.append(row)

    def counts(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        with self._lock:
            for (host, path), count in self._counts.items():
                found.setdefault(host, {})[path] = count
        return found

    def last(self, number: int, host: str = "") -> list[dict[str, Any]]:
        """Newest first."""
        with self._lock:
            rows = [row for row in reversed(self._last) if host in ("", row["host"])]
        return rows[:number]

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._last.clear()


class Sandbox:
    """
    Speaks for every host of `HOSTS`, or with `replay` from a folder of recordings (of which
    `unreal` ones, from tests and documentation, only when asked for).

    `limits` enforces the providers' rate limits. The clock gives Unix seconds.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        clock: Callable[[], float] = time.time,
        limits: bool = False,
        coins: Sequence[Coin] | None = None,
        replay: Path | None = None,
        unreal: bool = False,
    ) -> None:
        self.seed = seed
        self.clock = clock
        self.offset_s = 0.0
        self.meter = Meter(limits, self.now)
        self.rules = Rules(seed)
        self.log = Log()
        self.player = Player.open(replay, unreal) if replay else None
        market = Market(catalogue.load() if coins is None else coins, seed)
        self.speakers: dict[str, Speaker] = {}
        for kind in HOSTS:
            self.speakers |= dict.fromkeys(kind.names, kind(market, self.meter))

    @property
    def hosts(self) -> list[str]:
        return self.player.hosts if self.player else sorted(self.speakers)

    def now(self) -> float:
        return self.clock() + self.offset_s

    def answer(self, request: Request) -> tuple[Reply, Fault]:
        """The reply, and the fault that the delivery still has to show."""
        self.log.note(request)
        speaker = self.player or self.speakers.get(request.host)
        if speaker is None:
            return silence(f"the sandbox does not speak for {request.host}"), NONE
        try:
            asked = request.headers.get(FAULT_HEADER)
            fault = Fault.parse(asked) if asked else self.rules.take(request)
        except ValueError as error:
            return json_reply({"error": str(error)}, 400), NONE
        return fault.answer(speaker, request), fault


def _shown(name: str, value: str) -> str:
    return "REDACTED" if re.search("key|token|secret", name, re.IGNORECASE) else value
