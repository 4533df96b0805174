"""The edge, with a Django of the test's own behind it and a clock that waits."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import answers, bridge, callers, demand, edge, hot, traffic, wire
from aggregator.answers import Answer, Cached
from aggregator.api.errors import problem
from aggregator.callers import Caller
from aggregator.edge import Edge
from aggregator.encoding import dumps
from aggregator.models import hash_key
from aggregator.pool import For, Pool
from providers.datasets import MarketQuery, PriceQuery, Query
from tests.conftest import Clock

T = TypeVar("T")

KEY, OTHER, OFF = "agg_one", "agg_other", "agg_off"
PATH, QUERY = "/api/market", b"limit=10"
MARKET = MarketQuery(limit=10)


@pytest.fixture(autouse=True)
def _clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three clients that nobody has to read from a database."""
    rows = {
        hash_key(KEY): (Caller("client:1", 5), True),
        hash_key(OTHER): (Caller("client:2", 5), True),
        hash_key(OFF): (Caller("client:3", 5), False),
    }
    monkeypatch.setattr(callers._clients, "_value", callers.Clients(rows))


def answer(clock: Clock, query: Query = MARKET, **changes: Any) -> Answer:
    values: dict[str, Any] = {
        "data": b'[{"rank":1}]',
        "source": "coingecko_free",
        "fetched_at": clock(),
        "fresh_until": clock() + 60,
        "stale_until": clock() + 3600,
        "latency_ms": 41.25,
    }
    return Answer(query, **(values | changes))


@dataclass
class Django:
    """Answers what it is told to; `gate` holds it back."""

    says: Answer | int = 503
    body: bytes = dumps(problem(503, "unanswered", "Nobody answered."))
    kind: str = "application/problem+json"
    gate: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.gate.set()

    def __call__(self, environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        self.asked.append(environ)
        assert self.gate.wait(20)
        if isinstance(self.says, Answer):
            environ[hot.ANSWER] = self.says
            start("200 OK", [("Content-Type", "application/json")])
            return [b"{}"]
        start(f"{self.says} Whatever", [("Content-Type", self.kind)])
        return [self.body]


@dataclass
class House:
    """An edge and what is around it."""

    clock: Clock
    django: Django = field(default_factory=Django)
    threads: int = 2
    edge: Edge = field(init=False)

    def __post_init__(self) -> None:
        self.edge = Edge(self.django, Pool(self.threads, queue=0), self.clock)

    def shelve(self, found: Answer, path: str = PATH, query: bytes = QUERY) -> None:
        """As it is after `found` was asked for by this line once."""
        answers.board.put(found)
        hot.remember((path, query), found.query)

    async def ask(
        self,
        path: str = PATH,
        query: bytes = QUERY,
        *,
        key: str = KEY,
        method: str = "GET",
        body: Iterable[bytes] = (b"",),
        **headers: str,
    ) -> Reply:
        given = {"host": "localhost", **{n.replace("_", "-"): v for n, v in headers.items()}}
        if key:
            given["x-api-key"] = key
        scope = scope_of(path, query, method, [(n.encode(), v.encode()) for n, v in given.items()])
        return await exchange(self.edge, scope, body)

    def get(self, path: str = PATH, query: bytes = QUERY, **kwargs: Any) -> Reply:
        return run(self.ask(path, query, **kwargs))


@pytest.fixture
def house(clock: Clock) -> House:
    return House(clock)


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def meta(self) -> dict[str, Any]:
        found: dict[str, Any] = self.json()["meta"]
        return found


def run(story: Awaitable[T]) -> T:
    async def bounded() -> T:
        return await asyncio.wait_for(story, 30)

    return asyncio.run(bounded())


def scope_of(
    path: str, query: bytes, method: str, headers: list[tuple[bytes, bytes]]
) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("203.0.113.9", 4711),
        "method": method,
        "path": path,
        "query_string": query,
        "headers": headers,
    }


