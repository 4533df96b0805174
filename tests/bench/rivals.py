"""The servers we are compared with, each with the same bytes to serve."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.load import program
from tests.private import free_port, running

NGINX = """
daemon off; {user} worker_processes 1; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000000; types {{ application/json json; }}
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port} backlog=1024; root {folder}; }}
}}
"""


@contextmanager
def nginx(folder: Path, body: bytes) -> Iterator[str]:
    """The address of a file with `body`."""
    (folder / "answer.json").write_bytes(body)
    port = free_port()
    user = "" if os.geteuid() else "user root;"  # else it could not read our folder
    (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port, user=user))
    command = [program("nginx"), "-p", str(folder), "-c", str(folder / "nginx.conf")]
    with running(command, port=port):
        yield f"http://127.0.0.1:{port}/answer.json"


@contextmanager
def bare(folder: Path, body: bytes) -> Iterator[str]:
    """The address of a function that only sends them, in the server that we use; see `bare`."""
    file = folder / "answer.json"
    file.write_bytes(body)
    port = free_port()
    server = [sys.executable, "-m", "uvicorn", "tests.bench.bare:app", "--loop", "uvloop"]
    quiet = ["--no-access-log", "--log-level", "warning", "--host", "127.0.0.1"]
    env = os.environ | {"ANSWER": str(file)}
    with running([*server, *quiet, "--port", str(port)], port=port, env=env):
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def fastapi(folder: Path, body: bytes) -> Iterator[str]:
    """The address of a FastAPI application; see `fastapi_rival`."""
    file = folder / "answer.json"
    file.write_bytes(body)
    port = free_port()
    server = [sys.executable, "-m", "uvicorn", "tests.bench.fastapi_rival:app", "--workers", "1"]
    quiet = ["--no-access-log", "--log-level", "warning", "--host", "127.0.0.1"]
    env = os.environ | {"ANSWER": str(file)}
    with running([*server, *quiet, "--port", str(port)], port=port, env=env):
        yield f"http://127.0.0.1:{port}"
