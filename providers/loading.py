"""
The catalogue's data files into rows.

Idempotent, and never against an administrator: a field is overwritten only where it still holds
what the catalogue last put there, and what was deleted stays deleted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models, transaction

from providers import catalogue, priorities, roster
from providers.catalogue import ai_models, directory
from providers.changes import Watch, watched
from providers.history import UPGRADE
from providers.models import AiModel, Provider, Resource
from providers.resources import Flag
from providers.shipped import Shipped
from providers.tables import (
    AI_MODELS,
    ASSETS,
    LISTINGS,
    POLICIES,
    PROVIDERS,
    RESOURCES,
    TABLES,
    Table,
)

Words = Mapping[str, Mapping[str, Any]]  # name of a row -> what the catalogue says of it


@dataclass
class Loaded:
    """
    What became of the rows of one kind, by name. `kept` are fields an administrator changed,
    `deleted` rows that one deleted, and `retired` those that the catalogue no longer has.
    """

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    same: int = 0
    kept: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)


def load(*, dry_run: bool = False, again: Sequence[str] = ()) -> dict[str, Loaded]:
    """
    Bring in everything, all of it or none; with `dry_run` only say what would be done.

    Rows named in `again` (providers/kraken) are made to say what the catalogue says. What an
    upgrade does stands in the history of each row; the first load, which makes all of them, does
    not.
    """
    with transaction.atomic():
        with watched(UPGRADE) as watch:
            for name in again:
                _forget_edits(name)
            loaded = {table.name: bring(table, words, watch) for table, words in shipped()}
        transaction.set_rollback(dry_run)
    roster.forget()
    return loaded


def shipped() -> list[tuple[Table[Any], Words]]:
    """What the files say, in an order in which rows can be made of it."""
    files, profile = catalogue.load(), priorities.in_force()
    assets = {entry.id: entry for entry in files.assets}
    return [
        (PROVIDERS, {entry.slug: profile.over(entry) for entry in files.providers}),
        (POLICIES, {entry.dataset: _said(POLICIES, entry) for entry in files.policies}),
        (
            ASSETS,
            {id: _said(ASSETS, e) | {"order": n} for n, (id, e) in enumerate(assets.items())},
        ),
        (
            LISTINGS,
            {
                f"{id}/{adapter}/{quote}": {"external_id": own}
                for id, entry in assets.items()
                for adapter, names in entry.listings.items()
                for quote, own in names.items()
            },
        ),
        (RESOURCES, {entry.slug: entry.row() for entry in directory.load()}),
        (AI_MODELS, {entry.model_id: entry.row() for entry in ai_models.load()}),
    ]


def _said(table: Table[Any], entry: Any) -> dict[str, Any]:
    """The fields of an entry that are columns too."""
    return {name: getattr(entry, name) for name in table.fields if hasattr(entry, name)}


def _forget_edits(name: str) -> None:
    kind, _, key = name.partition("/")
    tables: dict[str, Table[Any]] = {table.name: table for table in TABLES}
    record = Shipped.objects.filter(kind=kind, key=key).first()
    if kind not in tables or record is None:
        raise LookupError(f"The catalogue has no {name!r}. Write it like providers/kraken.")
    if row := tables[kind].rows().get(key):
        record.values = tables[kind].values(row)
        record.save()
    else:
        record.delete()
        if kind == ASSETS.name:
            Shipped.objects.filter(kind=LISTINGS.name, key__startswith=f"{key}/").delete()


def bring(table: Table[Any], words: Words, watch: Watch | None = None) -> Loaded:
    """Rows of `table` as `words` say, where nobody said otherwise; `watch` sees what changes."""
    loaded, rows = Loaded(), table.rows()
    watch = watch or Watch(UPGRADE)  # which is not written down
    records = {record.key: record for record in Shipped.objects.filter(kind=table.name)}
    defaults = table.defaults()
    made, known = [], []
    for key, said in words.items():
        values, row, record = defaults | dict(said), rows.get(key), records.get(key)
        if row is not None:
            _upgrade(table, row, record.values if record else None, values, loaded, watch)
        elif record is None and (new := _make(table, key, values)):
            made.append(new)
            loaded.added.append(key)
        else:
            loaded.deleted.append(key)
        if record is None:
            known.append(Shipped(kind=table.name, key=key, values=values))
        elif record.values != values:
            record.values = values
            record.save(update_fields=["values"])
    table.model._default_manager.bulk_create(made)
    if records:  # else all of them are new, and history begins here
        watch.made(*made)
    Shipped.objects.bulk_create(known)
    for key in records.keys() - words.keys():
        _retire(table, key, rows.get(key), records[key], loaded, watch)
    return loaded


def _make(table: Table[Any], key: str, values: Mapping[str, Any]) -> models.Model | None:
    """A new row; None when what it belongs to was deleted."""
    try:
        return _set(table.make(key), values)
    except LookupError:
        return None


def _upgrade(
    table: Table[Any],
    row: models.Model,
    last: Mapping[str, Any] | None,
    values: Mapping[str, Any],
    loaded: Loaded,
    watch: Watch,
) -> None:
    """`last` is what the catalogue said before; None for a row that is the operator's own."""
    differing = {n: v for n, v in values.items() if getattr(row, n) != v}
    theirs = {
        name
        for name in differing
        if last is None or getattr(row, name) != last.get(name, table.defaults().get(name))
    }
    if table.is_settled(row):
        theirs = set(differing)
    loaded.kept += sorted(f"{table.name_of(row)}.{name}" for name in theirs)
    changed = sorted(differing.keys() - theirs)
    if changed:
        watch.look(row)
        _set(row, {name: values[name] for name in changed}).save(update_fields=changed)
        loaded.updated += [f"{table.name_of(row)}.{name}" for name in changed]
    else:
        loaded.same += 1


def _set(row: models.Model, values: Mapping[str, Any]) -> models.Model:
    for name, value in values.items():
        setattr(row, name, value)
    return row


def _retire(
    table: Table[Any],
    key: str,
    row: models.Model | None,
    record: Shipped,
    loaded: Loaded,
    watch: Watch,
) -> None:
    """
    The catalogue no longer has it. What nobody edited is switched off or flagged; what somebody
    did, or has a key for, is theirs from now on.
    """
    record.delete()
    if row is None:
        return
    loaded.retired.append(key)
    edited = any(getattr(row, name) != value for name, value in record.values.items())
    watch.look(row)
    if isinstance(row, Provider) and not edited and not row.credentials.exists():
        row.enabled = False
        row.save(update_fields=["enabled"])
    elif isinstance(row, AiModel) and not edited:
        row.is_active = False
        row.save(update_fields=["is_active"])
    elif isinstance(row, Resource) and not edited and Flag.RETIRED not in row.flags:
        row.flags = [*row.flags, Flag.RETIRED.value]
        row.save(update_fields=["flags"])
