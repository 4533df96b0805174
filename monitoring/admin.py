"""How everything is checked, each endpoint, and what checks found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from monitoring import byhand, readings, zoompage
from monitoring import modeladmin as _models  # noqa: F401
from monitoring import resourceadmin as _resources  # noqa: F401
from monitoring.alerts import admin as _alerts  # noqa: F401  (each registers its own rows)
from monitoring.badges import Looked, status_badge
from monitoring.incidents import admin as _incidents  # noqa: F401
from monitoring.models import CheckResult, Endpoint, Plan, StateChange
from monitoring.notices import admin as _notices  # noqa: F401
from providers import changes
from providers.admin.edits import ForOnlyRow, Obeyed, log_change, who
from providers.admin.resources import NOTHING


@admin.register(Plan)
class PlanAdmin(ForOnlyRow):
    forget: Callable[[], None] = staticmethod(readings.forget)
    fieldsets = (
        (None, {"fields": ("paused", "interval_s", "timeout_s")}),
        ("What checks may cost", {"fields": ("quota_percent", "generations_per_day")}),
        (
            "What is only known of",
            {
                "description": "Resources of the catalogue are looked at when the providers have "
                "had their turn, with no key, a few in any minute. Each may also be paused "
                "under Endpoints.",
                "fields": ("check_resources", "resource_interval_s"),
            },
        ),
        ("Verdicts", {"fields": ("threshold_ms", "down_after", "up_after")}),
        (
            "What is kept",
            {"fields": ("keep_results_days", "keep_minutes_days", "keep_hours_days")},
        ),
    )


@admin.register(Endpoint)
class EndpointAdmin(Obeyed):
    """Rows come with the providers and resources of the catalogue, and go with them."""

    forget: Callable[[], None] = staticmethod(readings.forget)
    list_display = (
        *("name", "how_it_is", "last_check", "interval_s", "paused"),
        "maintenance_until",
    )
    list_editable = ("interval_s", "paused")
    list_filter = ("health__status", "paused", "health__kind")
    list_select_related = ("health",)
    search_fields = ("health__name",)
    list_per_page = 100
    show_full_result_count = False
    actions = ("check_now", "pause", "resume")
    fields = (
        *("name", "how_it_is", "last_check", "next_check", "response_times"),
        *("paused", "maintenance_until", "interval_s", "timeout_s", "threshold_ms"),
        "generations_per_day",
    )
    readonly_fields = ("name", "how_it_is", "last_check", "next_check", "response_times")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="name", ordering="health__name")
    def name(self, row: Endpoint) -> str:
        return row.health.name

    @admin.display(description="status", ordering="health__status")
    def how_it_is(self, row: Endpoint) -> SafeString:
        return status_badge(row.health.status, row.health.reason)

    @admin.display(description="last check", ordering="health__checked_at")
    def last_check(self, row: Endpoint) -> Any:
        return row.health.checked_at

    @admin.display(description="next check")
    def next_check(self, row: Endpoint) -> Any:
        return row.next_due

    @admin.display(description="response times")
    def response_times(self, row: Endpoint) -> SafeString:
        address = reverse("admin:monitoring_endpoint_times", args=[row.pk])
        return format_html('<a href="{}">Look closer</a>', address)

    def get_urls(self) -> list[Any]:
        watched = self.admin_site.admin_view
        return [
            path("<int:pk>/times/", watched(zoompage.page), name="monitoring_endpoint_times"),
            path(
                "<int:pk>/numbers/", watched(zoompage.numbers), name="monitoring_endpoint_numbers"
            ),
            *super().get_urls(),
        ]

    @admin.action(description="Check now", permissions=["change"])
    def check_now(self, request: HttpRequest, rows: QuerySet[Endpoint]) -> None:
        try:
            started = byhand.start(list(rows.values_list("health__name", flat=True)))
        except byhand.Overlap as overlap:
            self.message_user(request, str(overlap), messages.WARNING)
        else:
            said = f"{len(started)} being checked; reload in a few seconds."
            self.message_user(request, said)

    @admin.action(description="Pause checks", permissions=["change"])
    def pause(self, request: HttpRequest, rows: QuerySet[Endpoint]) -> None:
        self._set_paused(request, rows, True)

    @admin.action(description="Resume checks", permissions=["change"])
    def resume(self, request: HttpRequest, rows: QuerySet[Endpoint]) -> None:
        self._set_paused(request, rows, False)

    def _set_paused(self, request: HttpRequest, rows: QuerySet[Endpoint], to: bool) -> None:
        changed = list(rows)
        with changes.watched(who(request), changed):
            rows.update(paused=to)
        log_change(request, changed, "Paused." if to else "Resumed.")
        readings.forget()


@admin.register(CheckResult)
class CheckResultAdmin(Looked):
    when_empty = "Nobody was checked yet: the worker begins as soon as it runs."
    list_select_related = ("endpoint__health",)
    list_display = (
        *("at", "endpoint", "verdict", "outcome"),
        *("took", "source", "error"),
    )
    list_filter = ("finding", "source")
    search_fields = ("endpoint__health__name",)

    @admin.display(description="took")
    def took(self, row: CheckResult) -> str:
        return NOTHING if row.response_time_ms is None else f"{row.response_time_ms:,.0f} ms"

    @admin.display(description="verdict")
    def verdict(self, row: CheckResult) -> SafeString:
        return status_badge(row.status)


@admin.register(StateChange)
class StateChangeAdmin(Looked):
    when_empty = "Nobody was checked yet: the worker begins as soon as it runs."
    list_select_related = ("endpoint__health",)
    list_display = ("began_at", "ended_at", "endpoint", "how_it_was")
    list_filter = ("status",)
    search_fields = ("endpoint__health__name",)

    @admin.display(description="status")
    def how_it_was(self, row: StateChange) -> SafeString:
        return status_badge(row.status, row.reason)
