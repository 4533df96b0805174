"""What an adapter asks, what arrives, and what a reply means."""

from __future__ import annotations

import gzip
import json
import os
import socket
import time
import traceback
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import transport
from providers.adapters.base import Auth, Reading, Reply
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
)
from providers.http import _target as target
from providers.http import decode, retry_after
from providers.redaction import redact
from providers.transport import MAX_BODY
from tests.providers.peer import (
    KEY,
    Peer,
    Plain,
    always,
    peer,
    reply,
    upstream,
)


class TestDecoding:
    @given(st.decimals(allow_nan=False, allow_infinity=False))
    def test_no_digit_is_lost(self, number: Decimal) -> None:
        found = decode(json.dumps({"price": 0}).replace("0", str(number)).encode())["price"]
        assert str(Decimal(found)) == str(number)

    @given(st.integers())
    def test_whole_numbers_stay_whole(self, number: int) -> None:
        assert decode(str(number).encode()) == number
        assert type(decode(str(number).encode())) is int

    @pytest.mark.parametrize("text", ["1e-8", "0.10", "1.0", "-0.0", "123456789012345678.12345678"])
    def test_a_number_with_a_point_is_a_decimal_as_sent(self, text: str) -> None:
        found = decode(text.encode())
        assert type(found) is Decimal
        assert found == Decimal(text)

    @pytest.mark.parametrize(
        ("body", "looks"),
        [
            (b"", "nothing"),
            (b"  \n", "nothing"),
            (b"<!doctype html><p>sesame", "HTML or XML"),
            (b"error: sesame", "some text"),
            (b'{"a": "sesame"', "a broken object"),
            (b"[1, 2", "a broken list"),
            (b"NaN", "some text"),
            (b"[Infinity]", "a broken list"),
            (b"[-Infinity]", "a broken list"),
            (b'{"a": "\xff sesame"}', "a broken object"),
            ('{"a": 1}'.encode("utf-16"), "some text"),
            (b"[" * 100_000, "a broken list"),
            (b'{"a":' * 100_000, "a broken object"),
            (b"1" * 5000, "some text"),
            (b"[1e99999999999999999999]", "a broken list"),
            (b"{} {}", "a broken object"),
        ],
    )
    def test_what_is_no_json_is_garbled_and_never_quoted(self, body: bytes, looks: str) -> None:
        with pytest.raises(Garbled) as caught:
            decode(body)
        assert str(caught.value) == f"not JSON but {looks}"
        assert "sesame" not in "".join(traceback.format_exception(caught.value))

    def test_a_byte_order_mark_is_tolerated(self) -> None:
        assert decode(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}

    def test_half_a_surrogate_pair_can_be_written_as_utf8_again(self) -> None:
        found = decode(rb'{"\ud83d": ["\udc00x", {"deep": "\uD800"}], "whole": "\ud83d\ude00"}')
        assert json.dumps(found, ensure_ascii=False).encode()
        assert found["whole"] == "\N{GRINNING FACE}"

    def test_the_fast_scanner_does_it(self) -> None:
        from providers import http as subject

        scanner = vars(subject._decoder)["scan_once"]
        assert type(scanner).__module__ == "_json"


