"""
Whatever becomes of rows while one looks is recorded: see `history`.

    with changes.watched("ann", rows) as watch:
        rows.update(enabled=False)
        watch.made(Provider.objects.create(...))

Rows are compared as the database holds them before and after, so that it does not matter by which
way they were changed. Both happen in one transaction with the edits.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from django.db import models, transaction

from providers import leaks
from providers.history import KEY, KEYED, Action, Edit, subject_of
from providers.models import Asset, Credential, Listing, Provider

# Columns that nobody edits, and without which a deleted row would not come back whole.
ALSO: dict[type[models.Model], tuple[str, ...]] = {Provider: ("key_env",)}
OWNERS: dict[type[models.Model], str] = {Credential: "provider", Listing: "asset"}


def columns(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """What is recorded of a row: what can be edited, which no secret can."""
    also = ALSO.get(model, ())
    return [
        column
        for column in model._meta.concrete_fields
        if (column.editable and not column.primary_key) or column.name in also
    ]


@dataclass(frozen=True)
class Snapshot:
    """One row at one moment. `mark` changes with its key, and is stored nowhere."""

    subject: str
    owner: str
    name: str
    values: dict[str, Any]
    mark: str = field(repr=False)


def snapshot(row: models.Model) -> Snapshot:
    model: Any = row._meta.concrete_model
    mark = KEYED.get(model._meta.label_lower)
    owner = OWNERS.get(model)
    return Snapshot(
        subject_of(row),
        subject_of(getattr(row, owner)) if owner else "",
        str(row)[:200],
        {column.attname: _plain(column, row) for column in columns(model)},
        str(getattr(row, mark)) if mark else "",
    )


def _plain(column: models.Field[Any, Any], row: models.Model) -> Any:
    """A value as JSON holds it; `column.to_python` reads it."""
    value = getattr(row, column.attname)
    if value is None or isinstance(value, bool | int | float | str | list | dict):
        return value
    return column.value_to_string(row)


class Watch:
    """Rows as they were."""

    def __init__(self, who: str, undoes: int | None = None) -> None:
        self.who, self.undoes = who, undoes
        self._places: defaultdict[type[models.Model], set[Any]] = defaultdict(set)
        self._before: dict[str, Snapshot] = {}

    def look(self, *rows: models.Model) -> None:
        """See how rows are, and what goes with them when they go."""
        chosen: defaultdict[type[models.Model], set[Any]] = defaultdict(set)
        for row in rows:
            model: Any = row._meta.concrete_model
            chosen[model].add(row.pk)
        for model, keys in chosen.items():
            self._see(model, keys)
            if model is Provider:
                self._see(Credential, _keys(Credential.objects.filter(provider__in=keys)))
            elif model is Asset:
                self._see(Listing, _keys(Listing.objects.filter(asset__in=keys)))

    def made(self, *rows: models.Model) -> None:
        """These are new."""
        for row in rows:
            model: Any = row._meta.concrete_model
            self._places[model].add(row.pk)

    def _see(self, model: type[models.Model], keys: set[Any]) -> None:
        self._places[model] |= keys
        for found in _read(model, keys):
            self._before.setdefault(found.subject, found)

    def record(self) -> list[Edit]:
        """Write what became of them."""
        after = {now.subject: now for m, keys in self._places.items() for now in _read(m, keys)}
        batch = uuid.uuid4()
        edits = [
            Edit(who=self.who, undoes=self.undoes, batch=batch, **told)
            for subject in {**self._before, **after}
            if (told := self._told(self._before.get(subject), after.get(subject)))
        ]
        return Edit.objects.bulk_create(edits)

    def _told(self, was: Snapshot | None, now: Snapshot | None) -> dict[str, Any]:
        """What an edit says; empty where nothing differs."""
        row = now or was
        if row is None or (was and now and (was.values, was.mark) == (now.values, now.mark)):
            return {}
        names = [n for n in row.values if not (was and now) or was.values[n] != now.values[n]]
        before, after = ({n: s.values[n] for n in names} if s else {} for s in (was, now))
        withheld = [n for n in names if self._may_hold_a_key(n, before, after)]
        for name in withheld:
            before.pop(name, None)
            after.pop(name, None)
        if was and now and was.mark != now.mark:
            withheld.append(KEY)
        # A row may be called by what should not be seen.
        name = row.subject if self._may_hold_a_key("name", {"name": row.name}) else row.name
        action = Action.ADDED if not was else Action.DELETED if not now else Action.CHANGED
        return {
            "subject": row.subject, "owner": row.owner, "name": name, "action": action,
            "before": before, "after": after, "withheld": withheld,
        }  # fmt: skip

    def _may_hold_a_key(self, name: str, *sides: dict[str, Any]) -> bool:
        return any(leaks.may_hold_a_key(name, side.get(name), self._keys) for side in sides)

    @cached_property
    def _keys(self) -> list[str]:
        return leaks.known_keys()


def _keys(rows: models.QuerySet[Any]) -> set[Any]:
    return set(rows.values_list("pk", flat=True))


def _read(model: type[models.Model], keys: Iterable[Any]) -> Iterator[Snapshot]:
    rows = model._default_manager.filter(pk__in=list(keys))
    if model in OWNERS:
        rows = rows.select_related(OWNERS[model])
    yield from map(snapshot, rows)


@contextmanager
def watched(
    who: str, rows: Iterable[models.Model] = (), undoes: int | None = None
) -> Iterator[Watch]:
    """Record what becomes of `rows`, and of what the watch is told, unless all of it fails."""
    with transaction.atomic():
        watch = Watch(who, undoes)
        watch.look(*rows)
        yield watch
        watch.record()
