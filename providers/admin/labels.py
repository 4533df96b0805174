"""
What a screen reader says of fields that Django's admin leaves without a name: both halves of a
moment, and the cells of a table of rows.
"""

from __future__ import annotations

from typing import Any

from django.contrib.admin.widgets import AdminSplitDateTime
from django.forms import BaseInlineFormSet, Field

from providers.admin import bases

HALVES = ("date", "time")


def _name_halves(field: Field) -> None:
    widget = field.widget
    if isinstance(widget, AdminSplitDateTime):
        for half, part in zip(HALVES, widget.widgets, strict=True):
            part.attrs["aria-label"] = f"{field.label}, {half}"
        field.help_text = f"{field.help_text} In UTC.".strip()


class NamedMoments(bases.ModelAdmin):
    """A moment's label is of a group of two fields, so each needs a name of its own."""

    class Media:
        js = ("labels.js",)

    def formfield_for_dbfield(self, *args: Any, **kwargs: Any) -> Field | None:
        field = super().formfield_for_dbfield(*args, **kwargs)
        if field is not None:
            _name_halves(field)
        return field


class Rows(BaseInlineFormSet):  # type: ignore[type-arg]
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = "Delete"


class TabularInline(bases.TabularInline):
    """The head of a column is no label of the fields below it."""

    template = "admin/tabular.html"
    formset = Rows

    def formfield_for_dbfield(self, *args: Any, **kwargs: Any) -> Field | None:
        field = super().formfield_for_dbfield(*args, **kwargs)
        if field is not None:
            field.widget.attrs.setdefault("aria-label", field.label)
            _name_halves(field)
        return field
