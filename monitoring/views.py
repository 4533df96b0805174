"""The status pages. They work without scripts; what they show is read from hot rows."""

from __future__ import annotations

from hashlib import blake2b

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.cache import get_conditional_response
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from monitoring import drawer as drawers
from monitoring import modelpages, pages, readings, system


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    if not pages.may_look(request):
        return render(request, "status/private.html")
    return render(request, "status/overview.html", {"page": pages.drawn()})


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """The dashboard of AI models."""
    if not pages.may_look(request):
        return render(request, "status/private.html")
    return render(request, "status/models.html", modelpages.dashboard(now()))


@require_safe
def one(request: HttpRequest, name: str) -> HttpResponse:
    if not pages.may_look(request):
        return render(request, "status/private.html")
    board = readings.board_with(name)
    item = board.readings.get(name)
    if item is None:
        raise Http404
    return render(request, "status/one.html", pages.one(item, board))


@require_safe
def drawer(request: HttpRequest) -> HttpResponseBase:
    """What the drawer shows, for its script; with an ETag, and beside it when it was read."""
    if not pages.may_look(request):
        return render(request, "status/drawer.html", {"needs_key": True})
    found = system.now()
    code, said = found.banner
    told = {"code": code, "said": said, "sections": drawers.sections(found)}
    page = render(request, "status/drawer.html", told)
    etag = f'W/"{blake2b(page.content, digest_size=12).hexdigest()}"'
    response = get_conditional_response(request, etag=etag, response=page) or page
    response["ETag"] = etag
    response["Cache-Control"] = "no-cache, private"
    response["X-Read-At"] = found.body["timestamp"].isoformat(timespec="milliseconds")
    return response
