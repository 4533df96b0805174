"""
The web server: uvicorn with our protocol (`quick`), in processes that are started again when they
die or hang, and that end when the one who watches them has been killed.

    python -m aggregator.serve --host 0.0.0.0 --port 8000 --workers 2
"""

from __future__ import annotations

import argparse
import logging
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from uvicorn import Config
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from aggregator import stuck
from providers import parent

logger = logging.getLogger("aggregator.serve")

START_S = 10  # within which a web process starts, or says that it still lives
FORMAT = "%(levelname)s web: %(message)s"
BACKLOG = 2048
IDLE_S = 75  # a connection stays open between requests: longer than a minute, as many ask each
# For answers under way when we are told to stop. honcho kills who takes five seconds, and what was
# counted has to be written down after that.
LAST_WORDS_S = 3


class Watched(Config):
    """
    Of a web process. One that cannot even load the application would fail the same way each time:
    it says why, and then nobody starts it again.
    """

    def load(self) -> None:
        logging.basicConfig(level=logging.INFO, format=FORMAT)  # until our settings are read
        try:
            super().load()
        except ImproperlyConfigured as error:
            logger.error("cannot start: %s", error)
            sys.exit(STARTUP_FAILURE)
        except Exception:
            logger.exception("cannot start")
            sys.exit(STARTUP_FAILURE)


class Dealt(socket.socket):
    """
    Opened anew by each process, so that the kernel deals connections out among them. Of one that
    they shared, whoever woke first would take all that come at once, and keep them.
    """

    def __init__(self, family: int, address: Any) -> None:
        super().__init__(family)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.bind(address)

    def __reduce__(self) -> tuple[Any, ...]:
        return Dealt, (self.family, self.getsockname())


def main() -> None:
    asked = _arguments()
    logging.basicConfig(level=logging.INFO, format=FORMAT)
    config = Watched(
        asked.application,
        host=asked.host,
        port=asked.port,
        workers=asked.workers,
        http="aggregator.quick:Quick",
        loop="uvloop",
        ws="none",
        interface="asgi3",
        lifespan="on",
        log_config=None,  # web processes have our settings'
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom a request comes from is told by `callers` alone
        backlog=BACKLOG,
        timeout_keep_alive=IDLE_S,
        timeout_graceful_shutdown=LAST_WORDS_S,
        timeout_worker_healthcheck=START_S,
        callback_notify=each_second,
        timeout_notify=1,
    )
    # With one process too: who dies is to be started again.
    found = config.bind_socket()
    if asked.workers > 1:
        family, address = found.family, found.getsockname()
        found.close()
        found = Dealt(family, address)
    supervisor = Multiprocess(config, [found])
    if asked.with_parent:
        parent.end_with_it()
    supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        sys.exit(STARTUP_FAILURE)


async def each_second() -> None:
    """
    Say that the loop goes on; and end without a parent: nobody could stop or replace a process
    whose parent is gone, and it would keep the port.
    """
    stuck.watch.beat()
    supervisor = multiprocessing.parent_process()
    if supervisor is None or not supervisor.is_alive():
        os.kill(os.getpid(), signal.SIGTERM)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m aggregator.serve")
    parser.add_argument("application", nargs="?", default="aggregator.asgi:application")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=_whole(0, 65_535), default=8000)
    parser.add_argument("--workers", type=_whole(1, 64), default=1)
    parser.add_argument("--with-parent", action="store_true", help=parent.HELP)
    return parser.parse_args()


def _whole(least: int, most: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isdecimal() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text}: use {least} to {most}")
        return int(text)

    return read


if __name__ == "__main__":
    main()
