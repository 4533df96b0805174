"""
The straight way from the edge to the gateway, for a question of a dataset.

Django's middleware and DRF's negotiation and rendering cost as much as a good part of the gateway,
and what they decide the edge has decided by then: who asks, that it may, and that JSON will do.
So a question the edge vouches for is read and asked as its view would, and no more. Whatever
else there is goes Django's way.
"""

from __future__ import annotations

from collections.abc import Iterable
from wsgiref.types import StartResponse

from django.conf import settings
from django.db import close_old_connections
from django.http import QueryDict
from django.http.request import split_domain_port, validate_host
from django.urls import ResolverMatch

from aggregator import hot
from aggregator.api import errors
from aggregator.bridge import Environ, Handler
from aggregator.encoding import dumps

ROUTE = "aggregator.route"  # in a request's environment: where a vouched-for question leads


def before(django: Handler) -> Handler:
    """`django`, but for the questions that go straight. The edge sends what they bring itself."""

    def handle(environ: Environ, start: StartResponse) -> Iterable[bytes]:
        route: ResolverMatch | None = environ.get(ROUTE)
        if route is None or not _is_ours(environ.get("HTTP_HOST", "")):
            return django(environ, start)
        try:
            return [_answered(route, environ, start)]
        finally:
            close_old_connections()

    return handle


def _is_ours(host: str) -> bool:
    """Would Django let this Host in? Those it may refuse are its own to judge."""
    name, _ = split_domain_port(host)
    return bool(name) and validate_host(name, settings.ALLOWED_HOSTS)


def _answered(route: ResolverMatch, environ: Environ, start: StartResponse) -> bytes:
    view = route.func.cls  # type: ignore[attr-defined]
    try:
        given = QueryDict(environ["QUERY_STRING"])
        environ[hot.ANSWER] = view.answer(given, route.kwargs)
    except Exception as error:  # noqa: BLE001 (the handler tells and logs it, as DRF would)
        refusal = errors.handler(error, {"view": view})
        refusal["Content-Type"] = errors.CONTENT_TYPE
        refusal["X-Content-Type-Options"] = "nosniff"
        start(f"{refusal.status_code} {refusal.reason_phrase}", list(refusal.items()))
        return dumps(refusal.data)
    start("200 OK", [("Content-Type", "application/json")])
    return b""
