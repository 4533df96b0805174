"""
The web server: uvicorn with our protocol (`quick`), in processes that are started again when they
die or hang, and that end when the one who watches them has been killed.

    python -m aggregator.serve --host 0.0.0.0 --port 8000 --workers 2
"""

from __future__ import annotations

import argparse
import logging
import os
import signal

from uvicorn import Config
from uvicorn.supervisors import Multiprocess

BACKLOG = 2048
IDLE_S = 75  # a connection stays open between requests: longer than a minute, as many ask each
LAST_WORDS_S = 10  # for answers under way when we are told to stop

_parent = os.getppid()  # of a web process: this module is its main one


def main() -> None:
    asked = _arguments()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s web: %(message)s")
    config = Config(
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
        callback_notify=end_with_the_parent,
        timeout_notify=1,
    )
    # With one process too: who dies is to be started again.
    Multiprocess(config, [config.bind_socket()]).run()


async def end_with_the_parent() -> None:
    """Nobody could stop or replace a process whose parent is gone, and it would keep the port."""
    if os.getppid() != _parent:
        os.kill(os.getpid(), signal.SIGTERM)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m aggregator.serve")
    parser.add_argument("application", nargs="?", default="aggregator.asgi:application")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
