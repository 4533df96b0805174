"""
The models we know of at Hugging Face and on this machine: what they are for, and whether they can
be asked now.

What is configuration comes with the catalogue and is edited in the admin. `status` and what stands
below it are written by `monitoring.aimodels` alone, and read by whoever is to choose a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models

MODEL_ID = r"\w[\w.-]*(/\w[\w.-]*)?"
HUB, LOCAL = "huggingface", "local"
HUB_PAGE = "https://huggingface.co/"
SIDES = ("bullish", "neutral", "bearish")


class Task(models.TextChoices):
    """What a model does, as the Hub calls it (`pipeline_tag`)."""

    CLASSIFICATION = "text-classification", "text classification"
    ZERO_SHOT = "zero-shot-classification", "zero-shot classification"
    SUMMARIZATION = "summarization", "summarization"
    GENERATION = "text-generation", "text generation"
    FILL_MASK = "fill-mask", "fill mask"


class Category(models.TextChoices):
    """What for."""

    CRYPTO = "crypto_sentiment", "sentiment of crypto"
    FINANCIAL = "financial_sentiment", "sentiment of financial news"
    SOCIAL = "social_sentiment", "sentiment of posts"
    GENERAL = "general_sentiment", "sentiment of anything"
    SUMMARIES = "summarization", "summaries"
    ZERO_SHOT = "zero_shot", "labels of one's own"
    GENERATION = "generation", "text generation"
    TRADING = "trading", "trading signals"
    LANGUAGE = "language", "language of crypto news"


SENTIMENT = (Category.CRYPTO, Category.FINANCIAL, Category.SOCIAL, Category.GENERAL)


class ModelStatus(models.TextChoices):
    """Whether a model can be asked. None of these says anything of the provider."""

    AVAILABLE = "available", "available"
    LOADING = "loading", "loading"
    FAILED = "failed", "failed"
    AUTH_REQUIRED = "auth_required", "wants a token, or a better one"
    NOT_FOUND = "not_found", "not found"
    UNSERVED = "unserved", "exists, and nobody runs it"
    UNKNOWN = "unknown", "unknown"


def check_labels(value: Any) -> None:
    """[["positive", "bullish"], ...]: what each label means, in the order of the model's head."""
    if not isinstance(value, list):
        raise ValidationError('Use a list such as [["positive", "bullish"]].')
    for pair in value:
        if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
            raise ValidationError('A label is a pair such as ["positive", "bullish"].')
        if pair[1] not in SIDES:
            raise ValidationError(f"A label means one of: {', '.join(SIDES)}.")
    if len({str(name).casefold() for name, _ in value}) < len(value):
        raise ValidationError("A label stands there twice.")


class AiModelQuerySet(models.QuerySet["AiModel"]):
    def active(self) -> Self:
        return self.filter(is_active=True)

    def called(self, name: str) -> Self:
        """By its id, or by what the Hub calls it now."""
        if "\0" in name:  # PostgreSQL takes no such text, so nothing is called that
            return self.none()
        return self.filter(models.Q(model_id=name) | models.Q(canonical_id=name))


class AiModel(models.Model):
    """One model."""

    model_id = models.CharField(
        max_length=120,
        unique=True,
        validators=[RegexValidator(rf"\A(local/)?{MODEL_ID}\Z", "Use owner/name.")],
        help_text="owner/name, as on the Hub.",
    )
    model_key = models.SlugField(max_length=80, unique=True, help_text="A short name without '/'.")
    canonical_id = models.CharField(
        max_length=120, help_text="What the Hub calls it now, after renames: this is asked."
    )
    task = models.CharField(max_length=30, choices=Task)
    category = models.CharField(max_length=30, choices=Category)
    provider = models.CharField(max_length=30, default=HUB, help_text="Who runs it.")
    requires_auth = models.BooleanField(default=True, help_text="Nobody may ask without a token.")
    is_active = models.BooleanField(default=True, help_text="Off: neither checked nor asked.")
    labels = models.JSONField(
        default=list,
        blank=True,
        validators=[check_labels],
        help_text='What its labels mean: [["LABEL_0", "bearish"], ["LABEL_1", "bullish"]].',
    )
    max_tokens = models.PositiveIntegerField(
        null=True, blank=True, help_text="The longest text it reads. Empty: not known."
    )
    fallback = models.CharField(
        max_length=120, blank=True, help_text="The id of the model to ask when this one cannot be."
    )
    notes = models.TextField(blank=True)

    status = models.CharField(
        max_length=15, choices=ModelStatus, default=ModelStatus.UNKNOWN, editable=False
    )
    reason = models.CharField(max_length=200, blank=True, editable=False)
    since = models.DateTimeField(null=True, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    # After it the status says nothing any more.
    fresh_until = models.DateTimeField(null=True, editable=False)

    objects = AiModelQuerySet.as_manager()

    class Meta:
        verbose_name = "AI model"
        ordering = ["category", "model_id"]

    def __str__(self) -> str:
        return self.model_id

    def clean(self) -> None:
        if not self.canonical_id:
            self.canonical_id = self.model_id
        if self.fallback:
            other = AiModel.objects.filter(model_id=self.fallback).first()
            if other is None or other.pk == self.pk:
                raise ValidationError({"fallback": "Use the id of another model."})
            if other.task != self.task:
                raise ValidationError({"fallback": f"It does another task: {other.task}."})

    @property
    def is_local(self) -> bool:
        return self.provider == LOCAL

    @property
    def page(self) -> str:
        return "" if self.is_local else HUB_PAGE + (self.canonical_id or self.model_id)

    def status_at(self, moment: datetime) -> ModelStatus:
        """Unknown when nobody has looked for too long."""
        stale = self.fresh_until is None or moment >= self.fresh_until
        return ModelStatus.UNKNOWN if stale else ModelStatus(self.status)


def chain(models_by_id: Mapping[str, AiModel], first: str) -> Sequence[AiModel]:
    """A model, its fallback, that one's fallback and so on; each once, and only active ones."""
    found: dict[str, AiModel] = {}
    name = first
    while name and name in models_by_id and name not in found:
        found[name] = models_by_id[name]
        name = found[name].fallback
    return [row for row in found.values() if row.is_active]
