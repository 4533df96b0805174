"""Whether a resource is there: what is asked of it, and what becomes of every kind of answer."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import reaching
from providers.errors import (
    Blocked,
    Broken,
    CircuitOpen,
    Garbled,
    OutOfTokens,
    ProviderError,
    Throttled,
    TimedOut,
    Unreachable,
)
from providers.models import Resource
from providers.reaching import reach, refusal, said, why_not
from providers.resilience import Breaker, Deadline
from providers.resources import Flag
from tests.providers.peer import Peer, always, dripping, numbers_only, once, peer, reply

pytestmark = pytest.mark.django_db

ADDRESS = "https://api.example.org/v1"
PAGE = b"<!DOCTYPE html><html><title>Hello</title></html>"


def resource(url: str = ADDRESS, **fields: Any) -> Resource:
    return Resource(slug="a", title="A", category="market", url=url, **fields)


@pytest.fixture
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers share one host: here it may be asked again at once."""
    monkeypatch.setattr(reaching, "HOST_PAUSE_S", 1e-4)
    monkeypatch.setattr(reaching, "_BREAKER", Breaker(rests=(1e-4,), ceiling=1e-4))


# -- Which are worth a look ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "spoken", "why"),
    [
        (resource(), False, ""),
        (resource(flags=["suspect", "testnet", "deprecated"]), False, ""),
        (resource(auth="required"), False, ""),
        (resource(kind="node", probe_rpc="eth_chainId"), False, ""),
        (resource(flags=["retired"]), False, "has ended"),
        (resource(flags=["paid_only"]), False, "paid"),
        (resource(flags=["terms_risk"]), False, "terms"),
        (resource(), True, "its provider"),
        (resource("https://API.ours.example./x"), False, "same host"),
        (resource("https://api.ours.example/owner/name", kind="model"), False, ""),
        (resource("https://a.example/{API_KEY}"), False, "no address"),
        (resource("wss://a.example"), False, "no address"),
        (resource("http://[broken"), False, "no address"),
        (resource(""), False, "no address"),
        (resource("wss://a.example", probe_url="https://a.example/ping"), False, ""),
        (resource("https://a/{KEY}", probe_url="https://a/x", probe_rpc="m"), False, "no address"),
    ],
)
def test_only_what_may_be_asked_without_a_key_and_by_nobody_else(
    row: Resource, spoken: bool, why: str
) -> None:
    told = why_not(row, {"api.ours.example"}, spoken)
    assert why in told
    assert bool(told) == bool(why)


# -- What an answer means: pure rules ------------------------------------------------------------

HEADERS = st.dictionaries(st.sampled_from(["Location", "Retry-After"]), st.text(max_size=60))


@given(st.integers(100, 999), HEADERS)
def test_any_answer_below_500_is_one_but_for_those_that_send_us_away(
    status: int, headers: dict[str, str]
) -> None:
    error = refusal(status, headers)
    match status:
        case 429:
            assert isinstance(error, Throttled)
        case 418 | 451:
            assert isinstance(error, Blocked)
        case _:
            assert isinstance(error, Broken) == (status >= 500)
            assert (error is None) == (status < 500)
    assert error is None or error.wait is None or 0 <= error.wait <= 7 * 86400


@given(st.integers(100, 499), HEADERS)
def test_an_answer_is_told_in_plain_words_whatever_it_says(
    status: int, headers: dict[str, str]
) -> None:
    words = said(status, headers, ADDRESS)
    assert (words == "") == (200 <= status < 300)
    assert len(words) <= 200
    assert re.fullmatch(r"[ -~]*", words), "what strangers write stays out"
    assert not words or f"(HTTP {status})" in words


def test_a_redirect_says_where_it_leads_if_elsewhere() -> None:
    here, away = {"Location": "/v2"}, {"Location": "https://Parked.example:8443/buy?me=1"}
    assert said(301, here, ADDRESS) == "answers, and sends on (HTTP 301)"
    assert said(302, away, ADDRESS) == "answers, and sends on to parked.example (HTTP 302)"


@pytest.mark.parametrize(
    ("status", "word"),
    [(401, "wants a key"), (403, "forbids"), (404, "nothing is at"), (410, "gone"), (400, "not")],
)
def test_a_refusal_is_an_answer_that_is_told(status: int, word: str) -> None:
    assert word in said(status, {}, ADDRESS)


# -- Asked on real sockets -----------------------------------------------------------------------


def test_it_is_asked_once_for_its_address_and_with_no_key(unhurried: None) -> None:
    with peer(always(reply(PAGE))) as server:
        found = reach(resource(server.url + "/v1", key_env=["MY_KEY"]), Deadline(5))
        (asked,) = server.requests
    assert (found.status, found.said) == (200, "")
    assert found.seconds > 0
    head = asked.decode().lower()
    assert head.startswith("get /v1 http/1.1")
    assert "user-agent: aggregator/" in head
    assert not re.search("authorization|cookie|key", head)


