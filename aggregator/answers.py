"""
Answers, and the shelf we keep them on.

The shelf has two boards: one in this process (bounded, no round trip), one that all processes
share (the database, or Redis with the durable datasets in the database too). `find` looks on both,
`shelve` puts an answer on both, `claim` lets one caller go out to ask while the others wait.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import IntEnum, StrEnum
from functools import cached_property
from hashlib import blake2b
from math import floor
from typing import Any

import orjson
from django.conf import settings

from aggregator import shelf
from aggregator.afterwards import Settle, at_once
from aggregator.encoding import dumps, encode, load, timestamp
from providers.datasets import Query
from providers.errors import Attempt
from providers.resilience import Cell, Deadline
from providers.resilience.cell import peek_many
from providers.resilience.store import clean_value, let_go

logger = logging.getLogger(__name__)


class Cached(StrEnum):
    """How an answer came about, as `meta.cache` says it."""

    HIT = "hit"
    MISS = "miss"
    STALE = "stale"
    COALESCED = "coalesced"
    REFRESHING = "refreshing"


@dataclass(frozen=True)
class Source:
    """Who gave a part of an answer, and when."""

    source: str
    fetched_at: float
    latency_ms: float
    rows: int


@dataclass(frozen=True)
class Answer:
    """Rows with where they came from and how long they hold. Times in seconds since the epoch."""

    query: Query
    data: bytes  # the rows, a JSON array
    source: str
    fetched_at: float
    fresh_until: float
    stale_until: float
    latency_ms: float | None = None
    attempts: tuple[Attempt, ...] = ()
    sources: tuple[Source, ...] = ()  # the parts, where there are several
    missing: tuple[dict[str, str], ...] = ()  # what was asked for and is not here, and why
    resolved: tuple[dict[str, Any], ...] = ()  # of this request: what its words were taken for
    cached: Cached = Cached.HIT
    rows: Sequence[Any] | None = field(default=None, compare=False, repr=False)

    def is_fresh(self, now: float) -> bool:
        return now < self.fresh_until

    def is_servable(self, now: float) -> bool:
        return now < self.stale_until

    @property
    def since(self) -> tuple[float, float]:
        """Tells the newer of two: one with an old part is as old as that, but fresh again."""
        return self.fetched_at, self.fresh_until

    def records(self) -> Sequence[Any]:
        """The rows as records."""
        return load(self.query.record, self.data) if self.rows is None else self.rows

    def as_(self, cached: Cached) -> Answer:
        return replace(self, cached=cached)

    def telling(
        self, missing: Sequence[dict[str, str]], resolved: Sequence[dict[str, Any]]
    ) -> Answer:
        """The same, saying what else was asked for and is not here, and what words mean."""
        if not missing and not resolved:
            return self
        return replace(self, missing=(*self.missing, *missing), resolved=tuple(resolved))

    @cached_property
    def etag(self) -> str:
        """Weak: it covers data, source and fetched_at, and not the age."""
        digest = blake2b(self.data, digest_size=12)
        digest.update(f"{self.source}|{self.fetched_at}".encode())
        return f'W/"{digest.hexdigest()}"'

    @cached_property
    def meta(self) -> bytes:
        """What `meta` says whatever the moment of sending, still open at its end."""
        meta: dict[str, Any] = {
            "source": self.source,
            "fetched_at": timestamp(self.fetched_at),
            "latency_ms": self.latency_ms and round(self.latency_ms, 1),
            "sandbox": bool(settings.SANDBOX),
            "attempts": [_attempt(attempt) for attempt in self.attempts],
        }
        if self.sources:
            meta["sources"] = [
                vars(part) | {"fetched_at": timestamp(part.fetched_at)} for part in self.sources
            ]
        if self.missing:
            meta["missing"] = self.missing
        if self.resolved:
            meta["resolved"] = self.resolved
        return dumps(meta)[:-1]

    def body(self, now: float, cached: Cached | None = None) -> bytes:
        """The whole JSON answer, true at `now`."""
        return b'{"data":%b,"meta":%b,"age_s":%.1f,"fresh_for_s":%.1f,"cache":"%b","stale":%b}}' % (
            self.data,
            self.meta,
            self.age_s(now),
            max(0.0, self.fresh_until - now),
            (cached or self.cached).encode(),
            b"false" if self.is_fresh(now) else b"true",
        )

    def age_s(self, now: float) -> float:
        """Seconds since it was fetched; none for one from a clock that is ahead of ours."""
        return max(0.0, now - self.fetched_at)

    def headers(self, now: float, cached: Cached | None = None) -> list[tuple[str, str]]:
        """
        What caches and clients may know of the answer at `now` (RFC 9111 and 9211). `max-age`
        counts from when it was fetched, like `Age`: what is left is their difference.
        """
        fresh = self.is_fresh(now)
        lifetime = int(self.fresh_until - self.fetched_at)
        access = "public" if settings.ANONYMOUS_ACCESS else "private"
        vary = "Accept" if settings.ANONYMOUS_ACCESS else "Accept, Authorization, X-API-Key"
        return [
            ("Cache-Control", f"{access}, max-age={lifetime}" if fresh else "no-cache"),
            ("Age", str(int(self.age_s(now)))),
            ("ETag", self.etag),
            ("Cache-Status", self._cache_status(now, cached or self.cached)),
            ("Vary", vary),
        ]

    def _cache_status(self, now: float, cached: Cached) -> str:
        if cached is Cached.MISS:
            return "aggregator; fwd=miss; stored"
        if cached is Cached.COALESCED:
            return "aggregator; fwd=miss; collapsed"
        detail = "" if cached is Cached.HIT else f"; detail={cached}"
        return f"aggregator; hit; ttl={floor(self.fresh_until - now)}{detail}"

    def narrowed(self, query: Query) -> Answer:
        """This upstream answer as the answer of a query that wants a part of it."""
        if query == self.query:
            return self
        rows = query.refine(self.records())
        return replace(self, query=query, data=encode(rows), rows=None)


def _attempt(attempt: Attempt) -> dict[str, Any]:
    found: dict[str, Any] = {"provider": attempt.provider, "outcome": attempt.outcome}
    found["wait_s"] = attempt.wait_s and round(attempt.wait_s, 1)
    found["ms"] = round(attempt.ms, 1)
    return found


class Board:
    """The board in this process: at most `most` answers, the least used go first."""

    def __init__(self, most: int = 4000, most_bytes: int = 32 * 1024 * 1024) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self.changes = 0  # how often it changed: who keeps what stood on it looks at this alone
        self._answers: OrderedDict[str, Answer] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, key: str) -> Answer | None:
        with self._lock:
            found = self._answers.get(key)
            if found is not None:
                self._answers.move_to_end(key)
            return found

    def put(self, answer: Answer) -> None:
        key = answer.query.key
        if answer.rows is not None or answer.cached is not Cached.HIT:
            answer = replace(answer, rows=None, cached=Cached.HIT)
        with self._lock:
            self.changes += 1
            known = self._answers.pop(key, None)
            if known is not None:
                self._bytes -= len(known.data)
                if known.since > answer.since:
                    answer = known  # a slow writer does not put an older answer back
            self._answers[key] = answer
            self._bytes += len(answer.data)
            while len(self._answers) > self.most or self._bytes > self.most_bytes:
                _, gone = self._answers.popitem(last=False)
                self._bytes -= len(gone.data)

    def clear(self) -> None:
        with self._lock:
            self.changes += 1
            self._answers.clear()
            self._bytes = 0

    def __len__(self) -> int:
        return len(self._answers)


board = Board()
Clock = Callable[[], float]


def find(query: Query, clock: Clock = time.time) -> Answer | None:
    """The answer to `query` that is still servable, the freshest there is; None when none is."""
    return find_many([query], clock)[0]


def find_many(queries: Sequence[Query], clock: Clock = time.time) -> list[Answer | None]:
    """`find` for several queries, in one round trip to the shared board."""
    obey_purges(clock)
    now = clock()
    found = [_on_board(query, now) for query in queries]
    stale = [i for i, known in enumerate(found) if known is None or not known.is_fresh(now)]
    if stale:
        shared = shelf.read([shelf_key(queries[i].upstream()) for i in stale])
        for i in stale:
            payload = shared.get(shelf_key(queries[i].upstream()))
            whole = _unpack(queries[i].upstream(), payload) if payload else None
            found[i] = _newer(found[i], whole, queries[i])
    return [answer if answer and answer.is_servable(now) else None for answer in found]


def _on_board(query: Query, now: float) -> Answer | None:
    """What this process's board knows, be it as a part of what was asked upstream."""
    known = board.get(query.key)
    if known and known.is_fresh(now):
        return known
    return _newer(known, board.get(query.upstream().key), query)


