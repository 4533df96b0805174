"""What people agreed to, what is kept how long, and who did what with what is theirs."""

from __future__ import annotations

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now

from providers.onlyrow import OnlyRow

NOTICE = 1  # the version of what is said to people: docs/privacy.md and the page


class Purpose(models.TextChoices):
    """What a question may be used for beside answering it."""

    HISTORY = "history", "keep my questions and answers, so that I find them again"
    TRAINING = "training", "learn from my questions and what I say to the answers"
    THIRD_PARTY = "third_party", "send my questions to language models of others"


def _days(default: int, help_text: str) -> models.PositiveIntegerField[Any, Any]:
    return models.PositiveIntegerField(
        default=default,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text=help_text,
    )


class PrivacyPolicy(OnlyRow):
    """How long things are kept, and what holds for who said nothing. There is one."""

    history = models.BooleanField(
        default=True, help_text="Keep the words of who said nothing about it."
    )
    training = models.BooleanField(
        default=False, help_text="Learn from the questions of who said nothing about it."
    )
    third_party = models.BooleanField(
        default=False,
        help_text="Send the questions of who said nothing about it to language models elsewhere. "
        "A model of your own, at an address of your own network, needs no leave.",
    )
    keep_days = _days(90, "Questions with their answers and what was said to them.")
    keep_audit_days = _days(730, "Who did what with what is people's.")

    class Meta:
        verbose_name_plural = "privacy policy"

    def __str__(self) -> str:
        return f"kept for {self.keep_days} days"

    def by_default(self, purpose: Purpose) -> bool:
        return bool(getattr(self, purpose.value))


class Consent(models.Model):
    """One thing that somebody agreed to or took back. A log: the newest of a purpose holds."""

    subject = models.CharField(max_length=80, db_index=True)
    purpose = models.CharField(max_length=12, choices=Purpose.choices)
    granted = models.BooleanField()
    notice = models.PositiveSmallIntegerField(
        default=NOTICE, help_text="The version of the notice they had read."
    )
    method = models.CharField(max_length=10, help_text="'page' or 'api'.")
    at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.purpose}: {'yes' if self.granted else 'no'}"


class AuditEvent(models.Model):
    """Somebody did something with what is people's. Written once, and never a word of theirs."""

    at = models.DateTimeField(default=now, db_index=True)
    actor = models.CharField(max_length=200, help_text="'subject', 'worker' or a member of staff.")
    action = models.CharField(max_length=30)
    subject = models.CharField(max_length=64, blank=True, help_text="A fingerprint.")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.action} by {self.actor}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise TypeError("what was noted is not written again")
        super().save(*args, **kwargs)
