"""What was asked, what was answered from which data, and what people say to that."""

from __future__ import annotations

import uuid
from secrets import token_hex

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from aggregator.models import Client
from chat.categories import Category
from chat.models.fields import ExactJSONField
from providers.encrypted import EncryptedTextField

CATEGORIES = [(category.value, category.value) for category in Category]


def new_pseudonym() -> str:
    """For whoever asks without a key and without a cookie: 128 random bits."""
    return token_hex(16)


class Route(models.TextChoices):
    """How a question came to its category."""

    RULE = "rule", "by a rule"
    CLASSIFIER = "classifier", "by the classifier"
    LLM = "llm", "by a language model"
    CLARIFY = "clarify", "not at all: we asked back"


class Conversation(models.Model):
    """
    Questions that may refer to each other. It belongs to a client, or to a pseudonym: that of a
    browser, or one of its own. Nothing here tells who a pseudonym is, an address least of all.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    client = models.ForeignKey(
        Client, models.CASCADE, null=True, blank=True, related_name="conversations"
    )
    pseudonym = models.CharField(
        max_length=64,
        blank=True,
        default=new_pseudonym,
        db_index=True,
        help_text="Of who asked without a key; empty for a client.",
    )
    at = models.DateTimeField("begun", default=now, db_index=True)

    class Meta:
        ordering = ["-at"]
        constraints = [  # noqa: RUF012 (Django's own shape)
            models.CheckConstraint(
                condition=Q(client=None) ^ Q(pseudonym=""), name="conversation_has_one_holder"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)


class Interaction(models.Model):
    """
    One question with its answer. `data` holds the facts the answer was made of and `sources` who
    gave them and when, both as they were at that moment.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    conversation = models.ForeignKey(Conversation, models.CASCADE, related_name="interactions")
    query = EncryptedTextField()
    category = models.CharField(max_length=30, choices=CATEGORIES, db_index=True)
    confidence = models.FloatField(
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text="The calibrated probability, 0 to 1, that the category is right.",
    )
    route = models.CharField(max_length=12, choices=Route.choices)
    entities = models.JSONField(default=dict, blank=True)
    answer = models.TextField()
    data = ExactJSONField(default=list, blank=True)
    sources = models.JSONField(default=list, blank=True)
    suggestions = models.JSONField(default=list, blank=True)
    model_version = models.CharField(
        max_length=100, blank=True, db_index=True, help_text="The classifier that was deployed."
    )
    latency_ms = models.FloatField()
    at = models.DateTimeField(default=now, db_index=True)

    is_kept = True  # of a new one: are its words, or only that something was asked?

    class Meta:
        ordering = ["at"]

    def __str__(self) -> str:
        return f"{self.category} ({self.id})"  # never a word of the question


class Feedback(models.Model):
    """
    What somebody says to an answer. One of a type for each: said again it replaces what was said,
    and a thumb up takes the thumb down back.
    """

    class Type(models.TextChoices):
        UP = "up", "up"
        DOWN = "down", "down"
        CORRECTION = "correction", "correction"
        FLAG = "flag", "flag"

    interaction = models.ForeignKey(Interaction, models.CASCADE, related_name="feedback")
    type = models.CharField(max_length=12, choices=Type.choices, db_index=True)
    text = EncryptedTextField(blank=True, default="")
    category = models.CharField(
        max_length=30, choices=CATEGORIES, blank=True, help_text="What it should have been."
    )
    at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        ordering = ["-at"]
        verbose_name_plural = "feedback"
        constraints = [  # noqa: RUF012 (Django's own shape)
            models.UniqueConstraint(fields=["interaction", "type"], name="one_feedback_of_a_type")
        ]

    def __str__(self) -> str:
        return f"{self.type} ({self.interaction_id})"
