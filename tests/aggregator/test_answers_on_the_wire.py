"""
The whole thing: a server in a process of its own, as the Procfile starts it, on a database of its
own, with a stub provider. What can be told without a socket stands in test_edge.py.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest
import requests

from aggregator.models import hash_key
from tests.bench.house import KEY, House, Stub, house, provider

HEADERS = {"X-API-Key": KEY}
SPENT, OFF = "agg_spent" + "x" * 30, "agg_off" + "x" * 30
MODEST, LEAVING = "agg_modest" + "x" * 30, "agg_leaving" + "x" * 30
CLIENTS: dict[str, dict[str, Any]] = {
    "leaving": {"key": LEAVING, "per_minute": 100_000},
    "everyday few": {"key": MODEST, "per_minute": 40},
    "modest": {"key": SPENT, "per_minute": 1},
    "off": {"key": OFF, "enabled": False},
}


@pytest.fixture(scope="module")
def stub() -> Iterator[Stub]:
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def gateway(stub: Stub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The one that nothing bad happens to."""
    folder = tmp_path_factory.mktemp("gateway")
    with house(folder, [stub.row("usual")], clients=CLIENTS) as running:
        yield running


@pytest.fixture
def narrow(stub: Stub, tmp_path: Path) -> Iterator[House]:
    """One with four places for questions, and a provider that is given up soon and rests little."""
    row = stub.row("narrow", timeout_s=2, rests_s=[0.1], rest_ceiling_s=0.1)
    small = {"WEB_THREADS": "4", "WEB_QUEUE": "2", "UPSTREAM_PATIENCE_S": "3"}
    with house(tmp_path, [row], small) as running:
        yield running


async def _exchange(port: int, path: str, start: asyncio.Event) -> tuple[float, int, Any]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    await start.wait()
    began = time.perf_counter()
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", f"X-API-Key: {KEY}", "Connection: close"]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    seconds = time.perf_counter() - began
    writer.close()
    return seconds, int(head.split()[1]), json.loads(body)


def at_once(houses: Sequence[str], paths: Sequence[str]) -> list[tuple[float, int, Any]]:
    """Seconds, status and body of every question, asked at once, of the servers in turn."""

    async def story() -> list[tuple[float, int, Any]]:
        start = asyncio.Event()
        ports = [int(url.rpartition(":")[2]) for url in houses]
        tasks = [
            asyncio.create_task(_exchange(ports[n % len(ports)], path, start))
            for n, path in enumerate(paths)
        ]
        await asyncio.sleep(0.2)  # every connection stands
        start.set()
        return await asyncio.gather(*tasks)

    return asyncio.run(asyncio.wait_for(story(), 60))


def raw(url: str, request: bytes) -> tuple[int, bytes]:
    """Status and body of what may not even be HTTP."""
    port = int(url.rpartition(":")[2])
    with closing(socket.create_connection(("127.0.0.1", port), timeout=20)) as line:
        line.sendall(request)
        reply = b""
        while chunk := line.recv(65536):
            reply += chunk
    head, _, body = reply.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def until(what: Any, seconds: float) -> float:
    """How long it took until `what()` was true; AssertionError when it took too long."""
    began = time.monotonic()
    while not what():
        assert time.monotonic() - began < seconds, f"not within {seconds} s"
        time.sleep(0.02)
    return time.monotonic() - began


def change(gateway: House, statement: str, *values: Any) -> None:
    with closing(sqlite3.connect(gateway.database)) as database, database:
        database.execute(statement, values)


# -- What is said ----------------------------------------------------------------------------


def test_every_answer_is_as_old_as_it_says(gateway: House) -> None:
    seen = []
    for _ in range(3):
        before = time.time()
        reply = gateway.get("/api/market?limit=3", headers=HEADERS)
        after = time.time()
        meta = reply.json()["meta"]
        fetched = datetime.fromisoformat(meta["fetched_at"]).timestamp()
        # Ages have one digit behind the point, and times three.
        assert before - fetched - 0.11 <= meta["age_s"] <= after - fetched + 0.11
        assert abs(meta["age_s"] + meta["fresh_for_s"] - 60) < 0.11
        assert int(reply.headers["Age"]) <= meta["age_s"] + 0.11
        seen.append(meta["cache"])
    assert seen == ["miss", "hit", "hit"]


