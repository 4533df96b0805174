"""What `make run` finds on a fresh machine, on a used one, and with settings that are nonsense."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from cryptography.fernet import Fernet
from dotenv import dotenv_values

from aggregator import firstrun
from tests.private import (
    ROOT,
    Running,
    answers,
    free_port,
    installation,
    private_postgres,
    running,
)

SECRETS = {"SECRET_KEY", "ENCRYPTION_KEYS"}
EXAMPLE = (ROOT / ".env.example").read_text()


# -- The file of secrets ---------------------------------------------------------------------


def test_a_fresh_env_holds_every_secret_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert set(firstrun.write_env(path, {})) == SECRETS
    values = dotenv_values(path)
    assert set(values) == SECRETS
    assert len(values["SECRET_KEY"] or "") >= 50
    Fernet(values["ENCRYPTION_KEYS"] or "").encrypt(b"anything")
    assert path.stat().st_mode & 0o777 == 0o600


def test_no_two_installations_share_a_secret(tmp_path: Path) -> None:
    for name in ("a", "b"):
        firstrun.write_env(tmp_path / name, {})
    one, other = dotenv_values(tmp_path / "a"), dotenv_values(tmp_path / "b")
    assert not set(one.values()) & set(other.values())


def test_a_complete_env_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("SECRET_KEY='mine'\nexport ENCRYPTION_KEYS = theirs # of 2026")
    path.chmod(0o640)
    before = path.stat()
    assert firstrun.write_env(path, {}) == []
    assert path.read_text().startswith("SECRET_KEY='mine'\n")
    assert path.stat() == before


@pytest.mark.parametrize(
    "old", ["SECRET_KEY=mine", "SECRET_KEY=mine\nENCRYPTION_KEYS=\n", "# ENCRYPTION_KEYS=no\n"]
)
def test_what_an_env_lacks_is_appended(tmp_path: Path, old: str) -> None:
    path = tmp_path / ".env"
    path.write_text(old)
    firstrun.write_env(path, {})
    assert path.read_text().startswith(old)
    values = dotenv_values(path)
    assert values["SECRET_KEY"] == "mine" or "SECRET_KEY" not in old
    Fernet(values["ENCRYPTION_KEYS"] or "")
    assert path.stat().st_mode & 0o777 == 0o600
    assert firstrun.write_env(path, {}) == []


def test_a_copy_of_the_example_is_completed(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(EXAMPLE)
    assert set(firstrun.write_env(path, {})) == SECRETS
    assert all(dotenv_values(path)[name] for name in SECRETS)


def test_a_secret_that_the_environment_brings_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    brought = {"SECRET_KEY": "mine", "ENCRYPTION_KEYS_FILE": "/run/secrets/keys"}
    assert firstrun.write_env(path, brought) == []
    assert not path.exists()


def test_an_empty_variable_brings_no_secret(tmp_path: Path) -> None:
    assert "SECRET_KEY" in firstrun.write_env(tmp_path / ".env", {"SECRET_KEY": ""})


# -- `manage.py start`, up to the processes --------------------------------------------------


def prepare(env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "start", "--prepare-only"]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_the_admins_password_is_shown_once(tmp_path: Path) -> None:
    env = installation(tmp_path)
    first, second = prepare(env), prepare(env)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert len(re.findall(r"Administrator: admin, password: \S{20}$", first.stdout, re.M)) == 1
    assert "password" not in second.stdout
    for site in (first.stdout, second.stdout):
        assert f"http://127.0.0.1:{env['PORT']}/docs" in site


NONSENSE = {
    "PORT": "80x",
    "WEB_WORKERS": "0",
    "SANDBOX": "perhaps",
    "DATABASE_URL": "mysql://localhost/x",
    "REDIS_URL": "localhost:6379",
    "LOG_LEVEL": "LOUD",
    "ALLOW_PRIVATE_UPSTREAMS": "10.0.0.0/99",
    "SECRET_KEY": " ",
    "ENCRYPTION_KEYS": "too-short",
    "DATA_DIR": "/dev/null/here",
}


@pytest.mark.parametrize(("name", "value"), NONSENSE.items())
def test_a_malformed_setting_stops_the_start_with_one_line(
    tmp_path: Path, name: str, value: str
) -> None:
    done = prepare(installation(tmp_path, **{name: value}))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert name in done.stderr


def test_a_port_that_is_taken_stops_the_start_with_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = prepare(installation(tmp_path, PORT=str(port)))
    assert done.returncode == 1
    assert done.stderr.startswith(f"CommandError: PORT={port}: cannot listen on 127.0.0.1: ")
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_database_that_does_not_answer_stops_the_start_with_one_line(tmp_path: Path) -> None:
    url = f"postgres://someone:hidden@127.0.0.1:{free_port()}/x"
    done = prepare(installation(tmp_path, DATABASE_URL=url))
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: DATABASE_URL: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "hidden" not in done.stderr


@pytest.mark.service
def test_the_sandbox_has_a_database_of_its_own_on_postgresql(tmp_path: Path) -> None:
    with private_postgres() as url:
        sandbox_port = str(free_port())
        env = installation(tmp_path, DATABASE_URL=url, SANDBOX="1", SANDBOX_PORT=sandbox_port)
        for _ in range(2):
            done = prepare(env)
            assert done.returncode == 0, done.stderr
            assert "SANDBOX" in done.stdout
        assert tables(url) == 0
        assert tables(f"{url}_sandbox") > 10


def tables(url: str) -> int:
    import psycopg

    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchone()
    assert row
    return int(row[0])


# -- `make run`, as a whole ------------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the project whose .venv is ours, so that nothing has to be installed."""
    unwanted = shutil.ignore_patterns(".*", "var", "staticfiles", "tests", "__pycache__")
    copy = tmp_path / "copy of it"
    shutil.copytree(ROOT, copy, ignore=unwanted)
    (copy / ".venv").mkdir()
    for entry in Path(sys.prefix).iterdir():
        (copy / ".venv" / entry.name).symlink_to(entry)
    (copy / ".venv" / "installed").unlink(missing_ok=True)
    (copy / ".venv" / "installed").touch()
    return copy


