"""Every edit of everybody, and the button that undoes one."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST

from providers import roster
from providers.admin.edits import BoundedPaginator, ReadOnly, log_change, who
from providers.history import Action, Edit
from providers.undoing import NotUndone, undo


@admin.register(Edit)
class EditAdmin(ReadOnly):
    """Also of rows that are gone, which have no page of their own."""

    when_empty = "Nothing was edited by hand yet."
    list_display = ("at", "by", "kind", "name", "action", "what")
    list_display_links = ("at",)
    list_filter = ("action",)
    search_fields = ("name", "who", "subject")
    fields = ("at", "by", "kind", "name", "action", "what")
    list_per_page = 50
    sortable_by = ()
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = None
    change_form_template = "admin/providers/edit/change_form.html"

    @admin.display(description="who")
    def by(self, row: Edit) -> str:
        return row.who or "the command line"

    @admin.display(description="kind of row")
    def kind(self, row: Edit) -> str:
        return row.kind

    @admin.display(description="what")
    def what(self, row: Edit) -> SafeString:
        return format_html_join("", "<div>{}</div>", ((line,) for line in row.lines()))

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.undo_view))
        name = "providers_edit_undo"
        return [path("<int:number>/undo/", view, name=name), *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        edit = self.get_object(request, object_id)
        more = {"may_undo": edit is not None and may_undo(request, edit)}
        return super().change_view(request, object_id, form_url, {**more, **(extra_context or {})})

    def undo_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """POST, by whoever may edit such a row: put the old values back."""
        edit = Edit.objects.filter(pk=number).first()
        if edit is None:
            raise Http404
        if not may_undo(request, edit):
            raise PermissionDenied
        try:
            row = undo(edit, who(request))
        except NotUndone as why:
            messages.error(request, f"Not undone. {why}")
            return redirect(_back(request, edit))
        transaction.on_commit(_forget(edit))
        log_change(request, [row], f"Undone: {edit}, of {edit.at:%Y-%m-%d %H:%M} UTC.")
        messages.success(request, f"Undone: {edit.name} is as it was.{_lost(edit)}")
        return redirect(_back(request, edit))


def may_undo(request: HttpRequest, edit: Edit) -> bool:
    """Who may change such rows may undo a change, who may add them a deletion."""
    verb = "add" if edit.action == Action.DELETED else "change"
    return any(
        request.user.has_perm(f"{model._meta.app_label}.{verb}_{model._meta.model_name}")
        for model in (edit.model, *_proxies(request, edit))
    )


def _proxies(request: HttpRequest, edit: Edit) -> list[type[models.Model]]:
    """The proxies in whose lists the row stands."""
    return [
        model
        for model, its in admin.site._registry.items()
        if model._meta.proxy
        and model._meta.concrete_model is edit.model
        and its.get_queryset(request).filter(pk=edit.key).exists()
    ]


def _forget(edit: Edit) -> Any:
    """What reads the row anew."""
    return getattr(admin.site._registry.get(edit.model), "forget", roster.forget)


def _lost(edit: Edit) -> str:
    """What a deletion took that nobody can bring back."""
    gone = Edit.objects.filter(batch=edit.batch, owner=edit.subject, action=Action.DELETED)
    count = sum(1 for part in gone if part.obstacle)
    if edit.action != Action.DELETED or not count:
        return ""
    keys = "1 key is" if count == 1 else f"{count} keys are"
    return f" {keys} gone for good: add what is needed again."


def _back(request: HttpRequest, edit: Edit) -> str:
    """Where the button stood."""
    asked = request.POST.get("back", "")
    if url_has_allowed_host_and_scheme(asked, allowed_hosts=None):
        return asked
    return reverse("admin:providers_edit_change", args=[edit.pk])