def test_an_answer_comes_once_and_with_all_its_headers(gateway: House) -> None:
    gateway.get("/api/market?limit=4", headers=HEADERS)
    reply = gateway.get("/api/market?limit=4", headers=HEADERS)
    assert reply.headers["Content-Type"] == "application/json"
    assert int(reply.headers["Content-Length"]) == len(reply.content)
    named = {"age", "cache-control", "cache-status", "etag", "vary", "x-ratelimit-remaining"}
    assert named <= set(reply.headers)
    again = {"If-None-Match": reply.headers["ETag"]}
    assert gateway.get("/api/market?limit=4", headers=HEADERS | again).status_code == 304
    head = requests.head(f"{gateway.url}/api/market?limit=4", headers=HEADERS, timeout=10)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == reply.headers["ETag"]


def test_one_connection_serves_many_questions(gateway: House) -> None:
    with closing(HTTPConnection(urlsplit(gateway.url).netloc, timeout=10)) as connection:
        connection.connect()
        line = connection.sock
        for path in ("/api/market?limit=3", "/api/nope", "/healthz", "/api/market?limit=3"):
            connection.request("GET", path)
            connection.getresponse().read()
            assert connection.sock is line


@pytest.mark.parametrize(
    ("target", "status"),
    [
        ("/api/coins/%ff", 404),
        ("/api/coins/%zz", 404),
        ("/api/coins/%ED%A0%80", 404),
        ("/api/coins/é", 400),
        ("/api/coins/%00", 400),
        ("/api/market?limit=%ff", 400),
        ("/api/market?limit=%", 400),
        ("/api/market?limit=é", 400),
        ("/api/market?nonsense=1", 400),
        ("/api/market?" + "a=1&" * 3000, 400),
        ("/api/nope", 404),
        ("/api/", 404),
        ("/api", 404),
        ("/api/%2e%2e/admin/", 404),
    ],
)
def test_what_makes_no_sense_is_told_so_in_one_shape(
    gateway: House, target: str, status: int
) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    found, body = raw(gateway.url, request.encode())
    problem = json.loads(body)
    assert found == problem["status"] == status
    assert {"type", "title", "detail", "code"} <= set(problem)


@pytest.mark.parametrize("target", ["/%ff", "//api/market", "/é", "/%00", "/nope?%ff"])
def test_pages_that_are_not_there_are_just_not_there(gateway: House, target: str) -> None:
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    assert raw(gateway.url, request.encode())[0] in (400, 404)


@pytest.mark.parametrize(
    "line", ["X-API-Key: \xff", "Accept: \xff", "If-None-Match: \xff", "Authorization: Bearer"]
)
def test_odd_headers_break_nothing(gateway: House, line: str) -> None:
    head = f"GET /api/market HTTP/1.1\r\nHost: localhost\r\n{line}\r\nConnection: close\r\n\r\n"
    assert raw(gateway.url, head.encode("latin-1"))[0] in (200, 401, 406)


def test_a_host_that_is_not_ours_is_refused_in_our_shape(gateway: House) -> None:
    reply = gateway.get("/api/market?limit=99", headers={"Host": "evil.example"})
    assert (reply.status_code, reply.json()["code"]) == (400, "bad_request")
    assert gateway.get("/api/market?limit=99", headers=HEADERS).status_code == 200


def test_an_endless_body_is_cut_off_and_a_plain_one_understood(gateway: House) -> None:
    head = "POST /api/market HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    chunk = b"80000\r\n" + b"x" * 0x80000 + b"\r\n"
    endless = f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + chunk * 3
    assert raw(gateway.url, endless)[0] == 413
    assert raw(gateway.url, f"{head}Content-Length: 2\r\n\r\n{{}}".encode())[0] == 405


