"""The catalogue beyond the providers: what is known of, found by what one remembers of it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from providers import known
from providers.admin.bases import ModelForm
from providers.admin.edits import Obeyed
from providers.admin.fields import Json
from providers.known import Known
from providers.models import Provider, Resource
from providers.resources import Flag
from providers.standing import Status

NOTHING = "\N{EN DASH}"
ADDRESSES = ("url", "docs_url", "signup_url", "probe_url")


class ResourceForm(ModelForm):
    class Meta:
        model = Resource
        fields = "__all__"
        field_classes = dict.fromkeys(
            ("topics", "addresses", "chains", "key_env", "limits", "providers"), Json
        )
        widgets = {  # noqa: RUF012
            "notes": forms.Textarea({"rows": 3, "cols": 72}),
            **{name: forms.TextInput({"class": "vLargeTextField"}) for name in ADDRESSES},
        }

    flags = forms.MultipleChoiceField(
        choices=Flag.choices, required=False, widget=forms.CheckboxSelectMultiple
    )

    def clean_flags(self) -> list[str]:
        return list(self.cleaned_data["flags"])


class KnownChangeList(ChangeList):
    """Rows with what is known of them now, read for the whole page at once."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        look_up(self.result_list)


def look_up(rows: Any) -> None:
    """Give every row `known`, and `asked`: address and name of each provider of it."""
    entries = {entry.slug: entry for entry in known.everything()}
    numbers = dict(Provider.objects.values_list("slug", "pk"))
    for row in rows:
        row.known = entries.get(row.slug)
        row.asked = [
            (reverse("admin:providers_provider_change", args=[numbers[slug]]), slug)
            for slug in known.speakers(row, numbers)
        ]


class CategoryFilter(admin.SimpleListFilter):
    """Categories that some entry has."""

    title, parameter_name = "category", "category"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = Resource.objects.order_by("category").values_list("category", flat=True)
        return [(name, name) for name in names.distinct()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        return queryset.filter(category=self.value()) if self.value() else queryset


class StatusFilter(admin.SimpleListFilter):
    """What was measured, or what the providers say that speak for it."""

    title, parameter_name = "status", "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(status.value, status.value.replace("_", " ")) for status in Status]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        if not self.value():
            return queryset
        asked = known.find(known.everything(), status=str(self.value()))
        return queryset.filter(slug__in=[entry.slug for entry in asked])


class FlagFilter(admin.SimpleListFilter):
    title, parameter_name = "flag", "flag"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(value, value.replace("_", " ")) for value in Flag.values]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        return queryset.flagged(self.value()) if self.value() else queryset


class SpokenFilter(admin.SimpleListFilter):
    title, parameter_name = "asked by us", "asked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "has a provider"), ("no", "only known of")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Resource]) -> QuerySet[Resource]:
        if self.value() not in ("yes", "no"):
            return queryset
        slugs = set(Provider.objects.values_list("slug", flat=True))
        spoken = [row.pk for row in queryset if known.speakers(row, slugs)]
        if self.value() == "yes":
            return queryset.filter(pk__in=spoken)
        return queryset.exclude(pk__in=spoken)


@admin.register(Resource)
class ResourceAdmin(Obeyed):
    form = ResourceForm
    list_display = ("named", "category", "wants", "shown_status", "flagged", "asked_by")
    list_filter = (CategoryFilter, "source", StatusFilter, FlagFilter, "kind", SpokenFilter)
    search_fields = ("slug", "title", "url", "notes", "category")
    list_per_page = 100
    show_full_result_count = False
    readonly_fields = ("shown_status", "asked_by")
    fieldsets = (
        (
            None,
            {
                "description": (
                    "Somebody who has data or models, found in public lists. Nothing here is asked "
                    "for answers: that takes a provider. What stands "
                    "here is shown to visitors, and stays as you write it when the catalogue is "
                    "upgraded."
                ),
                "fields": (
                    ("slug", "title"),
                    ("kind", "category", "source"),
                    ("shown_status", "asked_by"),
                    "flags",
                    "notes",
                ),
            },
        ),
        ("Where it is", {"fields": ("url", "addresses", "docs_url", "signup_url")}),
        (
            "What it wants",
            {
                "description": "How a key travels. The key itself belongs to a provider, never "
                "here.",
                "fields": (("auth", "key_in", "key_name"), "key_env", "limits"),
            },
        ),
        ("What it has", {"fields": ("topics", "chains", "priority", "providers")}),
        (
            "Whether it is there",
            {
                "description": "What may be asked of it without a key, to see whether it answers. "
                "Nothing is asked of what has ended, or of an address with a placeholder.",
                "fields": ("probe_url", "probe_rpc"),
            },
        ),
    )

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return KnownChangeList

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # By its name the catalogue knows it again.
        return (*self.readonly_fields, "slug") if obj else self.readonly_fields

    def get_object(self, request: HttpRequest, object_id: str, from_field: Any = None) -> Any:
        row = super().get_object(request, object_id, from_field)
        if row is not None:
            look_up([row])
        return row

    @admin.display(description="resource", ordering="slug")
    def named(self, row: Resource) -> SafeString:
        return format_html("{}<small>{}</small>", row.title, row.url or "no address is known")

    @admin.display(description="wants", ordering="auth")
    def wants(self, row: Resource) -> str:
        return row.get_auth_display()

    @admin.display(description="status")
    def shown_status(self, row: Any) -> SafeString | str:
        entry: Known | None = getattr(row, "known", None)
        if entry is None:
            return NOTHING  # it is being added
        word = entry.status.value.replace("_", " ")
        mark = render_to_string("parts/status.html", {"status": entry.status.value, "word": word})
        return format_html('{}<small class="reason">{}</small>', mark, _since(entry))

    @admin.display(description="flags")
    def flagged(self, row: Resource) -> str:
        return ", ".join(flag.replace("_", " ") for flag in row.flags) or NOTHING

    @admin.display(description="asked as")
    def asked_by(self, row: Any) -> SafeString | str:
        return format_html_join(", ", '<a href="{}">{}</a>', getattr(row, "asked", ())) or NOTHING


def _since(entry: Known) -> str:
    if entry.providers:
        return "as its provider"
    if entry.checked_at is None:
        return "nobody looked yet"
    took = f" in {entry.response_time_ms:,.0f} ms" if entry.status is Status.HEALTHY else ""
    return f"{entry.reason}{took}; looked at {entry.checked_at:%Y-%m-%d %H:%M} UTC"
