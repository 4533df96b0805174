"""The server: many callers at once, exact counts, its own endpoints, a clean end, one address."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import orjson
import pytest
from django.core.management import call_command

from providers.sandbox.control import Remote
from providers.sandbox.sandbox import Sandbox
from providers.sandbox.server import Server, running

ROOT = Path(__file__).resolve().parents[3]
PING = "/api.binance.com/api/v3/ping"


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.fixture
def port() -> Iterator[int]:
    with running(Sandbox()) as url:
        yield port_of(url)


def ask(port: int, path: str, method: str = "GET", body: Any = None, **headers: str) -> Any:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        data = None if body is None else orjson.dumps(body)
        names = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, data, names | headers)
        response = connection.getresponse()
        return response.status, orjson.loads(response.read())
    finally:
        connection.close()


def test_an_upstream_is_reached_below_its_host(port: int) -> None:
    status, answer = ask(port, "/api.coingecko.com/api/v3/ping")
    assert (status, answer) == (200, {"gecko_says": "(V3) To the Moon!"})
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
    for path in ("/1rpc.io/eth", "/eth.drpc.org", "/eth.drpc.org/"):
        assert ask(port, path, "POST", body)[1]["result"] == "0x1"
    status, answer = ask(port, "/api.kraken.com/0/public/Ticker?pair=ETH%2FUSD&assetVersion=1")
    assert list(answer["result"]) == ["ETH/USD"]


def test_a_connection_is_kept(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    sockets = set()
    for _ in range(3):
        connection.request("GET", PING)
        assert connection.getresponse().read() == b"{}"
        sockets.add(connection.sock)
    connection.close()
    assert len(sockets) == 1


def test_200_callers_at_once_are_answered_and_counted_exactly(port: int) -> None:
    together, done = threading.Barrier(200), []

    def call() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        connection.connect()
        together.wait()
        for _ in range(5):
            connection.request("GET", PING)
            done.append(connection.getresponse().read())
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    state = Remote(port).state()
    assert done == [b"{}"] * 1000
    assert state["requests"] == {"api.binance.com": {"/api/v3/ping": 1000}}
    assert state["total"] == 1000


def test_a_fault_with_a_count_strikes_so_often_among_many_callers(port: int) -> None:
    Remote(port).fault("api.binance.com", "status=503", times=20)
    statuses: list[int] = []

    def call() -> None:
        statuses.extend(ask(port, PING)[0] for _ in range(10))

    threads = [threading.Thread(target=call) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [200] * 80 + [503] * 20


def test_it_binds_loopback_and_nothing_else() -> None:
    with running(Sandbox()) as url:
        assert url.startswith("http://127.0.0.1:")
    server = Server(Sandbox())
    try:
        assert server.socket.getsockname()[0] == "127.0.0.1"
    finally:
        server.server_close()


def test_it_ends_at_once_with_callers_hanging_and_connections_kept() -> None:
    others = set(threading.enumerate())  # servers of other tests have callers too
    with running(Sandbox()) as url:
        port = port_of(url)
        kept = HTTPConnection("127.0.0.1", port, timeout=10)
        kept.request("GET", PING)
        kept.getresponse().read()
        hanging = HTTPConnection("127.0.0.1", port, timeout=10)
        hanging.request("GET", PING, headers={"X-Sandbox-Fault": "hang"})
        waiting = HTTPConnection("127.0.0.1", port, timeout=10)
        waiting.request("GET", PING, headers={"X-Sandbox-Fault": "delay=60"})
        while Remote(port).state()["total"] < 3:
            time.sleep(0.01)
        started = time.monotonic()
    assert time.monotonic() - started < 2
    for connection in (kept, hanging, waiting):
        connection.close()
    while any("process_request" in t.name for t in set(threading.enumerate()) - others):
        assert time.monotonic() - started < 5, "a caller's thread outlives the server"
        time.sleep(0.01)
    with pytest.raises(ConnectionRefusedError):
        Remote(port).state()


@pytest.mark.parametrize(
    "text",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n",
        b"POST /1rpc.io/eth HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_a_strange_request_does_no_harm(port: int, text: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(text)
        assert b" 4" in connection.recv(4096)
    assert ask(port, PING) == (200, {})


# -- Its own endpoints -----------------------------------------------------------------------


def test_the_state_says_what_it_is(port: int) -> None:
    state = Remote(port).state()
    assert state["sandbox"] is True
    assert state["mode"] == "market"
    assert "api.coingecko.com" in state["hosts"]
    assert state["faults"] == []
    assert state["total"] == 0


def test_faults_are_set_listed_and_cleared(port: int) -> None:
    remote = Remote(port)
    (rule,) = remote.fault("api.kraken.com", "delay=0.01", path="/0/public/Time", times=2)
    assert rule == {
        "host": "api.kraken.com",
        "fault": "delay=0.01",
        "path": "/0/public/Time",
        "times": 2,
        "probability": 1.0,
    }
    ask(port, "/api.kraken.com/0/public/Time")
    assert remote.state()["faults"][0]["times"] == 1
    assert ask(port, "/_sandbox/faults?host=other.example", "DELETE")[1] != []
    remote.clear()
    assert remote.state()["faults"] == []


def test_a_rule_that_makes_no_sense_is_refused(port: int) -> None:
    with pytest.raises(ValueError, match="no fault is called"):
        Remote(port).fault("api.kraken.com", "nonsense")
    with pytest.raises(ValueError, match="does not speak for"):
        Remote(port).fault("nobody.example", "reset")
    assert ask(port, "/_sandbox/nothing")[0] == 404


def test_a_word_to_a_running_sandbox_is_answered_with_the_faults_in_force(
    port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    def say(*words: str) -> Any:
        call_command("sandbox", "--port", str(port), *words)
        return orjson.loads(capsys.readouterr().out)

    said = say("fault", "api.kraken.com", "delay=20")
    assert (list(said), said["faults"][0]["host"]) == (["faults"], "api.kraken.com")
    assert say("clear") == {"faults": []}
    assert "api.kraken.com" in say("state")["hosts"]


def test_no_web_page_can_set_a_fault(port: int) -> None:
    rule = {"host": "api.kraken.com", "fault": "reset"}
    status, _ = ask(port, "/_sandbox/faults", "POST", rule, **{"Content-Type": "text/plain"})
    assert status == 415
    assert Remote(port).state()["faults"] == []


def test_the_log_has_the_last_requests_without_keys(port: int) -> None:
    ask(port, "/api.coingecko.com/api/v3/ping?x_cg_demo_api_key=sandbox-1&a=b")
    ask(port, "/api.kraken.com/0/public/Time")
    rows = Remote(port).requests()
    assert [row["host"] for row in rows] == ["api.kraken.com", "api.coingecko.com"]
    assert rows[1]["path"] == "/api/v3/ping"
    assert rows[1]["query"] == {"x_cg_demo_api_key": "REDACTED", "a": "b"}
    assert abs(rows[0]["time"] - time.time()) < 60
    only = ask(port, "/_sandbox/requests?host=api.kraken.com&limit=5")[1]
    assert [row["host"] for row in only] == ["api.kraken.com"]
    ask(port, "/_sandbox/requests", "DELETE")
    assert Remote(port).state()["total"] == 0


def test_its_clock_can_be_moved(port: int) -> None:
    Remote(port).set_clock(86_400)
    tomorrow = ask(port, "/api.binance.com/api/v3/time")[1]["serverTime"] / 1000
    assert abs(tomorrow - 86_400 - time.time()) < 60
    assert ask(port, "/_sandbox/clock", "POST", {"offset_s": "x"})[0] == 400
    assert ask(port, "/_sandbox/clock", "POST", [])[0] == 400


# -- The command -----------------------------------------------------------------------------


def manage(*words: str) -> list[str]:
    return [sys.executable, "-m", "django", "sandbox", *words]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "PYTHONPATH": str(ROOT),
        "DATA_DIR": str(tmp_path),
    }


def test_the_command_serves_takes_orders_and_ends_on_a_signal(environment: dict[str, str]) -> None:
    served = subprocess.Popen(
        manage("--port", "0", "--seed", "3"), env=environment, cwd=ROOT, stdout=subprocess.PIPE
    )
    assert served.stdout is not None
    with served.stdout as output:
        try:
            line = output.readline().decode()
            port = port_of(line.split()[-1])
            order = ("fault", "api.kraken.com", "status=503", "--times", "1")
            ordered = subprocess.run(
                manage("--port", str(port), *order),
                env=environment, cwd=ROOT, capture_output=True, check=True,
            )  # fmt: skip
            assert orjson.loads(ordered.stdout)["faults"][0]["times"] == 1
            state = Remote(port).state()
            assert (state["seed"], state["limits"], state["faults"][0]["times"]) == (3, True, 1)
            assert ask(port, "/api.kraken.com/0/public/Time")[0] == 503
            assert ask(port, "/api.kraken.com/0/public/Time")[0] == 200
        finally:
            served.send_signal(signal.SIGTERM)
            assert served.wait(timeout=10) == 0


@pytest.mark.parametrize("words", [("--all",), ("--replay", "/nowhere")])
def test_a_replay_of_nothing_is_refused_in_a_line(
    environment: dict[str, str], words: tuple[str, ...]
) -> None:
    done = subprocess.run(
        manage("--port", "0", *words), env=environment, cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "--replay" in done.stderr or "no manifest.json" in done.stderr
    assert "Traceback" not in done.stderr


def test_orders_without_a_sandbox_are_refused_in_a_line(environment: dict[str, str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        done = subprocess.run(
            manage("--port", str(port), "state"),
            env=environment, cwd=ROOT, capture_output=True, text=True,
        )  # fmt: skip
    assert done.returncode != 0
    assert f"No sandbox listens on port {port}." in done.stderr
    assert "Traceback" not in done.stderr
