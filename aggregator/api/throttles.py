"""Per-client limits for requests that reach Django without passing the edge."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from aggregator import callers
from aggregator.callers import Caller
from aggregator.meter import meter


class ClientThrottle(BaseThrottle):
    def __init__(self) -> None:
        self._wait: float | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        if callers.ADMITTED in request.META or not isinstance(request.auth, Caller):
            return True
        verdict = meter.count(request.auth)
        self._wait = verdict.resets_in_s
        return verdict.allowed

    def wait(self) -> float | None:
        return self._wait
