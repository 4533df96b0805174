"""
The sandbox's own endpoints, under `/_sandbox/`, and a client for them.

    GET              what it is: faults in force, requests counted by host and path
    POST   faults    a rule: {"host", "fault", "path"?, "times"?, "probability"?}
    DELETE faults    all of them, or those of ?host=
    GET    requests  the last ones, newest first: ?host= and ?limit=
    DELETE requests  forget them and the counts
    POST   clock     {"offset_s"}: how far its clock is ahead of the machine's
    GET    missing   what a replay had no answer for
"""

from __future__ import annotations

from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import orjson

from providers.sandbox.faults import Rule
from providers.sandbox.sandbox import REMEMBERED, Sandbox
from providers.sandbox.wire import JSON, Reply, Request, json_reply, whole

NAME = "_sandbox"
ADDRESS = "127.0.0.1"
PATIENCE_S = 5.0


class Control:
    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def answer(self, request: Request) -> Reply:
        """Only JSON may change anything, so that no web page can."""
        action = self._actions().get((request.method, request.path.strip("/")))
        if action is None:
            return json_reply({"error": "no such endpoint of the sandbox"}, 404)
        if request.method == "POST" and request.headers.get("content-type") != JSON:
            return json_reply({"error": f"send {JSON}"}, 415)
        try:
            return json_reply(action(request))
        except ValueError as error:
            return json_reply({"error": str(error)}, 400)

    def _actions(self) -> dict[tuple[str, str], Callable[[Request], Any]]:
        return {
            ("GET", ""): self._state,
            ("GET", "faults"): self._faults,
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._clear_faults,
            ("GET", "requests"): self._requests,
            ("DELETE", "requests"): self._forget,
            ("POST", "clock"): self._set_clock,
            ("GET", "missing"): self._missing,
        }

    def _state(self, request: Request) -> dict[str, Any]:
        sandbox, counts = self.sandbox, self.sandbox.log.counts()
        return {
            "sandbox": True,
            "mode": "replay" if sandbox.player else "market",
            "seed": sandbox.seed,
            "limits": sandbox.meter.enforced,
            "now": sandbox.now(),
            "offset_s": sandbox.offset_s,
            "hosts": sandbox.hosts,
            "faults": sandbox.rules.listed(),
            "requests": counts,
            "total": sum(sum(paths.values()) for paths in counts.values()),
            "missing": self._missing(request),
        }

    def _faults(self, request: Request) -> list[dict[str, Any]]:
        return self.sandbox.rules.listed()

    def _add_fault(self, request: Request) -> list[dict[str, Any]]:
        rule = Rule.read(orjson.loads(request.body))
        if rule.host not in self.sandbox.hosts:
            raise ValueError(f"the sandbox does not speak for {rule.host}")
        self.sandbox.rules.add(rule)
        return self.sandbox.rules.listed()

    def _clear_faults(self, request: Request) -> list[dict[str, Any]]:
        self.sandbox.rules.clear(request.params.get("host", ""))
        return self.sandbox.rules.listed()

    def _requests(self, request: Request) -> list[dict[str, Any]]:
        limit = whole(request.params.get("limit", str(REMEMBERED)))
        if limit is None or limit < 0:
            raise ValueError("limit is a whole number")
        return self.sandbox.log.last(limit, request.params.get("host", ""))

    def _forget(self, request: Request) -> dict[str, Any]:
        self.sandbox.log.clear()
        return self._state(request)

    def _set_clock(self, request: Request) -> dict[str, Any]:
        document = orjson.loads(request.body)
        offset = document.get("offset_s") if isinstance(document, dict) else None
        if isinstance(offset, bool) or not isinstance(offset, int | float):
            raise ValueError("offset_s is a number of seconds")
        self.sandbox.offset_s = float(offset)
        return self._state(request)

    def _missing(self, request: Request) -> list[dict[str, Any]]:
        return self.sandbox.player.missing() if self.sandbox.player else []


class Remote:
    """A running sandbox, from outside. ConnectionError: there is none; ValueError: it says no."""

    def __init__(self, port: int) -> None:
        self.port = port

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = self._ask("GET", "")
        return found

    def fault(
        self,
        host: str,
        fault: str,
        *,
        path: str = "",
        times: int | None = None,
        probability: float = 1.0,
    ) -> list[dict[str, Any]]:
        rule = Rule(host, fault, path, times, probability)
        found: list[dict[str, Any]] = self._ask("POST", "faults", vars(rule))
        return found

    def clear(self) -> None:
        self._ask("DELETE", "faults")

    def requests(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "requests")
        return found

    def set_clock(self, offset_s: float) -> None:
        self._ask("POST", "clock", {"offset_s": offset_s})

    def _ask(self, method: str, path: str, document: Any = None) -> Any:
        connection = HTTPConnection(ADDRESS, self.port, timeout=PATIENCE_S)
        body = None if document is None else orjson.dumps(document)
        try:
            connection.request(method, f"/{NAME}/{path}", body, {"Content-Type": JSON})
            response = connection.getresponse()
            answer = orjson.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(answer["error"])
        return answer