class TestAsking:
    def test_path_and_parameters_arrive(self) -> None:
        with peer(always(reply(b'{"a": 1.10}'))) as server:
            found = upstream(f"{server.url}/api/").get(
                "/v3/x", ids="a,b", list='["A","B"]', none=None, yes=True, n=3
            )
        assert found == {"a": Decimal("1.10")}
        line = server.requests[0].split(b"\r\n")[0].decode()
        assert line == (
            "GET /api/v3/x?ids=a%2Cb&list=%5B%22A%22%2C%22B%22%5D&yes=true&n=3 HTTP/1.1"
        )

    def test_a_path_cannot_leave_the_host(self) -> None:
        with peer(always(reply())) as server:
            for path in ("@evil.example/", ".evil.example/", "//evil.example/", "http://evil/"):
                upstream(server.url).get(path)
        assert len(server.requests) == 4
        assert all(f"Host: 127.0.0.1:{server.port}".encode() in r for r in server.requests)

    def test_headers_are_ours_unless_the_adapter_says_otherwise(self) -> None:
        class Named(Plain):
            headers = {"User-Agent": "special/1", "X-More": "yes"}

        with peer(always(reply())) as server:
            upstream(server.url).get("/")
            upstream(server.url, adapter=Named).get("/")
        assert b"User-Agent: aggregator/0.1.0\r\n" in server.requests[0]
        assert b"Accept-Encoding: gzip, deflate\r\n" in server.requests[0]
        assert b"User-Agent: special/1\r\n" in server.requests[1]
        assert b"X-More: yes\r\n" in server.requests[1]

    def test_a_post_carries_json(self) -> None:
        with peer(always(reply(b'{"result": "0x1"}'))) as server:
            assert upstream(server.url).post("", {"id": 1}) == {"result": "0x1"}
        assert server.requests[0].endswith(b'{"id": 1}')
        assert b"Content-Type: application/json" in server.requests[0]

    def test_a_body_is_fetched_as_it_is_whatever_its_type(self) -> None:
        body = b"<rss>\xff</rss>"
        with peer(always(reply(body, "200 OK", "Content-Type: application/json"))) as server:
            found = upstream(server.url).fetch("/feed")
        assert (found.status, found.body) == (200, body)
        assert found.headers["content-TYPE"] == "application/json"

    @pytest.mark.parametrize(
        ("auth", "shown"),
        [
            (Auth(header="x-cg-demo-api-key"), f"x-cg-demo-api-key: {KEY}"),
            (Auth(header="Authorization", prefix="Bearer "), f"Authorization: Bearer {KEY}"),
            (Auth(param="apikey"), "apikey=k3yThatNobodyMaySee%2F%2B"),
        ],
    )
    def test_the_key_is_placed_where_the_provider_wants_it(self, auth: Auth, shown: str) -> None:
        with peer(always(reply())) as server:
            upstream(server.url, key=KEY, auth=auth).get("/", a=1)
        assert shown.encode() in server.requests[0]

    def test_the_key_is_redacted_from_now_on_wherever_it_turns_up(self) -> None:
        key = f"no-known-shape-{time.monotonic_ns()}"
        assert redact(f"you sent {key}") == f"you sent {key}"
        upstream("http://127.0.0.1:1", key=key, auth=Auth(param="key"))
        assert redact(f"you sent {key}") == "you sent ***"

    def test_a_key_that_could_forge_a_header_is_refused_unsent(self) -> None:
        with pytest.raises(BadKey) as caught:
            upstream("http://127.0.0.1:1", key="key\r\nX: y", auth=Auth(header="X-Api-Key"))
        assert "X: y" not in str(caught.value)

    def test_connections_are_kept_and_shared_between_threads(self) -> None:
        with peer(always(reply())) as server:
            upstream(server.url).get("/")
            with ThreadPoolExecutor(1) as pool:
                pool.submit(upstream(server.url).get, "/").result()
        assert len(server.requests) == 2
        assert server.connections == 1

    def test_threads_get_their_own_answers(self) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            while asked := server.hear(line):
                line.sendall(reply(asked.split(b"?n=")[1].split(b" ")[0]))

        with peer(behave) as server, ThreadPoolExecutor(8) as pool:
            found = pool.map(lambda n: upstream(server.url).get("/", n=n), range(200))
            assert list(found) == list(range(200))

    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # it has threads
    def test_a_forked_process_has_connections_of_its_own(self) -> None:
        with peer(always(reply())) as server:
            upstream(server.url).get("/")
            child = os.fork()
            if not child:
                upstream(server.url).get("/")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            upstream(server.url).get("/")
        assert server.connections == 2

    def test_nothing_is_taken_from_the_environment(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        (tmp_path / ".netrc").write_text("default login me password sesame\n")
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        monkeypatch.setenv("no_proxy", "")
        monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
        with peer(always(reply())) as server:
            assert upstream(server.url).get("/") == {}
        assert b"Authorization" not in server.requests[0]

    def test_cookies_are_not_kept(self) -> None:
        with peer(always(reply(b"{}", "200 OK", "Set-Cookie: visitor=1"))) as server:
            upstream(server.url).get("/")
            upstream(server.url).get("/")
        assert b"Cookie" not in server.requests[1]

    def test_a_resting_connection_is_not_trusted_for_ever(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with peer(always(reply())) as server:
            upstream(server.url).get("/")
            monkeypatch.setattr(transport, "MOST_REST", 0.0)
            upstream(server.url).get("/")
        assert server.connections == 2


class Dialect(Plain):
    """Says "Slow down" inside a 200, and its budget in a header."""

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        match reply.json()["error"]:
            case "slow down":
                return Throttled("slow down")
            case "plan":
                return PlanLimit("plan")
        return None

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        yield Reading(per_s=60, used=float(headers["X-Used"]))


class TestMeaning:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            ("400 Bad Request", Garbled),
            ("401 Unauthorized", BadKey),
            ("402 Payment Required", BadKey),
            ("403 Forbidden", BadKey),
            ("404 Not Found", Missing),
            ("408 Request Timeout", Broken),
            ("418 Teapot", Blocked),
            ("422 Unprocessable", Garbled),
            ("429 Too Many Requests", Throttled),
            ("451 Legal", Blocked),
            ("500 Oops", Broken),
            ("503 Busy", Broken),
            ("520 Cloudflare", Broken),
            ("304 Not Modified", Garbled),
            ("300 Choices", Garbled),
            ("302 Found", Garbled),  # to nowhere: no Location
        ],
    )
    def test_a_status_means(self, status: str, kind: type[ProviderError]) -> None:
        body = b"" if status.startswith("304") else b"<html>no</html>"
        with (
            peer(always(reply(body, status, "Retry-After: 7"))) as server,
            pytest.raises(ProviderError) as caught,
        ):
            upstream(server.url).get("/")
        assert type(caught.value) is kind
        assert str(caught.value) == f"HTTP {status[:3]}"
        assert caught.value.wait == 7

    def test_a_retry_after_on_success_is_no_failure(self) -> None:
        with peer(always(reply(b"[]", "200 OK", "Retry-After: 7"))) as server:
            assert upstream(server.url).get("/") == []

    def test_the_dialect_is_asked_first_even_inside_a_200(self) -> None:
        answer = reply(b'{"error": "slow down"}', "200 OK", "Retry-After: 9")
        with peer(always(answer)) as server, pytest.raises(Throttled, match="slow down") as caught:
            upstream(server.url, adapter=Dialect).get("/")
        assert caught.value.wait == 9

    def test_the_dialect_outranks_the_status(self) -> None:
        with (
            peer(always(reply(b'{"error": "plan"}', "401 No"))) as server,
            pytest.raises(PlanLimit),
        ):
            upstream(server.url, adapter=Dialect).get("/")

    @pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b"null", b""])
    def test_an_error_page_the_dialect_cannot_read_is_judged_by_status(self, body: bytes) -> None:
        with peer(always(reply(body, "502 Bad Gateway"))) as server, pytest.raises(Broken):
            upstream(server.url, adapter=Dialect).get("/")

    def test_readings_and_bytes_add_up_also_over_failures(self) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            server.hear(line)
            line.sendall(reply(b'{"error":""}', "200 OK", "X-Used: 5"))
            server.hear(line)
            line.sendall(reply(b'{"error":""}', "429 Slow", "X-Used: 6"))
            server.hear(line)
            line.sendall(reply(b'{"error":""}', "200 OK", "X-Used: soon"))

        with peer(behave) as server:
            asked = upstream(server.url, adapter=Dialect)
            asked.get("/")
            with pytest.raises(Throttled):
                asked.get("/")
            asked.get("/")
        assert [reading.used for reading in asked.readings] == [5, 6]
        assert asked.bytes_read == 36

    def test_a_reply_is_decoded_once(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from providers import http as subject

        decoded: list[bytes] = []

        def counting(body: bytes) -> Any:
            decoded.append(body)
            return decode(body)

        monkeypatch.setattr(subject, "decode", counting)
        with peer(always(reply(b'{"error": ""}'))) as server:
            upstream(server.url, adapter=Dialect).get("/")
        assert len(decoded) == 1

    def test_retry_after_in_seconds_or_as_a_date(self) -> None:
        now = datetime.now(UTC)
        later = format_datetime(now + timedelta(seconds=90), usegmt=True)
        theirs = format_datetime(now + timedelta(hours=5), usegmt=True)
        theirs_later = format_datetime(now + timedelta(hours=5, seconds=60), usegmt=True)
        assert retry_after({"Retry-After": "120"}) == 120
        assert retry_after({"Retry-After": "0.5"}) == 0.5
        assert retry_after({"Retry-After": later}) == pytest.approx(90, abs=5)
        assert retry_after({"Retry-After": theirs_later, "Date": theirs}) == 60
        assert retry_after({"Retry-After": theirs, "Date": theirs_later}) == 0
        assert retry_after({"Retry-After": "-5"}) == 0
        assert retry_after({"Retry-After": "9" * 20}) == 7 * 86400

    @given(st.text())
    def test_a_nonsensical_retry_after_says_nothing(self, value: str) -> None:
        found = retry_after({"Retry-After": value})
        assert found is None or 0 <= found <= 7 * 86400

    @pytest.mark.parametrize("value", ["", "soon", "nan", "inf", "9" * 400, "Mon, 99 Foo 2026"])
    def test_no_number_and_no_date_is_no_wait(self, value: str) -> None:
        assert retry_after({"Retry-After": value}) is None


class TestRedirects:
    def test_followed_on_the_same_host_and_the_key_goes_along(self) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            while asked := server.hear(line):
                moved = b"/old" in asked.split(b"\r\n")[0]
                answer = reply(b"x", "301 Moved", "Location: /new?a=1") if moved else reply(b"[1]")
                line.sendall(answer)

        with peer(behave) as server:
            asked = upstream(server.url, key=KEY, auth=Auth(header="X-Api-Key"))
            assert asked.get("/old", a=1) == [1]
        assert server.requests[1].startswith(b"GET /new?a=1 HTTP/1.1")
        assert KEY.encode() in server.requests[1]

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_never_followed_to_another_host_or_port(self, host: str) -> None:
        with peer(always(reply())) as other:
            location = f"Location: http://{host}:{other.port}/"
            with (
                peer(always(reply(b"", "302 Found", location))) as server,
                pytest.raises(Garbled, match="redirect to another host"),
            ):
                upstream(server.url, key=KEY, auth=Auth(param="key")).get("/")
        assert other.connections == 0

    @pytest.mark.parametrize(
        "location", ["file:///etc/passwd", "//user@127.0.0.1/", "http://[/", "http://h:port/"]
    )
    def test_never_followed_to_nonsense(self, location: str) -> None:
        with (
            peer(always(reply(b"", "302 Found", f"Location: {location}"))) as server,
            pytest.raises(Garbled, match="redirect to"),
        ):
            upstream(server.url).get("/")

    def test_a_circle_ends_after_three(self) -> None:
        with (
            peer(always(reply(b"", "302 Found", "Location: /"))) as server,
            pytest.raises(Garbled, match="more than 3 redirects"),
        ):
            upstream(server.url).get("/")
        assert len(server.requests) == 4

    def test_upwards_to_tls_on_the_same_host_but_not_downwards(self) -> None:
        assert target("http://a.example/x", "https://a.example/y") == "https://a.example/y"
        assert target("http://a.example:80/x", "https://a.example:443/y")
        for here, there in (
            ("https://a.example/", "http://a.example/"),
            ("http://a.example/", "https://b.example/"),
            ("http://a.example/", "https://a.example:8443/"),
            ("http://a.example:8080/", "https://a.example/"),
            ("https://a.example/", "https://a.example:444/"),
        ):
            with pytest.raises(Garbled):
                target(here, there)

    def test_a_post_is_repeated_as_a_post_or_not_at_all(self) -> None:
        def behave(server: Peer, line: socket.socket) -> None:
            server.hear(line)
            line.sendall(reply(b"", "307 Moved", "Location: /there"))
            server.hear(line)
            line.sendall(reply(b"[]"))
            server.hear(line)
            line.sendall(reply(b"", "302 Found", "Location: /there"))

        with peer(behave) as server:
            asked = upstream(server.url)
            assert asked.post("/here", {"id": 1}) == []
            with pytest.raises(Garbled, match="HTTP 302"):
                asked.post("/here", {"id": 1})
        assert server.requests[1].startswith(b"POST /there")
        assert server.requests[1].endswith(b'{"id": 1}')

    def test_the_body_of_a_redirect_is_bounded_like_any_other(self) -> None:
        bomb = gzip.compress(bytes(20 * MAX_BODY))
        headers = ("Content-Encoding: gzip", "Location: /")
        with (
            peer(always(reply(bomb, "302 Found", *headers))) as server,
            pytest.raises(Garbled, match="more than"),
        ):
            upstream(server.url).get("/")
