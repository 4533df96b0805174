"""Every error leaves the building in one shape (RFC 9457), whoever raised it."""

from __future__ import annotations

import logging
from math import ceil
from typing import Any

from django.conf import settings
from django.core.exceptions import PermissionDenied, SuspiciousOperation, TooManyFieldsSent
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from aggregator.answers import _attempt as spell_attempt
from aggregator.encoding import dumps
from providers.errors import BadQuery, GatewayError

logger = logging.getLogger(__name__)

CONTENT_TYPE = "application/problem+json"
DATABASE_BACK_S = 5  # what we tell a caller to wait while our own database is away

TITLES = {
    400: "The request cannot be answered as asked",
    401: "A valid client key is needed",
    403: "Not allowed",
    404: "Nothing is here",
    405: "This method is not offered here",
    406: "This format is not offered here",
    413: "The body is too large",
    415: "This content type is not understood here",
    422: "The body cannot be processed",
    429: "Too many requests",
    500: "Something went wrong on our side",
    503: "No provider could answer",
}


class Unprocessable(exceptions.ValidationError):
    """A body that could be read, and is not what was asked for; names its fields."""

    status_code = 422
    default_code = "unprocessable"


class TooLarge(exceptions.APIException):
    status_code = 413
    default_code = "too_large"


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    title: str = "",
    **extra: Any,
) -> dict[str, Any]:
    """The body of an error. `extra` may hold attempts, retry_after_s and errors (by field)."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title or TITLES.get(status, "Error"),
        "status": status,
        "detail": detail,
        "code": code,
    }
    return body | {name: value for name, value in extra.items() if value not in (None, {}, [])}


def of_gateway(error: GatewayError) -> tuple[dict[str, Any], dict[str, str]]:
    """Body and headers of one of our own errors."""
    retry_after = None if error.wait is None else max(1, ceil(error.wait))
    attempts = [spell_attempt(attempt) for attempt in getattr(error, "attempts", ())]
    fields = {error.field: [str(error)]} if isinstance(error, BadQuery) and error.field else {}
    body = problem(
        error.http_status,
        error.code,
        str(error),
        title=error.title,
        attempts=attempts,
        retry_after_s=retry_after,
        errors=fields,
    )
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    if error.http_status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return body, headers


def handler(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's exception handler."""
    set_rollback()
    if isinstance(error, GatewayError):
        body, headers = of_gateway(error)
        return _response(body, headers)
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    elif isinstance(error, TooManyFieldsSent):
        most = settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
        error = exceptions.ParseError(f"There may be at most {most} parameters.")
    elif isinstance(error, SuspiciousOperation):
        error = exceptions.ParseError("The request could not be read.")
    if isinstance(error, exceptions.APIException):
        return _of_rest_framework(error)
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("the database is out of reach in %s: %s", context.get("view"), error)
        said = "The database is out of reach."
        body = problem(503, "no_database", said, title="Not now", retry_after_s=DATABASE_BACK_S)
        return _response(body, {"Retry-After": str(DATABASE_BACK_S)})
    logger.exception("unexpected error in %s", context.get("view"), exc_info=error)
    return _response(problem(500, "error", "It has been logged."), {})


def _of_rest_framework(error: exceptions.APIException) -> Response:
    headers = {}
    if (wait := getattr(error, "wait", None)) is not None:
        headers["Retry-After"] = str(ceil(wait))
    if error.status_code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, exceptions.ValidationError):
        fields = _fields(error.detail)
        names = ", ".join(fields)
        code = "bad_query" if error.status_code == 400 else error.default_code
        body = problem(error.status_code, code, f"Look at: {names}", errors=fields)
    else:
        code = str(getattr(error.detail, "code", error.default_code))
        body = problem(
            error.status_code,
            code,
            str(error.detail),
            retry_after_s=ceil(wait) if wait is not None else None,
        )
    return _response(body, headers)


def _fields(detail: Any) -> dict[str, list[str]]:
    if not isinstance(detail, dict):
        return {"query": [str(item) for item in detail]}
    return {
        "query" if name == "non_field_errors" else str(name): [str(item) for item in _flat(value)]
        for name, value in detail.items()
    }


def _flat(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return [item for inner in value.values() for item in _flat(inner)]
    if isinstance(value, list):
        return [item for inner in value for item in _flat(inner)]
    return [value]


def _response(body: dict[str, Any], headers: dict[str, str]) -> Response:
    response = Response(body, status=body["status"], headers=headers, content_type=CONTENT_TYPE)
    # Django would log a 503 as an error of ours; who failed stands in the providers' own logs.
    response._has_been_logged = body["status"] != 500  # type: ignore[attr-defined]
    return response


def plain(status: int, code: str, detail: str) -> HttpResponse:
    """The same shape where no DRF view is involved."""
    return HttpResponse(
        dumps(problem(status, code, detail)), status=status, content_type=CONTENT_TYPE
    )


def nothing_here(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Unknown paths under /api."""
    return plain(404, "not_found", f"No route {request.path[:200]!r}. See /docs.")
