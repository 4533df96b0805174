"""Providers: how they are now, and what one may change about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_post_parameters

from providers import changes, daypicture, registry, roster
from providers.admin import live, quotas, testing
from providers.admin.bases import ModelForm
from providers.admin.credentials import CredentialInline
from providers.admin.edits import Obeyed, log_change, who
from providers.admin.fields import (
    Json,
    JsonObject,
    adapter_choices,
    refuse_what_is_out_of_reach,
)
from providers.admin.filters import DatasetFilter, StatusFilter
from providers.models import Call, Provider, default_rests
from providers.overview import ProviderNow
from providers.usage import Subject
from providers.wording import outcome

LAST_CALLS = 20


class ProviderForm(ModelForm):
    limits = Json(
        required=False,
        validators=Provider._meta.get_field("limits").validators,
        help_text=(
            'Windows, all kept at once: [{"limit": 30, "per_s": 60}]. "burst" is what may go out '
            'at once (a quarter of the limit when left out); "scope" is whom it counts: '
            '"address", this server, or "key", each key by itself.'
        ),
    )
    options = JsonObject(
        required=False,
        help_text='What its adapter wants to know: {"model": "...", "dialect": "groq"} for '
        "language models.",
    )
    rests_s = Json(
        required=False,
        validators=Provider._meta.get_field("rests_s").validators,
        label="Rests after failures",
        help_text="Seconds after the first, second, ... failure in a row, then doubling: "
        "[5, 10, 60].",
    )
    throttle_rests_s = Json(
        required=False,
        validators=Provider._meta.get_field("throttle_rests_s").validators,
        label="Rests after a 429",
        help_text="Seconds at least after the first, second, ... 429 in a row: [120, 240, 600]. "
        "Empty: as long as it says, or else a minute, doubling.",
    )

    class Meta:
        model = Provider
        fields = "__all__"
        labels = {  # noqa: RUF012
            "base_url": "Address",
            "docs_url": "Its docs",
            "timeout_s": "Timeout",
            "min_fresh_s": "Kept at least",
            "cached_only": "Only for the warmer",
            "rest_ceiling_s": "Longest rest after failures",
            "throttle_ceiling_s": "Longest rest after a 429",
            "block_rest_s": "Rest when it blocks us",
        }
        widgets = {"notes": forms.Textarea({"rows": 4, "cols": 72})}  # noqa: RUF012

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "adapter_name" in self.fields:
            self.fields["adapter_name"] = forms.ChoiceField(
                choices=adapter_choices(self.instance.adapter_name),
                label="Adapter",
                help_text="Who translates for it.",
            )

    def clean_rests_s(self) -> Any:
        return self.cleaned_data["rests_s"] or default_rests()

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for name in ("rest_ceiling_s", "throttle_ceiling_s", "block_rest_s"):
            if (cleaned.get(name) or 0) < 0:
                self.add_error(name, "Seconds, not below 0.")
        refuse_what_is_out_of_reach(self)
        return cleaned


@admin.register(Provider)
class ProviderAdmin(live.LiveColumns, Obeyed):
    form = ProviderForm
    list_display = (
        "named",
        "live_status",
        "live_circuit",
        "live_tokens",
        "live_success",
        "live_latency",
        "priority",
        "enabled",
    )
    list_editable = ("priority", "enabled")
    list_filter = (StatusFilter, DatasetFilter, "category", "enabled")
    search_fields = ("slug", "title", "adapter_name", "notes")
    list_per_page = 100
    change_list_template = "admin/providers/provider/change_list.html"
    show_full_result_count = False
    actions: Sequence[Any] = ("test_now", "reset_circuit", "enable", "disable")
    save_on_top = True
    fieldsets = (
        (None, {"fields": ("slug", "title", "category", "enabled", "priority")}),
        (
            "Weight and cost",
            {
                "classes": ("collapse",),
                "description": "For policies that ask by weight, or the cheapest first.",
                "fields": ("weight", "cost_per_call"),
            },
        ),
        (
            "How it is asked",
            {
                "description": "One call is bounded by the timeout, from connecting to the last "
                "byte. Further tries are made only for errors that are worth it.",
                "fields": (
                    "adapter_name",
                    "options",
                    "base_url",
                    "docs_url",
                    "timeout_s",
                    "attempts",
                    "min_fresh_s",
                    "cached_only",
                ),
            },
        ),
        (
            "How often",
            {
                "description": "It is passed over before a window runs out, never asked to see.",
                "fields": ("limits",),
            },
        ),
        (
            "When it fails",
            {
                "classes": ("collapse",),
                "description": "It rests after a failure; then one call may try it, and only "
                "when that goes well do more follow. All figures are seconds.",
                "fields": (
                    "rests_s",
                    "rest_ceiling_s",
                    "throttle_rests_s",
                    "throttle_ceiling_s",
                    "blacklist_after",
                    "block_rest_s",
                ),
            },
        ),
        ("Notes", {"fields": ("notes",)}),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return live.LiveChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Its name stands in answers, logs and guards: another name is another provider.
        return ("slug",) if obj else ()

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        is_known = obj is not None and registry.knows(obj.adapter_name)
        adapter = obj.adapter_class if is_known else None
        return [CredentialInline] if adapter and adapter.auth else []

    @admin.display(description="provider", ordering="slug")
    def named(self, row: Provider) -> SafeString:
        return format_html("{}<small>{}</small>", row.slug, row.title)

    @method_decorator(sensitive_post_parameters())
    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        row = self.get_object(request, object_id) if object_id else None
        panel = _panel(row) if row and request.method == "GET" else {}
        context = {"show_save_and_add_another": False, **panel, **(extra_context or {})}
        response = super().changeform_view(request, object_id, form_url, context)
        # Here the transaction of the edit is over: nobody holds one while talking to the network.
        if row and response.status_code == 302:
            self._then(request, row.pk)
        return response

    def _then(self, request: HttpRequest, pk: int) -> None:
        """What the buttons beside Save do once the edit is saved."""
        if "_test" in request.POST:
            testing.tell(request, [(Provider.objects.get(pk=pk), None)])
        elif "_reset" in request.POST:
            _reset(Provider.objects.get(pk=pk))
            self.message_user(request, "It may be asked again now.", messages.SUCCESS)

    def response_change(self, request: HttpRequest, obj: Provider) -> HttpResponse:
        if "_test" in request.POST or "_reset" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return super().response_change(request, obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Calls are counted, not listed: there may be a million of them."""
        rows = list(objs)
        counts = {
            "providers": len(rows),
            "keys": sum(row.credentials.count() for row in rows),
            "calls": Call.objects.filter(provider__in=rows).count(),
        }
        return [str(row) for row in rows], counts, set(), []

    @admin.action(description="Test now", permissions=["change"])
    def test_now(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        testing.tell(request, [(row, None) for row in queryset])

    @admin.action(description="Reset circuit and budget", permissions=["change"])
    def reset_circuit(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        rows = list(queryset.prefetch_related("credentials__provider"))
        for row in rows:
            _reset(row)
        log_change(request, rows, "Reset the circuit.")
        self.message_user(request, f"{_count(rows)} may be asked again now.", messages.SUCCESS)

    @admin.action(description="Enable", permissions=["change"])
    def enable(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        self._switch(request, queryset, to=True)

    @admin.action(description="Disable", permissions=["change"])
    def disable(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        self._switch(request, queryset, to=False)

    def _switch(self, request: HttpRequest, queryset: QuerySet[Provider], *, to: bool) -> None:
        rows = list(queryset)
        with changes.watched(who(request), rows):
            queryset.update(enabled=to)
        roster.forget()
        word = "enabled" if to else "disabled"
        log_change(request, rows, f"{word.capitalize()}.")
        self.message_user(request, f"{_count(rows)} {word}.", messages.SUCCESS)


def _panel(row: Provider) -> dict[str, Any]:
    """What the page of a provider shows above its form."""
    item = live.now_of(row)
    calls = list(Call.objects.filter(provider=row).select_related("credential")[:LAST_CALLS])
    for call in calls:
        call.in_words = outcome(call.outcome)  # type: ignore[attr-defined]
    return {
        "live": item,
        "live_key": _key(row, item),
        "live_badge": live.badge(item),
        "live_circuit": live.circuit(item),
        "live_quotas": quotas.of_address(Subject(row)),
        "last_calls": calls,
        "day": daypicture.of_day(row, now()),
    }


def _key(row: Provider, item: ProviderNow | None) -> str:
    if item is None or row.adapter_class.auth is None:
        return "takes none"
    if item.has_key:
        return "has one"
    said = "needs one" if row.adapter_class.auth.required else "does without"
    return f"{said} (or set {row.key_env[0]})" if row.key_env else said


def _reset(row: Provider) -> None:
    """Its own guard, and those of its keys."""
    row.guard.reset()
    for credential in row.credentials.all():
        credential.guard.reset()


def _count(rows: list[Provider]) -> str:
    return f"{len(rows)} provider{'' if len(rows) == 1 else 's'}"
