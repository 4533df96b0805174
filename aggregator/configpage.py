"""The admin's page of the configuration: a file to take away, and one to bring in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods

from aggregator import configuration, importing
from aggregator.importing import BadConfiguration, Change, Otherwise, digest
from providers.admin.edits import log_change, who

MOST_BYTES = 400_000  # what is shown is sent back: twice that has to fit into one request


class UploadForm(forms.Form):
    file = forms.FileField(
        label="Configuration",
        help_text="A YAML file as the button above gives it. Nothing is changed before you agree.",
        widget=forms.FileInput(attrs={"accept": ".yaml,.yml"}),
    )

    def clean_file(self) -> str:
        """Its text."""
        upload = self.cleaned_data["file"]
        if upload.size > MOST_BYTES:
            raise forms.ValidationError(
                f"More than {MOST_BYTES:,} bytes: bring it in by importconfig instead."
            )
        try:
            return str(upload.read().decode())
        except UnicodeDecodeError as error:
            raise forms.ValidationError(f"Byte {error.start} is no UTF-8.") from None


@require_http_methods(["GET", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    if not request.user.is_superuser:
        raise PermissionDenied
    if request.method == "GET":
        return _download() if "download" in request.GET else _page(request, form=UploadForm())
    if "apply" in request.POST:
        return _apply(request, request.POST.get("text", ""), request.POST.get("agreed", ""))
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return _page(request, form=form)
    return _look(request, form.cleaned_data["file"])


def _download() -> HttpResponse:
    name = f"aggregator-{now():%Y%m%d-%H%M%S}.yaml"
    response = HttpResponse(configuration.export().text(), content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _look(request: HttpRequest, text: str) -> HttpResponse:
    """What the file would change."""
    try:
        changes = importing.run(text, dry_run=True)
    except BadConfiguration as error:
        return _page(request, form=UploadForm(), problems=error.problems)
    return _agree(request, text, changes)


def _agree(request: HttpRequest, text: str, changes: list[Change]) -> HttpResponse:
    if not changes:
        messages.info(request, "Nothing differs: everything is as the file says.")
        return redirect("configuration")
    return _page(request, changes=changes, text=text, agreed=digest(changes))


def _apply(request: HttpRequest, text: str, agreed: str) -> HttpResponse:
    try:
        # A form's text has its lines ended in another way.
        text = text.replace("\r\n", "\n")
        changes = importing.run(text, agreed=agreed, who=who(request))
    except BadConfiguration as error:
        return _page(request, form=UploadForm(), problems=error.problems)
    except Otherwise as otherwise:
        messages.warning(request, "Something was changed meanwhile: this is what differs now.")
        return _agree(request, text, otherwise.changes)
    for change in changes:
        if change.row is not None:
            fields = ", ".join(name for name, _, _ in change.fields)
            log_change(request, [change.row], f"Imported: {fields}.")
    number = f"{len(changes)} row{'' if len(changes) == 1 else 's'}"
    messages.success(request, f"{number} changed.")
    return redirect("configuration")


def _page(request: HttpRequest, **context: Any) -> HttpResponse:
    site = admin.site.each_context(request)
    form = context.get("form")
    wrong = context.get("problems") or (form is not None and form.errors)
    return render(
        request,
        "admin/configuration.html",
        {**site, "title": "Configuration", **context},
        status=400 if wrong else 200,
    )
