"""What the server runs: the edge, and behind it Django's WSGI handler in a bounded pool."""

from __future__ import annotations

import asyncio
import gc
import resource

from aggregator.wsgi import application as django  # it sets Django up: nothing may come before

# isort: split

from django.conf import settings
from django.urls import resolve

from aggregator import beat, fanout, straight
from aggregator.beat import Beat
from aggregator.edge import Edge
from aggregator.pool import Pool
from aggregator.wire import Receive, Scope, Send
from providers import calls

# Connections of visitors (4,096 at most: see Procfile), to providers, and of each thread to the
# database. Shells often start with 1,024.
MOST_FILES = 16_384


class Application:
    """The edge, with what runs beside it from start-up to shutdown."""

    def __init__(self) -> None:
        resolve("/")  # loads every view now, and not while the first visitor waits
        self.edge = Edge(straight.before(django), Pool(settings.WEB_THREADS, settings.WEB_QUEUE))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        else:
            await self.edge(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        _allow_files(MOST_FILES)
        await asyncio.to_thread(beat.once)  # the clients are known before the first request
        gc.freeze()  # what is loaded by now stays: no collection need walk it while hits wait
        beating = Beat()
        beating.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await asyncio.to_thread(_close, beating)
        await send({"type": "lifespan.shutdown.complete"})


def _allow_files(wanted: int) -> None:
    """Have at least so many files open at once, or as many as we are allowed."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _close(beating: Beat) -> None:
    """Write down what is not written yet: at once, as we may have little time, and at the end."""
    calls.flush()
    beating.stop()
    fanout.close()
    calls.flush()


application = Application()
