"""
A configuration file into rows: all of it or nothing, and what would change can be seen before.

Everything is judged as the admin would judge it. What is wrong is named by line and field, all of
it at once, and nothing is changed then.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction

from aggregator import callers
from aggregator.configuration import CLIENTS, FORMAT, PROFILE, REMOVED, SHIPPED, VERSION, sections
from providers import plainyaml, priorities, roster
from providers.changes import Watch, watched
from providers.models import Provider
from providers.plainyaml import NotPlain, Plain
from providers.shipped import Shipped
from providers.tables import PROVIDERS, Table

MOST = plainyaml.MOST_CHARACTERS
MOST_PROBLEMS = 50

# What a column takes: its class, what stands in the file, and how one says that.
TAKES: tuple[tuple[type[models.Field[Any, Any]], tuple[type, ...], str], ...] = (
    (models.BooleanField, (bool,), "true or false"),
    (models.IntegerField, (int,), "a whole number"),
    (models.FloatField, (int, float), "a number"),
    (models.CharField, (str,), "a text"),
    (models.TextField, (str,), "a text"),
    (models.JSONField, (list, dict), "a list or a mapping"),
)


class BadConfiguration(Exception):
    """The file cannot be taken. `problems` say why, each with its line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True)
class Change:
    """What becomes of one row. `fields` are (name, value now, value then)."""

    kind: str
    key: str
    action: str  # "add", "change", "remove"
    fields: tuple[tuple[str, Any, Any], ...] = ()
    note: str = ""
    row: models.Model | None = field(default=None, compare=False)

    def lines(self) -> list[str]:
        """As text: + is new, ~ changes, - goes."""
        sign = {"add": "+", "change": "~", "remove": "-"}[self.action]
        note = f"  ({self.note})" if self.note else ""
        said = [f"{sign} {self.kind}/{self.key}{note}"]
        for name, now, then in self.fields:
            before = "" if self.action == "add" else f"{spell(now)} -> "
            said.append(f"    {name}: {before}{spell(then)}")
        return said


