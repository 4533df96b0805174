"""What the page of AI models shows: how each is, how it was for a day, and who stands in for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count
from django.db.models.functions import TruncHour

from monitoring import aimodels, drawing, modelreadouts
from monitoring.drawing import Bars
from monitoring.modelreadouts import OUT, SHAPES, Reading
from monitoring.modelrows import ModelMetric, ScanPlan
from providers.aimodels import Category, ModelStatus
from providers.wording import span as duration

HOURS = 24
HOUR = timedelta(hours=1)
# Of an hour's findings the first of these is shown.
WORST_FIRST = (
    ModelStatus.FAILED,
    ModelStatus.NOT_FOUND,
    ModelStatus.AUTH_REQUIRED,
    ModelStatus.LOADING,
    ModelStatus.AVAILABLE,
)


@dataclass(frozen=True)
class Row:
    """One model in the page."""

    item: Reading
    shape: str
    bars: Bars

    @property
    def rate(self) -> float | None:
        return self.item.stats.success_rate

    @property
    def checks(self) -> int:
        return self.item.stats.successful_checks + self.item.stats.failed_checks

    @property
    def ms(self) -> float | None:
        return self.item.stats.avg_response_time_ms


def dashboard(moment: datetime) -> dict[str, Any]:
    found = [item for item in modelreadouts.readings(moment) if item.row.is_active]
    past = _hours(moment)
    last, plan = aimodels.latest(), ScanPlan.current()
    able = sum(item.status is ModelStatus.AVAILABLE for item in found)
    return {
        **_banner(found, able, known=last is not None),
        "groups": _groups(found, past, moment),
        "total": len(found),
        "able": able,
        "out": sum(item.status in OUT for item in found),
        "rate": modelreadouts.summary(found)["overall_success_rate"],
        "agent": modelreadouts.agent(),
        "last": last,
        "last_age_s": (moment - last.started_at).total_seconds() if last else None,
        "interval": duration(plan.interval_s),
        "trials": plan.trials_per_day,
        "hours": HOURS,
    }


def _banner(found: Sequence[Reading], able: int, *, known: bool) -> dict[str, str]:
    """Never well on old checks: then nobody knows."""
    if not found or not known:
        return {"code": "none", "said": "No model was looked at yet"}
    if all(item.status is ModelStatus.UNKNOWN for item in found):
        return {"code": "unknown", "said": "No model was looked at for too long"}
    code = "healthy" if able == len(found) else "degraded" if able else "down"
    return {"code": code, "said": f"{able} of {len(found)} can be asked"}


def _groups(
    found: Sequence[Reading], past: Mapping[tuple[int, datetime], str], moment: datetime
) -> list[tuple[str, list[Row]]]:
    groups: dict[str, list[Row]] = {}
    for item in found:
        title = str(Category(item.row.category).label)
        groups.setdefault(title[:1].upper() + title[1:], []).append(_row(item, past, moment))
    order = [str(label)[:1].upper() + str(label)[1:] for label in Category.labels]
    return sorted(groups.items(), key=lambda pair: order.index(pair[0]))


def _row(item: Reading, past: Mapping[tuple[int, datetime], str], moment: datetime) -> Row:
    start = moment.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR
    states = [past.get((item.row.pk, start + n * HOUR), "unknown") for n in range(HOURS)]
    counts = {state: states.count(state) for state in sorted(set(states))}
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    label = f"{item.row.model_id}, the last {HOURS} hours: {told}."
    return Row(item, SHAPES[item.status], drawing.bars(states, label))


def _hours(moment: datetime) -> dict[tuple[int, datetime], str]:
    """The shape of each hour of each model, by the worst that was found; one query."""
    since = moment.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * HOUR
    rows = (
        ModelMetric.objects.filter(checked_at__gte=since, status__in=WORST_FIRST)
        .order_by()
        .annotate(hour=TruncHour("checked_at"))
        .values_list("model_id", "hour", "status")
        .annotate(count=Count("pk"))
    )
    found: dict[tuple[int, datetime], ModelStatus] = {}
    for model, hour, status, _ in rows:
        before = found.get((model, hour), ModelStatus.AVAILABLE)
        found[model, hour] = min(before, ModelStatus(status), key=WORST_FIRST.index)
    return {place: SHAPES[status] for place, status in found.items()}
