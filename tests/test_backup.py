"""A backup brings back every row, is made and restored under way, and is refused when in doubt."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aggregator import backups, dumps
from tests.private import ROOT, installation, private_postgres, running

MANIFEST = backups.Manifest(
    product="aggregator",
    version="0.1.0",
    engine="sqlite",
    sandbox=False,
    created_at="2026-01-02T03:04:05Z",
    migrations=["auth.0001_initial"],
    sha256="",
)


# -- The file --------------------------------------------------------------------------------


def packed(folder: Path, dump: bytes, manifest: backups.Manifest = MANIFEST) -> Path:
    source, target = folder / "source", folder / "backup.tar.gz"
    source.write_bytes(dump)
    backups.pack(source, replace(manifest, sha256=backups.sha256(source)), target)
    return target


@given(dump=st.binary(max_size=3000))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
def test_what_was_packed_is_unpacked(tmp_path: Path, dump: bytes) -> None:
    (found := tmp_path / "found").unlink(missing_ok=True)
    manifest = backups.unpack(packed(tmp_path, dump), found)
    assert found.read_bytes() == dump
    assert replace(manifest, sha256="") == MANIFEST


@given(dump=st.binary(max_size=3000), where=st.floats(0, 1, exclude_max=True), cut=st.booleans())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
def test_damage_is_noticed_wherever_it_is(
    tmp_path: Path, dump: bytes, where: float, cut: bool
) -> None:
    (found := tmp_path / "found").unlink(missing_ok=True)
    path = packed(tmp_path, dump)
    whole = bytearray(path.read_bytes())
    if cut:
        del whole[int(where * len(whole)) :]
    else:
        whole[int(where * len(whole))] ^= 1 << int(where * 1e6) % 8
    path.write_bytes(whole)
    try:
        backups.unpack(path, found)
    except backups.BadBackup:
        return
    assert found.read_bytes() == dump, "damage that does no harm, e.g. to the time in the header"


def test_a_backup_is_for_its_owner_alone_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "there"
    folder.mkdir()
    (tmp_path / "dump").write_bytes(b"rows")
    backups.pack(tmp_path / "dump", MANIFEST, folder / "it")
    assert [path.name for path in folder.iterdir()] == ["it"]
    assert (folder / "it").stat().st_mode & 0o777 == 0o600


def test_a_backup_that_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        backups.pack(tmp_path / "no such dump", MANIFEST, tmp_path / "it")
    assert list(tmp_path.iterdir()) == []


def test_the_archives_of_others_are_refused(tmp_path: Path) -> None:
    for name, make in FOREIGN.items():
        path = tmp_path / name
        make(path)
        with pytest.raises(backups.BadBackup):
            backups.unpack(path, tmp_path / f"dump of {name}")


def _tar(path: Path, **members: bytes) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            (member := path.with_name(name)).write_bytes(content)
            tar.add(member, name.replace("manifest", "manifest.json"))


FOREIGN: dict[str, Callable[[Path], object]] = {
    "text": lambda path: path.write_text("hello"),
    "nothing": lambda path: path.touch(),
    "empty": _tar,
    "headless": lambda path: _tar(path, dump=b"rows"),
    "unread": lambda path: _tar(path, manifest=b"{", dump=b"rows"),
    "list": lambda path: _tar(path, manifest=b"[]", dump=b"rows"),
    "of another": lambda path: _tar(
        path, manifest=json.dumps({"product": "x", "version": ""}).encode(), dump=b"rows"
    ),
}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"engine": "postgresql"}, "it was made of postgresql, and this database is sqlite"),
        ({"sandbox": True}, "it was made of the sandbox, and this is real data"),
        ({"migrations": ["auth.0099_x"], "version": "9"}, "a newer version (9) made it: auth.0099"),
    ],
)
def test_a_backup_that_does_not_fit_here_is_refused(change: dict[str, Any], why: str) -> None:
    here: dict[str, Any] = {"engine": "sqlite", "sandbox": False, "known": {"auth.0001_initial"}}
    MANIFEST.must_fit(**here)
    with pytest.raises(backups.BadBackup) as refusal:
        replace(MANIFEST, **change).must_fit(**here)
    assert str(refusal.value).startswith(why)


# -- The commands, on both engines -----------------------------------------------------------


@dataclass(frozen=True)
class House:
    """An installation with a database of its own."""

    env: dict[str, str]
    folder: Path

    def manage(self, *words: str | Path, answer: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *map(str, words)]
        return subprocess.run(
            command, cwd=ROOT, env=self.env, input=answer, capture_output=True, text=True
        )

    def managed(self, *words: str | Path) -> str:
        done = self.manage(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sql(self, statement: str, **values: Any) -> list[tuple[Any, ...]]:
        if url := self.env["DATABASE_URL"]:
            with psycopg.connect(url) as connection:
                cursor = connection.execute(statement.replace("?", "%s"), list(values.values()))
                return cursor.fetchall() if cursor.description else []
        with closing(self.connect()) as lite, lite:
            return lite.execute(statement, list(values.values())).fetchall()

    @property
    def database(self) -> Path:
        return self.folder / "aggregator.sqlite3"

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.database, timeout=20)

    def name(self, *names: str) -> None:
        for name in names:
            self.sql("INSERT INTO auth_group (name) VALUES (?)", name=name)

    def names(self) -> set[str]:
        return {name for (name,) in self.sql("SELECT name FROM auth_group")}


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a migrated SQLite installation, to be copied."""
    folder = tmp_path_factory.mktemp("migrated")
    House(installation(folder), folder).managed("migrate", "--verbosity=0")
    return folder


