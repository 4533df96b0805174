"""An incident, and what is said of it while it lasts."""

from __future__ import annotations

from django.db import models
from django.utils.timezone import now

from monitoring.severities import Severity


class Incident(models.Model):
    """
    Something that visitors may notice. One that opened by itself closes by itself; one that was
    written by hand is closed by hand, by its `ended_at`.
    """

    title = models.CharField(max_length=200)
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.MAJOR)
    began_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True, help_text="Empty while it goes on.")
    acknowledged_at = models.DateTimeField(null=True, blank=True, editable=False)
    acknowledged_by = models.CharField(max_length=150, blank=True, editable=False)
    endpoints = models.ManyToManyField("monitoring.Endpoint", related_name="incidents", blank=True)
    automatic = models.BooleanField(default=False, editable=False)
    # Grows when it opens again, so that each opening is told once.
    opened = models.PositiveIntegerField(default=1, editable=False)
    flapping = models.BooleanField(default=False, editable=False)
    # It opened for most of what is watched at once, which is rather our own trouble.
    of_ours = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["-began_at", "-pk"]
        indexes = [models.Index(fields=["ended_at", "began_at"], name="incidents_by_end")]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


class IncidentUpdate(models.Model):
    """One line of an incident's timeline; `automatic` ones were written by the product."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="updates")
    at = models.DateTimeField(default=now)
    text = models.TextField(max_length=4000)
    automatic = models.BooleanField(default=False, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return self.text[:60]
