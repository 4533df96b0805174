"""Keys: they go in, are tried, set aside and used again, and never come out."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.timezone import now
from django.views.decorators.debug import sensitive_post_parameters

from providers import roster
from providers.admin import testing
from providers.admin.bases import ModelForm
from providers.admin.edits import Obeyed, log_change
from providers.admin.fields import NewKey
from providers.admin.labels import TabularInline
from providers.admin.quotas import KeyColumns, KeyList
from providers.models import Credential
from providers.secrets import SecretUnreadable


class CredentialForm(ModelForm):
    key = NewKey(required=False, label="Key", help_text="Stored encrypted, and never shown again.")

    class Meta:
        model = Credential
        fields = ("provider", "label", "key", "order", "enabled")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.env_name:
            self.fields["key"].disabled = True
            self.fields["key"].help_text = "It stands in the environment, and is changed there."
        elif self.instance.pk:
            self.fields["key"].label = "New key"
            self.fields["key"].help_text = "Leave empty to keep the one that is stored."
        else:
            self.fields["key"].required = True

    def save(self, commit: bool = True) -> Credential:
        if key := self.cleaned_data.get("key"):
            self.instance.set_key(key)
            self.instance.created_at = now()  # since when this very key is here
        saved: Credential = super().save(commit)
        return saved


class CredentialInline(KeyColumns, TabularInline):
    model = Credential
    form = CredentialForm
    fields = ("label", "key", "set_on", "state", "every_window", "order", "enabled")
    readonly_fields = ("set_on", "state", "every_window")
    extra = 0
    verbose_name_plural = "keys, tried in this order"


@admin.register(Credential)
class CredentialAdmin(KeyColumns, Obeyed):
    when_empty = (
        "No key is entered. Most providers need none; those that are “disabled, no "
        "key” wait for one."
    )
    form = CredentialForm
    fields = (
        "provider",
        "label",
        "key",
        "set_on",
        "state",
        "plan_told",
        "every_window",
        "order",
        "enabled",
    )
    readonly_fields = ("set_on", "state", "plan_told", "every_window")
    list_display = (
        "label",
        "provider",
        "state",
        "plan_told",
        "used",
        "percent",
        "forecast",
        "order",
        "enabled",
        "set_on",
    )
    list_filter = (("provider", admin.RelatedOnlyFieldListFilter), "enabled")
    list_select_related = ("provider",)
    search_fields = ("label", "provider__slug")
    actions = ("test_keys", "use_again")
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return KeyList

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self.readonly_fields, "provider") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else CredentialForm.Meta.fields

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return super().changeform_view(request, *args, **kwargs)

    @admin.action(description="Test the selected keys now", permissions=["change"])
    def test_keys(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        rows = list(queryset.select_related("provider"))
        readable = [row for row in rows if _is_readable(row)]
        for row in rows:
            if row not in readable:
                self.message_user(request, f"{row}: cannot be decrypted.", messages.ERROR)
        testing.tell(request, [(row.provider, row) for row in readable])

    @admin.action(description="Use the selected keys again", permissions=["change"])
    def use_again(self, request: HttpRequest, queryset: QuerySet[Credential]) -> None:
        rows = list(queryset.exclude(set_aside_at=None).select_related("provider"))
        queryset.update(set_aside_reason="", set_aside_at=None)
        for row in rows:
            row.guard.reset()
        roster.forget()
        log_change(request, rows, "Used again.")
        said = "1 key is" if len(rows) == 1 else f"{len(rows)} keys are"
        self.message_user(request, f"{said} in use again.", messages.SUCCESS)


def _is_readable(row: Credential) -> bool:
    try:
        row.key()
    except SecretUnreadable:
        return False
    return True