@pytest.fixture
def lite(migrated: Path, tmp_path: Path) -> House:
    folder = tmp_path / "house"
    shutil.copytree(migrated, folder)
    return House(installation(folder), folder)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    The URL of a server with a migrated database, to be copied: `migrated`, of the user `keeper`,
    who has a password and is no superuser.
    """
    with private_postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE ROLE keeper LOGIN PASSWORD 'not-to-be-shown'")
            connection.execute("CREATE DATABASE migrated OWNER keeper")
        folder = tmp_path_factory.mktemp("grown")
        env = installation(folder, DATABASE_URL=keepers(url, "migrated"))
        House(env, folder).managed("migrate", "--verbosity=0")
        yield url


def keepers(server: str, name: str) -> str:
    address = server.partition("@")[2].rpartition("/")[0]
    return f"postgres://keeper:not-to-be-shown@{address}/{name}"


@pytest.fixture
def grown(server: str, tmp_path: Path) -> House:
    """An installation on PostgreSQL."""
    name = f"house{random.randrange(10**9)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE migrated OWNER keeper")
    folder = tmp_path / "house"
    return House(installation(folder, DATABASE_URL=keepers(server, name)), folder)


@pytest.fixture(params=["lite", pytest.param("grown", marks=pytest.mark.service)])
def house(request: pytest.FixtureRequest) -> House:
    return cast(House, request.getfixturevalue(request.param))


def test_a_round_trip_brings_back_every_row(house: House, tmp_path: Path) -> None:
    before = "saved \N{BLACK SUN WITH RAYS} 'quoted'"
    house.name(before)
    said = house.managed("backup", tmp_path / "it.tar.gz")
    assert "encryption keys are not in it" in said
    house.name("after")
    house.sql("DELETE FROM auth_group WHERE name = ?", name=before)
    restored = house.managed("restore", tmp_path / "it.tar.gz", "--yes")
    assert "ENCRYPTION_KEYS" in restored
    assert house.names() == {before}
    house.name("one more")
    assert house.names() == {before, "one more"}


SOMEBODY = """
from chat.models import Conversation, Interaction
for name in ("a" * 32, "b" * 32):
    Interaction.objects.create(conversation=Conversation.objects.create(pseudonym=name),
        query="mine", category="NEWS", confidence=1, route="rule", answer="", latency_ms=1)
