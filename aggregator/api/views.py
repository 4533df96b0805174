"""The data routes: a query string in, one verb, an answer out."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import connection
from django.http import QueryDict
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aggregator import afterwards, capabilities, demand, gateway, hot, readouts
from aggregator.answers import Answer
from aggregator.api import schema
from aggregator.api import serializers as s
from aggregator.api.symbols import words_of
from providers.datasets import Query
from providers.parameters import NoParameters, once


class DatasetView(APIView):
    """Its meta tells who answered, when, and who was passed over."""

    asked: ClassVar[type[s.QuerySerializer]]

    def get(self, request: Request, **path: str) -> Response:
        answer = self.answer(request.query_params, path)
        request.META[hot.ANSWER] = answer  # so that the edge may send it, also to others
        return Response(answer, headers=dict(answer.headers(time.time())))

    @classmethod
    def answer(cls, query: QueryDict, path: Mapping[str, str]) -> Answer:
        """The answer to a query string and the parameters in the path."""
        given = once(query)
        if twice := path.keys() & given.keys():
            raise ValidationError(dict.fromkeys(twice, "It stands in the path already."))
        return answer_to(cls.asked(data={**given, **path}))


def answer_to(asked: s.QuerySerializer) -> Answer:
    """The answer to parameters; raises ValidationError or a GatewayError. The explorer's too."""
    asked.is_valid(raise_exception=True)
    query: Query = asked.save()
    demand.note(query)
    answer = gateway.answer(query, settle=afterwards.later)
    words = words_of(asked)
    return answer.telling(words.missing, words.resolved)


def dataset_view(asked: type[s.QuerySerializer], summary: str) -> Any:
    """A view of one dataset with its schema: parameters from the query, rows from the record."""
    query: Any = asked.query
    name = f"{query.__name__.removesuffix('Query')}View"
    view: type[DatasetView] = type(name, (DatasetView,), {"asked": asked})
    documented = extend_schema(
        operation_id=f"get_{query.dataset.name}",
        summary=summary,
        tags=["data"],
        parameters=schema.parameters(asked),
        responses=schema.responses(schema.answers(asked), 400, 401, 403, 404, 429, 503),
    )
    return extend_schema_view(get=documented)(view).as_view()


class CapabilitiesView(APIView):
    @extend_schema(
        operation_id="get_capabilities",
        summary="Which provider answers which dataset, and how well it did",
        tags=["system"],
        responses=schema.responses(s.CapabilitiesSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        return Response({"data": capabilities.matrix()})


class StatusView(APIView):
    @extend_schema(
        operation_id="get_status",
        summary="How the gateway and its providers are, from rows and cells; asks no upstream",
        tags=["system"],
        responses=schema.responses(s.StatusSerializer, 400, 401, 403, 429),
    )
    def get(self, request: Request) -> Response:
        NoParameters.of(request)
        return Response(readouts.status())


class LivenessView(APIView):
    """The process answers: nothing else is looked at."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        return Response({"status": "ok"})


class ReadinessView(LivenessView):
    """Fit to be sent traffic: database and store answer; 503 with what does not."""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        found = readouts.readiness(connection)
        return Response(found, status=200 if found["ready"] else 503)
