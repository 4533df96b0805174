"""
Whom to ask first, as a whole: profiles of priorities, and the switch between them.

A profile changes what the catalogue says of a row, never what an administrator made of it: an edit
stays under every profile, so that switching back undoes a switch to the letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import transaction
from django.utils.timezone import now

from providers import catalogue, plainyaml, registry, roster
from providers.catalogue import CatalogueError
from providers.changes import Watch
from providers.datasets import LISTING
from providers.models import Profile, Provider
from providers.shipped import Shipped

DEFAULT = "default"
FIELDS = ("priority", "cached_only")


@dataclass(frozen=True)
class Priorities:
    """One profile; the default one names nobody."""

    name: str
    why: str = ""
    named: Mapping[str, int] = field(default_factory=dict)
    cached_only: frozenset[str] = frozenset()

    def over(self, entry: catalogue.ProviderEntry) -> dict[str, Any]:
        """The values of a row of the catalogue under this profile."""
        values = entry.row() | {"cached_only": entry.slug in self.cached_only}
        if entry.slug in self.named:
            values["priority"] = self.named[entry.slug]
        elif self.named and _offers(entry.adapter) & self._rivalled:
            values["priority"] = entry.priority * (min(self.named.values()) - 1) // 100
        return values

    @cached_property
    def _rivalled(self) -> set[str]:
        """The datasets that the named providers offer."""
        adapters = {entry.slug: entry.adapter for entry in catalogue.load().providers}
        return set().union(*(_offers(adapters[slug]) for slug in self.named))


def _offers(adapter: str) -> set[str]:
    """What visitors may ask it for."""
    offered = {query.dataset for query in registry.get(adapter).offers}
    return {dataset.name for dataset in offered if dataset is not LISTING}


def profiles() -> dict[str, Priorities]:
    """Every profile by name; CatalogueError when their file makes no sense."""
    written = plainyaml.trusted((catalogue.HERE / "priorities.yaml").read_text())
    known = {entry.slug for entry in catalogue.load().providers}
    return {DEFAULT: Priorities(DEFAULT)} | {n: _read(n, row, known) for n, row in written.items()}


def _read(name: str, row: Mapping[str, Any], known: set[str]) -> Priorities:
    found = Priorities(
        name, row["why"], dict(row["priorities"]), frozenset(row.get("cached_only", ()))
    )
    if strange := {*found.named, *found.cached_only} - known:
        raise CatalogueError(f"profile {name}: no provider is called {', '.join(sorted(strange))}")
    if not all(0 < priority <= 100 for priority in found.named.values()):
        raise CatalogueError(f"profile {name}: priority is 1 to 100")
    return found


def in_force() -> Priorities:
    """The profile that was switched to last; the default where nobody did, or it is gone."""
    row = Profile.objects.first()
    return profiles().get(row.name if row else DEFAULT, Priorities(DEFAULT))


# -- Switching -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Change:
    """What a profile says of a field of a row; `edited` when an administrator says otherwise."""

    slug: str
    field: str
    now: Any
    wanted: Any
    edited: bool

    @property
    def place(self) -> str:
        return f"{self.slug}.{self.field}"

    @property
    def takes(self) -> bool:
        """Does a switch change the row?"""
        return not self.edited and self.now != self.wanted


def plan(profile: Priorities) -> list[Change]:
    """What switching to a profile changes, and what it leaves as an administrator set it."""
    entries = {entry.slug: entry for entry in catalogue.load().providers}
    row = Profile.objects.first()
    settled = set(row.edits) if row else set()
    said = {record.key: record.values for record in _records()}
    return [
        change
        for provider in Provider.objects.all()
        if (entry := entries.get(provider.slug))
        for change in _changes(provider, profile.over(entry), said.get(provider.slug, {}), settled)
    ]


def _records() -> Iterable[Shipped]:
    """What the catalogue, under the profile so far, says of each provider."""
    return Shipped.objects.filter(kind="providers")


def _changes(
    provider: Provider, values: Mapping[str, Any], last: Mapping[str, Any], settled: set[str]
) -> Iterator[Change]:
    for name in FIELDS:
        held, said = getattr(provider, name), last.get(name, values[name])
        place = f"{provider.slug}.{name}"
        yield Change(provider.slug, name, held, values[name], held != said or place in settled)


def switch(profile: Priorities, watch: Watch | None = None) -> list[Change]:
    """Put a profile in force; what became of it. With a watch, rows that change are recorded."""
    with transaction.atomic():
        changes = plan(profile)
        rows = {row.slug: row for row in Provider.objects.select_for_update()}
        if watch:
            watch.look(*(rows[change.slug] for change in changes if change.takes))
        records = {record.key: record for record in _records()}
        for change in changes:
            row = rows[change.slug]
            if change.takes:
                setattr(row, change.field, change.wanted)
            if record := records.get(change.slug):
                record.values = {**record.values, change.field: change.wanted}
        Provider.objects.bulk_update(rows.values(), FIELDS)
        Shipped.objects.bulk_update(records.values(), ["values"])
        Profile.objects.update_or_create(
            pk=1,
            defaults={
                "name": profile.name,
                "since": now(),
                # An edit that agrees with this profile must not be taken for the profile's word.
                "edits": [change.place for change in changes if change.edited],
            },
        )
    roster.forget()
    return changes
