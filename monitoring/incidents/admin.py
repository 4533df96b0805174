"""Incidents: those that opened by themselves are looked at and written to, others are ours."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.forms import Textarea
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.timezone import now

from monitoring.acknowledging import acknowledge
from monitoring.badges import GoesOn, severity_badge
from monitoring.incidents.models import Incident, IncidentUpdate
from monitoring.incidents.wording import names
from monitoring.notices import outbox
from monitoring.notices.models import Event
from providers.admin.edits import Obeyed, log_change, who
from providers.admin.labels import TabularInline


class UpdateInline(TabularInline):
    """What was said stays said: lines are added, and none is changed."""

    model = IncidentUpdate
    fields = ("at", "text", "automatic")
    readonly_fields = ("automatic",)
    extra = 1
    can_delete = False
    formfield_overrides: ClassVar[Any] = {
        models.TextField: {"widget": Textarea(attrs={"rows": 3, "cols": 70})}
    }
    verbose_name_plural = "timeline, newest first; what you add is sent to the channels"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("monitoring.change_incident"))


@admin.register(Incident)
class IncidentAdmin(Obeyed):
    when_empty = "Nothing went wrong yet, that we know of."
    list_display = ("title", "how_it_is", "began_at", "ended_at", "who_is_in_it", "taken_by")
    list_filter = (GoesOn, "severity", "automatic")
    list_per_page = 50
    search_fields = ("title", "endpoints__health__name")
    show_full_result_count = False
    filter_horizontal = ("endpoints",)
    inlines = (UpdateInline,)
    actions = ("take", "close")
    fields = (
        *("title", "severity", "began_at", "ended_at", "endpoints"),
        *("how_it_opened", "taken_by"),
    )
    readonly_fields = ("how_it_opened", "taken_by")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Incident]:
        return super().get_queryset(request).prefetch_related("endpoints__health")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """One that opened by itself goes by the checks: only lines are added to it."""
        if obj is not None and obj.automatic:
            return self.fields
        return self.readonly_fields

    @admin.display(description="state")
    def how_it_is(self, row: Incident) -> SafeString:
        return severity_badge(row.severity, is_open=row.is_open)

    @admin.display(description="who is in it")
    def who_is_in_it(self, row: Incident) -> str:
        return names(sorted(one.health.name for one in row.endpoints.all())) or "\N{EN DASH}"

    @admin.display(description="opened")
    def how_it_opened(self, row: Incident) -> str:
        if not row.automatic:
            return "by hand: it ends when you enter when it ended"
        times = f", {row.opened} times" if row.opened > 1 else ""
        shaky = "; it comes and goes" if row.flapping else ""
        return f"by itself{times}; it ends by itself{shaky}"

    @admin.display(description="taken by")
    def taken_by(self, row: Incident) -> str:
        if row.acknowledged_at is None:
            return "nobody"
        return f"{row.acknowledged_by}, {row.acknowledged_at:%Y-%m-%d %H:%M} UTC"

    def save_model(self, request: HttpRequest, obj: Incident, form: Any, change: bool) -> None:
        was_open = not change or form.initial.get("ended_at") is None
        super().save_model(request, obj, form, change)
        moment = now()
        if not change and obj.is_open:
            outbox.tell(Event.OPENED, obj.severity, moment, incident=obj)
        elif change and was_open and not obj.is_open and not obj.automatic:
            outbox.tell(Event.RESOLVED, obj.severity, moment, incident=obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        super().save_formset(request, form, formset, change)
        for row in formset.new_objects if change else ():
            incident = row.incident
            mark = str(row.pk)
            outbox.tell(
                Event.UPDATE, incident.severity, now(), incident=incident, text=row.text, mark=mark
            )

    @admin.action(description="Take: somebody is looking at it", permissions=["change"])
    def take(self, request: HttpRequest, rows: QuerySet[Incident]) -> None:
        taken = [row for row in rows if acknowledge(row, who(request), now())]
        log_change(request, taken, "Taken.")
        self.message_user(request, f"{len(taken)} taken: no more reminders of them.")

    @admin.action(description="Close those written by hand", permissions=["change"])
    def close(self, request: HttpRequest, rows: QuerySet[Incident]) -> None:
        moment = now()
        closed = list(rows.filter(automatic=False, ended_at=None))
        for row in closed:
            row.ended_at = moment
            row.save(update_fields=["ended_at"])
            outbox.tell(Event.RESOLVED, row.severity, moment, incident=row)
        log_change(request, closed, "Closed.")
        left = rows.count() - len(closed)
        said = f"{len(closed)} closed."
        if left:
            said += f" {left} left: what opened by itself closes by itself."
        self.message_user(request, said, messages.WARNING if left else messages.SUCCESS)