"""
ERASED = "from chat import privacy; print(privacy.erase(privacy.of_pseudonym('a' * 32)))"


@pytest.mark.slow
def test_who_was_erased_since_is_not_brought_back(house: House, tmp_path: Path) -> None:
    house.managed("shell", "-c", SOMEBODY)
    house.managed("backup", tmp_path / "it.tar.gz")
    house.managed("shell", "-c", ERASED)
    restored = house.managed("restore", tmp_path / "it.tar.gz", "--yes")
    assert "erased again" in restored
    assert house.sql("SELECT pseudonym FROM chat_conversation") == [("b" * 32,)]
    assert house.sql("SELECT count(*) FROM chat_interaction") == [(1,)]


def test_a_backup_without_a_path_goes_beside_the_database(house: House) -> None:
    said = house.managed("backup")
    (made,) = (house.folder / "backups").iterdir()
    assert said.startswith(str(made))
    assert sorted(path.name for path in house.folder.glob(".*")) == []


@pytest.mark.slow
def test_a_backup_of_an_older_version_is_migrated_after_its_restore(
    house: House, tmp_path: Path
) -> None:
    """The tables that are newer than the backup are in its way, and have to be made again."""
    house.managed("migrate", "--verbosity=0", "admin", "zero")
    house.name("old")
    house.managed("backup", tmp_path / "old.tar.gz")
    house.managed("migrate", "--verbosity=0")
    house.managed("restore", tmp_path / "old.tar.gz", "--yes")
    assert house.names() == {"old"}
    assert house.sql("SELECT count(*) FROM django_admin_log") == [(0,)]
    house.managed("migrate", "--check")


def test_a_backup_is_not_written_over_another(house: House, tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text("precious")
    done = house.manage("backup", taken)
    assert done.returncode == 1
    assert done.stderr == f"CommandError: {taken} exists, and is not overwritten\n"
    assert taken.read_text() == "precious"


@pytest.mark.slow
def test_a_restore_asks_first(house: House, tmp_path: Path) -> None:
    house.managed("backup", tmp_path / "it")
    house.name("after")
    for answer in ("", "y\n"):
        assert house.manage("restore", tmp_path / "it", answer=answer).returncode == 1
        assert house.names() == {"after"}
    assert house.manage("restore", tmp_path / "it", answer="yes\n").returncode == 0
    assert house.names() == set()


@pytest.mark.slow
def test_what_cannot_be_restored_is_refused_in_one_line_and_changes_nothing(
    house: House, tmp_path: Path
) -> None:
    house.name("kept")
    for path, why in unfit(tmp_path):
        done = house.manage("restore", path, "--yes")
        assert done.returncode == 1
        assert why in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
        assert house.names() == {"kept"}


def unfit(folder: Path) -> Iterator[tuple[Path, str]]:
    yield folder / "nowhere", "No such file"
    (other := folder / "other").mkdir()
    yield packed(other, b"rows", replace(MANIFEST, engine="mysql")), "it was made of mysql"
    for engine in ("sqlite", "postgresql"):
        (place := folder / engine).mkdir()
        yield packed(place, b"no rows", replace(MANIFEST, engine=engine)), "CommandError: "


@pytest.mark.service
def test_a_restore_that_fails_half_way_changes_nothing(
    grown: House, server: str, tmp_path: Path
) -> None:
    """Its user may drop the tables, as their owner, and then may not make them again."""
    grown.name("saved")
    grown.managed("backup", tmp_path / "it")
    grown.name("after")
    database = grown.env["DATABASE_URL"].rpartition("/")[2]
    with psycopg.connect(server, dbname=database) as connection:
        connection.execute("ALTER SCHEMA public OWNER TO postgres")
    done = grown.manage("restore", tmp_path / "it", "--yes")
    assert done.returncode == 1
    assert "permission denied for schema public" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert grown.names() == {"saved", "after"}


# -- Under way -------------------------------------------------------------------------------

WRITER = """
import sqlite3, sys
base = sqlite3.connect(sys.argv[1], timeout=20, isolation_level=None)
number = 0
while True:
    number += 1
    base.execute("BEGIN IMMEDIATE")
    base.execute("INSERT INTO auth_group (name) VALUES (?)", [f"{number} left"])
    base.execute("INSERT INTO auth_group (name) VALUES (?)", [f"{number} right"])
    base.execute("COMMIT")
    if number == 20:
        print("under way", flush=True)
