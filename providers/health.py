"""
The current row of each endpoint that is checked: written by `monitoring`, read by whoever chooses.

One row, whatever the history: no status page and no choice of a provider reads old results.
"""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from django.db import models
from django.utils.timezone import now

from providers.standing import Status

# What an operator decided does not become unknown with time.
LASTING = frozenset([Status.DISABLED, Status.MAINTENANCE, Status.UNKNOWN])


class Verdict(NamedTuple):
    """What the checks said of an endpoint, and until when that counts."""

    status: str
    fresh_until: datetime | None

    def is_stale(self, moment: datetime) -> bool:
        """Is the newest result so old that the status says nothing any more?"""
        if self.status in LASTING:
            return False
        return self.fresh_until is None or moment >= self.fresh_until

    def status_at(self, moment: datetime) -> Status:
        return Status.UNKNOWN if self.is_stale(moment) else Status(self.status)


class Kind(models.TextChoices):
    """What an endpoint is."""

    DATA = "data", "data provider"
    LLM = "llm", "language model provider"
    RESOURCE = "resource", "resource"
    MODEL = "model", "AI model"


class Health(models.Model):
    """How an endpoint is, since when, and what the last check found."""

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.DATA)
    provider = models.OneToOneField(
        "providers.Provider", models.CASCADE, null=True, blank=True, related_name="health"
    )
    resource = models.OneToOneField(
        "providers.Resource", models.CASCADE, null=True, blank=True, related_name="health"
    )
    status = models.CharField(
        max_length=15,
        choices=[(s.value, s.value.replace("_", " ")) for s in Status],
        default=Status.UNKNOWN.value,
    )
    reason = models.CharField(max_length=200, blank=True)
    since = models.DateTimeField(default=now)
    failures = models.PositiveIntegerField(default=0, help_text="Failed checks in a row.")
    goods = models.PositiveIntegerField(default=0, help_text="Good checks in a row.")
    heard_at = models.DateTimeField(null=True, help_text="When we last learned how it is.")
    fresh_until = models.DateTimeField(null=True, help_text="After it the status is unknown.")
    checked_at = models.DateTimeField(null=True, help_text="The last check, whatever it found.")
    outcome = models.CharField(max_length=20, blank=True)
    error_message = models.CharField(max_length=200, blank=True)
    response_time_ms = models.FloatField(null=True, help_text="Of the last good check.")
    p95_ms = models.FloatField(null=True, help_text="Of 15 minutes; empty under five samples.")
    endpoint_up = models.BooleanField(null=True, help_text="Did it answer at all, anything?")
    credential_valid = models.BooleanField(null=True, help_text="Is the key we send accepted?")

    class Meta:
        verbose_name_plural = "health"
        ordering = ["name"]

    def __str__(self) -> str:
        return f"{self.name}: {self.status}"

    @property
    def verdict(self) -> Verdict:
        return Verdict(self.status, self.fresh_until)

    def is_stale(self, moment: datetime) -> bool:
        return self.verdict.is_stale(moment)

    def status_at(self, moment: datetime) -> Status:
        return self.verdict.status_at(moment)
