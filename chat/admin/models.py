"""Training runs one can watch, models with their roles, experiments, and the figures of it all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path
from django.utils.safestring import SafeString
from django.utils.timezone import now
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from chat import analytics, deployment, trials
from chat.deployment import Refused
from chat.models import Deployment, Experiment, ModelVersion, TrainingRun
from providers.admin.edits import BoundedPaginator, ReadOnly, who


@admin.register(TrainingRun)
class TrainingRunAdmin(ReadOnly):
    when_empty = "Nothing was trained yet: the worker begins as soon as it runs."
    list_display = ("__str__", "dataset", "state", "progress", "started_by", "at", "finished_at")
    list_filter = ("state",)
    list_select_related = ("dataset", "started_by")
    fields = (
        *("dataset", "seed", "state", "progress", "reasons", "error"),
        *("started_by", "at", "finished_at", "attempts", "result"),
    )
    change_form_template = "admin/chat/trainingrun/change_form.html"

    @admin.display(description="progress")
    def progress(self, row: TrainingRun) -> SafeString:
        return _html("progress", run=row)

    @admin.display(description="model")
    def result(self, row: TrainingRun) -> SafeString | str:
        model = getattr(row, "model", None)
        return _html("figures", model=model) if model else "none yet"


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnly):
    when_empty = "No model yet: the first training brings it."
    list_display = ("code", "role", "macro_f1", "calibration_error", "size", "trained", "run", "at")
    list_filter = ("role",)
    list_select_related = ("run__dataset",)
    fields = ("code", "sha256", "role", "size", "trained", "run", "at", "figures")
    actions = ("promote", "shadow", "retire")
    change_list_template = "admin/chat/modelversion/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        mine = [
            path("roll-back/", view(roll_back), name="chat_roll_back"),
            path("analytics/", view(figures), name="chat_analytics"),
        ]
        return [*mine, *super().get_urls()]

    @admin.display(description="macro-F1")
    def macro_f1(self, row: ModelVersion) -> str:
        said = row.metrics
        return f"{said['macro_f1']:.3f} ({said['macro_f1_low']:.3f}–{said['macro_f1_high']:.3f})"

    @admin.display(description="calibration error")
    def calibration_error(self, row: ModelVersion) -> str:
        return f"{row.metrics['calibration_error']:.3f}"

    @admin.display(description="size")
    def size(self, row: ModelVersion) -> str:
        return f"{row.size_bytes / 1e6:.1f} MB"

    @admin.display(description="training")
    def trained(self, row: ModelVersion) -> str:
        return f"{row.trained_s:.1f} s"

    @admin.display(description="on the frozen questions")
    def figures(self, row: ModelVersion) -> SafeString:
        return _html("figures", model=row)

    @admin.action(description="Promote: let it answer")
    def promote(self, request: HttpRequest, rows: QuerySet[ModelVersion]) -> None:
        _give(request, rows, deployment.promote)

    @admin.action(description="Shadow: ask it beside the champion")
    def shadow(self, request: HttpRequest, rows: QuerySet[ModelVersion]) -> None:
        _give(request, rows, deployment.shadow)

    @admin.action(description="Retire")
    def retire(self, request: HttpRequest, rows: QuerySet[ModelVersion]) -> None:
        _give(request, rows, deployment.retire)


@admin.register(Deployment)
class DeploymentAdmin(ReadOnly):
    when_empty = "No model was put to work yet."
    list_display = ("at", "model", "action", "previous", "by", "why")
    list_filter = ("action",)
    list_select_related = ("model", "previous")
    paginator = BoundedPaginator


@admin.register(Experiment)
class ExperimentAdmin(ReadOnly):
    when_empty = (
        "None was begun. Let a model answer some of the conversations; the champion "
        "beside itself (A/A) should find nothing."
    )
    list_display = ("name", "state", "champion", "challenger", "share_percent", "horizon", "at")
    list_filter = ("state",)
    list_select_related = ("champion", "challenger")
    fields = (
        *("name", "state", "champion", "challenger", "share_percent", "horizon"),
        *("at", "ended_at", "comparison"),
    )
    actions = ("stop",)
    change_form_template = "admin/chat/experiment/change_form.html"

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("chat.add_experiment"))

    def get_urls(self) -> list[URLPattern]:
        mine = path("add/", self.admin_site.admin_view(start), name="chat_experiment_add")
        end = path("<int:pk>/stop/", self.admin_site.admin_view(stop), name="chat_experiment_stop")
        return [mine, end, *super().get_urls()]

    @admin.display(description="arms")
    def comparison(self, row: Experiment) -> SafeString:
        running = row.state == Experiment.State.RUNNING
        verdict = trials.arms(row) if running else row.verdict
        return _html("arms", verdict=verdict, arms=[verdict[a] | {"arm": a} for a in _ARMS])

    @admin.action(description="Stop, without a verdict")
    def stop(self, request: HttpRequest, rows: QuerySet[Experiment]) -> None:
        _allowed(request, "chat.change_experiment")
        for row in rows:
            _told(request, partial(trials.stop, row, who(request)), f"{row} stopped.")


_ARMS = ("champion", "challenger")


class StartForm(forms.Form):
    name = forms.CharField(max_length=80)
    challenger = forms.ModelChoiceField(
        ModelVersion.objects.order_by("-at"),
        help_text="The champion itself makes it an A/A test, which should find nothing.",
    )
    share_percent = forms.IntegerField(
        min_value=1, max_value=99, initial=50, help_text="Of the conversations it answers."
    )
    horizon = forms.IntegerField(
        min_value=100,
        max_value=1_000_000,
        initial=1250,
        help_text="Conversations of each arm. 1,250 find a helpful rate of 75 % instead of 70 %.",
    )


@require_http_methods(["GET", "POST"])
def start(request: HttpRequest) -> HttpResponse:
    _allowed(request, "chat.add_experiment")
    form = StartForm(request.POST or None)
    if form.is_valid():
        try:
            trial = trials.start(**form.cleaned_data, by=who(request))
        except Refused as error:
            form.add_error(None, str(error))
        else:
            messages.success(request, f"{trial} runs.")
            return redirect("admin:chat_experiment_change", trial.pk)
    context = {**admin.site.each_context(request), "title": "New experiment", "form": form}
    return render(request, "admin/chat/experiment.html", context)


@require_POST
def stop(request: HttpRequest, pk: int) -> HttpResponse:
    _allowed(request, "chat.change_experiment")
    trial = get_object_or_404(Experiment, pk=pk)
    _told(request, partial(trials.stop, trial, who(request)), f"{trial} stopped.")
    return redirect("admin:chat_experiment_change", pk)


@require_POST
def roll_back(request: HttpRequest) -> HttpResponse:
    _allowed(request, "chat.change_modelversion")
    _told(request, lambda: deployment.roll_back(who(request)), "The champion before answers again.")
    return redirect("admin:chat_modelversion_changelist")


@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    _allowed(request, "chat.view_modelversion")
    days = request.GET.get("days", "7")
    chosen = int(days) if days in ("1", "7", "30", "90") else 7
    context = {
        **admin.site.each_context(request),
        "title": "Chat analytics",
        "days": chosen,
        "spans": (1, 7, 30, 90),
        "found": analytics.figures(now(), chosen),
        "may_read": (may_read := bool(request.user.has_perm("chat.view_reviewitem"))),
        "unanswered": analytics.unanswered(now(), chosen) if may_read else (),
    }
    return render(request, "admin/chat/analytics.html", context)


def _give(
    request: HttpRequest, rows: QuerySet[ModelVersion], verb: Callable[..., Deployment]
) -> None:
    """Give one model another role."""
    _allowed(request, "chat.change_modelversion")
    if rows.count() != 1:
        messages.error(request, "Choose one model.")
        return
    row = rows.get()
    _told(request, lambda: verb(row, who(request)), f"{row}: done.")


def _told(request: HttpRequest, verb: Callable[[], Any], said: str) -> None:
    try:
        verb()
    except Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)


def _allowed(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _html(part: str, **context: Any) -> SafeString:
    return render_to_string(f"admin/chat/parts/{part}.html", context)
