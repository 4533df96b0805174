"""Bring the catalogue's rows in: new ones are added, an administrator's edits are kept."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from providers.loading import Loaded, load


class Command(BaseCommand):
    help = (
        "Adds providers, policies and assets of the catalogue, and upgrades those that nobody "
        "edited. Run it as often as you like: what you changed in the admin stays."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        for kind, loaded in load().items():
            if options["verbosity"] > 0:
                self.stdout.write(f"{kind}: {_said(loaded)}")


def _said(loaded: Loaded) -> str:
    parts = [f"{loaded.added} added", f"{loaded.updated} updated", f"{loaded.same} unchanged"]
    if loaded.kept:
        parts.append("your edits kept: " + ", ".join(sorted(loaded.kept)))
    return ", ".join(parts)