async def exchange(app: Edge, scope: dict[str, Any], body: Iterable[bytes] = (b"",)) -> Reply:
    chunks = list(body)
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        if not chunks:
            await asyncio.sleep(3600)
        return {"type": "http.request", "body": chunks.pop(0), "more_body": bool(chunks)}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    headers = [(name.decode(), value.decode()) for name, value in start["headers"]]
    assert len(dict(headers)) == len(headers), f"a header twice: {headers}"
    return Reply(start["status"], dict(headers), b"".join(part["body"] for part in rest))


def is_problem(reply: Reply, status: int, code: str) -> dict[str, Any]:
    """The body of a reply that is an error in the one shape."""
    assert reply.status == status
    assert reply.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = reply.json()
    assert (found["status"], found["code"]) == (status, code)
    assert {"type", "title", "detail"} <= set(found)
    return found


# -- Hits ------------------------------------------------------------------------------------


def test_a_hit_asks_nobody_and_says_its_age_at_the_moment_of_sending(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(1.5)
    first = house.get()
    house.clock.tick(2)
    second = house.get()
    assert not house.django.asked
    assert (first.meta["age_s"], first.meta["fresh_for_s"]) == (1.5, 58.5)
    assert (second.meta["age_s"], second.meta["fresh_for_s"]) == (3.5, 56.5)
    assert (first.meta["cache"], first.meta["stale"]) == ("hit", False)
    assert first.json()["data"] == [{"rank": 1}]
    assert int(first.headers["content-length"]) == len(first.body)


def test_the_headers_of_a_hit_add_up_for_a_cache(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(20.7)
    headers = house.get().headers
    # RFC 9111, 4.2: what is left is the lifetime less the age.
    assert headers["cache-control"] == "public, max-age=60"
    assert headers["age"] == "20"
    assert headers["cache-status"] == "aggregator; hit; ttl=39"
    assert headers["vary"] == "Accept"


@given(age=st.floats(0, 4000), fresh=st.floats(1, 3000))
def test_no_cache_is_told_more_than_a_second_too_much(age: float, fresh: float) -> None:
    clock = Clock()
    found = answer(clock, fresh_until=clock() + fresh, stale_until=clock() + 5000)
    headers = dict(found.headers(clock() + age))
    _, _, lifetime = headers["Cache-Control"].partition("max-age=")
    left = int(lifetime or 0) - int(headers["Age"])
    assert left < max(0.0, fresh - age) + 1
    assert bool(lifetime) == (age < fresh) == found.is_fresh(clock() + age)


def test_the_etag_is_weak_and_covers_data_source_and_time_alone(house: House) -> None:
    house.shelve(answer(house.clock))
    first = house.get().headers["etag"]
    house.clock.tick(7)
    assert house.get().headers["etag"] == first
    assert first.startswith('W/"')
    same = answer(house.clock, fetched_at=house.clock() - 7, latency_ms=9.0)
    assert same.etag == first
    assert replace(same, data=b"[]").etag != first
    assert replace(same, source="kraken").etag != first
    assert replace(same, fetched_at=house.clock()).etag != first


@pytest.mark.parametrize("spelling", ["{}", "*", '"other", {}', "{strong}"])
def test_who_has_the_answer_is_told_so(house: House, spelling: str) -> None:
    house.shelve(answer(house.clock))
    etag = house.get().headers["etag"]
    tags = spelling.format(etag, strong=etag.removeprefix("W/"))
    reply = house.get(if_none_match=tags)
    assert (reply.status, reply.body) == (304, b"")
    assert reply.headers["etag"] == etag
    assert {"cache-control", "age", "vary", "x-ratelimit-remaining"} <= set(reply.headers)
    assert not {"content-type", "content-length"} & set(reply.headers)
    assert house.get(if_none_match='"other"').status == 200


def test_head_says_what_get_says_without_saying_it(house: House) -> None:
    house.shelve(answer(house.clock))
    get, head = house.get(), house.get(method="HEAD")
    assert head.body == b""
    quota = "x-ratelimit-remaining"
    assert head.headers | {quota: ""} == get.headers | {quota: ""}


def test_what_was_prepared_in_a_moment_is_not_sent_for_another_answer(house: House) -> None:
    house.shelve(answer(house.clock))
    assert house.get().json()["data"] == [{"rank": 1}]
    house.shelve(answer(house.clock, data=b'[{"rank":2}]'))
    assert house.get().json()["data"] == [{"rank": 2}]


@pytest.mark.parametrize(
    ("accept", "is_ours"),
    [
        ("*/*", True),
        ("application/json", True),
        ("text/csv, application/json;q=0.5", True),
        ("application/*", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("text/csv", False),
        ("application/ld+json", False),
    ],
)
def test_people_and_other_formats_are_djangos(house: House, accept: str, is_ours: bool) -> None:
    house.shelve(answer(house.clock))
    house.django.says, house.django.kind = 406, "text/plain"
    assert house.get(accept=accept).status == (200 if is_ours else 406)


def test_a_format_that_was_asked_for_is_djangos(house: House) -> None:
    house.shelve(answer(house.clock), query=b"limit=10&format=api")
    assert house.get(query=b"limit=10&format=api").status == 503
    assert len(house.django.asked) == 1


# -- Stale -----------------------------------------------------------------------------------


def test_a_stale_answer_is_looked_after_once_and_then_served_at_once(house: House) -> None:
    old = answer(house.clock)
    house.shelve(old)
    house.clock.tick(61)
    house.django.says = old.as_(Cached.REFRESHING)
    for _ in range(3):
        reply = house.get()
        assert (reply.meta["cache"], reply.meta["stale"]) == ("refreshing", True)
        assert reply.headers["cache-control"] == "no-cache"
        assert reply.headers["cache-status"] == "aggregator; hit; ttl=-1; detail=refreshing"
        assert (reply.meta["age_s"], reply.meta["fresh_for_s"]) == (61.0, 0.0)
    assert len(house.django.asked) == 1
    house.clock.tick(edge.LOOK_S)
    house.get()
    assert len(house.django.asked) == 2


def test_a_look_brings_what_another_process_shelved(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)
    newer = answer(house.clock, data=b'[{"rank":7}]')
    house.django.says = newer
    assert house.get().json()["data"] == [{"rank": 7}]


def test_nobody_waits_long_for_a_look(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)
    house.django.gate.clear()
    reply = house.get()
    house.django.gate.set()
    assert (reply.status, reply.meta["stale"], reply.meta["age_s"]) == (200, True, 61.0)


def test_a_stale_answer_beats_a_refusal_when_every_place_is_taken(clock: Clock) -> None:
    house = House(clock, threads=1)
    house.shelve(answer(clock))
    clock.tick(61)

    async def story() -> Reply:
        house.django.gate.clear()
        hanging = asyncio.create_task(house.ask(query=b"limit=11"))
        while not house.django.asked:
            await asyncio.sleep(0.001)
        reply = await house.ask()
        house.django.gate.set()
        await hanging
        return reply

    reply = run(story())
    assert (reply.status, reply.meta["cache"], reply.meta["stale"]) == (200, "stale", True)


def test_a_stale_answer_beats_an_error(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)
    assert house.get().status == 200


def test_a_purged_answer_is_not_served_again(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(61)

    async def story() -> Reply:
        house.django.gate.clear()
        asking = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        answers.board.clear()
        house.django.gate.set()
        return await asking

    is_problem(run(story()), 503, "unanswered")


def test_too_old_is_not_served_at_all(house: House) -> None:
    house.shelve(answer(house.clock))
    house.clock.tick(3600)
    is_problem(house.get(), 503, "unanswered")


# -- Misses ----------------------------------------------------------------------------------


async def together(house: House, *asking: Awaitable[Reply]) -> list[Reply]:
    """All of them at once: Django answers when the last has come."""
    house.django.gate.clear()
    tasks = [asyncio.ensure_future(one) for one in asking]
    while not house.django.asked:
        await asyncio.sleep(0.001)
    for _ in range(5):
        await asyncio.sleep(0)
    house.django.gate.set()
    return await asyncio.gather(*tasks)


def test_the_same_question_goes_to_django_once(house: House) -> None:
    house.django.says = answer(house.clock, cached=Cached.MISS)
    replies = run(together(house, *(house.ask(key="") for _ in range(20))))
    assert len(house.django.asked) == 1
    assert sorted(reply.meta["cache"] for reply in replies) == ["coalesced"] * 19 + ["miss"]
    assert replies[1].headers["cache-status"] == "aggregator; fwd=miss; collapsed"


def test_what_was_asked_once_is_known_at_the_edge(house: House) -> None:
    house.django.says = found = answer(house.clock, cached=Cached.MISS)
    assert house.get().meta["cache"] == "miss"
    answers.board.put(found)
    assert house.get().meta["cache"] == "hit"
    assert len(house.django.asked) == 1


def test_an_answer_that_lacks_something_is_not_taken_for_the_whole(house: House) -> None:
    prices = answer(house.clock, PriceQuery(("BTC",)))
    house.django.says = prices.telling([{"symbol": "NOPE", "reason": "unknown"}], [])
    answers.board.put(prices)
    for _ in range(2):
        reply = house.get("/api/market/price", b"symbols=BTC,NOPE")
        assert reply.meta["missing"] == [{"symbol": "NOPE", "reason": "unknown"}]
    assert len(house.django.asked) == 2


def test_those_who_wait_share_the_error_too(house: House) -> None:
    for reply in run(together(house, *(house.ask() for _ in range(3)))):
        is_problem(reply, 503, "unanswered")
    assert len(house.django.asked) == 1


def test_the_answer_comes_though_the_first_who_asked_has_gone(house: House) -> None:
    house.django.says = answer(house.clock, cached=Cached.MISS)

    async def story() -> Reply:
        house.django.gate.clear()
        first = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        second = asyncio.create_task(house.ask())
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.sleep(0)
        house.django.gate.set()
        return await second

    assert run(story()).meta["cache"] == "coalesced"


def test_those_who_wait_are_bounded(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "MOST_WAITING", 2)
    house.django.says = answer(house.clock, cached=Cached.MISS)
    replies = run(together(house, *(house.ask(key="") for _ in range(5))))
    assert sorted(reply.status for reply in replies) == [200, 200, 200, 503, 503]
    is_problem(next(reply for reply in replies if reply.status == 503), 503, "overloaded")
    assert house.edge.waiting == 0


def test_what_is_not_the_same_for_everybody_is_not_shared(house: House) -> None:
    house.django.says = 200
    run(together(house, house.ask("/api/status", b""), house.ask("/api/status", b"")))
    assert len(house.django.asked) == 2


def test_another_host_is_another_question(house: House) -> None:
    """Django refuses hosts that are not ours; that must not reach those who named the right one."""
    run(together(house, house.ask(), house.ask(host="evil.example")))
    assert {environ["HTTP_HOST"] for environ in house.django.asked} == {"localhost", "evil.example"}


def test_beyond_the_places_a_miss_is_refused_and_the_next_is_not(clock: Clock) -> None:
    house = House(clock, threads=1)
    house.django.says = answer(clock, cached=Cached.MISS)

    async def story() -> tuple[Reply, Reply]:
        house.django.gate.clear()
        hanging = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        refused = await house.ask(query=b"limit=11")
        house.django.gate.set()
        await hanging
        return refused, await house.ask(query=b"limit=12")

    refused, served = run(story())
    is_problem(refused, 503, "overloaded")
    assert refused.headers["retry-after"] == "1"
    assert served.status == 200


def test_the_status_is_told_while_every_question_hangs(clock: Clock) -> None:
    house = House(clock, threads=1)

    async def story() -> Reply:
        house.django.gate.clear()
        hanging = asyncio.create_task(house.ask())
        while not house.django.asked:
            await asyncio.sleep(0.001)
        status = asyncio.create_task(house.ask("/api/status", b""))
        while len(house.django.asked) < 2 and not status.done():
            await asyncio.sleep(0.001)
        house.django.gate.set()
        await hanging
        return await status

    house.django.says, house.django.kind = 200, "application/json"
    assert run(story()).status == 200


# -- Below /v1 -------------------------------------------------------------------------------


def test_what_the_edge_refuses_below_v1_has_the_shape_of_that_api(house: House) -> None:
    too_long = run(house.ask("/v1/chat/completions", b"", method="POST", body=[b"x" * 2**20] * 2))
    house.edge.pool.places[For.MODELS].free = house.edge.pool.places[For.MODELS].queue = 0
    no_place = run(house.ask("/v1/chat/completions", b"", method="POST"))
    for reply, status, code, kind in (
        (too_long, 413, "too_large", "invalid_request_error"),
        (no_place, 503, "overloaded", "server_error"),
    ):
        assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
        assert int(reply.headers["content-length"]) == len(reply.body)
        error = reply.json()["error"]
        assert (error["code"], error["type"], error["param"]) == (code, kind, None)
        assert error["message"]
    assert no_place.headers["retry-after"] == "1"
    is_problem(run(house.ask("/v1beta", b"")), 503, "unanswered")  # not that API's


# -- Who may ask -----------------------------------------------------------------------------


@pytest.mark.parametrize("header", [{"x_api_key": "{}"}, {"authorization": "Bearer {}"}])
def test_a_key_may_come_in_either_header(house: House, header: dict[str, str]) -> None:
    house.shelve(answer(house.clock))
    sent: dict[str, Any] = {name: value.format(KEY) for name, value in header.items()}
    assert house.get(key="", **sent).headers["x-ratelimit-limit"] == "5"


def test_an_unknown_key_is_refused_and_a_disabled_one_too(house: House) -> None:
    house.shelve(answer(house.clock))
    reply = house.get(key="agg_wrong")
    is_problem(reply, 401, "unauthorized")
    assert reply.headers["www-authenticate"] == "Bearer"
    is_problem(house.get(key=OFF), 403, "client_disabled")


def test_a_key_cannot_be_judged_before_the_clients_were_read(house: House) -> None:
    house.shelve(answer(house.clock))
    callers.forget()
    is_problem(house.get(), 503, "overloaded")
    assert house.get(key="").status == 200


def test_without_anonymous_access_nothing_is_for_shared_caches(house: House, settings: Any) -> None:
    settings.ANONYMOUS_ACCESS = False
    house.shelve(answer(house.clock))
    is_problem(house.get(key=""), 401, "unauthorized")
    headers = house.get().headers
    assert headers["cache-control"] == "private, max-age=60"
    assert headers["vary"] == "Accept, Authorization, X-API-Key"


def test_clients_share_the_answers_and_not_the_counters(house: House) -> None:
    house.shelve(answer(house.clock))
    left = [house.get(key=key).headers["x-ratelimit-remaining"] for key in (KEY, KEY, OTHER)]
    assert left == ["4", "3", "4"]
    assert not house.django.asked


def test_who_asks_too_often_is_told_when_to_come_again(house: House) -> None:
    house.shelve(answer(house.clock))
    replies = [house.get() for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 5 + [429]
    found = is_problem(replies[-1], 429, "throttled")
    assert replies[-1].headers["x-ratelimit-remaining"] == "0"
    assert replies[-1].headers["retry-after"] == str(found["retry_after_s"])
    assert 0 < found["retry_after_s"] <= 60


def test_whoever_sends_texts_too_often_is_told_so_too(house: House) -> None:
    house.django.says = 200
    path = "/api/sentiment/analyze"
    replies = [house.get(path, b"", method="POST", body=[b'{"text": "up"}']) for _ in range(6)]
    assert [reply.status for reply in replies] == [200] * 5 + [429]
    is_problem(replies[-1], 429, "throttled")
    assert len(house.django.asked) == 5


def test_an_invented_forwarded_address_changes_nothing(house: House, settings: Any) -> None:
    settings.ANONYMOUS_PER_MINUTE = 2
    house.shelve(answer(house.clock))
    statuses = [house.get(key="", x_forwarded_for=f"10.0.0.{n}").status for n in range(3)]
    assert statuses == [200, 200, 429]


def test_behind_a_proxy_of_ours_its_word_counts(house: House, settings: Any) -> None:
    settings.ANONYMOUS_PER_MINUTE, settings.TRUSTED_PROXY_HOPS = 1, 1
    house.shelve(answer(house.clock))
    chains = ["10.0.0.1, 198.51.100.1", "10.0.0.2, 198.51.100.1", "10.0.0.1, 198.51.100.2"]
    statuses = [house.get(key="", x_forwarded_for=chain).status for chain in chains]
    assert statuses == [200, 429, 200]


def test_only_the_edge_can_say_that_a_request_was_admitted(house: House) -> None:
    house.get("/api/status", b"", x_aggregator_caller="me", x_aggregator_admitted="1")
    house.get("/elsewhere", b"", x_aggregator_caller="me")
    of_the_api, page = house.django.asked
    assert of_the_api[callers.ADMITTED] == Caller("client:1", 5)
    assert callers.ADMITTED not in page


# -- What comes in ---------------------------------------------------------------------------


def test_a_header_with_an_underscore_is_not_taken_for_its_twin(house: House) -> None:
    headers = [(b"host", b"localhost"), (b"x_api_key", KEY.encode()), (b"content_length", b"9")]
    run(exchange(house.edge, scope_of("/api/status", b"", "GET", headers)))
    environ = house.django.asked[0]
    assert "HTTP_X_API_KEY" not in environ
    assert environ[callers.ADMITTED].anonymous
    assert environ["CONTENT_LENGTH"] == "0"


@given(
    path=st.text(max_size=40),
    query=st.binary(max_size=40),
    headers=st.lists(st.tuples(st.binary(max_size=9), st.binary(max_size=9)), max_size=4),
    body=st.binary(max_size=20),
)
def test_whatever_is_sent_has_a_wsgi_spelling(
    path: str, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    lower = [(name.lower(), value) for name, value in headers]
    environ = bridge.environ_of(scope_of(f"/{path}", query, "GET", lower), body)
    assert environ["QUERY_STRING"].isascii()
    environ["PATH_INFO"].encode("latin-1")
    assert all(isinstance(environ[name], str) for name in environ if name.startswith("HTTP_"))
    assert environ["wsgi.input"].read() == body
    assert not any(name.startswith("aggregator.") for name in environ)


def test_a_body_reaches_django_whole(house: House) -> None:
    house.django.says = 200
    house.get("/api/whatever", b"", method="POST", body=[b"ab", b"c"])
    environ = house.django.asked[0]
    assert (environ["CONTENT_LENGTH"], environ["wsgi.input"].read()) == ("3", b"abc")


def test_an_endless_body_is_cut_off(house: House) -> None:
    megabyte = b"x" * (wire.MOST_BODY // 2 + 1)
    reply = house.get("/api/whatever", b"", method="POST", body=[megabyte, megabyte, b"more"])
    is_problem(reply, 413, "too_large")
    assert not house.django.asked


def test_a_body_that_does_not_come_holds_no_thread(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "BODY_S", 0.02)

    async def story() -> Reply:
        scope = scope_of("/api/whatever", b"", "POST", [(b"host", b"localhost")])
        return await exchange(house.edge, scope, [])

    is_problem(run(story()), 408, "too_slow")
    assert not house.django.asked


class Chunks(list[bytes]):
    """What a WSGI handler returns; it has to be closed."""

    closed = False

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("status", "length"), [(200, b"3"), (404, b"3"), (304, None), (204, None)])
def test_a_response_has_a_length_where_it_may_have_a_body(
    status: int, length: bytes | None
) -> None:
    chunks = Chunks([b"ab", b"c"] if length else [])

    def handler(environ: dict[str, Any], start: Any) -> Chunks:
        start(f"{status} Word or two", [("X-Name", "value")])
        return chunks

    found = bridge.run(handler, {})
    assert isinstance(found, wire.Response)
    assert (found.status, found.body) == (status, b"".join(chunks))
    assert dict(found.headers).get(b"content-length") == length
    assert dict(found.headers)[b"x-name"] == b"value"
    assert chunks.closed


# -- What goes out ---------------------------------------------------------------------------


def test_a_django_that_breaks_is_a_problem_and_not_a_silence(house: House) -> None:
    house.django.says = "nonsense"  # type: ignore[assignment]
    is_problem(house.get(), 500, "error")
    is_problem(house.get("/elsewhere"), 500, "error")


def test_any_page_may_read_what_anybody_may_read(house: House) -> None:
    house.shelve(answer(house.clock))
    for reply in (house.get(), house.get("/api/status"), house.get(key="agg_wrong")):
        assert reply.headers["access-control-allow-origin"] == "*"
        assert "ETag" in reply.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in reply.headers


def test_a_browser_may_ask_first(house: House) -> None:
    reply = house.get(key="", method="OPTIONS", access_control_request_method="GET")
    assert (reply.status, reply.body) == (204, b"")
    assert "X-API-Key" in reply.headers["access-control-allow-headers"]
    assert "GET" in reply.headers["access-control-allow-methods"]
    assert not house.django.asked


def test_without_an_allowed_origin_no_page_is_told_anything(house: House, settings: Any) -> None:
    settings.CORS_ALLOW_ORIGIN = ""
    house.shelve(answer(house.clock))
    for reply in (house.get(), house.get(method="OPTIONS"), house.get(key="agg_wrong")):
        assert not [name for name in reply.headers if name.startswith("access-control")]


def test_every_answer_of_the_api_says_what_is_left(house: House) -> None:
    house.django.says, house.django.kind = 404, "application/json"
    for reply in (house.get("/api/nothing"), house.get(), house.get("/api/status", b"")):
        assert reply.headers["x-ratelimit-limit"] == "5"


def test_a_page_is_none_of_the_apis_business(house: House) -> None:
    house.django.says, house.django.kind = 200, "text/html"
    headers = house.get("/explore", b"").headers
    assert not [name for name in headers if name.startswith(("x-ratelimit", "access-control"))]


def test_hits_at_the_edge_count_as_demand(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[tuple[Query, int]] = []
    monkeypatch.setattr(demand, "note", lambda query, times: noted.append((query, times)))
    house.shelve(answer(house.clock))
    house.get()
    house.get()
    hot.settle()
    hot.settle()
    assert noted == [(MARKET, 2)]


def test_what_is_answered_is_counted_with_how_it_came_about(house: House) -> None:
    house.shelve(answer(house.clock))
    house.get()
    house.get(key="agg_wrong")
    house.django.says = answer(house.clock, cached=Cached.MISS)
    run(together(house, house.ask(query=b"limit=7"), house.ask(query=b"limit=7")))
    counted = traffic.traffic._counted()
    answered = {key[1]: number for key, number in counted.items() if key[0] == "answers"}
    requests = {key[1]: number for key, number in counted.items() if key[0] == "requests"}
    assert answered == {"hit": 1, "miss": 1, "coalesced": 1}
    assert requests == {"market 200": 3, "market 401": 1}
