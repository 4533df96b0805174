"""What is learned from: examples, frozen datasets, and the review that leads to them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.timezone import now

from chat.models.conversations import CATEGORIES, Interaction
from providers.encrypted import EncryptedTextField


class ReviewItem(models.Model):
    """A question that somebody should look at, and what they said its category is."""

    class State(models.TextChoices):
        OPEN = "open", "open"
        ACCEPTED = "accepted", "label accepted"
        RELABELLED = "relabelled", "relabelled"
        REJECTED = "rejected", "nothing to learn from"

    interaction = models.OneToOneField(Interaction, models.CASCADE, related_name="review")
    reasons = models.JSONField(default=list, help_text="Why it is here: see chat/reviewing.py.")
    priority = models.PositiveSmallIntegerField(default=0, db_index=True)
    suggested = models.CharField(
        max_length=30, choices=CATEGORIES, help_text="What the visitor said, or we did."
    )
    state = models.CharField(
        max_length=12, choices=State.choices, default=State.OPEN, db_index=True
    )
    category = models.CharField(max_length=30, choices=CATEGORIES, blank=True)
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        ordering = ["-priority", "at"]
        verbose_name = "question to review"
        verbose_name_plural = "questions to review"

    def __str__(self) -> str:
        return f"{self.suggested} ({self.interaction_id})"  # never a word of the question


class Example(models.Model):
    """
    A question with the category that somebody gave it. Of a reviewed one the text is without what
    is personal, and it goes when the interaction goes.
    """

    class Source(models.TextChoices):
        REVIEW = "review", "a reviewed question"
        WRITTEN = "written", "written by hand"

    text = EncryptedTextField()
    category = models.CharField(max_length=30, choices=CATEGORIES, db_index=True)
    source = models.CharField(max_length=12, choices=Source.choices, default=Source.WRITTEN)
    interaction = models.OneToOneField(
        Interaction, models.CASCADE, null=True, blank=True, related_name="example"
    )
    labelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True
    )
    at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.category} ({self.pk})"


class DatasetVersion(models.Model):
    """
    Questions to learn from as they stood at one moment: frozen, so that whoever trains on it
    again trains on the same. `sha256` is that of its JSONL, which is deleted when it is archived.
    """

    number = models.PositiveIntegerField(unique=True)
    sha256 = models.CharField("SHA-256 of its JSONL", max_length=64, unique=True)
    questions = models.PositiveIntegerField()
    manifest = models.JSONField(default=dict)
    note = models.CharField(max_length=200, blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True)
    at = models.DateTimeField(default=now)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return f"dataset {self.number}"


class DatasetContent(models.Model):
    """The JSONL of a version, apart from it as it is large."""

    version = models.OneToOneField(
        DatasetVersion, models.CASCADE, primary_key=True, related_name="content"
    )
    jsonl = EncryptedTextField()

    def __str__(self) -> str:
        return f"content of {self.version_id}"
