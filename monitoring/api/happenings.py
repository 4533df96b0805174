"""The routes about incidents and alerts: open and past, and taking them."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponseBase
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.permissions import IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring.acknowledging import acknowledge
from monitoring.alerts.models import Alert
from monitoring.api.views import said, tagged
from monitoring.incidents import showing
from monitoring.incidents.models import Incident
from monitoring.severities import Severity
from providers.parameters import NoParameters, Parameters

MOST = 100
ID = OpenApiParameter("id", int, OpenApiParameter.PATH, description="As the list says.")


class ListParameters(Parameters):
    state = serializers.ChoiceField(
        choices=["all", "open", "past"], default="all", help_text="Those that go on, or are over."
    )
    limit = serializers.IntegerField(
        min_value=1, max_value=MOST, default=20, help_text=f"How many, up to {MOST}."
    )
    page = serializers.IntegerField(min_value=1, max_value=10_000, default=1)


class UpdateSerializer(serializers.Serializer[Any]):
    at = serializers.DateTimeField()
    text = serializers.CharField()
    automatic = serializers.BooleanField(help_text="Written by the product, not by a person.")


class IncidentSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    state = serializers.ChoiceField(choices=["open", "resolved"])
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    automatic = serializers.BooleanField(help_text="It opened by itself, and closes by itself.")
    flapping = serializers.BooleanField()
    providers = serializers.ListField(child=serializers.CharField())
    updates = UpdateSerializer(many=True, help_text="Newest first.")


class IncidentsSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    open = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Of this state.")
    incidents = IncidentSerializer(many=True)


class AlertSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    rule = serializers.CharField()
    metric = serializers.CharField()
    scope = serializers.CharField(allow_null=True, help_text="Of whom; null: of the whole.")
    said = serializers.CharField()
    severity = serializers.ChoiceField(choices=Severity.choices)
    state = serializers.ChoiceField(choices=["open", "resolved"])
    predictive = serializers.BooleanField(help_text="A forecast, nothing that was seen.")
    value = serializers.FloatField(help_text="When it opened.")
    worst = serializers.FloatField()
    threshold = serializers.FloatField()
    began_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    acknowledged_at = serializers.DateTimeField(allow_null=True)


class AlertsSerializer(serializers.Serializer[Any]):
    timestamp = serializers.DateTimeField()
    open = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Of this state.")
    alerts = AlertSerializer(many=True)


def _page(rows: Any, asked: dict[str, Any]) -> Any:
    start = (asked["page"] - 1) * asked["limit"]
    return rows[start : start + asked["limit"]]


class IncidentsView(APIView):
    @extend_schema(
        operation_id="get_incidents",
        summary="What went wrong, from when to when, and what was done about it; newest first",
        tags=["system"],
        parameters=[ListParameters],
        responses=said(IncidentsSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = ListParameters.of(request)
        rows = showing.incidents(asked["state"])
        body = {
            "timestamp": now(),
            "open": Incident.objects.filter(ended_at=None).count(),
            "total": rows.count(),
            "incidents": [showing.as_json(item) for item in showing.shown(_page(rows, asked))],
        }
        return tagged(request, body)


class IncidentView(APIView):
    @extend_schema(
        operation_id="get_incident",
        summary="One incident",
        tags=["system"],
        parameters=[ID],
        responses=said(IncidentSerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request, id: str) -> HttpResponseBase:
        NoParameters.of(request)
        return tagged(request, _one(id))


def _one(id: str) -> dict[str, Any]:
    for item in showing.shown(showing.incidents().filter(pk=id)):
        return showing.as_json(item)
    raise Http404


class AlertsView(APIView):
    @extend_schema(
        operation_id="get_alerts",
        summary="Figures that were too high or too low for too long; newest first",
        tags=["system"],
        parameters=[ListParameters],
        responses=said(AlertsSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = ListParameters.of(request)
        rows = Alert.objects.select_related("rule")
        if asked["state"] != "all":
            rows = rows.filter(ended_at__isnull=asked["state"] == "open")
        body = {
            "timestamp": now(),
            "open": Alert.objects.filter(ended_at=None).count(),
            "total": rows.count(),
            "alerts": [_alert(row) for row in _page(rows, asked)],
        }
        return tagged(request, body)


def _alert(row: Alert) -> dict[str, Any]:
    return {
        "id": row.pk,
        "rule": row.rule.name,
        "metric": row.rule.metric,
        "scope": row.scope or None,
        "said": row.said,
        "severity": row.severity,
        "state": "open" if row.is_open else showing.RESOLVED,
        "predictive": row.predictive,
        "value": row.value,
        "worst": row.worst,
        "threshold": row.threshold,
        "began_at": row.began_at,
        "ended_at": row.ended_at,
        "acknowledged_at": row.acknowledged_at,
    }


class _ByStaff(APIView):
    """Staff alone: a client key opens data, and takes nothing."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAdminUser,)


class TakeIncidentView(_ByStaff):
    @extend_schema(exclude=True)
    def post(self, request: Request, id: str) -> Response:
        row = Incident.objects.filter(pk=id).first()
        if row is None:
            raise Http404
        acknowledge(row, request.user.get_username(), now())
        return Response(_one(id))


class TakeAlertView(_ByStaff):
    @extend_schema(exclude=True)
    def post(self, request: Request, id: str) -> Response:
        row = Alert.objects.select_related("rule").filter(pk=id).first()
        if row is None:
            raise Http404
        acknowledge(row, request.user.get_username(), now())
        return Response(_alert(row))
