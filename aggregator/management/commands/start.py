"""
What `make run` calls: prepares the database and the static files, says where to go, and
becomes the process that runs the Procfile.

Each step is quick when there is nothing to do, and none loses anything.
"""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psycopg
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core import checks
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, connections
from django.db.utils import OperationalError
from psycopg.sql import SQL, Identifier

WHERE_TO_GO = """
Aggregator starts on {site}{sandbox}
  home    {site}/
  docs    {site}/docs
  admin   {site}/admin/
  try     curl '{site}/api/market?limit=3'
"""
SANDBOX_NOTE = "\nin its SANDBOX: all data is made up on this machine"


class Command(BaseCommand):
    help = "Prepares everything and runs web and worker; what `make run` calls."
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--prepare-only", action="store_true", help="stop before the processes are started"
        )

    def handle(self, *args: Any, prepare_only: bool, **options: Any) -> None:
        for name in ("PORT", "SANDBOX_PORT") if settings.SANDBOX else ("PORT",):
            check_port(name, settings.HOST if name == "PORT" else "127.0.0.1")
        check_project()
        reach_database()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("loadcatalogue", verbosity=0)
        collect_static()
        self.stdout.write(where_to_go())
        call_command("ensureadmin", stdout=self.stdout, stderr=self.stderr)
        self.stdout.flush()
        if not prepare_only:
            connections.close_all()
            os.execvp("env", ["env", *variables(), *honcho()])


def check_port(name: str, host: str) -> None:
    """CommandError when nobody can listen on the port that the setting `name` says."""
    port = getattr(settings, name)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        hint = f" Try `make run {name}={port + 1}`." if error.errno == errno.EADDRINUSE else ""
        raise CommandError(f"{name}={port}: cannot listen on {host}: {reason}.{hint}") from None


def check_project() -> None:
    """CommandError with a line for each thing that stands in the way, e.g. a malformed key."""
    if wrong := [message.msg for message in checks.run_checks() if message.is_serious()]:
        raise CommandError("\n".join(wrong))


def reach_database() -> None:
    """CommandError when the database cannot be reached; the sandbox's own is made if missing."""
    try:
        if connection.vendor == "postgresql":
            reach_postgresql(connection.get_connection_params())
        else:
            connection.ensure_connection()
    except (OperationalError, psycopg.Error) as error:
        where = "DATABASE_URL" if settings.DATABASE_URL else connection.settings_dict["NAME"]
        raise CommandError(f"{where}: {' '.join(str(error).split())}") from None


def reach_postgresql(address: dict[str, Any]) -> None:
    """Past the pool, which would try again for seconds and not say why it failed."""
    name = address["dbname"]
    if settings.SANDBOX:
        real = address | {"dbname": name.removesuffix("_sandbox")}
        with psycopg.connect(**real, autocommit=True) as server:
            found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name])
            if not found.fetchone():
                server.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    psycopg.connect(**address).close()


def collect_static() -> None:
    """Hashes and compresses the static files, unless those that stand were made of the same."""
    made_of = Path(settings.STATIC_ROOT) / "made-of.sha256"
    now = fingerprint(
        path
        for finder in get_finders()
        for name, storage in finder.list([])
        if (path := Path(storage.path(name)))
    )
    if not made_of.exists() or made_of.read_text() != now:
        call_command("collectstatic", verbosity=0, interactive=False)
        made_of.write_text(now)


def fingerprint(paths: Iterable[Path]) -> str:
    """Changes when a file is added, removed, renamed, resized or written again."""
    seen = sorted(f"{path}:{(s := path.stat()).st_size}:{s.st_mtime_ns}" for path in paths)
    return hashlib.sha256("\n".join(seen).encode()).hexdigest()


def where_to_go() -> str:
    host = "127.0.0.1" if settings.HOST in ("0.0.0.0", "::") else settings.HOST  # noqa: S104
    host = f"[{host}]" if ":" in host else host
    return WHERE_TO_GO.format(
        site=f"http://{host}:{settings.PORT}", sandbox=SANDBOX_NOTE if settings.SANDBOX else ""
    )


def variables() -> list[str]:
    """What the Procfile's lines refer to."""
    return [f"{name}={getattr(settings, name)}" for name in ("HOST", "PORT", "WEB_WORKERS")]


def honcho() -> list[str]:
    """
    The command that runs the Procfile. It is kept from reading `.env`, as it would let that
    win over the environment; our settings read it themselves, the other way round.
    """
    processes = ["web", "worker", "sandbox"] if settings.SANDBOX else ["web", "worker"]
    command = [sys.executable, "-m", "honcho", "--env", os.devnull, "start"]
    return [*command, "--port", str(settings.PORT), *processes]
