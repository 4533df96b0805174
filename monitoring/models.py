"""What is checked and how, what the checks found, and what is kept of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.timezone import now

from monitoring.alerts.models import Alert, AlertRule, Measured, Slo
from monitoring.health import Finding, Rules
from monitoring.incidents.models import Incident, IncidentUpdate
from monitoring.modelrows import ModelMetric as ModelMetric
from monitoring.modelrows import ModelStats as ModelStats
from monitoring.modelrows import Scan as Scan
from monitoring.modelrows import ScanPlan as ScanPlan
from monitoring.notices.models import Channel, MaintenanceWindow, Notice
from monitoring.querysets import EndpointQuerySet, StateChangeQuerySet
from monitoring.turns import Turn
from providers.health import Health, Kind
from providers.onlyrow import OnlyRow

# Models of files of their own are found here too, by Django and by readers.
__all__ = [
    "Alert",
    "AlertRule",
    "Channel",
    "CheckResult",
    "Endpoint",
    "Incident",
    "IncidentUpdate",
    "MaintenanceWindow",
    "Measured",
    "Notice",
    "Plan",
    "Prepared",
    "Rollup",
    "Size",
    "Slo",
    "Source",
    "StateChange",
    "Turn",
    "Watermark",
]

LEAST_INTERVAL_S, MOST_TIMEOUT_S = 10, 30
STALE_INTERVALS = 3  # a status is unknown when its newest result is older than so many intervals


def _interval(name: str, **more: Any) -> models.FloatField[Any, Any]:
    return models.FloatField(
        name, validators=[MinValueValidator(LEAST_INTERVAL_S), MaxValueValidator(86400)], **more
    )


def _timeout(name: str, **more: Any) -> models.FloatField[Any, Any]:
    return models.FloatField(
        name, validators=[MinValueValidator(0.1), MaxValueValidator(MOST_TIMEOUT_S)], **more
    )


def _days(default: int, **more: Any) -> models.PositiveSmallIntegerField[Any, Any]:
    return models.PositiveSmallIntegerField(
        default=default, validators=[MinValueValidator(1), MaxValueValidator(3650)], **more
    )


class Plan(OnlyRow):
    """How everything is checked, unless the row of an endpoint says otherwise. There is one."""

    paused = models.BooleanField(default=False, help_text="On: nothing is checked by itself.")
    interval_s = _interval(
        "interval, s", default=300, help_text="Seconds from one check of it to the next."
    )
    check_resources = models.BooleanField(
        default=True,
        help_text="Off: what is only known of, and asked for no answers, is not looked at either.",
    )
    resource_interval_s = _interval(
        "interval of resources, s",
        default=21600,
        help_text="Seconds from one look at a resource to the next.",
    )
    timeout_s = _timeout("timeout, s", default=10, help_text="Seconds one check may take.")
    threshold_ms = models.FloatField(
        "threshold, ms",
        default=1000,
        validators=[MinValueValidator(1)],
        help_text="Degraded when 95 % of the answers of 15 minutes are not within it.",
    )
    down_after = models.PositiveSmallIntegerField(
        default=3, validators=[MinValueValidator(1)], help_text="Failures in a row."
    )
    up_after = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1)], help_text="Good checks in a row."
    )
    quota_percent = models.FloatField(
        "share of quotas, %",
        default=5,
        validators=[MinValueValidator(0.01), MaxValueValidator(100)],
        help_text="Of a provider's rate limits, at most so much is spent on checks.",
    )
    generations_per_day = models.PositiveSmallIntegerField(
        default=1,
        validators=[MaxValueValidator(96)],
        help_text="Of each key of a language model, at most so many small answers a day are asked "
        "for as a check, where visitors got none: they cost quota or money. 0: never.",
    )
    keep_results_days = _days(7, help_text="Each single result.")
    keep_minutes_days = _days(7, help_text="Summaries of five minutes.")
    keep_hours_days = _days(90, help_text="Summaries of an hour. Those of a day are kept.")

    class Meta:
        verbose_name_plural = "plan"

    def __str__(self) -> str:
        return f"every {self.interval_s:g} s"

    def interval_of(self, endpoint: Endpoint) -> float:
        """Seconds from one check of it to the next, where its quota allows that."""
        is_resource = endpoint.health.kind == Kind.RESOURCE
        usual: float = self.resource_interval_s if is_resource else self.interval_s
        return float(endpoint.interval_s or usual)


class Endpoint(models.Model):
    """Something that is checked: how often, and who is at it now. How it is stands in `health`."""

    health = models.OneToOneField(Health, models.CASCADE, related_name="endpoint")
    paused = models.BooleanField(default=False, help_text="Not checked by itself.")
    maintenance_until = models.DateTimeField(
        null=True, blank=True, help_text="Until then it is in maintenance, and not checked."
    )
    interval_s = _interval("interval, s", null=True, blank=True, help_text="Empty: as in the plan.")
    timeout_s = _timeout("timeout, s", null=True, blank=True, help_text="Empty: as in the plan.")
    threshold_ms = models.FloatField(
        "threshold, ms",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Empty: as in the plan.",
    )
    generations_per_day = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MaxValueValidator(96)],
        help_text="Of a language model. Empty: as in the plan.",
    )
    next_due = models.DateTimeField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    # Grows with every claim: a run that was overtaken finds another token, and writes nothing.
    lease_token = models.BigIntegerField(default=0, editable=False)

    objects = EndpointQuerySet.as_manager()

    class Meta:
        ordering = ["health__name"]
        indexes = [models.Index(fields=["next_due"], name="endpoints_by_due")]

    def __str__(self) -> str:
        return self.health.name if self.health_id else "no endpoint"  # as in the admin's empty form

    def rules(self, plan: Plan, interval_s: float) -> Rules:
        return Rules(
            down_after=plan.down_after,
            up_after=plan.up_after,
            threshold_ms=self.threshold_ms or plan.threshold_ms,
            fresh_for=timedelta(seconds=STALE_INTERVALS * interval_s),
        )


class Source(models.TextChoices):
    """Who asked: we, to see whether it answers, or visitors, which made asking unnecessary."""

    PROBE = "probe", "probe"
    VISITORS = "visitors", "visitors"


class CheckResult(models.Model):
    """What one run of one check found."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="results")
    run = models.BigIntegerField(help_text="The lease it was found under: each writes once.")
    at = models.DateTimeField()
    finding = models.CharField(max_length=12, choices=[(f.value, f.value) for f in Finding])
    status = models.CharField(max_length=15, choices=Health._meta.get_field("status").choices)
    outcome = models.CharField(max_length=20, help_text="'ok' or a code of providers.errors.")
    response_time_ms = models.FloatField("response time, ms", null=True)
    error = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=10, choices=Source, default=Source.PROBE)
    # A result may be written long after it was found; roll-ups go by this to miss none.
    written_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["endpoint", "run"], name="one_result_a_run")]
        indexes = [models.Index(fields=["endpoint", "at"], name="results_of_an_endpoint")]
        ordering = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.outcome}"


