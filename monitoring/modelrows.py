"""How AI models are looked at, what was found, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.timezone import now

from providers.aimodels import AiModel, ModelStatus
from providers.onlyrow import OnlyRow

STALE_INTERVALS = 3


class ScanPlan(OnlyRow):
    """How models are looked at. There is one."""

    paused = models.BooleanField(default=False, help_text="On: no scan begins by itself.")
    interval_s = models.FloatField(
        "interval, s",
        default=300,
        validators=[MinValueValidator(60), MaxValueValidator(86400)],
        help_text="Seconds from the start of one scan to that of the next.",
    )
    timeout_s = models.FloatField(
        "timeout, s",
        default=10,
        validators=[MinValueValidator(0.1), MaxValueValidator(30)],
        help_text="Seconds one question may take.",
    )
    trials_per_day = models.PositiveIntegerField(
        default=48,
        validators=[MaxValueValidator(100_000)],
        help_text=(
            "So many times in 24 hours a model is given a text to read, all models together, where "
            "a token is there. That costs credit; what the Hub says of a model does not. 0: never."
        ),
    )
    keep_days = models.PositiveSmallIntegerField(
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(3650)],
        help_text="Each single finding. What they add up to is kept.",
    )

    class Meta:
        verbose_name = verbose_name_plural = "plan of AI models"

    def __str__(self) -> str:
        return f"every {self.interval_s:g} s"

    @property
    def fresh_for(self) -> timedelta:
        return timedelta(seconds=STALE_INTERVALS * self.interval_s)


class Scan(models.Model):
    """
    One look at the models, which is also the lease of whoever is at it: `running` is True for one
    row at most, and NULL for all that are over.
    """

    running = models.BooleanField(null=True, default=True, unique=True, editable=False)
    started_at = models.DateTimeField(default=now)
    lease_until = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, help_text="Empty: it goes on, or was given up.")
    whole = models.BooleanField(default=True, help_text="Of all active models, not some.")
    by = models.CharField(max_length=150, help_text="Who began it: the worker, or a person.")
    total = models.PositiveIntegerField(default=0, help_text="Models to look at.")
    looked_at = models.PositiveIntegerField(default=0)
    tried = models.PositiveIntegerField(default=0, help_text="Given a text to read.")
    hub_answered = models.BooleanField(null=True, help_text="Did the Hub say anything at all?")

    class Meta:
        ordering = ["-started_at", "-pk"]
        indexes = [models.Index(fields=["-started_at"], name="scans_by_time")]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} by {self.by}"


class Way(models.TextChoices):
    """How a model was looked at."""

    HUB = "hub", "what the Hub says of it"
    TRIAL = "trial", "a text to read"
    LOCAL = "local", "what is on this machine"


class ModelMetric(models.Model):
    """What one look at one model found. Times are the model's own: NULL where it was not tried."""

    model = models.ForeignKey(AiModel, models.CASCADE, related_name="metrics")
    scan = models.ForeignKey(Scan, models.SET_NULL, null=True, related_name="metrics")
    way = models.CharField(max_length=8, choices=Way, default=Way.HUB)
    status = models.CharField(max_length=15, choices=ModelStatus)
    success = models.BooleanField(null=True, help_text="Empty: it says nothing of the model.")
    response_time_ms = models.FloatField("response time, ms", null=True)
    error_message = models.CharField(max_length=200, blank=True)
    test_input = models.CharField(max_length=200, blank=True)
    test_output = models.CharField(max_length=300, blank=True)
    confidence = models.FloatField(null=True, help_text="Of its first label, 0 to 1.")
    checked_at = models.DateTimeField(default=now)

    class Meta:
        ordering = ["-checked_at", "-pk"]
        constraints = [models.UniqueConstraint(fields=["model", "scan"], name="one_look_a_scan")]
        indexes = [
            models.Index(fields=["model", "-checked_at"], name="metrics_of_a_model"),
            models.Index(fields=["way", "checked_at"], name="metrics_by_way"),
        ]

    def __str__(self) -> str:
        return f"{self.model_id} {self.status}"


class ModelStats(models.Model):
    """What all looks at one model add up to, also of those that are not kept any more."""

    model = models.OneToOneField(AiModel, models.CASCADE, related_name="stats")
    total_checks = models.PositiveIntegerField(default=0)
    successful_checks = models.PositiveIntegerField(default=0)
    failed_checks = models.PositiveIntegerField(default=0)
    timed = models.PositiveIntegerField(default=0, help_text="Trials it answered.")
    sum_ms = models.FloatField(default=0)
    last_success_at = models.DateTimeField(null=True)
    last_failure_at = models.DateTimeField(null=True)
    last_trial_at = models.DateTimeField(null=True)
    last_trial = models.CharField(max_length=15, choices=ModelStatus, blank=True)
    last_trial_said = models.CharField(max_length=200, blank=True)

    class Meta:
        verbose_name_plural = "model stats"

    def __str__(self) -> str:
        return f"{self.model_id}: {self.successful_checks} of {self.total_checks}"

    @property
    def success_rate(self) -> float | None:
        """In percent, of the checks that say something of the model; None before there is one."""
        counted = self.successful_checks + self.failed_checks
        return round(100 * self.successful_checks / counted, 2) if counted else None

    @property
    def avg_response_time_ms(self) -> float | None:
        return round(self.sum_ms / self.timed, 1) if self.timed else None
