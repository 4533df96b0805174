"""The database in one file, made while everything runs on."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from aggregator import backups, dumps

REMINDER = (
    "The encryption keys are not in it. Keep .env (ENCRYPTION_KEYS) in another safe place: "
    "without it the stored provider keys cannot be read."
)


class Command(BaseCommand):
    help = "Writes the whole database into one file that `restore` takes. Nothing has to stop."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "path", nargs="?", help="a file or a folder; without it, `backups` beside the database"
        )

    def handle(self, *args: Any, path: str | None, **options: Any) -> None:
        now = datetime.now(UTC)
        target = destination(path, now)
        if target.exists():
            raise CommandError(f"{target} exists, and is not overwritten")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(dir=target.parent, prefix=".backup-") as folder:
                dump = Path(folder).resolve() / backups.DUMP
                migrations = applied()
                dumps.dump(connection, dump)
                backups.pack(dump, manifest(now, migrations, backups.sha256(dump)), target)
        except OSError as error:
            raise CommandError(f"{target}: {error.strerror}") from None
        except dumps.DumpFailed as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{target} ({target.stat().st_size:,} bytes)\n{REMINDER}")


def destination(path: str | None, now: datetime) -> Path:
    named = Path(path) if path else settings.DATA_DIR / "backups"
    if path and not named.is_dir():
        return named
    return named / f"{backups.PRODUCT}-{now:%Y%m%d-%H%M%S}.tar.gz"


def applied() -> list[str]:
    recorded = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in recorded)


def manifest(now: datetime, migrations: list[str], sha256: str) -> backups.Manifest:
    return backups.Manifest(
        product=backups.PRODUCT,
        version=str(settings.SPECTACULAR_SETTINGS["VERSION"]),
        engine=connection.vendor,
        sandbox=settings.SANDBOX,
        created_at=now.isoformat(timespec="seconds").replace("+00:00", "Z"),
        migrations=migrations,
        sha256=sha256,
    )
