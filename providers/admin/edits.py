"""What every admin of ours shares: edits that are obeyed at once, rows that are only looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db import models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property

from providers import changes, history, roster
from providers.admin.bases import ModelAdmin, ModelForm, Paginator
from providers.admin.labels import NamedMoments

MOST_EDITS = 100  # on the page of one row; all of them stand in the list of edits


class Obeyed(NamedMoments):
    """
    After an edit this process reads anew at once; the others do so within two seconds. What was
    edited stands in the history of the row, from where it can be undone.
    """

    forget: Callable[[], None] = staticmethod(roster.forget)
    object_history_template = "admin/history.html"

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, form=InList, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        with changes.watched(who(request), [obj] if change else []) as watch:
            super().save_model(request, obj, form, change)
            watch.made(obj)
        transaction.on_commit(self.forget)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        transaction.on_commit(self.forget)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        rows = [inner.instance for inner in formset.initial_forms]
        with changes.watched(who(request), rows) as watch:
            super().save_formset(request, form, formset, change)
            watch.made(*formset.new_objects)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        with changes.watched(who(request), [obj]):
            super().delete_model(request, obj)
        transaction.on_commit(self.forget)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with changes.watched(who(request), queryset):
            super().delete_queryset(request, queryset)
        transaction.on_commit(self.forget)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        row = self.get_object(request, object_id)
        edits = history.about(row)[:MOST_EDITS] if row else []
        may_undo = row is not None and self.has_change_permission(request, row)
        more = {"edits": edits, "may_undo": may_undo}
        return super().history_view(request, object_id, {**more, **(extra_context or {})})


class InList(ModelForm):
    """A row that is edited in its list: each control says of which row it is, to who cannot see."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.attrs["aria-label"] = f"{field.label} of {self.instance}"


class ReadOnly(ModelAdmin):
    """Rows that the product writes, and people look at."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ForSuperusers(ReadOnly):
    """The works of the machine: superusers alone may look."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)


class BoundedPaginator(Paginator):
    """Counts no further than people turn pages: a full count of a huge table takes seconds."""

    MOST = 5000

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: self.MOST].count())


class ForOnlyRow(Obeyed):
    """Of a model that has one row: its list leads to it."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        row, _ = self.model._default_manager.get_or_create(pk=1)
        return redirect(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", row.pk)


def who(request: HttpRequest) -> str:
    """Whose edit it is: whoever acts here is signed in."""
    return str(request.user.get_username())


def log_change(request: HttpRequest, rows: Iterable[models.Model], said: str) -> None:
    """Note an action in the history of each row."""
    by = request.user.pk or 0  # whoever acts here is signed in
    LogEntry.objects.log_actions(by, list(rows), CHANGE, said)
