"""The product's application; /queries tells how many SQL queries its answers took so far."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from aggregator.asgi import Application  # it sets Django up: none of ours may come before

# isort: split

from django.db.backends.signals import connection_created

from aggregator.wire import Receive, Scope, Send

BESIDE = "beat"  # the thread that answers nobody


class Queries:
    def __init__(self) -> None:
        self.number = 0
        self.lock = threading.Lock()

    def watch(self, connection: Any, **kwargs: Any) -> None:
        if self.count not in connection.execute_wrappers:
            connection.execute_wrappers.append(self.count)

    def count(self, execute: Callable[..., Any], *asked: Any) -> Any:
        if threading.current_thread().name != BESIDE:
            with self.lock:
                self.number += 1
        return execute(*asked)


class Counted(Application):
    def __init__(self) -> None:
        super().__init__()
        self.queries = Queries()
        connection_created.connect(self.queries.watch, weak=False)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") != "/queries":
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"%d" % self.queries.number})


application = Counted()
