"""The routes about providers: what was read a moment ago in, rows out. None asks an upstream."""

from __future__ import annotations

from datetime import timedelta
from hashlib import blake2b
from typing import Any

import orjson
from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.cache import get_conditional_response
from django.utils.timezone import now
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.authentication import SessionAuthentication
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.permissions import BasePermission, IsAdminUser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from monitoring import (
    byhand,
    exposition,
    histories,
    numbers,
    prometheus,
    ranking,
    readings,
    readouts,
    system,
)
from monitoring.api import parameters as p
from monitoring.api import serializers as s
from monitoring.readings import Board, Reading
from providers.errors import NotFound, Unanswered
from providers.health import Kind
from providers.parameters import NoParameters

NAME = OpenApiParameter("name", str, OpenApiParameter.PATH, description="A provider: coingecko.")
_PROBLEM = {"$ref": "#/components/schemas/Problem"}
_WHY = {
    400: "The request cannot be answered as asked",
    401: "A valid client key is needed",
    403: "Not allowed",
    404: "Nothing is here",
    409: "A check is running already",
    429: "Too many requests",
    503: "Nobody can be asked",
}


def said(answer: Any, *statuses: int, ok: int = 200) -> dict[Any, Any]:
    """The answer of a route, and its errors: all of one shape (RFC 9457)."""
    problems = {
        (status, "application/problem+json"): OpenApiResponse(_PROBLEM, _WHY[status])
        for status in statuses
    }
    return {ok: OpenApiResponse(answer, "The answer"), **problems}


def tagged(request: Request, body: dict[str, Any], ignoring: str = "timestamp") -> HttpResponseBase:
    """The answer with an ETag over what it says, whenever it says it; 304 to who has that."""
    content = {name: value for name, value in body.items() if name != ignoring}
    digest = blake2b(orjson.dumps(content, option=orjson.OPT_NON_STR_KEYS), digest_size=12)
    etag = f'W/"{digest.hexdigest()}"'
    known = get_conditional_response(request._request, etag=etag)
    response = known if known is not None else Response(body)
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache"
    return response


def reading(name: str) -> Reading:
    found = readings.named(name)
    if found is None:
        raise Http404
    return found


def board_of(kind: str | None) -> Board:
    """What is asked for answers; what is only known of is listed where one says so."""
    return readings.resources() if kind == Kind.RESOURCE else readings.board()


