"""
The whole configuration as one YAML file: to be kept, read, compared, and taken elsewhere.

Providers, policies, clients, service levels and the plans of checks and scans stand there in whole;
of assets, listings, resources, AI models and alert rules what differs from what is shipped does, of
endpoints what was set for one alone. Keys, hashes and whatever looks like one stay out. Reading
such a file is `importing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models

from aggregator.models import Client
from providers import leaks, plainyaml, priorities, tables
from providers.shipped import Shipped
from providers.tables import Table

FORMAT = 1
# Beside the sections of rows.
VERSION, PROFILE, REMOVED = "aggregator", "profile", "removed"
HEADER = """\
# The configuration of an Aggregator: exportconfig writes it, importconfig reads it.
# What a file does not say stays as it is. Keys of providers and of clients are never in it.
"""


class Clients(Table[Client]):
    """Clients by name. One that is made here has a key that nobody knows: give it a new one."""

    def make(self, key: str) -> Client:
        row = Client(name=key)
        row.new_key()
        return row


CLIENTS = Clients("clients", Client, "name", whole=True)
SHIPPED = tables.TABLES

# What operators edit and no file tells, by model, and why.
LEFT_OUT: Mapping[str, str] = {
    "providers.credential": "No key is ever in a file; one without its key is of no use.",
    "monitoring.channel": "Its address is as secret as a key; one without it is of no use.",
    "monitoring.incident": "What happened is no configuration.",
    "monitoring.incidentupdate": "What happened is no configuration.",
    "monitoring.maintenancewindow": "A time that passes is no configuration.",
    "chat.example": "Labels go elsewhere as a frozen dataset.",
    "chat.experiment": "It compares models that one installation has trained.",
    "chat.privacypolicy": "What people are promised is decided at each installation.",
    "auth.user": "People and their passwords belong to one installation.",
    "auth.group": "What people may do belongs to one installation.",
}


def sections() -> tuple[Table[Any], ...]:
    """The rows that a file tells, in an order in which they can be made."""
    return (*tables.TABLES, CLIENTS, *tables.ADDED)


@dataclass
class Exported:
    """`left_out` names the fields that are not there because they may hold a key."""

    sections: dict[str, Any] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    def text(self) -> str:
        notes = [f"# Left out, as it may hold a key: {name}\n" for name in self.left_out]
        written = plainyaml.dump({VERSION: FORMAT, **self.sections})
        return "".join([HEADER, *notes, "\n", written])


def export() -> Exported:
    """What is configured now."""
    found, keys = Exported(), leaks.known_keys()
    found.sections[PROFILE] = priorities.in_force().name
    for table in sections():
        records = dict(Shipped.objects.filter(kind=table.name).values_list("key", "values"))
        rows = table.rows()
        section = {
            name: _without_secrets(table, name, row, keys, found)
            for name, row in sorted(rows.items())
            if _is_told(table, row, records.get(name))
        }
        if section:
            found.sections[table.name] = section
        if removed := sorted(records.keys() - rows.keys()):
            found.sections.setdefault(REMOVED, {})[table.name] = removed
    if REMOVED in found.sections:  # to the end
        found.sections[REMOVED] = found.sections.pop(REMOVED)
    return found


def _is_told(table: Table[Any], row: models.Model, record: Mapping[str, Any] | None) -> bool:
    if not table.is_told(row):
        return False
    if table.whole or record is None:
        return True
    return any(value != record.get(name) for name, value in table.values(row).items())


def _without_secrets(
    table: Table[Any], key: str, row: models.Model, secrets: list[str], found: Exported
) -> dict[str, Any]:
    told = {}
    for name, value in table.values(row).items():
        if leaks.may_hold_a_key(name, value, secrets):
            found.left_out.append(f"{table.name}.{key}.{name}")
        else:
            told[name] = value
    return told
