"""The routes about AI models. All but those that start or stop something only read rows."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import aimodels, modelreadouts
from monitoring.api import modelserializers as s
from monitoring.api.permissions import Operates, operates, who
from monitoring.api.views import said, tagged
from monitoring.modelreadouts import Reading
from monitoring.modelrows import ModelMetric, ScanPlan
from providers import changes
from providers.aimodels import ModelStatus
from providers.parameters import NoParameters

MODEL = OpenApiParameter(
    "model_id", str, OpenApiParameter.PATH, description="With its slash: ProsusAI/finbert."
)


def reading(model_id: str) -> Reading:
    found = modelreadouts.find(model_id, now())
    if found is None:
        raise Http404
    return found


class Operating(APIView):
    """To start or stop something one is staff, or a program that is an operator."""

    authentication_classes = (SessionAuthentication, *APIView.authentication_classes)
    permission_classes: Any = (Operates,)


class ScanView(Operating):
    """Whoever may ask may look; a session's GET starts nothing, as a link could forge it."""

    def get_authenticators(self) -> list[BaseAuthentication]:
        if self.request is not None and self.request.method == "POST":
            return super().get_authenticators()
        return [kind() for kind in APIView.authentication_classes]

    def get_permissions(self) -> Any:
        if self.request.method == "POST":
            return super().get_permissions()
        return [kind() for kind in APIView.permission_classes]

    @extend_schema(
        operation_id="get_model_scan",
        summary="How the AI models are, and the last scan; with an operator's key, begin one",
        tags=["system"],
        responses=said(s.ModelScanSerializer, 400, 401, 403, 429)
        | said(s.ModelScanSerializer, ok=202),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        if operates(request):
            return self._started(request)
        return tagged(request, modelreadouts.scan_info(aimodels.latest(), now()))

    @extend_schema(
        operation_id="start_model_scan",
        summary="Look at the AI models now; a scan that goes on is joined",
        tags=["system"],
        request=None,
        responses=said(s.ModelScanSerializer, 400, 401, 403, 429, ok=202),
    )
    def post(self, request: Request) -> Response:
        NoParameters.of(request)
        return self._started(request)

    def _started(self, request: Request) -> Response:
        scan, _ = aimodels.start(who(request))
        return Response(modelreadouts.scan_info(scan, now()), status=202)


class ModelsView(APIView):
    @extend_schema(
        operation_id="get_models",
        summary="Every AI model: what it is for, whether it can be asked, and how it did",
        tags=["system"],
        responses=said(s.AiModelsSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        models = [item.info() for item in modelreadouts.readings(now())]
        return tagged(request, {"total": len(models), "models": models})


class AvailableView(APIView):
    @extend_schema(
        operation_id="get_available_models",
        summary="Those that can be asked now",
        tags=["system"],
        responses=said(s.AiModelsSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        found = modelreadouts.readings(now())
        able = [i for i in found if i.row.is_active and i.status is ModelStatus.AVAILABLE]
        models = [item.info() for item in able]
        return tagged(request, {"total": len(models), "models": models})


class HistoryView(APIView):
    @extend_schema(
        operation_id="get_model_history",
        summary="What the checks of one model found, newest first",
        tags=["system"],
        parameters=[MODEL, s.LimitParameters],
        responses=said(s.ModelHistorySerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request, model_id: str) -> HttpResponseBase:
        asked = s.LimitParameters.of(request)
        row = reading(model_id).row
        body = {
            "model_id": row.model_id,
            "total_records": ModelMetric.objects.filter(model=row).count(),
            "history": modelreadouts.checks(row, asked["limit"]),
        }
        return tagged(request, body)


class ModelStatsView(APIView):
    @extend_schema(
        operation_id="get_model_stats",
        summary="One model, and its last checks",
        tags=["system"],
        parameters=[MODEL],
        responses=said(s.ModelStatsSerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request, model_id: str) -> HttpResponseBase:
        NoParameters.of(request)
        item = reading(model_id)
        recent = modelreadouts.checks(item.row, modelreadouts.RECENT)
        return tagged(request, {"model_info": item.info(), "recent_checks": recent})


class SummaryView(APIView):
    @extend_schema(
        operation_id="get_models_summary",
        summary="What all checks of all models add up to",
        tags=["system"],
        responses=said(s.TimedSummarySerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        moment = now()
        found = modelreadouts.summary(modelreadouts.readings(moment))
        return tagged(request, {**found, "timestamp": moment})


class DashboardView(APIView):
    @extend_schema(
        operation_id="get_models_dashboard",
        summary="The AI models at a glance",
        tags=["system"],
        responses=said(s.ModelDashboardSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        return tagged(request, modelreadouts.dashboard(now()))


class HealthView(APIView):
    @extend_schema(
        operation_id="get_models_health",
        summary="Do the scans go on, and is anything known?",
        tags=["system"],
        responses=said(s.ModelHealthSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        return tagged(request, modelreadouts.health(now()))


# -- The agent ---------------------------------------------------------------------------------


class AgentView(APIView):
    @extend_schema(
        operation_id="get_model_agent",
        summary="Do scans begin by themselves, how often, and when did the last begin?",
        tags=["system"],
        responses=said(s.AgentSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        return tagged(request, modelreadouts.agent())


class _SwitchView(Operating):
    paused: bool

    def switch(self, request: Request) -> Response:
        NoParameters.of(request)
        plan = ScanPlan.current()
        plan.save()  # the first time it has no row yet
        with changes.watched(who(request), [plan]):
            ScanPlan.objects.filter(pk=plan.pk).update(paused=self.paused)
        return Response(modelreadouts.agent())


class StartView(_SwitchView):
    paused = False

    @extend_schema(
        operation_id="start_model_agent",
        summary="Let scans begin by themselves",
        tags=["system"],
        request=None,
        responses=said(s.AgentSerializer, 400, 401, 403, 429),
    )
    def post(self, request: Request) -> Response:
        return self.switch(request)


class StopView(_SwitchView):
    paused = True

    @extend_schema(
        operation_id="stop_model_agent",
        summary="Let no scan begin by itself",
        tags=["system"],
        request=None,
        responses=said(s.AgentSerializer, 400, 401, 403, 429),
    )
    def post(self, request: Request) -> Response:
        return self.switch(request)