def make_run(checkout: Path, port: int, **settings: str) -> AbstractContextManager[Running]:
    """As one types it: nothing but PATH and HOME in the environment."""
    env = {"PATH": os.environ["PATH"], "HOME": str(checkout)}
    # A worker that trains is in no hurry to end.
    given = {"PORT": str(port), "CHAT_BASE_MODEL": "0"} | settings
    words = [f"{name}={value}" for name, value in given.items()]
    return running(["make", "run", *words], cwd=checkout, env=env, port=port, patience=60)


def get(port: int, path: str) -> int:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=10) as answer:
        status: int = answer.status
        return status


def interrupt(started: Running) -> list[psutil.Process]:
    """Ctrl-C, as a terminal sends it to its whole foreground group; who is left of the family."""
    family = psutil.Process(started.process.pid).children(recursive=True)
    assert len(family) >= 3, "make, web and worker"
    started.signal_group(signal.SIGINT)
    started.process.wait(20)
    left: list[psutil.Process] = psutil.wait_procs(family, timeout=5)[1]
    return left


@pytest.mark.slow
def test_make_run_starts_stops_and_starts_again_without_losing_anything(checkout: Path) -> None:
    port = free_port()
    with make_run(checkout, port) as first:
        assert get(port, "/healthz") == get(port, "/") == get(port, "/docs") == 200
        assert "Administrator: admin, password: " in first.output()
        assert f"http://127.0.0.1:{port}/docs" in first.output()
        assert interrupt(first) == []
        assert "Traceback" not in first.output()
    secrets = (checkout / ".env").read_text()
    with make_run(checkout, port) as second:
        assert get(port, "/healthz") == 200
        assert "password" not in second.output()
        assert interrupt(second) == []
    assert (checkout / ".env").read_text() == secrets
    assert not answers(port)


@pytest.mark.slow
def test_make_run_in_the_sandbox_answers_and_says_so(checkout: Path) -> None:
    port, sandbox_port = free_port(), free_port()
    with make_run(checkout, port, SANDBOX="1", SANDBOX_PORT=str(sandbox_port)) as started:
        started.wait_for(sandbox_port)
        with urlopen(f"http://127.0.0.1:{port}/api/market?limit=3", timeout=20) as answer:
            said = json.load(answer)
        assert len(said["data"]) == 3
        assert said["meta"]["sandbox"] is True
        assert interrupt(started) == []
    assert not answers(sandbox_port)


@pytest.mark.parametrize(
    ("python", "said"),
    [
        (
            "no-such-python",
            "no-such-python is not installed: Aggregator needs Python 3.11 or newer",
        ),
        ("old", "Aggregator needs Python 3.11 or newer, and {} is 3.9"),
        ("bare", "{} cannot make virtual environments. On Debian and Ubuntu: sudo apt install"),
    ],
)
def test_a_python_that_will_not_do_is_refused_with_what_to_do(
    checkout: Path, tmp_path: Path, python: str, said: str
) -> None:
    (checkout / ".venv" / "installed").unlink()
    command = tmp_path / python
    if python in STAND_INS:
        command.write_text(STAND_INS[python])
        command.chmod(0o755)
    given = str(command) if python in STAND_INS else python
    done = subprocess.run(
        ["make", "run", f"PYTHON={given}"], cwd=checkout, capture_output=True, text=True
    )
    assert done.returncode == 2
    first, *rest = done.stderr.strip().splitlines()
    assert first.startswith(said.format(given))
    assert len(rest) == 1, "and make's own word that it failed"


# An interpreter of another age, and one without ensurepip, as Debian ships it.
STAND_INS = {
    "old": f"""#!/bin/sh
exec {sys.executable} -c "import sys; sys.version_info = (3, 9, 2, 'final', 0); $2"
""",
    "bare": f"""#!/bin/sh
exec {sys.executable} -c "import sys; sys.modules['ensurepip'] = None; $2"
""",
}