# -- Who may ask -----------------------------------------------------------------------------


def test_keys_are_judged_and_counted_at_the_edge(gateway: House) -> None:
    def status(key: str) -> int:
        return gateway.get("/api/market?limit=3", headers={"X-API-Key": key}).status_code

    assert [status(SPENT), status(SPENT), status(OFF), status("agg_wrong")] == [200, 429, 403, 401]


def test_a_new_key_works_and_a_disabled_one_stops_within_two_seconds(gateway: House) -> None:
    key = "agg_" + "n" * 40

    def status() -> int:
        return gateway.get("/api/market?limit=3", headers={"X-API-Key": key}).status_code

    assert status() == 401
    columns = "name, key_hash, key_hint, enabled, is_operator, per_minute, notes, created_at"
    values = ("new", hash_key(key), key[:10], True, False, 1000, "", "2026-01-01")
    change(gateway, f"INSERT INTO aggregator_client ({columns}) VALUES (?,?,?,?,?,?,?,?)", *values)
    assert until(lambda: status() == 200, 5) < 2
    change(gateway, "UPDATE aggregator_client SET enabled = 0 WHERE name = 'new'")
    assert until(lambda: status() == 403, 5) < 2


def test_no_key_is_ever_logged(gateway: House) -> None:
    secret = "agg_" + "secret" * 6
    for path in ("/api/market", f"/api/market?key={secret}", f"/api/{secret}", "/nope"):
        gateway.get(path, headers={"X-API-Key": secret})
        gateway.get(path, headers={"Authorization": f"Bearer {secret}"})
    logs = Path(gateway.env["DATA_DIR"]) / "logs"
    written = gateway.webs[0].output() + "".join(file.read_text() for file in logs.iterdir())
    assert "usual answered" in written
    assert secret not in written
    assert KEY not in written


def test_a_web_process_may_hold_as_many_lines_as_it_accepts(gateway: House) -> None:
    web = web_process(gateway)
    soft, hard = web.rlimit(psutil.RLIMIT_NOFILE)
    assert soft >= min(16_384, hard)
    port = int(gateway.url.rpartition(":")[2])
    idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(900)]
    try:
        assert gateway.get("/api/market?limit=3", headers=HEADERS).elapsed.total_seconds() < 2
    finally:
        for line in idle:
            line.close()


# -- The short way of one connection ---------------------------------------------------------


def asking(key: str, path: str = "/api/market?limit=6") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-API-Key: {key}\r\n\r\n".encode()


class Talk:
    """One connection over which the same bytes are sent again and again."""

    def __init__(self, url: str) -> None:
        self.line = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=20)
        self.file = self.line.makefile("rb")

    def ask(self, request: bytes) -> tuple[int, dict[str, str], Any]:
        self.line.sendall(request)
        status = int(self.file.readline().split()[1])
        headers = {}
        while line := self.file.readline().decode().rstrip():
            name, _, value = line.partition(": ")
            headers[name] = value
        body = self.file.read(int(headers["content-length"]))
        return status, headers, json.loads(body)

    def close(self) -> None:
        self.file.close()
        self.line.close()


MOVING = {"age", "date", "cache-status", "cache-control", "x-ratelimit-reset", "content-length"}


def test_the_short_way_says_what_the_long_one_says(gateway: House) -> None:
    first = gateway.get("/api/market?limit=6", headers=HEADERS)
    with closing(Talk(gateway.url)) as talk:
        found = [talk.ask(asking(KEY)) for _ in range(300)]
        long = talk.ask(asking(KEY).replace(b"Host", b"host"))
    assert {status for status, _, _ in found} == {200}
    assert {json.dumps(body["data"]) for _, _, body in found} == {json.dumps(first.json()["data"])}
    ages = [body["meta"]["age_s"] for _, _, body in found]
    assert ages == sorted(ages)
    left = [int(headers["x-ratelimit-remaining"]) for _, headers, _ in found]
    assert all(after < before for before, after in zip(left, left[1:], strict=False))
    moving = {*MOVING, "x-ratelimit-remaining"}
    for _, headers, _ in found:
        assert headers.keys() == long[1].keys()
        same = {name: value for name, value in headers.items() if name not in moving}
        assert same == {name: value for name, value in long[1].items() if name not in moving}


