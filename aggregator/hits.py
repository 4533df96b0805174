"""
Hits: what a fresh answer is sent as, prepared once for a tenth of a second, and for whom.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from aggregator import answers, wire
from aggregator.answers import Answer, Cached
from aggregator.callers import Caller
from aggregator.hot import Known, Line
from aggregator.wire import Headers, Response

TICKS = 10  # a second: as exact as `age_s` is written

ASKED = "aggregator.asked"  # in a scope: what the same bytes would ask again


class Asked(NamedTuple):
    """A request that was answered at once: the whole response to a line, for one caller."""

    line: Line
    route: str
    caller: Caller
    key: bytes


@dataclass(slots=True)
class Hit:
    """A line's fresh answer, as it is sent in this tenth of a second."""

    known: Known
    answer: Answer
    response: Response
    head: bytes = b""  # of the response, as HTTP/1.1 has it, without what differs for each caller

    def spell(self, always: Headers) -> bytes:
        pairs = (*always, *self.response.headers)
        self.head = b"HTTP/1.1 200 OK\r\n" + b"".join(b"%b: %b\r\n" % pair for pair in pairs)
        return self.head


class Prepared:
    """Answers as they are sent in this tenth of a second, so that a hit copies no bytes."""

    def __init__(self) -> None:
        self.tick = -1
        self.made: dict[tuple[int, Cached], tuple[Answer, Response]] = {}
        self.hits: dict[Line, Hit] = {}
        self.changes = 0  # of the board, when the hits were taken from it

    def hit(self, line: Line, now: float) -> Hit | None:
        """What `fresh` made of this line in this tenth of a second, if that is still so."""
        if int(now * TICKS) != self.tick or self.changes != answers.board.changes:
            return None
        hit = self.hits.get(line)
        return hit if hit is not None and now < hit.answer.fresh_until else None

    def fresh(
        self, line: Line, known: Known, answer: Answer, headers: dict[bytes, bytes], now: float
    ) -> Response:
        """The response to a hit, which `hit` finds again without asking the board."""
        response = self._made(answer, Cached.HIT, now)
        if self.changes != answers.board.changes:
            self.changes, self.hits = answers.board.changes, {}
        self.hits[line] = Hit(known, answer, response)
        return wire.unless_known(response, answer.etag, headers)

    def response(
        self, answer: Answer, cached: Cached, headers: dict[bytes, bytes], now: float
    ) -> Response:
        """The answer, true at `now`; 304 for those who have it."""
        return wire.unless_known(self._made(answer, cached, now), answer.etag, headers)

    def _made(self, answer: Answer, cached: Cached, now: float) -> Response:
        tick = int(now * TICKS)
        if tick != self.tick:
            self.tick, self.made, self.hits = tick, {}, {}
        key = (id(answer), cached)
        found = self.made.get(key)
        if found is None:
            # The answer is kept beside its response, so that its id stays its own.
            found = self.made[key] = (answer, _response(answer, cached, now))
        return found[1]


def _response(answer: Answer, cached: Cached, now: float) -> Response:
    body = answer.body(now, cached)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        wire.NOSNIFF,
        *wire.spelled(answer.headers(now, cached)),
        *wire.cors(),
    ]
    return Response(200, headers, body)
