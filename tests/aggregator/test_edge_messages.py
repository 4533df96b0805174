"""What comes in at the edge and what goes out: headers, bodies, and what is counted."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import bridge, callers, demand, hot, traffic, wire
from aggregator.answers import Cached
from providers.datasets import Query
from tests.aggregator.edges import (
    KEY,
    MARKET,
    House,
    Reply,
    answer,
    exchange,
    is_problem,
    run,
    scope_of,
    together,
)
from tests.aggregator.edges import _clients as _clients
from tests.aggregator.edges import house as house

# -- What comes in -----------------------------------------------------------------------------


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


# -- What goes out -----------------------------------------------------------------------------


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
    answered, asked = traffic.traffic._answers, traffic.traffic._places
    requests = {key: sum(places[:-1]) for key, places in asked.items()}
    assert answered == {"hit": 1, "miss": 1, "coalesced": 1}
    assert requests == {("market", 200): 3, ("market", 401): 1}
