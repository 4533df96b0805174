"""The AI models in the admin: what they are for, who stands in for them, and what scans found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timezone import now

from monitoring import aimodels, modelreadouts
from monitoring.badges import Looked, badge
from monitoring.modelreadouts import SHAPES
from monitoring.modelrows import ModelMetric, Scan, ScanPlan
from providers import standins
from providers.admin.edits import ForOnlyRow, Obeyed, who
from providers.admin.fields import JSON_FIELDS
from providers.admin.resources import NOTHING
from providers.aimodels import AiModel, ModelStatus


def model_badge(status: str, reason: str = "") -> SafeString:
    """A status of a model as a shape and a word, with its reason below."""
    return badge(SHAPES[ModelStatus(status)], status.replace("_", " "), reason)


@admin.register(AiModel)
class AiModelAdmin(Obeyed):
    """Those of the catalogue, and models of one's own."""

    forget: Callable[[], None] = staticmethod(standins.forget)
    list_display = (
        *("model_id", "how_it_is", "category"),
        *("success_rate", "response_time", "last_check", "is_active"),
    )
    list_editable = ("is_active",)
    list_filter = ("status", "task", "category", "is_active", "provider")
    list_select_related = ("stats",)
    search_fields = ("model_id", "canonical_id", "notes")
    list_per_page = 100
    actions = ("check_now",)
    formfield_overrides = JSON_FIELDS
    fieldsets = (
        (None, {"fields": ("model_id", "model_key", "canonical_id", "is_active")}),
        ("What for", {"fields": ("task", "category", "labels", "max_tokens", "notes")}),
        ("Who runs it", {"fields": ("provider", "requires_auth", "fallback")}),
        (
            "What the scans found",
            {"fields": ("how_it_is", "since", "checked_at", "success_rate", "response_time")},
        ),
    )
    readonly_fields = ("how_it_is", "since", "checked_at", "success_rate", "response_time")

    @admin.display(description="status", ordering="status")
    def how_it_is(self, row: AiModel) -> SafeString:
        item = modelreadouts.reading(row, now())
        return model_badge(item.status, item.reason)

    @admin.display(description="good checks", ordering="stats__successful_checks")
    def success_rate(self, row: AiModel) -> str:
        rate = modelreadouts.reading(row, now()).stats.success_rate
        return "–" if rate is None else f"{rate:g} %"

    @admin.display(description="reads a text in")
    def response_time(self, row: AiModel) -> str:
        ms = modelreadouts.reading(row, now()).stats.avg_response_time_ms
        return "–" if ms is None else f"{ms:.0f} ms"

    @admin.display(description="last check", ordering=F("checked_at").asc(nulls_first=True))
    def last_check(self, row: AiModel) -> Any:
        return row.checked_at

    @admin.action(description="Check now", permissions=["change"])
    def check_now(self, request: HttpRequest, rows: QuerySet[AiModel]) -> None:
        chosen = list(rows.filter(is_active=True).values_list("pk", flat=True))
        if not chosen:
            self.message_user(request, "None of these is switched on.", messages.WARNING)
            return
        scan, is_ours = aimodels.start(who(request), only=chosen)
        if is_ours:
            self.message_user(request, f"{len(chosen)} being looked at; reload in a few seconds.")
        else:
            said = f"A scan that {scan.by} began goes on; try again when it is over."
            self.message_user(request, said, messages.WARNING)


@admin.register(ScanPlan)
class ScanPlanAdmin(ForOnlyRow):
    forget: Callable[[], None] = staticmethod(standins.forget)
    fields = ("paused", "interval_s", "timeout_s", "trials_per_day", "keep_days")


@admin.register(ModelMetric)
class ModelMetricAdmin(Looked):
    when_empty = "No model was looked at yet: the worker begins as soon as it runs."
    list_display = (
        *("checked_at", "model", "found", "way"),
        *("took", "test_output", "confidence"),
    )
    list_filter = ("status", "way")
    list_select_related = ("model",)
    search_fields = ("model__model_id",)

    @admin.display(description="took")
    def took(self, row: ModelMetric) -> str:
        return NOTHING if row.response_time_ms is None else f"{row.response_time_ms:,.0f} ms"

    @admin.display(description="found")
    def found(self, row: ModelMetric) -> SafeString:
        return model_badge(row.status, row.error_message)


@admin.register(Scan)
class ScanAdmin(Looked):
    when_empty = "No scan was made yet: the worker begins one as soon as it runs."
    list_display = ("started_at", "finished_at", "by", "total", "looked_at", "tried", "hub")
    list_filter = ("hub_answered",)

    @admin.display(description="Hub answered", boolean=True)
    def hub(self, row: Scan) -> bool | None:
        return row.hub_answered