def test_the_short_way_ends_with_the_minute_s_requests(gateway: House) -> None:
    with closing(Talk(gateway.url)) as talk:
        found = [talk.ask(asking(MODEST)) for _ in range(60)]
    statuses = [status for status, _, _ in found]
    assert statuses[:40] == [200] * 40
    resets = [int(headers["x-ratelimit-reset"]) for _, headers, _ in found]
    another_minute = resets != sorted(resets, reverse=True)  # it may begin in the middle of this
    assert another_minute or statuses[40:] == [429] * 20


def test_the_short_way_is_closed_to_who_is_switched_off(gateway: House) -> None:
    with closing(Talk(gateway.url)) as talk:
        assert [talk.ask(asking(LEAVING))[0] for _ in range(5)] == [200] * 5
        change(gateway, "UPDATE aggregator_client SET enabled = 0 WHERE name = 'leaving'")
        assert until(lambda: talk.ask(asking(LEAVING))[0] == 403, 5) < 2
        assert talk.ask(asking(KEY))[0] == 200


@pytest.mark.slow
def test_the_short_way_ends_when_an_answer_is_no_longer_fresh(stub: Stub, tmp_path: Path) -> None:
    row = stub.row("brief", min_fresh_s=0)
    with house(tmp_path, [row], policies={"market": {"fresh_s": 1}}) as brief:
        fetched, ages = set(), []
        with closing(Talk(brief.url)) as talk:
            end = time.monotonic() + 3.5
            while time.monotonic() < end:
                _, _, body = talk.ask(asking(KEY))
                fetched.add(body["meta"]["fetched_at"])
                ages.append(body["meta"]["age_s"])
        assert 3 <= len(fetched) <= 5
        assert max(ages) < 1.7
        assert stub.calls()["brief"] <= 5


# -- What happens at once --------------------------------------------------------------------


def test_two_hundred_ask_the_same_of_two_processes_and_the_provider_hears_one(
    stub: Stub, tmp_path: Path
) -> None:
    with house(tmp_path, [stub.row("crowd", "after-0.2")], webs=2) as gateway:
        found = at_once(gateway.urls, ["/api/market?limit=9"] * 200)
        assert Counter(status for _, status, _ in found) == {200: 200}
        assert len({json.dumps(body["data"]) for _, _, body in found}) == 1
        assert stub.calls()["crowd"] == 1
        caches = Counter(body["meta"]["cache"] for _, _, body in found)
        assert caches["miss"] == 1
        assert set(caches) <= {"miss", "coalesced", "hit"}


@pytest.mark.slow
@pytest.mark.parametrize("behaviour", ["ok", "after-0.1"])
def test_a_hundred_symbols_at_once_cost_two_calls_at_most(
    stub: Stub, tmp_path: Path, behaviour: str
) -> None:
    slug, patient = f"batch-{behaviour.partition('-')[0]}", "tests.aggregator.patient:application"
    with house(tmp_path, [stub.row(slug, behaviour)], application=patient) as gateway:
        paths = [f"/api/market/price?symbols=C{number:03d}" for number in range(100)]
        found = at_once(gateway.urls, paths)
        assert Counter(status for _, status, _ in found) == {200: 100}
        assert [body["data"][0]["symbol"] for _, _, body in found] == [p[-4:] for p in paths]
        assert 1 <= stub.calls()[slug] <= 2


# -- When providers hang ---------------------------------------------------------------------