class StatusesView(APIView):
    @extend_schema(
        operation_id="get_providers_status",
        summary="Every provider: its status, since when, and what the checks of a window add up to",
        tags=["system"],
        parameters=[p.StatusParameters],
        responses=said(s.ProvidersStatusSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = p.StatusParameters.of(request)
        board = board_of(asked.get("kind"))
        found = readouts.rows(board, asked["window"], asked.get("kind"))
        return tagged(request, {"timestamp": board.at, "providers": found})


class StatusOfView(APIView):
    @extend_schema(
        operation_id="get_provider_status",
        summary="One provider",
        tags=["system"],
        parameters=[NAME, p.OneParameters],
        responses=said(s.OneStatusSerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        asked = p.OneParameters.of(request)
        item = reading(name)
        summary = readings.figures(asked["window"]).get(item.endpoint.pk, readouts.EMPTY)
        row = readouts.status_row(item, summary)
        at = readings.board().at
        return tagged(request, {"provider_name": name, "timestamp": at, **row})


class BestView(APIView):
    @extend_schema(
        operation_id="get_best_provider",
        summary="Whom to ask now: the healthiest provider, and why",
        tags=["system"],
        parameters=[p.BestParameters],
        responses=said(s.BestSerializer, 400, 401, 403, 404, 429, 503),
    )
    def get(self, request: Request) -> Response:
        asked = p.BestParameters.of(request)
        choice = ranking.get_healthiest_provider(asked["kind"], asked.get("dataset"))
        if choice.name is None:
            raise (Unanswered if choice.among else NotFound)(choice.reason)
        return Response(
            {
                "best_provider": choice.name,
                "reason": choice.reason,
                "alternatives": choice.alternatives,
            }
        )


class HistoriesView(APIView):
    @extend_schema(
        operation_id="get_providers_history",
        summary="How providers were, oldest first; summed up where a span is long",
        tags=["system"],
        parameters=[p.HistoryParameters],
        responses=said(
            {"type": "object", "additionalProperties": {"type": "array"}}, 400, 401, 403, 429
        ),
    )
    def get(self, request: Request) -> HttpResponseBase:
        return _history(request, list(readings.board().readings.values()))


class HistoryOfView(APIView):
    @extend_schema(
        operation_id="get_provider_history",
        summary="How one provider was, oldest first",
        tags=["system"],
        parameters=[NAME, p.HistoryParameters],
        responses=said(
            {"type": "object", "additionalProperties": {"type": "array"}}, 400, 401, 403, 404, 429
        ),
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        return _history(request, [reading(name)])


def _history(request: Request, items: list[Reading]) -> HttpResponseBase:
    hours = p.HistoryParameters.of(request)["hours"]
    moment, plan = now(), readings.board().plan
    found = histories.history(items, moment - timedelta(hours=hours), moment, plan.interval_s)
    return tagged(request, found, ignoring="")


class AnyFormat(BaseContentNegotiation):
    """A table is a table, whatever was asked to be accepted; errors are JSON."""

    def select_parser(self, request: Any, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Any, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class ExportView(APIView):
    content_negotiation_class = AnyFormat

    @extend_schema(
        operation_id="export_providers",
        summary="The providers as a table, best first",
        tags=["system"],
        parameters=[p.StatusParameters],
        responses={
            (200, "text/csv"): OpenApiResponse({"type": "string"}, "The answer"),
            **{k: v for k, v in said(None, 400, 401, 403, 429).items() if k != 200},
        },
    )
    def get(self, request: Request) -> HttpResponseBase:
        asked = p.StatusParameters.of(request)
        kind = asked.get("kind")
        found = readouts.rows(board_of(kind), asked["window"], kind)
        return StreamingHttpResponse(
            readouts.csv_lines(found),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="providers.csv"'},
        )


class WatchView(APIView):
    @extend_schema(
        operation_id="get_providers_health",
        summary="How the watch itself is: does it run, and how often",
        tags=["system"],
        responses=said(s.WatchSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        return tagged(request, readouts.system(readings.board()))


class StatsView(APIView):
    @extend_schema(
        operation_id="get_provider_stats",
        summary="What was asked of one provider in seven days, its rests, and when its quota ends",
        tags=["system"],
        parameters=[NAME],
        responses=said(s.StatsSerializer, 400, 401, 403, 404, 429),
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        NoParameters.of(request)
        item, board = reading(name), readings.board()
        of = numbers.by_provider().get(item.health.provider_id or 0, numbers.NOTHING)
        found = readouts.stats_of_one(item, board, of)
        return tagged(request, found, ignoring="quota_exhausted_at")


class SystemView(APIView):
    @extend_schema(
        operation_id="get_system_status",
        summary="Everything at once: providers, models, worker, catalogue, errors, performance",
        tags=["system"],
        responses=said(s.SystemSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> HttpResponseBase:
        NoParameters.of(request)
        return tagged(request, dict(system.now().body))


class HasKey(BasePermission):
    """A client key, also where data is for everybody; METRICS=open asks for none."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return settings.METRICS == "open" or not getattr(request.auth, "anonymous", True)


class MetricsView(APIView):
    permission_classes = (HasKey,)
    content_negotiation_class = AnyFormat

    def get_authenticators(self) -> list[Any]:
        return [] if settings.METRICS == "open" else super().get_authenticators()

    def get_throttles(self) -> list[Any]:
        return [] if settings.METRICS == "open" else super().get_throttles()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponseBase:
        if settings.METRICS == "off":
            raise Http404
        return HttpResponse(prometheus.text(), content_type=exposition.CONTENT_TYPE)


class CheckView(APIView):
    """Staff alone: a client key opens data, and starts nothing."""

    authentication_classes = (SessionAuthentication,)
    permission_classes = (IsAdminUser,)

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        asked = s.CheckNowSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        started = byhand.start(asked.validated_data.get("providers"))
        return Response({"started": started}, status=202)
