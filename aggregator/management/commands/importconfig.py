"""A configuration file into the database: all of it or nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aggregator import importing


class Command(BaseCommand):
    help = (
        "Makes providers, policies, clients and assets say what a file of exportconfig says, and "
        "prints every change. What the file does not say stays as it is."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("path", help="the file")
        parser.add_argument(
            "--dry-run", action="store_true", help="print what would change, and change nothing"
        )

    def handle(self, *args: Any, path: str, dry_run: bool, **options: Any) -> None:
        try:
            with Path(path).open(encoding="utf-8") as file:
                text = file.read(importing.MOST + 1)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
        except UnicodeDecodeError as error:
            raise CommandError(f"{path}: byte {error.start} is no UTF-8") from None
        try:
            changes = importing.run(text, dry_run=dry_run)
        except importing.BadConfiguration as error:
            raise CommandError(f"{path}: nothing was changed\n{error}") from None
        for change in changes:
            self.stdout.write("\n".join(change.lines()))
        number = f"{len(changes)} row{'' if len(changes) == 1 else 's'}"
        said = "would change: this was a dry run." if dry_run else "changed."
        self.stdout.write(f"{number} {said}" if changes else "Nothing differs.")
