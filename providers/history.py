"""
What people changed, row by row: who, when, and which field went from what to what.

Edits are written by `changes` and put back by `undoing`. No key and no hash is ever in one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.apps import apps
from django.db import models
from django.utils.timezone import now

KEPT = timedelta(days=365)
MOST_SHOWN = 300  # characters of one value
KEY = "key"  # among `withheld`: another key was given
# Who it was, where a command changed rows by itself. Nobody can sign in with a space in the name.
UPGRADE, SWITCH = "manage.py loadcatalogue", "manage.py priorities"

# Rows that have a key: whether it is another one shows in this column, which is kept nowhere else.
KEYED = {
    "providers.credential": "fingerprint",
    "aggregator.client": "key_hash",
    "monitoring.channel": "fingerprint",
}


class Action(models.TextChoices):
    ADDED = "added", "added"
    CHANGED = "changed", "changed"
    DELETED = "deleted", "deleted"


class Edit(models.Model):
    """
    What became of one row. A row is called "app.model/pk"; `owner` is the row on whose page it is
    edited too: the provider of a key, the asset of a listing.
    """

    at = models.DateTimeField(default=now, db_index=True)
    who = models.CharField(max_length=150, blank=True, help_text="Empty: the command line.")
    subject = models.CharField(max_length=100, db_index=True)
    owner = models.CharField(max_length=100, blank=True, db_index=True)
    name = models.CharField("row", max_length=200, help_text="What it was called then.")
    action = models.CharField(max_length=10, choices=Action)
    before = models.JSONField(default=dict)  # values by column: of a change those that changed
    after = models.JSONField(default=dict)
    withheld = models.JSONField(default=list)  # columns whose values are not kept
    batch = models.UUIDField()  # edits of one stroke have the same
    undoes = models.BigIntegerField(null=True)  # the edit that this one put back

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.name}, {self.action}"

    @property
    def label(self) -> str:
        """The model of its row: "providers.provider"."""
        return self.subject.partition("/")[0]

    @property
    def key(self) -> str:
        return self.subject.partition("/")[2]

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.label)

    @property
    def kind(self) -> str:
        return str(self.model._meta.verbose_name)

    def lines(self) -> list[str]:
        """Each field in plain words."""
        return [*self._said(), *(f"{self._called(name)}: not kept" for name in self.withheld)]

    def _said(self) -> Iterator[str]:
        for name in sorted({*self.before, *self.after}):
            if name not in self.after:
                yield f"{self._called(name)}: {spell(self.before[name])}"
            elif name not in self.before:
                yield f"{self._called(name)}: {spell(self.after[name])}"
            else:
                was, became = spell(self.before[name]), spell(self.after[name])
                yield f"{self._called(name)} from {was} to {became}"

    def _called(self, name: str) -> str:
        columns = {column.attname: column for column in self.model._meta.concrete_fields}
        return str(columns[name].verbose_name) if name in columns else name

    @property
    def obstacle(self) -> str:
        """Why it can never be undone; "" when it may."""
        if self.action == Action.ADDED:
            return "To undo it, delete the row."
        if self.action == Action.DELETED and self.label in KEYED:
            return "Its key is not kept: add it again, with a key."
        if self.withheld:
            names = ", ".join(self._called(name) for name in self.withheld)
            return f"What was there is not kept, as it is or may hold a key: {names}."
        return ""


def spell(value: Any) -> str:
    """A value as people say it."""
    if value is None or value in ("", [], {}):
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MOST_SHOWN else f"{text[:MOST_SHOWN]} \N{HORIZONTAL ELLIPSIS}"


def subject_of(row: models.Model) -> str:
    """A proxy's row is a row of what stands behind it."""
    return f"{row._meta.concrete_model._meta.label_lower}/{row.pk}"  # type: ignore[union-attr]


def about(row: models.Model) -> models.QuerySet[Edit]:
    """What was done to a row, and to those that are edited on its page; the latest first."""
    named = subject_of(row)
    return Edit.objects.filter(models.Q(subject=named) | models.Q(owner=named))
