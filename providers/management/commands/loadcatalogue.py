"""Bring the catalogue's rows in: new ones are added, an administrator's edits are kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.loading import Loaded, load

MOST_NAMES = 12  # of one kind in a line; -v 2 shows all


class Command(BaseCommand):
    help = (
        "Adds providers, policies, assets and resources of the catalogue, and upgrades those that "
        "nobody edited. Run it as often as you like: what you changed or deleted stays so."
    )

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="say what would be done, and do nothing"
        )
        parser.add_argument(
            "--again",
            nargs="+",
            default=[],
            metavar="KIND/NAME",
            help="forget your edits of these rows: providers/kraken",
        )

    def handle(self, *args: Any, dry_run: bool, again: list[str], **options: Any) -> None:
        try:
            done = load(dry_run=dry_run, again=again)
        except LookupError as error:
            raise CommandError(str(error.args[0])) from None
        if options["verbosity"] > 0:
            most = MOST_NAMES if options["verbosity"] == 1 else None
            for kind, loaded in done.items():
                self.stdout.write(f"{kind}: {said(loaded, most)}")
            if dry_run:
                self.stdout.write("Nothing was changed: this was a dry run.")


def said(loaded: Loaded, most: int | None) -> str:
    """What became of one kind, in a line."""
    parts = [f"{len(loaded.added)} added", f"{len(loaded.updated)} updated"]
    parts[1] += f" ({_names(loaded.updated, most)})" if loaded.updated else ""
    parts.append(f"{loaded.same} unchanged")
    for what, names in (
        ("your edits kept", loaded.kept),
        ("you deleted", loaded.deleted),
        ("retired", loaded.retired),
    ):
        if names:
            parts.append(f"{what}: {_names(names, most)}")
    return ", ".join(parts)


def _names(names: list[str], most: int | None) -> str:
    shown = sorted(names)[:most]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