def test_a_node_is_asked_its_method(unhurried: None) -> None:
    with peer(always(reply())) as server:
        reach(resource(server.url, kind="node", probe_rpc="eth_chainId"), Deadline(5))
        (asked,) = server.requests
    assert asked.startswith(b"POST / ")
    assert json.loads(asked.partition(b"\r\n\r\n")[2])["method"] == "eth_chainId"


def test_a_redirect_is_not_followed(unhurried: None) -> None:
    with peer(always(reply())) as other:
        away = reply(b"", "302 Found", f"Location: {other.url.replace('127.0.0.1', 'localhost')}")
        with peer(always(away)) as server:
            found = reach(resource(server.url), Deadline(5))
        assert other.connections == 0
    assert found.said == "answers, and sends on to localhost (HTTP 302)"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n\r\n", bytes(65536), 0.0), id="flood"),
        pytest.param(dripping(b"HTTP/1.1 200 OK\r\n\r\n", b" ", 0.05), id="drip"),
        pytest.param(
            once(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"), id="promised"
        ),
        pytest.param(
            once(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip"), id="no gzip"
        ),
    ],
)
def test_of_a_huge_or_slow_body_nothing_is_read(
    behave: Callable[[Peer, socket.socket], None], unhurried: None
) -> None:
    with peer(behave) as server:
        began = time.monotonic()
        assert reach(resource(server.url), Deadline(5)).status == 200
        assert time.monotonic() - began < 2


def hanging(server: Peer, line: socket.socket) -> None:
    server.hear(line)
    server.over.wait(10)


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (hanging, TimedOut),
        (once(b""), Unreachable),
        (once(b"SSH-2.0-OpenSSH_9.6\r\n"), ProviderError),
        (always(reply(PAGE, "503 Service Unavailable")), Broken),
        (always(reply(PAGE, "429 Too Many Requests", "Retry-After: 30")), Throttled),
        (always(reply(PAGE, "451 No")), Blocked),
    ],
)
def test_who_does_not_answer_or_sends_us_away_is_told(
    behave: Callable[[Peer, socket.socket], None], error: type[ProviderError], unhurried: None
) -> None:
    with peer(behave) as server, pytest.raises(error) as caught:
        reach(resource(server.url), Deadline(0.5))
    assert "http://" not in str(caught.value)


def test_speech_that_is_no_http_is_garbled(unhurried: None) -> None:
    with peer(once(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")) as server, pytest.raises(Garbled):
        reach(resource(server.url), Deadline(5))


def test_plain_text_where_tls_was_expected_is_unreachable(unhurried: None) -> None:
    with peer(always(reply())) as server, pytest.raises(ProviderError):
        reach(resource(server.url.replace("http:", "https:")), Deadline(2))


def test_a_port_where_nobody_listens_is_unreachable(unhurried: None) -> None:
    with pytest.raises(Unreachable, match="no connection"):
        reach(resource("http://127.0.0.1:9"), Deadline(2))


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (socket.EAI_NONAME, "gone.example is a name that does not exist"),
        (socket.EAI_AGAIN, "gone.example has no address"),
    ],
)
def test_a_name_that_does_not_exist_is_told_from_a_name_server_that_is_away(
    number: int, words: str, monkeypatch: pytest.MonkeyPatch, unhurried: None
) -> None:
    def nothing() -> None:
        raise socket.gaierror(number, "as libc says")

    monkeypatch.setattr(socket, "getaddrinfo", numbers_only(nothing))
    with pytest.raises(Unreachable, match=words):
        reach(resource("http://gone.example"), Deadline(2))


def test_an_address_of_our_own_network_is_not_asked(settings: Any, unhurried: None) -> None:
    settings.ALLOW_PRIVATE_UPSTREAMS = ()
    with peer(always(reply())) as server:
        with pytest.raises(Unreachable, match="loopback"):
            reach(resource(server.url), Deadline(2))
        assert server.connections == 0


# -- One host is never asked in a burst ----------------------------------------------------------


def test_entries_of_one_host_wait_for_each_other() -> None:
    with peer(always(reply())) as server:
        reach(resource(server.url + "/one"), Deadline(2))
        with pytest.raises(OutOfTokens) as caught:
            reach(resource(server.url + "/two"), Deadline(2))
        assert server.connections == 1
    assert 0 < (caught.value.wait or 0) <= reaching.HOST_PAUSE_S


def test_a_429_holds_for_the_whole_host_and_a_failure_for_its_entry_alone(
    unhurried: None,
) -> None:
    with peer(always(reply(b"", "500 No"))) as broken, pytest.raises(Broken):
        reach(resource(broken.url), Deadline(2))
    busy = reply(b"", "429 Slow", "Retry-After: 90")
    with peer(always(busy)) as server, pytest.raises(Throttled):
        reach(resource(server.url), Deadline(2))
    with peer(always(reply())) as server:
        with pytest.raises(CircuitOpen) as caught:
            reach(resource(server.url), Deadline(2))
        assert server.connections == 0
    assert 80 < (caught.value.wait or 0) <= 90


def test_every_flag_is_decided_on() -> None:
    asked = {flag for flag in Flag if not why_not(resource(flags=[flag]), (), False)}
    assert asked == {Flag.DEPRECATED, Flag.SUSPECT, Flag.TESTNET}
