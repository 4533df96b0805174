"""Every fault does to a real caller on a real socket what it says."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Iterator
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPResponse, IncompleteRead, RemoteDisconnected
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.sandbox.faults import NONE, Fault, Rule, Rules
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import running
from providers.sandbox.wire import Request
from tests.providers.sandbox.asking import NOW

TICKER = "/api.binance.com/api/v3/ticker/24hr?symbol=BTCUSDT"
PATIENCE_S = 10.0


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with running(Sandbox(clock=lambda: NOW)) as url:
        yield int(url.rpartition(":")[2])


class Call:
    """One request; `response` is there as soon as its head is."""

    def __init__(self, port: int, fault: str = "", path: str = TICKER) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        self.connection.request("GET", path, headers={"X-Sandbox-Fault": fault} if fault else {})

    @property
    def response(self) -> HTTPResponse:
        return self.connection.getresponse()

    def __enter__(self) -> Call:
        return self

    def __exit__(self, *failure: object) -> None:
        self.connection.close()


def asked(port: int, fault: str = "", path: str = TICKER) -> tuple[int, Any, bytes]:
    with Call(port, fault, path) as call:
        response = call.response
        return response.status, response.headers, response.read()


def test_without_a_fault_all_is_well(port: int) -> None:
    status, headers, body = asked(port)
    assert status == 200
    assert int(headers["Content-Length"]) == len(body)
    assert orjson.loads(body)["symbol"] == "BTCUSDT"


@pytest.mark.parametrize("status", [400, 403, 418, 429, 451, 500, 503, 520])
def test_a_status_comes_with_the_providers_own_body(port: int, status: int) -> None:
    found, headers, body = asked(port, f"status={status}")
    assert (found, headers["Retry-After"]) == (status, None)
    assert set(orjson.loads(body)) == {"code", "msg"}


@pytest.mark.parametrize("after", ["30", "Wed, 18 Nov 2026 12:00:00 GMT", "soon"])
def test_a_retry_after_says_what_it_is_told(port: int, after: str) -> None:
    status, headers, _ = asked(port, f"status=429;retry_after={after}")
    assert (status, headers["Retry-After"]) == (429, after)


def test_every_provider_fails_in_its_own_words(port: int) -> None:
    said: dict[str, Callable[[Any], Any]] = {
        "/api.kraken.com/0/public/Time": lambda body: body["error"],
        "/api.coingecko.com/api/v3/ping": lambda body: body["status"]["error_code"] == 429,
        "/api.exchange.coinbase.com/time": lambda body: "limit" in body["message"],
        "/api.coinpaprika.com/v1/global": lambda body: "limit" in body["error"],
        "/www.okx.com/api/v5/public/time": lambda body: body["code"] == "50011",
        "/api.bybit.com/v5/market/time": lambda body: body["retCode"] == 10006,
        "/api.kucoin.com/api/v1/timestamp": lambda body: body["code"] == "429000",
        "/api.gateio.ws/api/v4/spot/time": lambda body: body["label"] == "TOO_MANY_REQUESTS",
        "/api-pub.bitfinex.com/v2/platform/status": lambda body: "RATE_LIMIT" in body["error"],
        "/newsapi.org/v2/everything": lambda body: body["code"] == "rateLimited",
        "/api.stlouisfed.org/fred/series?file_type=json": lambda body: body["error_code"] == 429,
    }
    for path, right in said.items():
        status, _, body = asked(port, "status=429", path)
        assert status == 429
        assert right(orjson.loads(body)), path


def test_a_delay_comes_before_the_first_byte(port: int) -> None:
    started = time.monotonic()
    with Call(port, "delay=0.2") as call:
        assert call.response.status == 200
        assert time.monotonic() - started >= 0.2


def test_a_drip_is_headers_at_once_and_bytes_one_by_one(port: int) -> None:
    started = time.monotonic()
    with Call(port, "drip=0.02", "/api.binance.com/api/v3/time") as call:
        response = call.response
        head_after = time.monotonic() - started
        body = response.read()
    assert orjson.loads(body)["serverTime"] == int(NOW * 1000)
    assert time.monotonic() - started >= 0.02 * len(body)
    assert head_after < 0.02 * len(body)


def test_a_reset_is_a_reset(port: int) -> None:
    with Call(port, "reset") as call, pytest.raises(ConnectionResetError) as caught:
        _ = call.response
    assert not isinstance(caught.value, RemoteDisconnected)


def test_a_truncated_answer_promises_more_than_it_holds(port: int) -> None:
    _, _, whole = asked(port)
    with Call(port, "truncate") as call, pytest.raises(IncompleteRead) as caught:
        call.response.read()
    assert caught.value.partial == whole[: len(whole) // 2]


def test_a_malformed_answer_is_of_full_length_and_no_json(port: int) -> None:
    status, headers, body = asked(port, "malformed")
    assert (status, int(headers["Content-Length"])) == (200, len(body))
    assert headers["Content-Type"].startswith("application/json")
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(body)


def test_a_page_comes_instead_of_data_with_any_status(port: int) -> None:
    for fault, expected in (("html", 200), ("html;status=503", 503)):
        status, headers, body = asked(port, fault)
        assert (status, headers["Content-Type"]) == (expected, "text/html; charset=utf-8")
        assert body.startswith(b"<!DOCTYPE html>")


def test_types_turn_numbers_into_words_and_objects(port: int) -> None:
    right, wrong = (orjson.loads(asked(port, fault)[2]) for fault in ("", "types"))
    assert set(wrong) == set(right)
    assert wrong["symbol"] == right["symbol"]
    changed = {type(wrong[name]) for name in right if name != "symbol"}
    assert changed == {str, dict}
    assert all(wrong[name] != right[name] for name in right if name != "symbol")


def test_a_redirect_leads_where_it_is_told(port: int) -> None:
    status, headers, _ = asked(port, "redirect=https://elsewhere.example/")
    assert (status, headers["Location"]) == (302, "https://elsewhere.example/")


def test_a_redirect_of_a_host_to_itself_stays_in_the_sandbox(port: int) -> None:
    status, headers, _ = asked(port, path="/www.coindesk.com/arc/outboundfeeds/rss/")
    assert (status, headers["Location"]) == (308, "/www.coindesk.com/arc/outboundfeeds/rss")


def test_a_bomb_is_small_on_the_wire_and_large_unpacked(port: int) -> None:
    _, headers, body = asked(port, "bomb=8")
    assert headers["Content-Encoding"] == "gzip"
    assert len(body) < 20_000
    assert len(gzip.decompress(body)) == 8 << 20


def test_a_skewed_clock_moves_stamps_header_and_prices(port: int) -> None:
    _, headers, body = asked(port, "skew=-7200")
    document, honest = orjson.loads(body), orjson.loads(asked(port)[2])
    assert document["closeTime"] == honest["closeTime"] - 7_200_000
    assert document["lastPrice"] != honest["lastPrice"]
    assert parsedate_to_datetime(headers["Date"]).timestamp() == int(NOW) - 7200


def test_a_hanging_answer_never_comes(port: int) -> None:
    call = Call(port, "hang")
    assert call.connection.sock is not None
    call.connection.sock.settimeout(0.3)
    with pytest.raises(TimeoutError):
        _ = call.response
    call.connection.close()
    assert asked(port)[0] == 200


def test_faults_join(port: int) -> None:
    started = time.monotonic()
    status, headers, body = asked(port, "delay=0.1; status=503; retry_after=5; malformed")
    assert (status, headers["Retry-After"], body[-1:]) == (503, "5", b"<")
    assert time.monotonic() - started >= 0.1


@pytest.mark.parametrize(
    "text",
    ["nonsense", "status", "status=99", "status=abc", "delay=-1", "delay=nan", "delay=inf",
     "hang=1", "redirect=", "bomb=0", "bomb=99999", "skew=x", "skew=inf", "retry_after=a\nb: c",
     ";;"],
)  # fmt: skip
def test_nonsense_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="fault"):
        Fault.parse(text)


def test_a_header_of_nonsense_is_answered_in_words(port: int) -> None:
    status, _, body = asked(port, "nonsense")
    assert status == 400
    assert "nonsense" in orjson.loads(body)["error"]


# -- Rules -----------------------------------------------------------------------------------


def request(host: str = "a.example", path: str = "/v1/x") -> Request:
    return Request("GET", host, path)


@given(st.integers(1, 20), st.integers(0, 30))
def test_a_rule_is_used_up_exactly(times: int, asks: int) -> None:
    rules = Rules()
    rules.add(Rule("a.example", "status=503", times=times))
    found = [rules.take(request()) for _ in range(asks)]
    assert found == [Fault(status=503)] * min(times, asks) + [NONE] * max(0, asks - times)


def test_a_rule_meets_its_host_and_path_alone() -> None:
    rules = Rules()
    rules.add(Rule("a.example", "reset", path="/v1/"))
    assert rules.take(request()) == Fault(reset=True)
    assert rules.take(request(path="/v2/x")) == NONE
    assert rules.take(request(host="b.example")) == NONE


def test_rules_queue_up() -> None:
    rules = Rules()
    rules.add(Rule("a.example", "status=500", times=1))
    rules.add(Rule("a.example", "status=503", times=1))
    assert [rules.take(request()).status for _ in range(3)] == [500, 503, 0]


def test_a_rule_by_chance_strikes_about_so_often_and_repeats_with_its_seed() -> None:
    def struck(seed: int) -> list[bool]:
        rules = Rules(seed)
        rules.add(Rule("a.example", "hang", probability=0.3))
        return [rules.take(request()).hang for _ in range(1000)]

    assert 230 < sum(struck(1)) < 370
    assert struck(1) == struck(1)
    assert struck(1) != struck(2)


def test_clearing_ends_all_rules_or_those_of_a_host() -> None:
    rules = Rules()
    for host in ("a.example", "b.example"):
        rules.add(Rule(host, "hang"))
    rules.clear("a.example")
    assert [rule["host"] for rule in rules.listed()] == ["b.example"]
    rules.clear()
    assert rules.listed() == []


@pytest.mark.parametrize(
    "document",
    [[], {}, {"host": "a"}, {"fault": "reset"}, {"host": "a", "fault": "nope"},
     {"host": "a", "fault": "reset", "times": 0}, {"host": "a", "fault": "reset", "times": "1"},
     {"host": "a", "fault": "reset", "probability": 0}, {"host": "a", "fault": "reset", "x": 1},
     {"host": "", "fault": "reset"}, {"host": "a", "fault": "reset", "path": 1}],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        Rule.read(document)
