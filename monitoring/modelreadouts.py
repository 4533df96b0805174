"""What the API and the pages say of AI models, as plain values. Reads rows, asks no upstream."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.timezone import now as current_time

from aggregator import readouts
from monitoring import aimodels
from monitoring.modelrows import ModelMetric, ModelStats, Scan, ScanPlan
from providers.aimodels import AiModel, ModelStatus

NO_CHECKS = ModelStats()
TOP, RECENT = 5, 20
# What a status looks like: the shapes of parts/status.html.
SHAPES: Mapping[ModelStatus, str] = {
    ModelStatus.AVAILABLE: "healthy",
    ModelStatus.LOADING: "degraded",
    ModelStatus.FAILED: "down",
    ModelStatus.NOT_FOUND: "down",
    ModelStatus.AUTH_REQUIRED: "misconfigured",
    ModelStatus.UNSERVED: "disabled",
    ModelStatus.UNKNOWN: "unknown",
}
# Who cannot be asked, for whatever reason.
OUT = (
    ModelStatus.FAILED,
    ModelStatus.NOT_FOUND,
    ModelStatus.UNSERVED,
    ModelStatus.AUTH_REQUIRED,
)


@dataclass(frozen=True)
class Reading:
    """One model at one moment."""

    row: AiModel
    stats: ModelStats
    status: ModelStatus

    @property
    def reason(self) -> str:
        if self.status is not ModelStatus.UNKNOWN:
            return self.row.reason
        return "not looked at for too long" if self.row.checked_at else "not looked at yet"

    @property
    def was_checked(self) -> bool:
        return self.stats.total_checks > 0

    def info(self) -> dict[str, Any]:
        row, stats = self.row, self.stats
        return {
            "model_id": row.model_id,
            "model_key": row.model_key,
            "task": row.task,
            "category": row.category,
            "provider": row.provider,
            "requires_auth": row.requires_auth,
            "is_active": row.is_active,
            "status": self.status,
            "reason": self.reason,
            "checked_at": row.checked_at,
            "total_checks": stats.total_checks,
            "successful_checks": stats.successful_checks,
            "failed_checks": stats.failed_checks,
            "avg_response_time_ms": stats.avg_response_time_ms,
            "success_rate": stats.success_rate,
            "last_success_at": stats.last_success_at,
            "last_failure_at": stats.last_failure_at,
            "fallback": row.fallback or None,
        }


def readings(moment: datetime) -> list[Reading]:
    """All models, in one query."""
    rows = AiModel.objects.select_related("stats")
    return [reading(row, moment) for row in rows]


def reading(row: AiModel, moment: datetime) -> Reading:
    return Reading(row, getattr(row, "stats", None) or NO_CHECKS, row.status_at(moment))


def find(name: str, moment: datetime) -> Reading | None:
    """By its id, old or new; None when there is none."""
    row = AiModel.objects.called(name).select_related("stats").first()
    return None if row is None else reading(row, moment)


# -- Scans -------------------------------------------------------------------------------------


def run_info(scan: Scan | None) -> dict[str, Any] | None:
    if scan is None:
        return None
    return {
        "id": scan.pk,
        "by": scan.by,
        "running": bool(scan.running),
        "started_at": scan.started_at,
        "finished_at": scan.finished_at,
        "total": scan.total,
        "looked_at": scan.looked_at,
        "tried": scan.tried,
        "hub_answered": scan.hub_answered,
    }


def scan_info(scan: Scan | None, moment: datetime) -> dict[str, Any]:
    """How all active models are, and the run that was the last to look."""
    found = [item for item in readings(moment) if item.row.is_active]
    counts = {status.value: 0 for status in ModelStatus}
    for item in found:
        counts[item.status.value] += 1
    models = [
        {
            "model_id": item.row.model_id,
            "task": item.row.task,
            "category": item.row.category,
            "status": item.status,
            "reason": item.reason,
            "checked_at": item.row.checked_at,
        }
        for item in found
    ]
    return {"total": len(found), **counts, "run": run_info(scan), "models": models}


# -- One model ---------------------------------------------------------------------------------


def checks(row: AiModel, most: int) -> list[dict[str, Any]]:
    """The newest checks of a model, newest first."""
    return [
        {
            "status": check.status,
            "response_time_ms": check.response_time_ms,
            "success": check.success,
            "error_message": check.error_message or None,
            "test_input": check.test_input or None,
            "test_output": check.test_output or None,
            "confidence": check.confidence,
            "checked_at": check.checked_at,
            "way": check.way,
        }
        for check in ModelMetric.objects.filter(model=row)[:most]
    ]


# -- All of them -------------------------------------------------------------------------------


def _rate(found: Iterable[Reading]) -> float | None:
    """In percent, of all checks that say something of a model; None without any."""
    stats = [item.stats for item in found]
    good = sum(one.successful_checks for one in stats)
    counted = good + sum(one.failed_checks for one in stats)
    return round(100 * good / counted, 2) if counted else None


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return round(sum(known) / len(known), 2) if known else None


def summary(found: Sequence[Reading]) -> dict[str, Any]:
    categories: dict[str, list[Reading]] = {}
    for item in found:
        categories.setdefault(item.row.category, []).append(item)
    return {
        "total_models": len(found),
        "models_with_checks": sum(item.was_checked for item in found),
        "overall_success_rate": _rate(found),
        "by_category": {
            category: {
                "total": len(items),
                "avg_success_rate": _mean(item.stats.success_rate for item in items),
                "models": [item.row.model_id for item in items],
            }
            for category, items in sorted(categories.items())
        },
    }


def top(found: Iterable[Reading]) -> list[Reading]:
    """Those that can be asked: whose checks were good most often, then the quickest."""
    able = [item for item in found if item.status is ModelStatus.AVAILABLE]
    return sorted(able, key=_order)[:TOP]


def _order(item: Reading) -> tuple[float, float, str]:
    rate, ms = item.stats.success_rate, item.stats.avg_response_time_ms
    return (
        -rate if rate is not None else 1.0,
        ms if ms is not None else float("inf"),
        item.row.model_id,
    )


def dashboard(moment: datetime) -> dict[str, Any]:
    found = readings(moment)
    return {
        "summary": summary(found),
        "top_models": [item.info() for item in top(found)],
        "failed_models": [item.info() for item in found if item.status in OUT],
        "agent_running": agent(moment)["running"],
        "total_models": len(found),
        "timestamp": moment,
    }


# -- The agent ---------------------------------------------------------------------------------


def agent(moment: datetime | None = None) -> dict[str, Any]:
    """Whether scans begin by themselves: nobody stopped them, and the worker works."""
    plan, last = ScanPlan.current(), aimodels.latest()
    works = readouts.worker_is_active()
    return {
        "running": not plan.paused and works,
        "status": "stopped" if plan.paused else "running" if works else "the worker is silent",
        "interval_minutes": round(plan.interval_s / 60, 2),
        "last_scan": last.started_at if last else None,
    }


def health(moment: datetime | None = None) -> dict[str, Any]:
    """Do the scans go on, and is anything known?"""
    moment = moment or current_time()
    found, last, state = readings(moment), aimodels.latest(), agent()
    if last is None:
        status = "no scan yet"
    elif ScanPlan.current().paused:
        status = "stopped"
    else:
        stale = moment - last.started_at > ScanPlan.current().fresh_for
        status = "stale" if stale else "healthy"
    return {
        "status": status,
        "agent_running": state["running"],
        "last_scan": state["last_scan"],
        "total_models": len(found),
        "available": sum(item.status is ModelStatus.AVAILABLE for item in found),
        "hub_answered": last.hub_answered if last else None,
        "timestamp": moment,
    }
