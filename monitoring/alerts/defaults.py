"""
The rules that the product ships. Rows are made once, and are the operator's from then on.
"""

from __future__ import annotations

from typing import Any

from monitoring.alerts.models import AlertRule, Slo
from monitoring.severities import Severity

_MINOR, _MAJOR, _CRITICAL = (item.value for item in Severity)


def _rule(
    slug: str, name: str, metric: str, threshold: float, severity: str, **more: Any
) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": name,
        "metric": metric,
        "threshold": threshold,
        "severity": severity,
        **more,
    }


RULES = (
    _rule("error-rate", "Errors", "error_rate", 5, _MAJOR, for_s=120, clear_for_s=300),
    _rule("cpu", "CPU busy", "cpu", 90, _MAJOR, for_s=300, clear_at=80),
    _rule("memory", "Memory full", "memory", 90, _MAJOR, for_s=300, clear_at=85),
    _rule("lost-work", "Work of the worker lost", "lost_work", 0, _MAJOR, clear_for_s=600),
    _rule("traffic", "Traffic three times its baseline", "traffic", 3, _MINOR, for_s=120),
    _rule("quota", "Quota used up by 80 %", "quota", 80, _MINOR, clear_at=75),
    # Incidents tell of providers that are down; this is for who wants each by itself.
    _rule("provider-down", "Provider down", "provider_down", 0, _MINOR, notify=False, clear_at=0),
    _rule("own-network", "Our own network", "own_network", 0, _CRITICAL, clear_at=0, clear_for_s=0),
    _rule("latency", "Latency trend", "latency_trend", 2, _MINOR, for_s=600, clear_at=1.5),
    _rule(
        "cache-hits",
        "Fewer hits on the shelf",
        "cache_hits",
        0.6,
        _MINOR,
        direction="below",
        for_s=600,
        clear_at=0.75,
    ),
    _rule("timeouts", "Time-outs", "timeouts", 10, _MINOR, for_s=120, clear_for_s=300),
    _rule("worker-silent", "Worker silent", "worker_silent", 180, _CRITICAL, clear_at=120),
    _rule("checks-late", "Checks late", "checks_late", 3, _MAJOR, for_s=120, clear_at=1.5),
    _rule("notices-late", "Notices not delivered", "notices_late", 900, _MAJOR, clear_at=60),
    # Of a budget for seven days: 5 % spent within an hour, 10 % within six.
    _rule("slo-fast", "Service level, burning fast", "slo_burn_fast", 8.4, _CRITICAL),
    _rule("slo-slow", "Service level, burning slowly", "slo_burn_slow", 2.8, _MAJOR),
    _rule("model-down", "Model down", "model_down", 0, _MINOR, clear_at=0),
    _rule(
        "confidence",
        "Classifier unsure",
        "classification_confidence",
        60,
        _MINOR,
        direction="below",
        for_s=900,
    ),
    _rule("feedback", "Negative feedback", "negative_feedback", 30, _MINOR, for_s=900),
    _rule("drift", "Latency drifts from its baseline", "latency_drift", 100, _MINOR, clear_at=70),
    _rule(
        "exhaustion",
        "A quota will be spent",
        "quota_hours_left",
        6,
        _MINOR,
        direction="below",
        for_s=300,
        clear_at=8,
    ),
)


def sync(**kwargs: Any) -> None:
    """Make what is missing; leave what is there. After every migration."""
    known = set(AlertRule.objects.exclude(slug=None).values_list("slug", flat=True))
    names = set(AlertRule.objects.values_list("name", flat=True))
    AlertRule.objects.bulk_create(
        AlertRule(**rule)
        for rule in RULES
        if rule["slug"] not in known and rule["name"] not in names
    )
    if not Slo.objects.exists() and not known:
        Slo.objects.create(name="Requests within a second")
