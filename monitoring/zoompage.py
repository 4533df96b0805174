"""The staff page on which one zooms into the response times of an endpoint."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.utils.timezone import now
from django.views.decorators.http import require_safe

from monitoring import zooming
from monitoring.models import Endpoint

ROWS = 100  # of the table, which has what the chart shows for who cannot see it


@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    endpoint, span = _asked(request, pk)
    if span is None:
        return HttpResponseBadRequest(f"span: one of {', '.join(zooming.SPANS)}")
    found = zooming.series(endpoint, span, now())
    columns = zip(found.at, found.p50, found.p95, found.most, found.failed, strict=True)
    measured = [row for row in columns if row[1] is not None or row[4]]
    context: dict[str, Any] = {
        **admin.site.each_context(request),
        "title": f"Response times of {endpoint}",
        "endpoint": endpoint,
        "span": span,
        "spans": list(zooming.SPANS),
        "rows": measured[: -ROWS - 1 : -1],
        "rows_shown": ROWS,
    }
    return render(request, "admin/zoom.html", context)


@require_safe
def numbers(request: HttpRequest, pk: int) -> HttpResponse:
    """The columns of the chart."""
    endpoint, span = _asked(request, pk)
    if span is None:
        return HttpResponseBadRequest(f"span: one of {', '.join(zooming.SPANS)}")
    return JsonResponse(asdict(zooming.series(endpoint, span, now())))


def _asked(request: HttpRequest, pk: int) -> tuple[Endpoint, str | None]:
    if not admin.site.get_model_admin(Endpoint).has_view_permission(request):
        raise PermissionDenied
    endpoint = get_object_or_404(Endpoint.objects.select_related("health"), pk=pk)
    span = request.GET.get("span", "7d")
    return endpoint, span if span in zooming.SPANS else None
