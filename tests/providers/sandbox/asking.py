"""Asks a sandbox without a socket, at a moment that stands still."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import orjson

from providers.sandbox.sandbox import Sandbox
from providers.sandbox.wire import Reply, Request

NOW = 1_795_000_000.5  # 2026-11-18T11:06:40.5Z


def weekday(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%a")


class Asker:
    """`get` and `post` take the upstream's own address."""

    def __init__(self, **options: Any) -> None:
        self.now = NOW
        self.sandbox = Sandbox(clock=lambda: self.now, **options)

    def ask(self, url: str, method: str = "GET", body: bytes = b"", headers: Any = None) -> Reply:
        parts = urlsplit(url)
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        names = {"user-agent": "tests", **(headers or {})}
        path = unquote(parts.path) or "/"
        request = Request(method, parts.netloc, path, query, names, body, self.sandbox.now())
        return self.sandbox.answer(request)[0]

    def get(self, url: str, **headers: str) -> Any:
        """The JSON of a 200."""
        reply = self.ask(url, headers={name.replace("_", "-"): v for name, v in headers.items()})
        assert reply.status == 200, (reply.status, reply.body)
        return orjson.loads(reply.body)

    def refused(self, url: str, **headers: str) -> tuple[int, Any]:
        reply = self.ask(url, headers={name.replace("_", "-"): v for name, v in headers.items()})
        return reply.status, orjson.loads(reply.body)

    def rpc(self, url: str, *calls: tuple[str, list[Any]]) -> Any:
        asked = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, (method, params) in enumerate(calls, 1)
        ]
        body = orjson.dumps(asked[0] if len(asked) == 1 else asked)
        return orjson.loads(self.ask(url, "POST", body).body)