@pytest.fixture
def hanging(narrow: House, stub: Stub) -> Iterator[House]:
    """`narrow` with one answer on its board, and all places taken by questions that hang."""
    assert narrow.get("/api/market?limit=5", headers=HEADERS).status_code == 200
    stub.behave("narrow", "hang")
    before = stub.calls()["narrow"]
    with ThreadPoolExecutor(4) as crowd:
        waiting = [
            crowd.submit(narrow.get, f"/api/market?page={page}", headers=HEADERS)
            for page in range(2, 6)
        ]
        until(lambda: stub.calls()["narrow"] == before + 4, 5)
        yield narrow
        assert [waiter.result().status_code for waiter in waiting] == [503] * 4


def timed(gateway: House, path: str) -> tuple[int, float]:
    began = time.perf_counter()
    status = gateway.get(path, headers=HEADERS).status_code
    return status, time.perf_counter() - began


def test_beyond_the_places_nobody_waits_and_hits_and_operators_do_not_notice(
    hanging: House, stub: Stub
) -> None:
    with ThreadPoolExecutor(8) as crowd:
        paths = [f"/api/market?page={page}" for page in range(20, 28)]
        refused = list(crowd.map(lambda path: timed(hanging, path), paths))
    assert {status for status, _ in refused} == {503}
    assert sorted(seconds for _, seconds in refused)[4] < 0.1
    for path in ("/api/market?limit=5", "/healthz", "/readyz", "/api/status", "/admin/login/"):
        status, seconds = timed(hanging, path)
        assert (path, status) == (path, 200)
        assert seconds < 1


def test_it_recovers_by_itself(narrow: House, stub: Stub) -> None:
    stub.behave("narrow", "hang")
    with ThreadPoolExecutor(12) as crowd:
        paths = [f"/api/market?page={page}" for page in range(2, 14)]
        assert {status for status, _ in crowd.map(lambda path: timed(narrow, path), paths)} == {503}
    stub.behave("narrow", "ok")
    until(lambda: timed(narrow, "/api/market?page=2")[0] == 200, 5)
    found = at_once(narrow.urls, [f"/api/market?page=1&limit={n}" for n in range(10, 14)])
    assert [status for _, status, _ in found] == [200] * 4


def test_those_who_leave_do_not_take_their_places_along(narrow: House, stub: Stub) -> None:
    stub.behave("narrow", "after-1")
    port = int(narrow.url.rpartition(":")[2])
    for page in range(2, 14):
        with closing(socket.create_connection(("127.0.0.1", port))) as line:
            line.sendall(
                f"GET /api/market?page={page} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
            )
    until(lambda: stub.calls().get("narrow", 0) >= 4, 5)
    stub.behave("narrow", "ok")
    until(lambda: timed(narrow, "/api/market?page=50")[0] == 200, 5)
    found = at_once(narrow.urls, [f"/api/market?page={page}" for page in range(60, 64)])
    assert [status for _, status, _ in found] == [200] * 4


def test_who_sends_slowly_takes_no_place(narrow: House) -> None:
    head = b"POST /api/market HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{"
    port = int(narrow.url.rpartition(":")[2])
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(40)]
    try:
        for line in lines:
            line.sendall(head)
        assert timed(narrow, "/api/market?limit=8")[0] == 200
        assert timed(narrow, "/admin/login/")[0] == 200
    finally:
        for line in lines:
            line.close()


def test_the_second_provider_answers_when_the_first_is_down_or_hangs(
    stub: Stub, tmp_path: Path
) -> None:
    down = {"slug": "down", "base_url": "http://127.0.0.1:9", "timeout_s": 2}
    rows = [down, stub.row("hangs", "hang", timeout_s=1), stub.row("second")]
    with house(tmp_path, rows) as gateway:
        first = gateway.get("/api/market?limit=3", headers=HEADERS)
        meta = first.json()["meta"]
        tried = {attempt["provider"]: attempt["outcome"] for attempt in meta["attempts"]}
        assert (meta["source"], tried) == ("second", {"down": "unreachable", "hangs": "timed_out"})
        assert 1 <= first.elapsed.total_seconds() < 2
        again = gateway.get("/api/market?page=2", headers=HEADERS)
        tried = {a["provider"]: a["outcome"] for a in again.json()["meta"]["attempts"]}
        assert tried in ({}, {"down": "circuit_open", "hangs": "circuit_open"})
        assert again.elapsed.total_seconds() < 0.5


