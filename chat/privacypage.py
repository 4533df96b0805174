"""/chat/privacy: what we hold of who asked from this browser, and what they can do about it."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from aggregator import explorer
from aggregator.encoding import dumps
from chat import holding, privacy
from chat.models import PrivacyPolicy, Purpose
from chat.views import COOKIE
from providers import personal
from providers.errors import GatewayError
from providers.personal import Subject


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The notice and the switches; by POST a switch is set, or everything is erased."""
    subject = subject_of(request)
    if request.method != "POST" or subject is None:
        return _page(request, subject)
    try:
        with explorer.admitted(request):
            return _done(request, subject)
    except GatewayError as error:
        return _page(request, subject, problem=str(error), status=error.http_status)


def _done(request: HttpRequest, subject: Subject) -> HttpResponse:
    if request.POST.get("erase"):
        if request.POST.get("sure") != "yes":
            return _page(request, subject, problem="Tick the box first: there is no way back.")
        gone = privacy.erase(subject)
        response = _page(request, None, erased=sum(gone.values()))
        response.delete_cookie(COOKIE, path=reverse("chat"), samesite="Lax")
        return response
    standing = {item["purpose"]: item["granted"] for item in privacy.standing(subject)}
    for purpose in Purpose:
        granted = request.POST.get(purpose.value) == "yes"
        if granted != standing[purpose.value]:
            privacy.agree(subject, purpose, granted, "page")
    response = HttpResponseRedirect(reverse("chat-privacy") + "?kept=1")
    response.status_code = 303
    return response


@never_cache
@require_safe
def export(request: HttpRequest, shape: str) -> HttpResponse | StreamingHttpResponse:
    subject = subject_of(request)
    if subject is None:
        return _page(request, None)
    try:
        with explorer.admitted(request):
            found = privacy.export(subject)
    except GatewayError as error:
        return _page(request, subject, problem=str(error), status=error.http_status)
    response: HttpResponse | StreamingHttpResponse
    if shape == "csv":
        response = StreamingHttpResponse(privacy.as_csv(found["held"]), content_type="text/csv")
    else:
        text = json.dumps(json.loads(dumps(found)), indent=1, ensure_ascii=False)
        response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="my-data.{shape}"'
    return response


def subject_of(request: HttpRequest) -> Subject | None:
    """Whoever this browser's cookie stands for; None before the first question."""
    token = request.COOKIES.get(COOKIE, "")
    return privacy.of_pseudonym(holding.pseudonym_of(token)) if token else None


def _page(request: HttpRequest, subject: Subject | None, **more: Any) -> HttpResponse:
    status = more.pop("status", 200)
    held = [(h.name, h.why, h.of(subject).count()) for h in personal.holdings()] if subject else []
    context = {
        "subject": subject,
        "standing": privacy.standing(subject) if subject else [],
        "held": held,
        "policy": PrivacyPolicy.current(),
        "kept": request.GET.get("kept"),
    }
    return render(request, "chat/privacy.html", context | more, status=status)