class StateChange(models.Model):
    """An interval in which an endpoint had one status. The last one of each is open."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="changes")
    status = models.CharField(max_length=15, choices=Health._meta.get_field("status").choices)
    reason = models.CharField(max_length=200, blank=True)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = StateChangeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint"], condition=Q(ended_at=None), name="one_open_state_an_endpoint"
            )
        ]
        indexes = [
            models.Index(fields=["endpoint", "began_at"], name="changes_of_an_endpoint"),
            models.Index(fields=["ended_at"], name="changes_by_end"),
        ]
        ordering = ["-began_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.status}"


class Size(models.IntegerChoices):
    """What a roll-up covers, in seconds."""

    MINUTES = 300, "five minutes"
    HOUR = 3600, "hour"
    DAY = 86400, "day"


class Rollup(models.Model):
    """The results of one endpoint in five minutes, an hour or a day (UTC), summed up."""

    endpoint = models.ForeignKey(Endpoint, models.CASCADE, related_name="rollups")
    size = models.PositiveIntegerField(choices=Size)
    start = models.DateTimeField()
    ok = models.PositiveIntegerField(default=0)
    fault = models.PositiveIntegerField(default=0)
    limited = models.PositiveIntegerField(default=0)
    other = models.PositiveIntegerField(default=0)
    answers = models.PositiveIntegerField(default=0, help_text="Results with a response time.")
    sum_ms = models.FloatField(default=0)
    min_ms = models.FloatField(null=True)
    max_ms = models.FloatField(null=True)
    histogram = models.JSONField(default=dict)  # see monitoring.histograms
    updated_at = models.DateTimeField(default=now, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint", "size", "start"], name="one_rollup_a_bucket"
            )
        ]
        indexes = [models.Index(fields=["size", "start"], name="rollups_by_time")]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.size} {self.start:%Y-%m-%d %H:%M}"


class Watermark(models.Model):
    """How far one size of roll-ups has seen what it is made of."""

    size = models.PositiveIntegerField(choices=Size, primary_key=True)
    seen_until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.size}: {self.seen_until}"


class Prepared(models.Model):
    """What many rows add up to, so that who reads need not add up: see `monitoring.prepared`."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()
    body = models.JSONField()

    def __str__(self) -> str:
        return self.name
