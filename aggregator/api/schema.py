"""What the OpenAPI document at /api/schema says beyond what the serializers say by themselves."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.serializers import PolymorphicProxySerializerExtension
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
)

from aggregator.api import errors
from aggregator.api import serializers as s
from providers.standing import Status

STATUSES = [status.value for status in Status]


class Schema(AutoSchema):
    """DRF's `DEFAULT_SCHEMA_CLASS`."""

    def get_auth(self) -> list[dict[str, Any]]:
        """Either header will do; where anonymous access is allowed, so will none."""
        headers = [{name: scopes} for both in super().get_auth() for name, scopes in both.items()]
        return [*headers, {}] if headers and settings.ANONYMOUS_ACCESS else headers


class ClientKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """The two headers a client key may travel in: see `callers.key_of`."""

    target_class = "aggregator.api.clients.ClientKeyAuthentication"
    name = ["clientKey", "clientKeyAsBearer"]  # noqa: RUF012 (the base class's own shape)

    def get_security_definition(self, auto_schema: AutoSchema) -> list[dict[str, Any]]:
        return [
            {
                "type": "apiKey",
                "in": "header",
                "name": "X-API-Key",
                "description": "A client key, made by an administrator of this installation.",
            },
            {
                "type": "http",
                "scheme": "bearer",
                "description": "The same key, for clients that only know Authorization.",
            },
        ]


def without_slashes(endpoints: list[tuple[str, str, str, Any]]) -> list[tuple[str, str, str, Any]]:
    """drf-spectacular's preprocessing hook: a slash at the end is optional, so leave it out."""
    return [(path.rstrip("/"), *rest) for path, *rest in endpoints]


def parameters(asked: type[s.QuerySerializer]) -> list[Any]:
    """The parameters of a data route: those of its serializer, some of them in the path."""
    fields = asked().fields
    found: list[Any] = [asked] if fields else []
    for name in asked.in_path:
        found.append(OpenApiParameter(name, location=OpenApiParameter.QUERY, exclude=True))
        found.append(
            OpenApiParameter(
                name,
                str,
                OpenApiParameter.PATH,
                description=str(fields[name].help_text or ""),
            )
        )
    return found


class Either(PolymorphicProxySerializer):
    """One of several shapes; an answer without rows has them all."""


class EitherExtension(PolymorphicProxySerializerExtension):  # type: ignore[no-untyped-call]
    target_class = "aggregator.api.schema.Either"

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> dict[str, Any]:
        mapped = super().map_serializer(auto_schema, direction)  # type: ignore[no-untyped-call]
        return {"anyOf": mapped["oneOf"]}


def answers(asked: type[s.QuerySerializer]) -> Any:
    """What a data route answers: the envelope of its dataset, or of one of several."""
    queries: tuple[Any, ...] = (asked.query, *asked.also)
    shapes = [s.answer_serializer(query) for query in queries]
    if len(shapes) == 1:
        return shapes[0]
    name = f"{asked.query.__name__.removesuffix('Query')}Either"
    return Either(name, shapes, resource_type_field_name=None, many=False)


def responses(answer: Any, *statuses: int) -> dict[Any, OpenApiResponse]:
    """What a route answers, and its errors: all of one shape (RFC 9457)."""
    problems = {
        (status, errors.CONTENT_TYPE): OpenApiResponse(s.ProblemSerializer, errors.TITLES[status])
        for status in statuses
    }
    return {200: OpenApiResponse(answer, "The answer"), **problems}