def spell(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def digest(changes: Iterable[Change]) -> str:
    """The same for the same changes."""
    text = "\n".join(line for change in changes for line in change.lines())
    return hashlib.sha256(text.encode()).hexdigest()


class Otherwise(Exception):
    """The changes are not those that were agreed to; `changes` are."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__("something was changed meanwhile")
        self.changes = changes


def run(
    text: str, *, dry_run: bool = False, agreed: str | None = None, who: str = ""
) -> list[Change]:
    """
    Make the rows say what the file says, and return what changed; with `dry_run` what would. It
    is an edit of `who` in the history of each row; "" is the command line.

    Raises BadConfiguration, and Otherwise when `agreed` is the digest of other changes.
    """
    plain = _read(text)
    with transaction.atomic():
        with watched(who) as watch:
            reading = _Reading(plain, watch)
            changes = reading.run()
            if reading.problems:
                raise BadConfiguration(reading.problems[:MOST_PROBLEMS])
            if agreed is not None and agreed != digest(changes):
                raise Otherwise(changes)
        transaction.set_rollback(dry_run)
    if not dry_run:
        roster.forget()
        callers.reread()
    return changes


def _read(text: str) -> Plain:
    try:
        plain = plainyaml.read(text)
    except NotPlain as error:
        raise BadConfiguration([str(error)]) from None
    if not isinstance(plain.value, dict):
        raise BadConfiguration(["line 1: this is no configuration: it has no sections."])
    if plain.value.get(VERSION) != FORMAT or plain.value[VERSION] is True:
        line = plain.line(VERSION)
        raise BadConfiguration([f"line {line}: it has to say {VERSION}: {FORMAT}."])
    return plain


class _Reading:
    """One file on its way into rows."""

    def __init__(self, plain: Plain, watch: Watch) -> None:
        self.plain, self.watch = plain, watch
        self.problems: list[str] = []
        self.changes: list[Change] = []

    def wrong(self, said: str, *path: str | int) -> None:
        where = f"{'.'.join(map(str, path))}: " if path else ""
        self.problems.append(f"line {self.plain.line(*path)}: {where}{said}")

    def run(self) -> list[Change]:
        known = {VERSION, PROFILE, REMOVED, *(table.name for table in sections())}
        for name in self.plain.value.keys() - known:
            self.wrong(f"no such section. One of: {', '.join(sorted(known))}.", name)
        self._profile()
        for table in sections():
            self._section(table)
        self._removals()
        return self.changes

    def _profile(self) -> None:
        """The profile of priorities comes first: what the file says of a row goes before it."""
        name, now = self.plain.value.get(PROFILE), priorities.in_force().name
        if name is None or name == now:
            return
        known = priorities.profiles()
        if not isinstance(name, str) or name not in known:
            self.wrong(f"no such profile. One of: {', '.join(sorted(known))}.", PROFILE)
            return
        self.changes.append(Change(PROFILE, "priorities", "change", (("name", now, name),)))
        fields: dict[str, list[tuple[str, Any, Any]]] = {}
        for change in priorities.switch(known[name], watch=self.watch):
            if change.takes:
                told = (change.field, change.now, change.wanted)
                fields.setdefault(change.slug, []).append(told)
        self.changes += [
            Change(PROVIDERS.name, slug, "change", tuple(told), f"by the profile {name}")
            for slug, told in fields.items()
        ]

    def _section(self, table: Table[Any]) -> None:
        told = self.plain.value.get(table.name)
        if told is None:
            return
        if not isinstance(told, dict):
            self.wrong("a mapping of names is expected.", table.name)
            return
        rows = table.rows()
        for key, values in told.items():
            if not isinstance(values, dict):
                self.wrong("a mapping of fields is expected.", table.name, key)
            elif self._types(table, key, values):
                self._row(table, key, values, rows.get(key))

    def _types(self, table: Table[Any], key: str, values: Mapping[str, Any]) -> bool:
        before = len(self.problems)
        for name, value in values.items():
            column = table.fields.get(name)
            if column is None:
                known = ", ".join(table.fields)
                self.wrong(f"no such field. One of: {known}.", table.name, key, name)
            elif said := _mistaken(column, value):
                self.wrong(f"{said} is expected.", table.name, key, name)
        return len(self.problems) == before

    def _row(
        self, table: Table[Any], key: str, values: Mapping[str, Any], row: models.Model | None
    ) -> None:
        is_new = row is None
        if row is None:
            if missing := [name for name in table.needed if name not in values]:
                self.wrong(f"it is new, and needs: {', '.join(missing)}.", table.name, key)
                return
            try:
                row = table.make(key)
            except LookupError as error:
                self.wrong(f"{error.args[0]}.", table.name, key)
                return
        now = table.values(row)
        differing = tuple((n, now[n], v) for n, v in values.items() if is_new or now[n] != v)
        if not differing:
            return
        for name, _, value in differing:
            setattr(row, name, value)
        if self._is_good(table, key, row):
            if not is_new:
                self.watch.look(row)
            row.save(update_fields=None if is_new else [name for name, _, _ in differing])
            self.watch.made(row)
            note = "without a key: give it one" if is_new and table is CLIENTS else ""
            action = "add" if is_new else "change"
            self.changes.append(Change(table.name, key, action, differing, note, row))

    def _is_good(self, table: Table[Any], key: str, row: models.Model) -> bool:
        try:
            row.full_clean()
        except ValidationError as error:
            for name, texts in error.message_dict.items():
                path = () if name in (NON_FIELD_ERRORS, *table.names) else (name,)
                self.wrong(" ".join(texts), table.name, key, *path)
            return False
        return True

    def _removals(self) -> None:
        told = self.plain.value.get(REMOVED)
        if told is None:
            return
        if not isinstance(told, dict):
            self.wrong("a mapping of sections is expected.", REMOVED)
            return
        shipped = {table.name: table for table in SHIPPED}
        for kind, keys in told.items():
            if kind not in shipped:
                self.wrong(f"no such section. One of: {', '.join(shipped)}.", REMOVED, kind)
            elif not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
                self.wrong("a list of names is expected.", REMOVED, kind)
            else:
                self._remove(shipped[kind], keys)

    def _remove(self, table: Table[Any], keys: list[str]) -> None:
        rows, told = table.rows(), self.plain.value.get(table.name)
        for number, key in enumerate(keys):
            if isinstance(told, dict) and key in told:
                self.wrong(f"{key!r} is removed here, and told above.", REMOVED, table.name, number)
                continue
            if len(key) > 200:
                self.wrong("a name is shorter than that.", REMOVED, table.name, number)
                continue
            # With a record and without a row it stays away: see `providers.shipped`.
            Shipped.objects.get_or_create(kind=table.name, key=key)
            if (row := rows.get(key)) is not None:
                self.changes.append(Change(table.name, key, "remove", note=_with_it(row)))
                self.watch.look(row)
                row.delete()


def _mistaken(column: models.Field[Any, Any], value: Any) -> str:
    """What is expected instead of `value`; "" when it will do."""
    for kind, types, said in TAKES:
        if isinstance(column, kind):
            if value is None and column.null:
                return ""
            fits = isinstance(value, types) and (isinstance(value, bool) == (bool in types))
            return "" if fits else said
    return "nothing that a file can say"


def _with_it(row: models.Model) -> str:
    keys = row.credentials.count() if isinstance(row, Provider) else 0
    return f"with its {keys} key{'' if keys == 1 else 's'}" if keys else ""
