"""Take answers off the shelf, in every process."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aggregator import answers
from providers.datasets import DATASETS


class Command(BaseCommand):
    help = "Takes all answers off the shelf, or those of the datasets named."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("datasets", nargs="*", metavar="DATASET")

    def handle(self, *args: Any, **options: Any) -> None:
        unknown = sorted(set(options["datasets"]) - set(DATASETS))
        if unknown:
            known = ", ".join(sorted(DATASETS))
            raise CommandError(f"No dataset is called {unknown[0]!r}. Known: {known}")
        gone = answers.purge(options["datasets"])
        self.stdout.write(f"{gone} answers purged; every process obeys within a second.")