def _newer(known: Answer | None, whole: Answer | None, query: Query) -> Answer | None:
    if whole is None or (known and known.since >= whole.since):
        return known
    board.put(whole)
    part = whole.narrowed(query)
    board.put(part)
    return part


def shelve(answer: Answer, settle: Settle = at_once) -> None:
    """Put an upstream answer on both boards, on the shared one as `settle` sees to it."""
    shelve_many([answer], settle)


def shelve_many(answers: Sequence[Answer], settle: Settle = at_once) -> None:
    for answer in answers:
        board.put(answer)
    settle(lambda: shelf.write([_packed(answer) for answer in answers]))


def shelf_key(query: Query) -> str:
    return f"{query.dataset.name}:{blake2b(query.key.encode(), digest_size=16).hexdigest()}"


def _packed(answer: Answer) -> shelf.Item:
    meta = {
        "source": answer.source,
        "fetched_at": answer.fetched_at,
        "fresh_until": answer.fresh_until,
        "stale_until": answer.stale_until,
        "latency_ms": answer.latency_ms,
        "attempts": [[a.provider, a.outcome, a.wait_s, a.ms, a.detail] for a in answer.attempts],
        "sources": [[s.source, s.fetched_at, s.latency_ms, s.rows] for s in answer.sources],
        "missing": list(answer.missing),
    }
    return shelf.Item(
        key=shelf_key(answer.query),
        question=answer.query.key[:400],
        dataset=answer.query.dataset,
        source=answer.source[:100],
        payload=orjson.dumps(meta) + b"\n" + answer.data,
        fetched_at=answer.fetched_at,
        stale_until=answer.stale_until,
    )


