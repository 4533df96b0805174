"""
The first thing `make run` calls: writes `.env` with the secrets nobody should have to invent.

Standard library only. A `.env` that stands is kept as it is; secrets it lacks are appended,
unless the environment brings them.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

ENV_FILE = Path(__file__).resolve().parent.parent / ".env"
HEADER = """\
# Settings of this installation. .env.example describes all that may stand here.
# Keep a copy in a safe place: without ENCRYPTION_KEYS the stored provider keys cannot be read.
"""


def secret_key() -> str:
    return secrets.token_urlsafe(48)


def encryption_key() -> str:
    """A Fernet key: 32 random bytes as url-safe base64 (https://cryptography.io/en/latest/fernet/)."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()


SECRETS = {"SECRET_KEY": secret_key, "ENCRYPTION_KEYS": encryption_key}
_LINE = re.compile(r"^[ \t]*(?:export[ \t]+)?(\w+)[ \t]*=[ \t]*['\"]?([^'\"#\s]*)", re.MULTILINE)


def missing(text: str, environ: Mapping[str, str]) -> list[str]:
    """The secrets that neither the text of a `.env` nor the environment gives a value."""
    given = dict(_LINE.findall(text)) | {name: value for name, value in environ.items() if value}
    return [name for name in SECRETS if not given.get(name) and not given.get(f"{name}_FILE")]


def write_env(path: Path, environ: Mapping[str, str]) -> list[str]:
    """Make `path` hold every secret, readable by its owner alone; the names that were added."""
    old = path.read_text(errors="replace") if path.exists() else ""
    names = missing(old, environ)
    if not names:
        return []
    lines = [f"{name}={SECRETS[name]()}" for name in names]
    start = HEADER if not old else "" if old.endswith("\n") else "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with open(descriptor, "a") as file:
        os.fchmod(descriptor, 0o600)
        file.write(start + "\n".join(lines) + "\n")
    return names


def main() -> None:
    try:
        names = write_env(ENV_FILE, os.environ)
    except OSError as error:
        sys.exit(f"{ENV_FILE}: {error.strerror}")
    if names:
        sys.stdout.write(f"Wrote {' and '.join(names)} to .env, which only you may read.\n")


if __name__ == "__main__":
    main()
