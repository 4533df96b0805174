"""Where notices go, those that are to be sent, and when nothing is."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.timezone import now

from monitoring.alerts.models import Alert
from monitoring.incidents.models import Incident
from monitoring.severities import Severity
from providers import secrets


class Channel(models.Model):
    """One address that notices go to. The address holds passwords: stored encrypted."""

    is_encrypted = True  # its `secret`: see `manage.py rotatekeys`
    name = models.CharField(max_length=60, unique=True)
    secret = models.TextField(editable=False)  # a Fernet token of the address
    fingerprint = models.CharField(max_length=32, blank=True, editable=False)
    kind = models.CharField(max_length=30, editable=False)  # the scheme of the address
    least_severity = models.CharField(
        max_length=10,
        choices=Severity,
        default=Severity.MINOR,
        help_text="What is less is not sent.",
    )
    reminders = models.BooleanField(
        default=True, help_text="Remind of what is open and not acknowledged: after 1, 4, 24 hours."
    )
    enabled = models.BooleanField(default=True)
    switched_off_at = models.DateTimeField(null=True, blank=True, editable=False)
    switched_off_reason = models.CharField(max_length=200, blank=True, editable=False)
    last_sent_at = models.DateTimeField(null=True, blank=True, editable=False)
    failing_since = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=200, blank=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    # As of an endpoint: whoever was overtaken while it sent finds another, and writes nothing.
    lease_token = models.BigIntegerField(default=0, editable=False)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def set_address(self, address: str) -> None:
        """Encrypt and hold it; a new address starts with a clean record."""
        self.secret, self.fingerprint = secrets.encrypt(address), secrets.fingerprint(address)
        self.kind = address.partition("://")[0].lower()[:30]
        self.switched_off_at, self.switched_off_reason = None, ""
        self.failing_since, self.last_error = None, ""

    def address(self) -> str:
        """In clear; raises `secrets.SecretUnreadable`."""
        return secrets.decrypt(self.secret)


class Event(models.TextChoices):
    """What a notice tells."""

    OPENED = "opened", "opened"
    REOPENED = "reopened", "opened again"
    GREW = "grew", "grew"
    FLAPPING = "flapping", "flapping"
    UPDATE = "update", "update"
    REMINDER = "reminder", "reminder"
    RESOLVED = "resolved", "resolved"
    CHANNEL_OFF = "channel_off", "a channel was switched off"
    TEST = "test", "test"


class Fate(models.TextChoices):
    PENDING = "pending", "to be sent"
    SENT = "sent", "sent"
    SILENCED = "silenced", "silenced"
    MERGED = "merged", "over before it was told"
    DEAD = "dead", "given up"


class Notice(models.Model):
    """
    One thing to tell one channel: written with what it tells of, in the same transaction. `key`
    goes out with it: who gets it twice sees that it is the same.
    """

    channel = models.ForeignKey(Channel, models.CASCADE, related_name="notices")
    event = models.CharField(max_length=12, choices=Event)
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="notices")
    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="notices")
    text = models.CharField(max_length=500, blank=True)
    key = models.CharField(max_length=120, unique=True)
    created_at = models.DateTimeField(default=now)
    due_at = models.DateTimeField(default=now)
    fate = models.CharField(max_length=10, choices=Fate, default=Fate.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Notices that went out together go out together again, so that the message stays the same.
    message = models.CharField(max_length=32, blank=True)
    held = models.BooleanField(default=False)  # a maintenance window put it off
    settled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [models.Index(fields=["fate", "due_at"], name="notices_to_send")]

    def __str__(self) -> str:
        return self.key


class MaintenanceWindow(models.Model):
    """A time in which nothing is opened by itself for its providers, and no notice of them sent."""

    title = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    providers = models.ManyToManyField(
        "providers.Provider", blank=True, help_text="Empty: everything."
    )
    note = models.TextField(max_length=1000, blank=True, help_text="Shown on the status page.")

    class Meta:
        ordering = ["-starts_at", "-pk"]

    def __str__(self) -> str:
        return self.title

    def clean(self) -> None:
        if self.starts_at and self.ends_at and self.ends_at <= self.starts_at:
            raise ValidationError({"ends_at": "It ends before it starts."})
