"""Channels, what was sent to them, and when nothing is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_post_parameters

from monitoring import readings
from monitoring.badges import Looked, status_badge
from monitoring.notices import addresses, outbox
from monitoring.notices.models import Channel, Fate, MaintenanceWindow, Notice
from providers.admin.bases import ModelForm
from providers.admin.edits import Obeyed, log_change

_HELP = (
    "Such as slack://TokenA/TokenB/TokenC, mailtos://user:password@host?to=you@host, "
    "tgram://bot/chat, or https://host/path for a webhook. Stored encrypted, never shown again."
)


class NewAddress(forms.CharField):
    """An address goes in and is never shown again: not even after an error in another field."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"autocomplete": "new-password", "spellcheck": "false", "class": "vTextField"}
        widget = forms.PasswordInput(render_value=False, attrs=attrs)
        super().__init__(widget=widget, max_length=addresses.MOST, strip=True, **kwargs)

    def clean(self, value: Any) -> str:
        address: str = super().clean(value)
        if address:
            addresses.check(address)
        return address


class ChannelForm(ModelForm):
    address = NewAddress(required=False, label="Address", help_text=_HELP)

    class Meta:
        model = Channel
        fields = ("name", "address", "least_severity", "reminders", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "address" in self.fields:
            self.fields["address"].label = "New address"
            self.fields["address"].help_text = "Leave empty to keep the one that is stored."
        elif "address" in self.fields:
            self.fields["address"].required = True

    def save(self, commit: bool = True) -> Channel:
        if address := self.cleaned_data.get("address"):
            self.instance.set_address(address)
        saved: Channel = super().save(commit)
        return saved


@admin.register(Channel)
class ChannelAdmin(Obeyed):
    when_empty = (
        "No channel: what goes wrong is shown on the status page, and nobody is told. "
        "Add one to be."
    )
    form = ChannelForm
    forget: Callable[[], None] = staticmethod(readings.forget)
    fields = (
        *("name", "address", "kind", "state", "last_sent_at"),
        *("least_severity", "reminders", "enabled"),
    )
    readonly_fields = ("kind", "state", "last_sent_at")
    list_display = (
        "name",
        "kind",
        "state",
        "least_severity",
        "reminders",
        "enabled",
        "last_sent_at",
    )
    list_editable = ("least_severity", "reminders", "enabled")
    actions = ("test", "use_again")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ChannelForm.Meta.fields

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    @admin.display(description="state")
    def state(self, row: Channel) -> SafeString:
        if row.switched_off_at is not None:
            since = f"switched off {row.switched_off_at:%Y-%m-%d %H:%M} UTC"
            return status_badge(
                "down", f"{since}, as it failed for good: {row.switched_off_reason}"
            )
        if not row.enabled:
            return status_badge("disabled")
        if row.failing_since is not None:
            since = f"since {row.failing_since:%Y-%m-%d %H:%M} UTC"
            return status_badge("degraded", f"not delivered {since}: {row.last_error}")
        if row.last_sent_at is None:
            return status_badge("unknown", "nothing was sent yet")
        return status_badge("healthy")

    def save_model(self, request: HttpRequest, obj: Channel, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "_test" in request.POST:
            self._try(request, obj)

    def _try(self, request: HttpRequest, row: Channel) -> None:
        if not row.enabled or row.switched_off_at:
            self.message_user(request, f"{row} is switched off: nothing is sent.", messages.WARNING)
            return
        outbox.test(row, now())
        self.message_user(
            request,
            f"The worker sends a test to {row} within a minute, as it sends everything;"
            " its state here, and the list of notices, tell what came of it.",
        )

    @admin.action(description="Send a test", permissions=["change"])
    def test(self, request: HttpRequest, rows: QuerySet[Channel]) -> None:
        for row in rows:
            self._try(request, row)

    @admin.action(description="Use the selected channels again", permissions=["change"])
    def use_again(self, request: HttpRequest, rows: QuerySet[Channel]) -> None:
        changed = list(rows.exclude(switched_off_at=None))
        rows.update(switched_off_at=None, switched_off_reason="", failing_since=None, last_error="")
        log_change(request, changed, "Used again.")
        self.message_user(request, f"{len(changed)} in use again.", messages.SUCCESS)


@admin.register(Notice)
class NoticeAdmin(Looked):
    when_empty = "Nothing was sent: that takes a channel, and something to tell."
    list_display = (
        "created_at",
        "channel",
        "event",
        "about",
        "fate_told",
        "attempts",
        "settled_at",
    )
    list_filter = ("fate", "event", "channel")
    list_select_related = ("channel", "incident", "alert")
    search_fields = ("key", "text")

    @admin.display(description="about")
    def about(self, row: Notice) -> str:
        return str(row.incident or row.alert or row.text or "\N{EN DASH}")

    @admin.display(description="what became of it")
    def fate_told(self, row: Notice) -> SafeString:
        said = row.get_fate_display()
        if row.fate == Fate.PENDING:
            said += f" at {row.due_at:%H:%M:%S} UTC"
        return format_html('{}<small class="reason">{}</small>', said, row.error)


@admin.register(MaintenanceWindow)
class MaintenanceWindowAdmin(Obeyed):
    when_empty = "No maintenance is planned, and none was."
    list_display = ("title", "state", "starts_at", "ends_at", "whom")
    filter_horizontal = ("providers",)
    search_fields = ("title",)
    fieldsets = (
        (
            None,
            {
                "description": (
                    "Meanwhile no incident opens for these providers, and what is to be told of"
                    " them waits until the end; what is over by then is never told. The status"
                    " page announces it two weeks ahead. Checks go on."
                ),
                "fields": ("title", "starts_at", "ends_at", "providers", "note"),
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[MaintenanceWindow]:
        return super().get_queryset(request).prefetch_related("providers")

    @admin.display(description="state")
    def state(self, row: MaintenanceWindow) -> SafeString:
        moment = now()
        if moment >= row.ends_at:
            return status_badge("disabled", "over")
        on = moment >= row.starts_at
        return status_badge("maintenance" if on else "unknown", "now" if on else "to come")

    @admin.display(description="whom")
    def whom(self, row: MaintenanceWindow) -> str:
        return ", ".join(one.slug for one in row.providers.all()) or "everything"
