"""The whole configuration in one file, without a secret in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aggregator import configuration


class Command(BaseCommand):
    help = "Writes providers, policies, clients and your edits of the catalogue as one YAML file."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("path", nargs="?", help="a file; without it, it is printed")

    def handle(self, *args: Any, path: str | None, **options: Any) -> None:
        exported = configuration.export()
        if path is None:
            self.stdout.write(exported.text(), ending="")
        else:
            try:
                Path(path).write_text(exported.text(), encoding="utf-8")
            except OSError as error:
                raise CommandError(f"{path}: {error.strerror}") from None
        for name in exported.left_out:
            self.stderr.write(f"Left out, as it may hold a key: {name}")
