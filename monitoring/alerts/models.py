"""Rules, what they measured last, and what they said."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from aggregator import readouts
from monitoring import metrics
from monitoring.severities import Severity
from providers.health import Health


class Direction(models.TextChoices):
    ABOVE = "above", "above"
    BELOW = "below", "below"


class AlertRule(models.Model):
    """When a figure is worth a word."""

    name = models.CharField(max_length=100, unique=True)
    slug = models.SlugField(
        max_length=60, unique=True, null=True, editable=False
    )  # of those that the product ships
    metric = models.CharField(max_length=60, help_text="What is measured.")
    scope = models.CharField(
        max_length=120,
        blank=True,
        help_text="Of whom: the name of one provider, service level or area (data, chat, status, "
        "pages). Empty: of each, or of the whole.",
    )
    direction = models.CharField(max_length=5, choices=Direction, default=Direction.ABOVE)
    threshold = models.FloatField(help_text="In the unit of the metric.")
    clear_at = models.FloatField(
        null=True,
        blank=True,
        help_text="It is over when the figure is back at this. Empty: nine tenths of the way.",
    )
    for_s = models.PositiveIntegerField(
        "for how long", default=0, help_text="Seconds without a break before it counts."
    )
    clear_for_s = models.PositiveIntegerField(
        "over after", default=120, help_text="Seconds without a break before it is over."
    )
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.MINOR)
    enabled = models.BooleanField(default=True)
    notify = models.BooleanField(default=True, help_text="Off: it shows, and sends no notice.")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.threshold is not None and self.clear_at is not None:
            above = self.direction == Direction.ABOVE
            if self.clear_at > self.threshold if above else self.clear_at < self.threshold:
                raise ValidationError(
                    {"clear_at": f"It would be over while it is still {self.direction}."}
                )
        metric = metrics.get(self.metric)
        if self.scope and metric is not None and (wrong := self._not_of(metric)):
            raise ValidationError({"scope": wrong})

    def _not_of(self, metric: metrics.Metric) -> str:
        """What is wrong with the scope; "" when nothing is."""
        if metric.scopes:
            return "" if self.scope in metric.scopes else f"One of {', '.join(metric.scopes)}."
        if not metric.scoped:
            return "This is measured of the whole: leave it empty."
        named = (Health.objects, Slo.objects)
        known = any(rows.filter(name=self.scope).exists() for rows in named)
        return "" if known else "Nobody is called so."


class Measured(models.Model):
    """What a rule measured last of one scope: the hot row of its evaluation."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="measured")
    scope = models.CharField(max_length=120, blank=True)
    at = models.DateTimeField(default=now)
    value = models.FloatField(null=True)
    over_since = models.DateTimeField(null=True)
    calm_since = models.DateTimeField(null=True)
    firing = models.BooleanField(default=False)
    note = models.CharField(max_length=200, blank=True, help_text="Why nothing was measured.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["rule", "scope"], name="one_measured_a_scope")
        ]
        ordering = ["rule", "scope"]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.scope}"


class Alert(models.Model):
    """A figure that was on the wrong side for long enough, from when to when."""

    rule = models.ForeignKey(AlertRule, models.CASCADE, related_name="alerts")
    scope = models.CharField(max_length=120, blank=True)
    severity = models.CharField(max_length=10, choices=Severity)
    predictive = models.BooleanField(default=False, help_text="A forecast, nothing that was seen.")
    began_at = models.DateTimeField(default=now)
    ended_at = models.DateTimeField(null=True, blank=True)
    value = models.FloatField(help_text="When it opened.")
    worst = models.FloatField(help_text="The worst since.")
    threshold = models.FloatField()
    said = models.CharField(max_length=300, help_text="The alert in a sentence.")
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-began_at", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "scope"], condition=Q(ended_at=None), name="one_open_alert_a_scope"
            )
        ]
        indexes = [models.Index(fields=["ended_at", "began_at"], name="alerts_by_end")]

    def __str__(self) -> str:
        return self.said

    @property
    def is_open(self) -> bool:
        return self.ended_at is None


class Slo(models.Model):
    """A promise to ourselves: so many of the visitors' requests are answered within so long."""

    name = models.CharField(max_length=100, unique=True)
    objective_percent = models.FloatField(
        "objective, %", default=95, validators=[MinValueValidator(1), MaxValueValidator(99.999)]
    )
    within_ms = models.FloatField("within, ms", default=1000, validators=[MinValueValidator(1)])
    dataset = models.CharField(
        max_length=30,
        blank=True,
        help_text="Of one. Empty: of all in real time, /api/market and what is below it.",
    )
    window_days = models.PositiveSmallIntegerField(
        default=7,
        validators=[MinValueValidator(1), MaxValueValidator(7)],
        help_text="Of so many days, at most seven.",
    )
    enabled = models.BooleanField(default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = "service level"
        verbose_name_plural = "service levels"

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        bounds = [1000 * bound for bound in readouts.BOUNDS_S]
        if self.within_ms is not None and self.within_ms not in bounds:
            said = ", ".join(f"{bound:g}" for bound in bounds)
            raise ValidationError({"within_ms": f"Time is counted up to one of {said} ms."})
        if self.dataset and self.dataset not in readouts.data_routes():
            said = ", ".join(readouts.data_routes())
            raise ValidationError({"dataset": f"One of {said}."})
