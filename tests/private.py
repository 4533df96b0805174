"""
Services of a test's own, and processes that are gone when it ends.

A test that kills or fills a database starts one here, in a temporary folder and on a free
port; the machine's are left alone. Where REQUIRE_SERVICES=1 or REQUIRE_BROWSER=1 is set, a
test whose service or browser is missing fails instead of being skipped.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from aggregator.firstrun import encryption_key, secret_key

ROOT = Path(__file__).resolve().parent.parent
POSTGRES_PROGRAMS = Path("/usr/lib/postgresql")
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


# -- What must be there ----------------------------------------------------------------------


def enforce(marks: Collection[str], environ: Mapping[str, str] = os.environ) -> None:
    """
    Skip, or fail where it is required, a test with these marks whose machinery is missing.

    For `pytest_runtest_setup`: `enforce({mark.name for mark in item.iter_markers()})`.
    """
    for mark, lack, switch in (
        ("service", missing_services(), "REQUIRE_SERVICES"),
        ("browser", missing_browser(), "REQUIRE_BROWSER"),
    ):
        if mark in marks and lack:
            if environ.get(switch) == "1":
                pytest.fail(f"{lack}, and {switch}=1", pytrace=False)
            pytest.skip(lack)


def missing_services() -> str:
    """Which service programs this machine lacks; empty when it has them all."""
    found = {"PostgreSQL": postgres_folder(), "Redis": shutil.which("redis-server")}
    lacking = [name for name, where in found.items() if not where]
    return f"no {' and no '.join(lacking)} on this machine" if lacking else ""


def missing_browser() -> str:
    return "" if browser() else "no Chromium on this machine"


def browser() -> str | None:
    """The path of the machine's Chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def postgres_folder() -> Path | None:
    """Where `initdb` and `postgres` of the newest version are."""
    newest = max(POSTGRES_PROGRAMS.glob("*/bin"), key=lambda p: float(p.parent.name), default=None)
    if newest is None and (found := shutil.which("initdb")):
        newest = Path(found).parent
    return newest


# -- Processes -------------------------------------------------------------------------------


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=0.5).close()
    except OSError:
        return False
    return True


@dataclass(frozen=True, slots=True)
class Running:
    """A process, the leader of its own group, and the file its output goes to."""

    process: subprocess.Popen[bytes]
    log: Path

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, what: int | str, patience: float = 30, *, count: int = 1) -> None:
        """Until it listens on a port, or has written a text `count` times; AssertionError."""
        end = time.monotonic() + patience
        while not (answers(what) if isinstance(what, int) else self.output().count(what) >= count):
            assert self.process.poll() is None, f"it ended early:\n{self.output()}"
            assert time.monotonic() < end, f"no {what!r} within {patience} s:\n{self.output()}"
            time.sleep(0.05)

    def signal_group(self, number: signal.Signals) -> None:
        """To it and to all it started in its group; nothing when they are gone."""
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return

    def stop(self, patience: float = 10) -> int:
        """SIGTERM, then SIGKILL for what is left of the group; the exit code."""
        self.signal_group(signal.SIGTERM)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.signal_group(signal.SIGKILL)
        self.signal_group(signal.SIGKILL)
        return self.process.wait(patience)


@contextmanager
def running(
    command: Sequence[str | Path],
    *,
    port: int | None = None,
    patience: float = 30,
    env: Mapping[str, str] | None = None,
    cwd: str | Path = ROOT,
    **popen: Any,
) -> Iterator[Running]:
    """
    The command in the project's folder until the block ends, in our environment or in `env`
    instead of it. With `port` the block begins when somebody listens there.
    """
    with tempfile.TemporaryDirectory(prefix="running-") as folder:
        log = Path(folder) / "output"
        with open(log, "wb") as file:
            process = subprocess.Popen(
                [str(word) for word in command],
                cwd=cwd,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **popen,
            )
        started = Running(process, log)
        try:
            if port is not None:
                started.wait_for(port, patience)
            yield started
        finally:
            started.stop()


def installation(folder: Path, **settings: str) -> dict[str, str]:
    """
    The environment of an installation with its data in `folder`, secrets and port of its own,
    and nothing of ours; for `running`. A developer's `.env` must not reach it either.
    """
    ours = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    alone = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "SANDBOX"), "")
    secrets = {"SECRET_KEY": secret_key(), "ENCRYPTION_KEYS": encryption_key()}
    # Who needs a model of the chat asks for one: to train it takes some seconds.
    chat = {"CHAT_BASE_MODEL": "0"}
    places = {"DATA_DIR": str(folder), "PORT": str(free_port()), "SANDBOX_PORT": str(free_port())}
    return ours | alone | secrets | chat | places | settings


# -- Services --------------------------------------------------------------------------------


@contextmanager
def private_redis(*options: str) -> Iterator[str]:
    """The URL of a Redis of our own, which keeps nothing on disk."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        where = ["--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
        lean = ["--save", "", "--appendonly", "no"]
        with running(["redis-server", *where, *lean, *options], port=port):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def private_postgres(*options: str) -> Iterator[str]:
    """
    The URL of a PostgreSQL server of our own, database `postgres`, without a password.

    `options` are its settings, e.g. "max_connections=20". It is fast and forgetful: what is
    written is lost when the machine, but not when the server, is killed.
    """
    with mortal_postgres(*options) as server:
        yield server.url


@dataclass
class Mortal:
    """A PostgreSQL server that can be killed and started again with what it had."""

    url: str
    serve: Sequence[str | Path]
    folder: str
    user: Mapping[str, Any]
    running: ExitStack
    process: Running | None = None

    def start(self) -> None:
        command = running(self.serve, cwd=self.folder, **self.user)
        self.process = self.running.enter_context(command)
        self.process.wait_for("ready to accept connections")

    def kill(self) -> None:
        """kill -9, of all its processes."""
        assert self.process
        self.process.signal_group(signal.SIGKILL)
        self.process.process.wait(20)

    def stop(self) -> None:
        assert self.process
        # SIGTERM would wait for clients that a test may have left connected.
        self.process.process.send_signal(signal.SIGINT)
        self.process.process.wait(20)


@contextmanager
def mortal_postgres(*options: str) -> Iterator[Mortal]:
    """The same as `private_postgres`, for who wants to kill it."""
    programs, port = postgres_folder(), free_port()
    assert programs is not None, missing_services()
    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder,
        ExitStack() as stack,
    ):
        user = _ordinary_user(folder)
        data = Path(folder) / "data"
        make: list[str | Path] = [
            programs / "initdb",
            f"--pgdata={data}",
            "--username=postgres",
            "--auth=trust",
        ]
        plain = ["--no-sync", "--encoding=UTF8", "--locale=C"]
        done = subprocess.run([*make, *plain], cwd=folder, capture_output=True, text=True, **user)
        assert done.returncode == 0, done.stderr
        private = ["listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "fsync=off"]
        settings = [word for option in (*private, *options) for word in ("-c", option)]
        serve: list[str | Path] = [programs / "postgres", f"-D{data}", f"-p{port}", *settings]
        url = f"postgres://postgres@127.0.0.1:{port}/postgres"
        server = Mortal(url, serve, folder, user, stack)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def _ordinary_user(folder: str) -> dict[str, Any]:
    """Popen arguments that make the folder's programs run as somebody else than root."""
    if os.geteuid():
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
