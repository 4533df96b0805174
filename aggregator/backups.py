"""
A backup is one file: a gzipped tar of `manifest.json` and the database's own dump.

Here is the format; how a database is dumped and loaded is `dumps`. The manifest says what the
dump is and carries its SHA-256, so that a damaged, foreign or too new one is refused before
anything is touched.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import tarfile
import zlib
from dataclasses import asdict, dataclass, fields
from io import BytesIO
from pathlib import Path
from typing import IO

PRODUCT = "aggregator"
MANIFEST, DUMP = "manifest.json", "dump"
MOST_OF_A_MANIFEST = 1_000_000  # bytes; a real one has some thousand
CHUNK = 1 << 20


class BadBackup(Exception):
    """The file is no backup of ours, or not one that can be restored here; says why."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup was made of. `created_at` is RFC 3339 UTC, `migrations` "app.name" each."""

    product: str
    version: str
    engine: str  # "sqlite" or "postgresql"
    sandbox: bool
    created_at: str
    migrations: list[str]
    sha256: str

    @classmethod
    def read(cls, text: bytes) -> Manifest:
        try:
            said = json.loads(text)
            manifest = cls(**{field.name: said[field.name] for field in fields(cls)})
        except (ValueError, KeyError, TypeError) as error:
            raise BadBackup(f"its manifest cannot be read ({error})") from None
        if manifest.product != PRODUCT:
            raise BadBackup(f"it is a backup of {manifest.product!r}, not of {PRODUCT}")
        return manifest

    def must_fit(self, *, engine: str, sandbox: bool, known: set[str]) -> None:
        """BadBackup unless it can be restored into such a database by this version."""
        if self.engine != engine:
            raise BadBackup(f"it was made of {self.engine}, and this database is {engine}")
        if self.sandbox != sandbox:
            here, there = ("the sandbox", "real data") if sandbox else ("real data", "the sandbox")
            raise BadBackup(f"it was made of {there}, and this is {here}")
        if newer := sorted(set(self.migrations) - known):
            raise BadBackup(f"a newer version ({self.version}) made it: {newer[0]} is unknown here")


def pack(dump: Path, manifest: Manifest, target: Path) -> None:
    """Write the backup, readable by its owner alone; under its name only when it is whole."""
    part = target.with_name(f".{target.name}.part")
    text = json.dumps(asdict(manifest), indent=1).encode()
    head = tarfile.TarInfo(MANIFEST)
    head.size = len(text)
    try:
        with (
            open(part, "xb", opener=_private) as file,
            tarfile.open(fileobj=file, mode="w:gz") as tar,
        ):
            tar.addfile(head, BytesIO(text))
            tar.add(dump, DUMP)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)


def unpack(source: Path, dump: Path) -> Manifest:
    """Write the dump of a backup to `dump`; BadBackup when it is damaged or none."""
    try:
        with tarfile.open(source, "r:*") as tar:
            manifest = Manifest.read(_member(tar, MANIFEST).read(MOST_OF_A_MANIFEST))
            with open(dump, "xb", opener=_private) as file:
                found = _copy(_member(tar, DUMP), file)
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, KeyError) as error:
        raise BadBackup(f"it is no whole backup ({error})") from None
    if found != manifest.sha256:
        raise BadBackup("it is damaged: its contents are not what its manifest says")
    return manifest


def sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _member(tar: tarfile.TarFile, name: str) -> IO[bytes]:
    member = tar.extractfile(name)
    if member is None:
        raise BadBackup(f"its {name} is no file")
    return member


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    """Copy everything; the SHA-256 of what was copied."""
    digest = hashlib.sha256()
    while chunk := source.read(CHUNK):
        digest.update(chunk)
        target.write(chunk)
    return digest.hexdigest()
