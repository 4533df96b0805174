"""Ways out: what may be an address, what reaches a receiver, and what never leaves or comes in."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import apprise
import pytest
from apprise.manager_plugins import NotificationManager
from django.core.exceptions import ValidationError

from monitoring.notices import addresses, sending, webhooks
from monitoring.notices.message import Line, Message
from monitoring.notices.models import Channel
from monitoring.notices.sender import guard
from providers.addresses import forbidden

PRIVATE = ["127.0.0.1", "localhost", "10.0.0.1", "169.254.169.254", "0177.0.0.1", "[::1]"]
MESSAGE = Message(
    "k1",
    "a is down",
    "failure",
    (Line("incident-1-1-opened", "opened", "incident-1", "major", "a"),),
)


class Receiver(BaseHTTPRequestHandler):
    got: ClassVar[list[tuple[str, dict[str, str], bytes]]] = []
    status: ClassVar[int] = 200
    headers_sent: ClassVar[dict[str, str]] = {}

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        self.got.append((self.path, dict(self.headers), body))
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[str]:
    """host:port of one that takes what is posted."""
    Receiver.got, Receiver.status, Receiver.headers_sent = [], 200, {}
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def to(address: str) -> Channel:
    row = Channel(name="x")
    row.set_address(address)
    return row


# -- Addresses ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "slack://a/b/c",
        "mailtos://me:pw@example.com?to=you@example.com",
        "tgram://123:abc/42",
        "https://example.com/hook?x=1",
        "jsons://u:p@example.com:8443/x?+X-Key=1",
    ],
)
def test_addresses_that_may_be(address: str) -> None:
    assert addresses.check(address) == address.partition(":")[0]


@pytest.mark.parametrize(
    "address",
    [
        *("dbus://", "syslog://x", "glib://x", "gnome://x", "macosx://x", "windows://x"),
        *("rsyslog://host", "file:///etc/passwd", "exec://x", "apprise://host/x", "config://x"),
        *("fcm://p/k?keyfile=/etc/passwd", "vapid://a@b.c", "xmpp://a:b@c", "mqtt://h/t"),
        *("msteams://a/b/c/d?template=/etc/passwd", "mailto://a:b@c.d?pgpkey=/root/.ssh/id_rsa"),
        *("slack://a/b/c?attach=/etc/passwd", "slack://a/b/c?%61ttach=/etc/passwd"),
        *("slack", "://x", "https://", "https://[::1", "https://a b/c", "https://a/\r\nX: y"),
        "https://" + "a" * 1000,
    ],
)
def test_addresses_that_may_not_be(address: str) -> None:
    with pytest.raises(ValidationError) as caught:
        addresses.check(address)
    assert "passwd" not in str(caught.value), "it may hold a password: it is not quoted"


def test_every_allowed_kind_is_one_of_apprise_and_touches_nothing_here() -> None:
    manager: Any = NotificationManager()  # type: ignore[no-untyped-call]
    known = set(manager.schemas())
    assert known >= addresses.APPRISE
    assert not addresses.APPRISE & set(addresses.WEBHOOKS)
    plugins = Path(apprise.__file__).parent / "plugins"
    touching = ("import subprocess", "import dbus", "import syslog", "from gi", "import ctypes")
    for scheme in sorted(addresses.APPRISE):
        module = sys.modules[manager[scheme].__module__]
        path = Path(str(module.__file__))
        assert plugins in path.parents
        source = path.read_text()
        assert not [word for word in touching if word in source], scheme


# -- Webhooks ----------------------------------------------------------------------------------


def test_a_webhook_gets_json_with_its_keys(receiver: str) -> None:
    assert sending.send(to(f"json://me:secret@{receiver}/hook?a=1&+X-Mine=yes"), MESSAGE).ok
    [(path, headers, body)] = Receiver.got
    assert path == "/hook?a=1"
    assert headers["Idempotency-Key"] == "k1"
    assert headers["X-Mine"] == "yes"
    assert headers["Authorization"] == "Basic bWU6c2VjcmV0"
    told = json.loads(body)
    assert (told["title"], told["type"], told["key"]) == ("a is down", "failure", "k1")
    assert told["events"][0]["key"] == "incident-1-1-opened"


def test_a_webhook_may_want_a_form_or_xml(receiver: str) -> None:
    assert sending.send(to(f"form://{receiver}/"), MESSAGE).ok
    assert sending.send(to(f"xml://{receiver}/"), MESSAGE).ok
    form, xml = (body for _, _, body in Receiver.got)
    assert b"title=a+is+down" in form
    assert b"<subject>incident-1</subject>" in xml


@pytest.mark.parametrize(
    ("status", "permanent"), [(500, False), (429, False), (404, True), (410, True), (401, True)]
)
def test_what_a_webhook_answers_is_understood(receiver: str, status: int, permanent: bool) -> None:
    Receiver.status = status
    Receiver.headers_sent = {"Retry-After": "77"}
    sent = sending.send(to(f"http://{receiver}/"), MESSAGE)
    assert (sent.ok, sent.permanent, sent.wait_s) == (False, permanent, 77.0)
    assert sent.error == f"it answered HTTP {status}"


def test_a_redirect_is_not_followed(receiver: str) -> None:
    Receiver.status = 307
    Receiver.headers_sent = {"Location": "http://169.254.169.254/"}
    sent = sending.send(to(f"http://{receiver}/"), MESSAGE)
    assert not sent.ok
    assert len(Receiver.got) == 1


@pytest.mark.parametrize("header", ["Host=x", "Content-Length=1", "X%0d%0aY=1", "X=a%0d%0ab"])
def test_a_webhook_sends_no_header_that_is_ours(receiver: str, header: str) -> None:
    sent = sending.send(to(f"json://{receiver}/?+{header}"), MESSAGE)
    assert (sent.ok, sent.permanent) == (False, True)
    assert Receiver.got == []


@pytest.mark.parametrize("host", PRIVATE)
def test_a_webhook_goes_to_no_private_address(host: str, settings: Any) -> None:
    settings.ALLOW_PRIVATE_UPSTREAMS = []
    with pytest.raises(webhooks.Failed, match="unreachable"):
        webhooks.post(f"http://{host}/", MESSAGE)


# -- Apprise, in its own process ---------------------------------------------------------------


def test_apprise_reaches_a_receiver_that_is_allowed(receiver: str) -> None:
    sent = sending.send(to(f"ntfy://{receiver}/alerts"), MESSAGE)
    assert sent == sending.Sent(True)
    assert b"a is down" in Receiver.got[0][2]


@pytest.mark.parametrize("host", PRIVATE[:4])
@pytest.mark.parametrize("kind", ["ntfy://{}:9/topic", "mailto://u:p@{}:25?to=a@b.cd&from=c@d.ef"])
def test_apprise_goes_to_no_private_address(
    kind: str, host: str, settings: Any, receiver: str
) -> None:
    settings.ALLOW_PRIVATE_UPSTREAMS = []
    sent = sending.send(to(kind.format(host)), MESSAGE)
    assert not sent.ok
    assert "ALLOW_PRIVATE_UPSTREAMS does not allow" in sent.error


def test_a_redirect_leads_apprise_nowhere_private(receiver: str, settings: Any) -> None:
    Receiver.status = 307
    Receiver.headers_sent = {"Location": "http://10.0.0.1:9/"}
    sent = sending.send(to(f"ntfy://{receiver}/alerts"), MESSAGE)
    assert not sent.ok
    assert "private address" in sent.error


def test_what_it_says_shows_no_part_of_the_address(receiver: str) -> None:
    Receiver.status = 403
    sent = sending.send(to(f"ntfy://user:hunter22@{receiver}/secret-topic"), MESSAGE)
    assert not sent.ok
    assert "hunter22" not in sent.error
    assert "secret-topic" not in sent.error


def test_an_address_that_its_kind_cannot_read_is_permanent() -> None:
    sent = sending.send(to("slack://x"), MESSAGE)
    assert (sent.ok, sent.permanent) == (False, True)


def test_in_the_sandbox_nothing_leaves(receiver: str, settings: Any) -> None:
    settings.SANDBOX_URL = "http://127.0.0.1:1"
    assert not sending.send(to(f"json://{receiver}/"), MESSAGE).ok
    assert Receiver.got == []


def test_what_cannot_be_decrypted_is_permanent() -> None:
    assert sending.send(Channel(name="x", secret="rubbish"), MESSAGE).permanent


TRY = """
import sys
sys.path.insert(0, {project!r})
from providers.addresses import forbidden
from monitoring.notices.sender import guard
refused = []
sys.addaudithook(guard([], forbidden, refused))
try:
    {attempt}
except OSError as error:
    print(type(error).__name__, error)
else:
    print("done")
"""


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import socket; socket.socket(socket.AF_UNIX).connect('/run/dbus/system_bus_socket')",
        "import socket; socket.socket(type=socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', 514))",
        "import socket; socket.socket().bind(('0.0.0.0', 0))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.execv('/bin/true', ['true'])",
        "open('/etc/passwd')",
        "import os; os.open('/etc/passwd', os.O_RDONLY)",
        "open('/proc/self/environ')",
        "open('aggregator/settings.py')",
        "open('/tmp/notice', 'w')",
    ],
)
def test_the_sending_process_does_nothing_else(attempt: str) -> None:
    project = str(sending.SENDER.parents[2])
    done = subprocess.run(
        [sys.executable, "-I", "-c", TRY.format(project=project, attempt=attempt)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("Forbidden "), done


def test_the_guard_lets_pass_what_sending_needs() -> None:
    refused: list[str] = []
    hook = guard([], forbidden, refused)
    hook("socket.connect", (None, ("93.184.216.34", 443)))
    hook("open", ("/etc/resolv.conf", "r", 0))
    hook("open", (json.__file__, "r", 0))
    hook("socket.getaddrinfo", ("example.com", 443))
    assert refused == []
