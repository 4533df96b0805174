"""What checks left behind and has had its time. Intervals of states are kept: there are few."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from monitoring.modelrows import ModelMetric, Scan, ScanPlan
from monitoring.models import Alert, CheckResult, Notice, Plan, Rollup, Size, Watermark
from monitoring.notices.models import Fate
from monitoring.rollups import MARGIN
from providers.pruning import delete_in_chunks


def prune(moment: datetime, sleep: Callable[[float], None] = time.sleep) -> dict[str, int]:
    """Delete old results and roll-ups, but nothing that has not been summed up: how many."""
    plan = Plan.current()
    seen = {row.size: row.seen_until - MARGIN for row in Watermark.objects.all()}

    def before(days: int, summed_up_by: Size) -> datetime:
        return min(moment - timedelta(days=days), seen.get(summed_up_by, moment - timedelta(3650)))

    results = CheckResult.objects.filter(at__lt=before(plan.keep_results_days, Size.MINUTES))
    minutes = Rollup.objects.filter(
        size=Size.MINUTES, start__lt=before(plan.keep_minutes_days, Size.HOUR)
    )
    hours = Rollup.objects.filter(size=Size.HOUR, start__lt=before(plan.keep_hours_days, Size.DAY))
    return {
        "results": delete_in_chunks(results, sleep),
        "five-minute roll-ups": delete_in_chunks(minutes, sleep),
        "hourly roll-ups": delete_in_chunks(hours, sleep),
        "notices": delete_in_chunks(_told(moment), sleep),
        "alerts": delete_in_chunks(_over(moment), sleep),
    }


NOTICES_KEPT, ALERTS_KEPT = timedelta(days=90), timedelta(days=365)


def _told(moment: datetime) -> QuerySet[Notice]:
    return Notice.objects.filter(created_at__lt=moment - NOTICES_KEPT).exclude(fate=Fate.PENDING)


def _over(moment: datetime) -> QuerySet[Alert]:
    return Alert.objects.filter(ended_at__lt=moment - ALERTS_KEPT)


def prune_models(moment: datetime, sleep: Callable[[float], None] = time.sleep) -> dict[str, int]:
    """Delete old findings of models, and the scans they are of. What they add up to is kept."""
    before = moment - timedelta(days=ScanPlan.current().keep_days)
    findings = ModelMetric.objects.filter(checked_at__lt=before)
    gone = {"findings of models": delete_in_chunks(findings, sleep)}
    scans = Scan.objects.filter(started_at__lt=before, running=None, metrics=None)
    return gone | {"scans": delete_in_chunks(scans, sleep)}
