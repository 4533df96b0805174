"""The pages of incidents. They work without scripts."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.incidents import showing
from monitoring.pages import may_look


@require_safe
def several(request: HttpRequest) -> HttpResponse:
    if not may_look(request):
        return render(request, "status/private.html")
    wanted = request.GET.get("page", "1")
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) < 7 else 1
    return render(request, "status/incidents.html", showing.listing(number))


@require_safe
def one(request: HttpRequest, id: str) -> HttpResponse:
    if not may_look(request):
        return render(request, "status/private.html")
    found = showing.one(int(id))
    if found is None:
        raise Http404
    return render(request, "status/incident.html", found)
