"""The application, with a path at which its event loop stands still; looks follow quickly."""

from __future__ import annotations

import time

from aggregator import stuck
from aggregator.asgi import Application
from aggregator.wire import Receive, Scope, Send

stuck.LOOK_S = 0.5


class Wedged(Application):
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == "/stand/still":
            time.sleep(3600)
        await super().__call__(scope, receive, send)


application = Wedged()
