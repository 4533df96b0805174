"""The status pages. They work without scripts; what they show is read from hot rows."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from monitoring import modelpages, pages, readings


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    if not pages.may_look(request):
        return render(request, "status/private.html")
    return render(request, "status/overview.html", pages.overview(readings.board()))


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
    board = readings.board()
    item = board.readings.get(name)
    if item is None:
        raise Http404
    return render(request, "status/one.html", pages.one(item, board))
