"""Examples and the datasets that are frozen of them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.views.decorators.http import require_POST, require_safe

from chat import datasets
from chat.models import DatasetVersion, Example
from chat.training import runs
from providers.admin.bases import ModelAdmin
from providers.admin.edits import BoundedPaginator, ReadOnly


@admin.register(Example)
class ExampleAdmin(ModelAdmin):
    when_empty = "No label yet: reviewed questions come here."
    list_display = ("text", "category", "source", "labelled_by", "at")
    list_filter = ("category", "source")
    list_select_related = ("labelled_by",)
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    fields = ("text", "category", "source", "labelled_by", "at")
    readonly_fields = ("source", "labelled_by", "at")
    sortable_by = ("category", "source", "at")  # what is encrypted has no order

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.labelled_by = request.user
        super().save_model(request, obj, form, change)


@admin.register(DatasetVersion)
class DatasetVersionAdmin(ReadOnly):
    when_empty = "None is frozen yet: the worker freezes the first before it trains."
    list_display = (
        *("number", "questions", "digest", "note", "created_by", "at", "archived_at"),
        "file",
    )
    list_select_related = ("created_by",)
    fields = (
        *("number", "questions", "sha256", "manifest", "note", "created_by", "at"),
        *("archived_at", "file"),
    )
    change_list_template = "admin/chat/datasetversion/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        mine = [
            path("freeze/", view(freeze), name="chat_freeze"),
            path("<int:number>/train/", view(train), name="chat_train"),
            path("<int:number>/questions.jsonl", view(download), name="chat_dataset_file"),
        ]
        return [*mine, *super().get_urls()]

    @admin.display(description="SHA-256")
    def digest(self, row: DatasetVersion) -> str:
        return row.sha256[:12]

    @admin.display(description="file")
    def file(self, row: DatasetVersion) -> SafeString | str:
        if row.archived_at:
            return "archived"
        return format_html(
            '<a href="{}">JSONL</a>', reverse("admin:chat_dataset_file", args=[row.number])
        )


@require_POST
def freeze(request: HttpRequest) -> HttpResponse:
    if not request.user.has_perm("chat.add_datasetversion"):
        raise PermissionDenied
    version, is_new = datasets.freeze(by=request.user)
    said = f"{version}: {version.questions:,} questions."
    messages.info(request, said if is_new else f"Nothing changed since {version}.")
    return redirect("admin:chat_datasetversion_changelist")


@require_POST
def train(request: HttpRequest, number: int) -> HttpResponse:
    """Queue a training on this version."""
    if not request.user.has_perm("chat.add_trainingrun"):
        raise PermissionDenied
    run = runs.start(get_object_or_404(DatasetVersion, number=number), by=request.user)
    return redirect("admin:chat_trainingrun_change", run.pk)


@require_safe
def download(request: HttpRequest, number: int) -> HttpResponse:
    if not request.user.has_perm("chat.view_datasetversion"):
        raise PermissionDenied
    return file_of(get_object_or_404(DatasetVersion, number=number))


def file_of(version: DatasetVersion) -> HttpResponse:
    """The JSONL of a version, as a file; its hash is the ETag. Raises Http404."""
    try:
        text = datasets.content(version)
    except datasets.Archived as error:
        raise Http404(str(error)) from None
    response = HttpResponse(text, content_type="application/jsonl; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="dataset-{version.number}.jsonl"'
    response["ETag"] = f'"{version.sha256}"'
    return response
