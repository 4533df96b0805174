"""
The routes of those who teach the chat: review, datasets, training runs, models, experiments,
analytics. For staff who are signed in, each with the permissions the admin asks for; a client key
opens none of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from chat import analytics, datasets, deployment, reviewing, trials
from chat.admin.learning import file_of
from chat.api import learning_serializers as s
from chat.categories import Category
from chat.models import DatasetVersion, Experiment, ModelVersion, ReviewItem, TrainingRun
from chat.training import runs
from providers.parameters import NoParameters, Parameters

PRIVATE = {"Cache-Control": "no-store"}


class StaffView(APIView):
    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAdminUser,)


class PageParameters(Parameters):
    limit = serializers.IntegerField(min_value=1, max_value=200, default=50)
    page = serializers.IntegerField(min_value=1, max_value=10_000, default=1)


class ReviewParameters(PageParameters):
    state = serializers.ChoiceField(choices=ReviewItem.State.choices, default="open")


class SpanParameters(Parameters):
    days = serializers.IntegerField(min_value=1, max_value=365, default=7)


def may(request: Request, permission: str) -> str:
    """The name of who asks. Raises PermissionDenied."""
    if not request.user.has_perm(f"chat.{permission}"):
        raise PermissionDenied(f"You need the permission chat.{permission}.")
    return str(request.user.get_username())


def listed(rows: QuerySet[Any], asked: dict[str, Any], tell: Callable[[Any], Any]) -> Response:
    limit, page = asked["limit"], asked["page"]
    some = rows[limit * (page - 1) : limit * page]
    body = {"total": rows.count(), "page": page, "data": [tell(row) for row in some]}
    return Response(body, headers=PRIVATE)


@extend_schema(exclude=True)
class ReviewsView(StaffView):
    def get(self, request: Request) -> Response:
        may(request, "view_reviewitem")
        asked = ReviewParameters.of(request)
        rows = ReviewItem.objects.filter(state=asked["state"]).select_related("interaction")
        return listed(rows, asked, s.review_item)


@extend_schema(exclude=True)
class ReviewView(StaffView):
    def post(self, request: Request, pk: str) -> Response:
        may(request, "change_reviewitem")
        asked = s.DecisionSerializer.of(request)
        item = get_object_or_404(ReviewItem.objects.select_related("interaction"), pk=pk)
        decision = asked["decision"]
        if decision == "reject":
            reviewing.reject(item, request.user)
        elif decision == "reopen":
            reviewing.reopen(item)
        else:
            chosen = Category(asked.get("category", item.suggested))
            reviewing.label(item, chosen, request.user)
        return Response(s.review_item(item), headers=PRIVATE)


@extend_schema(exclude=True)
class DatasetsView(StaffView):
    def get(self, request: Request) -> Response:
        may(request, "view_datasetversion")
        return listed(DatasetVersion.objects.all(), PageParameters.of(request), s.dataset)

    def post(self, request: Request) -> Response:
        may(request, "add_datasetversion")
        asked = s.FreezeSerializer.of(request)
        version, is_new = datasets.freeze(asked["note"], by=request.user)
        return Response(s.dataset(version), status=201 if is_new else 200, headers=PRIVATE)


@extend_schema(exclude=True)
class DatasetFileView(StaffView):
    def get(self, request: Request, number: str) -> HttpResponse:
        may(request, "view_datasetversion")
        NoParameters.of(request)
        return file_of(get_object_or_404(DatasetVersion, number=number))


@extend_schema(exclude=True)
class TrainingRunsView(StaffView):
    def get(self, request: Request) -> Response:
        may(request, "view_trainingrun")
        rows = TrainingRun.objects.select_related("dataset", "model")
        return listed(rows, PageParameters.of(request), s.training_run)

    def post(self, request: Request) -> Response:
        """Start one: 202, and what to watch."""
        may(request, "add_trainingrun")
        asked = s.TrainSerializer.of(request)
        version = get_object_or_404(DatasetVersion, number=asked["dataset"])
        run = runs.start(version, asked["seed"], by=request.user)
        return Response(s.training_run(run), status=202, headers=PRIVATE)


@extend_schema(exclude=True)
class TrainingRunView(StaffView):
    def get(self, request: Request, pk: str) -> Response:
        may(request, "view_trainingrun")
        NoParameters.of(request)
        run = get_object_or_404(TrainingRun.objects.select_related("dataset", "model"), pk=pk)
        return Response(s.training_run(run), headers=PRIVATE)


@extend_schema(exclude=True)
class ModelsView(StaffView):
    def get(self, request: Request) -> Response:
        may(request, "view_modelversion")
        return listed(ModelVersion.objects.all(), PageParameters.of(request), s.model_version)


@extend_schema(exclude=True)
class RoleView(StaffView):
    """promote, shadow or retire a model."""

    def post(self, request: Request, code: str, verb: str) -> Response:
        by = may(request, "change_modelversion")
        asked = s.RoleSerializer.of(request)
        model = get_object_or_404(ModelVersion, code=code)
        verbs = {
            "promote": deployment.promote,
            "shadow": deployment.shadow,
            "retire": deployment.retire,
        }
        verbs[verb](model, by, asked["why"])
        model.refresh_from_db()
        return Response(s.model_version(model), headers=PRIVATE)


@extend_schema(exclude=True)
class RollBackView(StaffView):
    def post(self, request: Request) -> Response:
        by = may(request, "change_modelversion")
        asked = s.RoleSerializer.of(request)
        done = deployment.roll_back(by, asked["why"])
        return Response(s.model_version(done.model), headers=PRIVATE)


@extend_schema(exclude=True)
class ExperimentsView(StaffView):
    def get(self, request: Request) -> Response:
        may(request, "view_experiment")
        rows = Experiment.objects.select_related("champion", "challenger")
        return listed(rows, PageParameters.of(request), _told)

    def post(self, request: Request) -> Response:
        by = may(request, "add_experiment")
        asked = s.BeginSerializer.of(request)
        challenger = get_object_or_404(ModelVersion, code=asked.pop("challenger"))
        trial = trials.start(challenger=challenger, by=by, **asked)
        return Response(_told(trial), status=201, headers=PRIVATE)


@extend_schema(exclude=True)
class StopView(StaffView):
    def post(self, request: Request, pk: str) -> Response:
        by = may(request, "change_experiment")
        s.NothingSerializer.of(request)
        trial = get_object_or_404(
            Experiment.objects.select_related("champion", "challenger"), pk=pk
        )
        trials.stop(trial, by)
        return Response(_told(trial), headers=PRIVATE)


@extend_schema(exclude=True)
class AnalyticsView(StaffView):
    def get(self, request: Request) -> Response:
        may(request, "view_modelversion")
        days = SpanParameters.of(request)["days"]
        moment = now()
        body = analytics.figures(moment, days)
        if request.user.has_perm("chat.view_reviewitem"):  # it holds words of questions
            body["unanswered"] = analytics.unanswered(moment, days)
        return Response(body, headers=PRIVATE)


def _told(trial: Experiment) -> dict[str, Any]:
    running = trial.state == Experiment.State.RUNNING
    return s.experiment(trial, trials.arms(trial) if running else None)
