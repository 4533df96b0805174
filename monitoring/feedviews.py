"""Feed, summary and badges. For whom the pages are not, it is as if there were none."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from typing import Any

import orjson
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_safe

from monitoring import feeds, pages, readings
from monitoring.readouts import EMPTY

CACHED_S = 60  # others embed them


def shared(content_type: str) -> Callable[[Callable[..., bytes | str]], Callable[..., Any]]:
    """Of what others embed: with an ETag, to be kept for a minute, readable from any page."""

    def wrap(make: Callable[..., bytes | str]) -> Callable[..., Any]:
        @require_safe
        @wraps(make)
        def view(request: HttpRequest, **path: str) -> HttpResponseBase:
            if not pages.may_look(request):
                raise Http404
            page = HttpResponse(make(request, **path), content_type=content_type)
            etag = f'W/"{blake2b(page.content, digest_size=12).hexdigest()}"'
            response = get_conditional_response(request, etag=etag, response=page) or page
            response["ETag"] = etag
            access = "public" if settings.ANONYMOUS_ACCESS else "private"
            response["Cache-Control"] = f"{access}, max-age={CACHED_S}"
            response["Content-Security-Policy"] = "default-src 'none'"
            if settings.ANONYMOUS_ACCESS and settings.CORS_ALLOW_ORIGIN:
                response["Access-Control-Allow-Origin"] = settings.CORS_ALLOW_ORIGIN
            return response

        return view

    return wrap


def _site(request: HttpRequest) -> str:
    return f"{request.scheme}://{request.get_host()}"


@shared("application/atom+xml; charset=utf-8")
def atom(request: HttpRequest) -> str:
    return feeds.atom(readings.board(), _site(request))


@shared("application/json")
def summary(request: HttpRequest) -> bytes:
    return orjson.dumps(feeds.summary(readings.board(), _site(request)))


@shared("image/svg+xml")
def badge(request: HttpRequest, name: str) -> str:
    board = readings.board_with(name)
    item = board.readings.get(name)
    day = readings.figures("24h").get(item.endpoint.pk, EMPTY) if item else EMPTY
    found = feeds.badge(board, name, day.uptime_percent)
    if found is None:
        raise Http404
    told = {"badge": found, "left": found.left - 3}
    return render_to_string("status/badge.svg", told).strip()