"""


def test_a_backup_sees_one_moment_while_others_write(lite: House, tmp_path: Path) -> None:
    with running([sys.executable, "-c", WRITER, lite.database]) as writer:
        writer.wait_for("under way")
        lite.managed("backup", tmp_path / "it")
        assert writer.process.poll() is None, writer.output()
    backups.unpack(tmp_path / "it", tmp_path / "dump")
    with closing(sqlite3.connect(tmp_path / "dump")) as dump:
        names = {name for (name,) in dump.execute("SELECT name FROM auth_group")}
        assert dump.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    numbers = {int(name.split()[0]) for name in names}
    assert names == {f"{number} {side}" for number in numbers for side in ("left", "right")}
    assert numbers == set(range(1, len(numbers) + 1))
    assert len(numbers) >= 20


@pytest.mark.slow
def test_who_has_the_database_open_sees_the_restored_rows(lite: House, tmp_path: Path) -> None:
    lite.name("saved")
    lite.managed("backup", tmp_path / "it")
    with closing(lite.connect()) as open_one:
        with open_one:
            open_one.execute("INSERT INTO auth_group (name) VALUES ('after')")
        lite.managed("restore", tmp_path / "it", "--yes")
        assert open_one.execute("SELECT name FROM auth_group").fetchall() == [("saved",)]
        with open_one:
            open_one.execute("INSERT INTO auth_group (name) VALUES ('later')")
    assert lite.names() == {"saved", "later"}
    assert lite.sql("PRAGMA integrity_check") == [("ok",)]
    assert lite.sql("PRAGMA journal_mode") == [("wal",)]


def test_a_busy_database_is_left_as_it_is(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    for path, content in ((source, "new"), (target, "old")):
        with closing(sqlite3.connect(path)) as base, base:
            base.execute("CREATE TABLE said (what)")
            base.execute("INSERT INTO said VALUES (?)", [content])
    with (
        closing(sqlite3.connect(target, timeout=0, isolation_level=None)) as writer,
        closing(sqlite3.connect(target, timeout=0)) as ours,
    ):
        writer.execute("BEGIN IMMEDIATE")
        with pytest.raises(dumps.DumpFailed, match="busy"):
            dumps.load(_connection("sqlite", connection=ours), source)
        writer.execute("ROLLBACK")
        assert writer.execute("SELECT what FROM said").fetchall() == [("old",)]


def test_a_password_is_never_an_argument(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    seen: list[tuple[list[str], dict[str, str]]] = []

    def run(command: list[str], env: dict[str, str], **_: Any) -> Any:
        seen.append((command, env))
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(dumps, "_program", lambda name: name)
    where = {
        "NAME": "base",
        "USER": "me",
        "PASSWORD": "hush",
        "HOST": "h",
        "PORT": 1,
        "OPTIONS": {},
    }
    dumps.dump(_connection("postgresql", settings_dict=where), tmp_path / "dump")
    ((command, environ),) = seen
    assert command[0] == "pg_dump"
    assert "hush" not in " ".join(command)
    assert environ["PGPASSWORD"] == "hush"


def _connection(vendor: str, **attributes: Any) -> Any:
    return SimpleNamespace(vendor=vendor, ensure_connection=lambda: None, **attributes)
