"""What the admin pages of monitoring share."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.template.loader import render_to_string
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from providers.admin.edits import BoundedPaginator, ReadOnly

# A severity by the shape of a status.
LOOKS = {"minor": "degraded", "major": "down", "critical": "down"}


def status_badge(status: str, reason: str = "") -> SafeString:
    """A status as a shape and a word, with its reason below."""
    return badge(status, status.replace("_", " "), reason)


def severity_badge(severity: str, *, is_open: bool, said: str = "") -> SafeString:
    if is_open:
        return badge(LOOKS[severity], severity, said)
    return badge("healthy", f"over ({severity})", said)


def badge(status: str, word: str, said: str) -> SafeString:
    """The shape of a status with a word of its own, and what is said of it below."""
    shape = render_to_string("parts/status.html", {"status": status, "word": word})
    return format_html(
        '{}<small class="reason">{}</small>',
        mark_safe(shape),  # noqa: S308 (a template of ours, which escapes)
        said,
    )


class Looked(ReadOnly):
    """Many rows that the product writes."""

    list_per_page = 50
    sortable_by = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    actions: Any = None


class GoesOn(admin.SimpleListFilter):
    """Open, or over."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: Any, model_admin: Any) -> Any:
        return [("open", "open"), ("over", "over")]

    def queryset(self, request: Any, queryset: Any) -> Any:
        if self.value() == "open":
            return queryset.filter(ended_at=None)
        return queryset.exclude(ended_at=None) if self.value() == "over" else queryset
