"""
What the catalogue said last, so that an upgrade can tell its own words from an operator's.

A row that says something else than its record was edited; a record without a row was deleted; a
row without a record is the operator's own.
"""

from __future__ import annotations

from django.db import models


class Shipped(models.Model):
    """The words of the catalogue for one row, by kind and the name an operator knows it by."""

    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=200)
    values = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kind", "key"], name="one_record_a_shipped_row")
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.key}"
