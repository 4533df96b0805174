"""Content-Security-Policy: nothing on our pages comes from anywhere else."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponseBase

POLICY = (
    "default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
OURS = POLICY.format(styles="'self'")
# Swagger UI and Django's admin set styles inline.
THEIRS = POLICY.format(styles="'self' 'unsafe-inline'")
THEIR_PATHS = ("/docs", "/admin")


class ContentSecurityPolicy:
    """Middleware. Off with DEBUG, whose error pages need scripts and styles inline."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        if settings.DEBUG:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            theirs = request.path.startswith(THEIR_PATHS)
            response.headers["Content-Security-Policy"] = THEIRS if theirs else OURS
        return response
