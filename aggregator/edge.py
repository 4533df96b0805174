"""
The ASGI layer in front of Django: hot answers leave from here, everything else goes to a pool.

    a known question whose answer on this process's board is fresh  -> at once, prepared bytes
    the same, stale, and we looked for a newer one just now         -> at once, saying so
    a question that is on its way to Django already                 -> waits for that one
    what dashboards poll, and was told a moment ago                 -> the same once more
    anything else                                                   -> Django, in a bounded pool
    no place in the pool                                            -> the stale answer, or 503

No policy lives here: what may be served until when is asked of `answers`, who may ask of `callers`,
how often of `meter`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import lru_cache, partial
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import Resolver404, ResolverMatch, resolve

from aggregator import answers, arrivals, bridge, callers, hot, openai_words, straight, wire
from aggregator.answers import Answer, Cached
from aggregator.api.errors import problem
from aggregator.api.views import DatasetView
from aggregator.arrivals import Arrival
from aggregator.callers import Caller
from aggregator.hits import ASKED, Asked, Prepared
from aggregator.hot import Known, Line
from aggregator.meter import Verdict, meter
from aggregator.pool import For, Pool
from aggregator.traffic import route_of, traffic
from aggregator.wire import Headers, Receive, Response, Scope, Send, Stream
from providers.datasets import PriceQuery
from providers.errors import GatewayError, Overloaded

logger = logging.getLogger(__name__)

LOOK_S = 0.5  # a stale answer is served without another look beyond this process for so long
LOOK_PATIENCE_S = 0.08  # and a look that takes longer is not waited for
MOST_WAITING = 1_000  # for questions that are under way already

# What asks no provider, by the beginning of its path.
HOUSE = (
    *("/admin", "/static/", "/docs", "/healthz", "/readyz", "/metrics"),
    *("/api/status", "/api/capabilities", "/api/schema", "/api/providers", "/status"),
    *("/api/incidents", "/api/alerts", "/api/system", "/badge"),
)


# What hundreds ask every few seconds, and is the same for all who may ask: it is told for a moment,
# as it is made at most twice a second anyway.
POLLED = ("/api/system/status", "/api/providers/status")
DRAWER = "/status/drawer"
POLLED_S = 0.25
MOST_POLLED = 64  # lines that are kept; somebody may spell them in many ways

_OLD = (Cached.STALE, Cached.REFRESHING)


class Landed(NamedTuple):
    """What Django said to a question; `answer` is None when it was an error."""

    response: Response
    answer: Answer | None

    def shared(self) -> Landed:
        """The same, for one who waited for it."""
        if self.answer is None or self.answer.cached is not Cached.MISS:
            return self
        return Landed(self.response, self.answer.as_(Cached.COALESCED))


class Told(NamedTuple):
    """What dashboards poll, as Django said it; its ETag, and until when it is told again."""

    response: Response
    etag: str
    until: float


class Edge:
    """`django` is a WSGI handler; `pool` has the threads it runs in."""

    def __init__(
        self, django: bridge.Handler, pool: Pool, clock: Callable[[], float] = time.time
    ) -> None:
        self.django = django
        self.pool = pool
        self.clock = clock
        self.flying: dict[tuple[Line, bytes], asyncio.Task[Landed]] = {}
        self.waiting = 0
        self.prepared = Prepared()
        self.polled: dict[tuple[Line, bytes], Told] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1000})
            return
        path: str = scope["path"]
        began = time.perf_counter()
        response: Response | Stream
        try:
            if path.startswith("/api/") or path == "/api":
                response = await self._api(scope, receive)
            elif path == DRAWER and scope["method"] == "GET" and settings.ANONYMOUS_ACCESS:
                response = await self._polled(scope, dict(scope["headers"]), None)
            else:
                response = await self._django(scope, receive)
        except GatewayError as error:
            response = wire.of_error(error)
        except Exception:
            logger.exception("unexpected error at the edge")
            response = wire.of_problem(problem(500, "error", "It has been logged."), {})
        traffic.asked(route_of(path), response.status, time.perf_counter() - began)
        if isinstance(response, Stream):
            threads = self.pool.threads_for(_whom(path))
            await wire.stream(scope, receive, send, response, threads)
        elif openai_words.is_below(path):
            await wire.respond(scope, send, openai_words.retold(response))
        else:
            await wire.respond(scope, send, response)

    async def _api(self, scope: Scope, receive: Receive) -> Response | Stream:
        if scope["method"] == "OPTIONS":
            return wire.preflight()
        headers: dict[bytes, bytes] = dict(scope["headers"])
        caller = callers.of_request(scope, headers)
        verdict = meter.count(caller)
        response: Response | Stream
        try:
            if not verdict.allowed:
                response = _throttled(verdict)
            elif wire.is_for_a_program(scope, headers):
                response = self._at_once(scope, headers, caller) or await self._get(
                    scope, receive, headers, caller
                )
            else:
                response = await self._django(scope, receive, caller)
        except GatewayError as error:
            response = wire.of_error(error)
        return response.plus(verdict.headers())

    async def _django(
        self, scope: Scope, receive: Receive, caller: Caller | None = None
    ) -> Response | Stream:
        """What Django says to this very request; `caller` was admitted to the API."""
        body = b""
        if scope["method"] not in ("GET", "HEAD"):
            read = await wire.body_of(receive)
            if isinstance(read, Response):
                return read
            body = read
        environ = bridge.environ_of(scope, body)
        if caller is None:
            return await self._run(_whom(scope["path"]), environ)
        environ[callers.ADMITTED] = caller
        response = await self._run(_whom(scope["path"]), environ)
        if answer := environ.get(hot.ANSWER):
            traffic.answered(answer.cached)
        return response.plus(wire.cors())

    async def _run(
        self, whom: For, environ: bridge.Environ, arrival: Arrival | None = None
    ) -> Response | Stream:
        work = partial(bridge.run, self.django, environ)
        return await self.pool.run(whom, arrival.carried_by(work) if arrival else work)

    # -- Questions: the same answer for everybody ---------------------------------------------

    def again(self, asked: Asked, always: Headers) -> tuple[bytes, bytes, bytes] | None:
        """
        The response to a request that came before byte for byte, as it goes over the wire; None
        when that has to be found out. `always` are the headers of every response.
        """
        began = time.perf_counter()
        hit = self.prepared.hit(asked.line, self.clock())
        if hit is None or not callers.is_still(asked.caller, asked.key):
            return None
        verdict = meter.count(asked.caller)
        if not verdict.allowed:
            return None  # a refusal is not counted, so it can be made the usual way
        hit.known.asked += 1
        head = hit.head or hit.spell(always)
        traffic.answered(Cached.HIT)
        traffic.asked(asked.route, 200, time.perf_counter() - began)
        return head, verdict.lines(), hit.response.body

    def _at_once(
        self, scope: Scope, headers: dict[bytes, bytes], caller: Caller
    ) -> Response | None:
        """What this very line was answered a moment ago, when it is fresh: the most usual case."""
        now = self.clock()
        line: Line = (scope["path"], scope["query_string"])
        hit = self.prepared.hit(line, now)
        if hit is None:
            return None
        if scope["method"] == "GET" and b"if-none-match" not in headers:
            scope[ASKED] = Asked(line, route_of(line[0]), caller, headers.get(b"x-api-key", b""))
        hit.known.asked += 1
        traffic.answered(Cached.HIT)
        return wire.unless_known(hit.response, hit.answer.etag, headers)

    async def _get(
        self, scope: Scope, receive: Receive, headers: dict[bytes, bytes], caller: Caller
    ) -> Response | Stream:
        """An answer off the board if it will do, else what Django says."""
        line: Line = (scope["path"], scope["query_string"])
        now = self.clock()
        known = hot.find(line)
        answer = answers.board.get(known.key) if known is not None else None
        if known is None or answer is None or not answer.is_servable(now):
            if line[0] in POLLED:
                return await self._polled(scope, headers, caller)
            if _question(line[0]) is None:
                return await self._django(scope, receive, caller)
            return self._said(await self._landed(line, scope, caller), headers)
        known.asked += 1
        if answer.is_fresh(now):
            traffic.answered(Cached.HIT)
            return self.prepared.fresh(line, known, answer, headers, now)
        if now >= known.looked_at + LOOK_S:
            looked = await self._look(known, line, scope, caller)
            if looked is not None:
                return self._said(looked, headers)
        traffic.answered(known.cached)
        return self.prepared.response(answer, known.cached, headers, self.clock())

    def _said(self, landed: Landed, headers: dict[bytes, bytes]) -> Response:
        if landed.answer is None:
            return landed.response
        traffic.answered(landed.answer.cached)
        return self.prepared.response(landed.answer, landed.answer.cached, headers, self.clock())

    async def _look(self, known: Known, line: Line, scope: Scope, caller: Caller) -> Landed | None:
        """
        What is newer than the stale answer on this process's board: another process may have
        shelved it. None when finding out takes time or a place that there is not.
        """
        known.looked_at, known.cached = self.clock(), Cached.REFRESHING
        try:
            async with asyncio.timeout(LOOK_PATIENCE_S):
                landed = await self._landed(line, scope, caller)
        except TimeoutError:
            return None
        except Overloaded:
            known.cached = Cached.STALE
            return None
        gone = answers.board.get(known.key) is None  # purged meanwhile
        return landed if landed.answer or gone else None

    async def _polled(
        self, scope: Scope, headers: dict[bytes, bytes], caller: Caller | None
    ) -> Response:
        """What was told to anybody a moment ago, or what Django says now."""
        line: Line = (scope["path"], scope["query_string"])
        key = line, _host(scope)
        told = self.polled.get(key)
        if told is None or self.clock() >= told.until:
            response = (await self._landed(line, scope, caller)).response
            if response.status != 200:
                return response
            if len(self.polled) >= MOST_POLLED:
                self.polled.clear()
            tag = dict(response.headers).get(b"etag", b"").decode()
            told = self.polled[key] = Told(response, tag, self.clock() + POLLED_S)
        return wire.unless_known(told.response, told.etag, headers)

    async def _landed(self, line: Line, scope: Scope, caller: Caller | None) -> Landed:
        """What Django says to a question; asked once for all who ask the same meanwhile."""
        # The host is part of it: Django refuses those that are not ours.
        host = _host(scope)
        flight = self.flying.get((line, host))
        if flight is None:
            flight = asyncio.create_task(self._fly(line, host, scope, caller))
            self.flying[line, host] = flight
            flight.add_done_callback(lambda done: self._forget(line, host, done))
            return await asyncio.shield(flight)
        if self.waiting >= MOST_WAITING:
            raise Overloaded("Too many are waiting for an answer already.")
        self.waiting += 1
        try:
            return (await asyncio.shield(flight)).shared()
        finally:
            self.waiting -= 1

    def _forget(self, line: Line, host: bytes, flight: asyncio.Task[Landed]) -> None:
        self.flying.pop((line, host), None)
        if not flight.cancelled():
            flight.exception()  # whoever still waits raises it; nobody may be left

    async def _fly(self, line: Line, host: bytes, scope: Scope, caller: Caller | None) -> Landed:
        # Of the headers only what makes no difference between those who share the answer.
        headers = [(b"accept", b"application/json")]
        headers += [(b"host", host)] if host else []  # HTTP/1.0 may do without
        environ = bridge.environ_of({**scope, "method": "GET", "headers": headers}, b"")
        if caller is not None:
            environ[callers.ADMITTED] = caller
        route = environ[straight.ROUTE] = _question(line[0])
        is_gathered = route is not None and _view(route).asked.query is PriceQuery
        with arrivals.announced() if is_gathered else nullcontext() as arrival:
            response = await self._run(_whom(line[0]), environ, arrival)
        if isinstance(response, Stream):
            raise TypeError("what several wait for cannot be streamed")
        answer: Answer | None = environ.get(hot.ANSWER)
        if answer is None:
            return Landed(response.plus(wire.cors()) if caller else response, None)
        if not answer.missing and not answer.resolved:
            known = hot.remember(line, answer.query)
            known.looked_at = self.clock()
            known.cached = answer.cached if answer.cached in _OLD else Cached.STALE
        return Landed(response, answer)


def _host(scope: Scope) -> bytes:
    return next((value for name, value in scope["headers"] if name == b"host"), b"")


def _whom(path: str) -> For:
    if path.startswith(HOUSE):
        return For.HOUSE
    if path.startswith("/v1/chat"):
        return For.MODELS
    return For.API if path.startswith(("/api", "/v1")) else For.PAGES


@lru_cache(maxsize=5000)
def _question(path: str) -> ResolverMatch | None:
    """Where a path leads that asks for a dataset: then the request line alone decides."""
    try:
        route = resolve(path)
    except Resolver404:
        return None
    view = _view(route)
    return route if view and issubclass(view, DatasetView) else None


def _view(route: ResolverMatch) -> Any:
    return getattr(route.func, "cls", None)


def _throttled(verdict: Verdict) -> Response:
    wait = verdict.resets_in_s
    detail = f"The limit is {verdict.limit} requests a minute."
    body = problem(429, "throttled", detail, retry_after_s=wait)
    return wire.of_problem(body, {"Retry-After": str(wait)})
