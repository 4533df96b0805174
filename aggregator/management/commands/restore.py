"""A backup back into the database, all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.loader import MigrationLoader

from aggregator import backups, dumps
from providers import personal

REMINDER = (
    "Stored provider keys can be read only with the ENCRYPTION_KEYS they were encrypted with: "
    "put those of that time into .env."
)


class Command(BaseCommand):
    help = "Replaces everything in the database by a backup; a failure changes nothing."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("path", help="what `backup` has written")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, path: str, yes: bool, **options: Any) -> None:
        try:
            with TemporaryDirectory(dir=settings.DATA_DIR, prefix=".restore-") as folder:
                dump = Path(folder).resolve() / backups.DUMP
                manifest = backups.unpack(Path(path), dump)
                manifest.must_fit(
                    engine=connection.vendor, sandbox=settings.SANDBOX, known=known_migrations()
                )
                if not yes:
                    confirm(manifest)
                personal.engrave()  # before what knows of them is replaced
                dumps.load(connection, dump)
        except OSError as error:
            raise CommandError(f"{error.filename or path}: {error.strerror}") from None
        except backups.BadBackup as error:
            raise CommandError(f"{path} cannot be restored: {error}") from None
        except dumps.DumpFailed as error:
            raise CommandError(f"Nothing was changed. {error}") from None
        call_command("migrate", verbosity=0, interactive=False)
        self.stdout.write(f"Restored what was saved at {manifest.created_at}.\n{REMINDER}")
        if gone := personal.bury():
            self.stdout.write(f"{gone} rows of people who had been erased since were erased again.")


def known_migrations() -> set[str]:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return {f"{app}.{name}" for app, name in loader.disk_migrations or {}}


def confirm(manifest: backups.Manifest) -> None:
    question = (
        f"This replaces everything in {connection.settings_dict['NAME']} by what was saved at "
        f"{manifest.created_at}. Type yes to go on: "
    )
    try:
        answer = input(question)
    except EOFError:
        raise CommandError("Nobody is there to ask; say --yes to restore unasked.") from None
    except KeyboardInterrupt:
        answer = ""
    if answer.strip().lower() != "yes":
        raise CommandError("Nothing was changed.")