def _unpack(query: Query, payload: bytes) -> Answer | None:
    """An answer off the shared board; None for a shape of another version."""
    head, _, data = payload.partition(b"\n")
    try:
        meta = orjson.loads(head)
        attempts = tuple(Attempt(*values) for values in meta.pop("attempts"))
        sources = tuple(Source(*values) for values in meta.pop("sources"))
        missing = tuple(meta.pop("missing"))
        found = Answer(query, data, attempts=attempts, sources=sources, missing=missing, **meta)
        found.body(0.0)  # one that cannot be sent is none
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        logger.warning("an answer of another version was left on the shelf: %s", error)
        return None
    return found


# -- One asks, the others wait ---------------------------------------------------------------


RECENT_S = 0.05  # within which nobody brings what he was not out for


class Claim(IntEnum):
    """What came of a claim: true for who goes out to ask."""

    LOST = 0
    WON = 1
    FIRST = 2  # won, and nobody else has been out for a while

    def lacks(self, looked_at: float, clock: Clock = time.time) -> bool:
        """Is what was not on the shelf at `looked_at` surely not there now?"""
        return self is Claim.FIRST and clock() < looked_at + RECENT_S


@contextmanager
def claim(
    query: Query, seconds: float, settle: Settle = at_once, *, clock: Clock = time.time
) -> Iterator[Claim]:
    """
    Won by one caller of all processes: the one who goes out to ask. It is given back as `settle`
    sees to it, after what he shelved by it; at once when he failed.
    """
    cell = Cell(f"asking:{shelf_key(query)}", ttl=seconds + 1, often_empty=True)
    token = secrets.token_hex(8)

    def take(held: Any) -> tuple[Any, Claim]:
        if _is_held(held, clock()):
            return held, Claim.LOST
        won = Claim.FIRST if held is None else Claim.WON
        return {"token": token, "until": clock() + seconds}, won

    def give_back(held: Any) -> tuple[Any, None]:
        mine = clean_value(held).get("token") == token
        return ({"token": "", "until": 0} if mine else held), None

    mine = cell.update(take)
    try:
        yield mine
    except BaseException:
        settle = at_once  # so that others may try
        raise
    finally:
        if mine:
            settle(lambda: cell.update(give_back))


def is_claimed(query: Query, clock: Clock = time.time) -> bool:
    return _is_held(Cell(f"asking:{shelf_key(query)}", ttl=1).peek(), clock())


def _is_held(held: Any, now: float) -> bool:
    until = clean_value(held).get("until")
    return isinstance(until, int | float) and until > now


def wait_for(
    query: Query,
    deadline: Deadline,
    *,
    since: float,
    poll: float = 0.025,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer | None:
    """The answer another process has gone out for, if it comes back in time."""
    while deadline.allows(poll):
        let_go()
        sleep(poll)
        found = find(query)
        if found and found.fetched_at >= since:
            return found
        if not is_claimed(query):
            return found if (found := find(query)) and found.fetched_at >= since else None
    return None


# -- Purging ---------------------------------------------------------------------------------

PURGE_CELL = "purge"
_purge_seen: Any = None
_purge_checked = float("-inf")


def purge(datasets: Iterable[str] = ()) -> int:
    """Take all answers (of these datasets) off the shelf, in every process. How many there were."""
    gone = shelf.purge(list(datasets))
    mark = secrets.token_hex(8)
    Cell(PURGE_CELL, ttl=10 * 365 * 86400.0).update(lambda _: (mark, None))
    board.clear()
    return gone


def obey_purges(clock: Clock = time.time, every_s: float = 1.0) -> None:
    """Clear this process's board when somebody purged since we last looked."""
    global _purge_seen, _purge_checked
    if clock() < _purge_checked + every_s:
        return
    _purge_checked = clock()
    mark = peek_many([PURGE_CELL]).get(PURGE_CELL)
    # Without a mark nobody purged, or the store is out: then the board is all we have.
    if mark is not None and mark != _purge_seen:
        board.clear()
        _purge_seen = mark
