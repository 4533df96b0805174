"""Switch between profiles of priorities, or tell which is in force."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers import priorities
from providers.changes import watched
from providers.history import SWITCH
from providers.priorities import Change, Priorities


class Command(BaseCommand):
    help = (
        "Puts a profile of priorities in force. What you set in the admin stays as it is; "
        "switching back undoes a switch."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("profile", nargs="?", help="Its name; without it, which is in force.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would change.")

    def handle(self, *args: Any, **options: Any) -> None:
        known, name = priorities.profiles(), options["profile"]
        if name is None:
            others = ", ".join(sorted(known))
            self.stdout.write(f"{priorities.in_force().name} is in force; there are: {others}")
            return
        if name not in known:
            raise CommandError(f"No profile is called {name!r}. There are: {', '.join(known)}")
        dry = options["dry_run"]
        self._tell(priorities.plan(known[name]) if dry else self._switch(known[name]))
        self.stdout.write(
            f"{name} would be in force; nothing was changed."
            if dry
            else f"{name} is in force; every process obeys within two seconds."
        )

    def _switch(self, profile: Priorities) -> Iterable[Change]:
        with watched(SWITCH) as watch:
            return priorities.switch(profile, watch)

    def _tell(self, changes: Iterable[Change]) -> None:
        for change in changes:
            if change.edited:
                agrees = "agrees" if change.now == change.wanted else f"says {change.wanted}"
                self.stdout.write(f"{change.place} stays {change.now}: your edit ({agrees})")
            elif change.now != change.wanted:
                self.stdout.write(f"{change.place}: {change.now} -> {change.wanted}")
