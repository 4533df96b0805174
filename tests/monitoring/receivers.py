"""Receivers of notices on this machine: a mail server, and one that takes what is posted."""

from __future__ import annotations

import email
import email.policy
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any


@dataclass
class Mailbox:
    """What arrived by SMTP. `says` is the reply to the next recipients; empty: they are taken."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    said: list[str] = field(default_factory=list)  # lines of all who came
    says: str = ""

    def texts(self) -> list[str]:
        return [str(mail.get_body(("plain",)).get_content()) for mail in self.mails]  # type: ignore[union-attr]


@dataclass
class Posted:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def told(self) -> Any:
        return json.loads(self.body)


@dataclass
class Hooks:
    """What was posted. `answers` are the statuses of the next posts, then 200; `hold` waits."""

    port: int = 0
    posts: list[Posted] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.hold.set()

    @property
    def keys(self) -> list[str]:
        return [post.headers["Idempotency-Key"] for post in self.posts]


@contextmanager
def mailbox(tls: ssl.SSLContext | None = None) -> Iterator[Mailbox]:
    """One that speaks SMTP (RFC 5321), with STARTTLS where it has a certificate."""
    box = Mailbox()

    class Speaks(StreamRequestHandler):
        def handle(self) -> None:
            self.say("220 mail.example ready")
            while line := self.rfile.readline().decode().rstrip("\r\n"):
                box.said.append(line)
                verb = line.partition(" ")[0].upper()
                if verb == "QUIT":
                    self.say("221 bye")
                    return
                self.obey(verb)

        def obey(self, verb: str) -> None:
            secured = isinstance(self.request, ssl.SSLSocket)
            match verb:
                case "EHLO":
                    self.say("250-mail.example", "250-AUTH PLAIN", *self.offers(secured))
                case "STARTTLS" if tls is not None:
                    self.say("220 go ahead")
                    self.request = tls.wrap_socket(self.request, server_side=True)
                    self.rfile.close()
                    self.wfile.close()
                    self.rfile = self.request.makefile("rb")
                    self.wfile = self.request.makefile("wb", buffering=0)
                case "AUTH":
                    self.say("235 welcome")
                case "RCPT" if box.says:
                    self.say(box.says)
                case "DATA":
                    self.say("354 end with a dot")
                    box.mails.append(self.mail())
                    self.say("250 taken")
                case _:
                    self.say("250 fine")

        def finish(self) -> None:
            super().finish()
            self.request.close()  # the server knows of the bare one only

        def offers(self, secured: bool) -> list[str]:
            return ["250-STARTTLS", "250 8BITMIME"] if tls and not secured else ["250 8BITMIME"]

        def mail(self) -> EmailMessage:
            lines = []
            while (line := self.rfile.readline()) not in (b".\r\n", b""):
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            return email.message_from_bytes(b"".join(lines), policy=email.policy.default)

        def say(self, *lines: str) -> None:
            self.wfile.write("".join(f"{line}\r\n" for line in lines).encode())

    with _serving(ThreadingTCPServer(("127.0.0.1", 0), Speaks)) as port:
        box.port = port
        yield box


@contextmanager
def hooks() -> Iterator[Hooks]:
    taken = Hooks()

    class Takes(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            taken.posts.append(Posted(self.path, dict(self.headers), body))
            taken.hold.wait(30)
            self.send_response(taken.answers.pop(0) if taken.answers else 200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *args: Any) -> None:
            pass

    with _serving(ThreadingHTTPServer(("127.0.0.1", 0), Takes)) as port:
        taken.port = port
        yield taken
        taken.hold.set()


@contextmanager
def _serving(server: ThreadingTCPServer | ThreadingHTTPServer) -> Iterator[int]:
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