@pytest.mark.slow
def test_with_everybody_dead_the_old_answer_comes_at_once_and_else_the_reasons(
    stub: Stub, tmp_path: Path
) -> None:
    rows = [stub.row("dead", timeout_s=1), stub.row("dead-too", timeout_s=1)]
    short = {"market": {"fresh_s": 1}}
    with house(tmp_path, rows, {"UPSTREAM_PATIENCE_S": "3"}, policies=short) as gateway:
        path = "/api/market?limit=3"
        assert gateway.get(path, headers=HEADERS).json()["meta"]["cache"] == "miss"
        stub.behave("dead", "hang")
        stub.behave("dead-too", "broken")
        none = gateway.get("/api/market?page=2", headers=HEADERS)
        assert none.status_code == 503
        outcomes = {a["provider"]: a["outcome"] for a in none.json()["attempts"]}
        assert outcomes == {"dead": "timed_out", "dead-too": "broken"}
        assert none.elapsed.total_seconds() < 3
        assert int(none.headers["Retry-After"]) >= 1
        for _ in range(3):
            old = gateway.get(path, headers=HEADERS)
            assert old.elapsed.total_seconds() < 0.5
            meta = old.json()["meta"]
            assert (old.status_code, meta["stale"], meta["fresh_for_s"]) == (200, True, 0)
            assert meta["cache"] in ("refreshing", "stale")
            assert meta["age_s"] >= 1
            assert old.headers["Cache-Control"] == "no-cache"


# -- The end ---------------------------------------------------------------------------------


def test_a_clean_stop_finishes_what_is_under_way_and_loses_no_call(
    stub: Stub, tmp_path: Path
) -> None:
    with house(tmp_path, [stub.row("stopping")]) as gateway:
        for page in range(2, 12):
            assert gateway.get(f"/api/market?page={page}", headers=HEADERS).status_code == 200
        stub.behave("stopping", "after-0.5")
        with ThreadPoolExecutor(8) as crowd:
            paths = [f"/api/market?page={page}" for page in range(12, 20)]
            under_way = [crowd.submit(timed, gateway, path) for path in paths]
            until(lambda: stub.calls()["stopping"] == 18, 5)
            gateway.webs[0].process.send_signal(signal.SIGTERM)
            assert [question.result()[0] for question in under_way] == [200] * 8
        assert gateway.webs[0].process.wait(10) == 0
        with closing(sqlite3.connect(gateway.database)) as database:
            assert database.execute("SELECT count(*) FROM providers_call").fetchone() == (18,)
            (counted,) = database.execute(
                "SELECT value FROM providers_cell WHERE key = 'meter'"
            ).fetchone()
        assert sum(json.loads(counted)["counts"].values()) >= 1


def web_process(gateway: House) -> psutil.Process:
    """The one that serves; beside it are the one that watches it and what Python starts itself."""
    family = psutil.Process(gateway.webs[0].process.pid).children()
    (web,) = (process for process in family if process.net_connections("tcp"))
    return web


@pytest.mark.slow
def test_a_web_process_that_dies_is_started_again(stub: Stub, tmp_path: Path) -> None:
    with house(tmp_path, [stub.row("dying")]) as gateway:
        web_process(gateway).kill()
        until(lambda: answers_again(gateway), 20)


def answers_again(gateway: House) -> bool:
    try:
        return gateway.get("/api/market?limit=3", headers=HEADERS).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.mark.slow
def test_no_web_process_outlives_the_one_that_watches_it(stub: Stub, tmp_path: Path) -> None:
    with house(tmp_path, [stub.row("orphaned")]) as gateway:
        web = web_process(gateway)
        gateway.webs[0].process.kill()
        until(lambda: not web.is_running() or web.status() == psutil.STATUS_ZOMBIE, 10)
