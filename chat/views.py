"""
The chat page: a form, and below each question its answer with sources and thumbs.

Without scripts a question is posted and the page comes back (303); with htmx the same form brings
the new turn alone. Both are counted and limited like the API.
"""

from __future__ import annotations

import secrets
import time
from typing import Any
from uuid import UUID

from django.core.exceptions import ValidationError as BadUUID
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST
from rest_framework.exceptions import APIException

from aggregator import explorer
from aggregator.api import errors
from chat import answering, holding, means, saying
from chat.api.serializers import FeedbackSerializer, named
from chat.inputs import Unreadable, text_of
from chat.models import Conversation, Feedback, Interaction
from chat.pages import EXAMPLES, Turn, choices
from providers.errors import GatewayError

COOKIE, COOKIE_S = "chat", 180 * 86400
MOST_TURNS = 50  # that a page shows; the API has them all


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest, id: str = "") -> HttpResponse:
    """A conversation and the form; by POST the next question of it."""
    if not explorer.may_look(request):
        return render(request, "chat/page.html", {"needs_key": True}, status=403)
    try:
        if request.method == "POST":
            return _asked(request, id)
        conversation = holding.find(UUID(id), explorer.caller_of(request)) if id else None
        return _page(request, conversation)
    except Unreadable as error:
        return _problem(request, id, 422, str(error))
    except (GatewayError, APIException) as error:
        response = errors.handler(error, {"view": "chat"})
        status = response.status_code if response else 500
        return _problem(request, "", status, str(getattr(error, "detail", error)))


@never_cache
@require_POST
def feedback(request: HttpRequest) -> HttpResponse:
    """A thumb, a correction or a flag; back to the answer it is about."""
    sent = {name: value for name, value in request.POST.items() if str(value).strip()}
    sent.pop("csrfmiddlewaretoken", None)
    said = FeedbackSerializer(data=sent)
    try:
        if not said.is_valid():
            messages = [str(text) for found in named(said.errors).values() for text in found]
            return _problem(request, "", 422, " ".join(messages))
        with explorer.admitted(request):
            valid = said.validated_data
            interaction = holding.interaction(valid["interaction_id"], explorer.caller_of(request))
            saying.note(
                interaction,
                Feedback.Type(valid["type"]),
                valid.get("text", ""),
                valid.get("category", ""),
            )
    except (GatewayError, APIException) as error:
        response = errors.handler(error, {"view": "chat"})
        status = response.status_code if response else 500
        return _problem(request, "", status, str(getattr(error, "detail", error)))
    if _is_htmx(request):
        turn = Turn.of(interaction, time.time())
        return render(request, "chat/feedback.html", {"turn": turn, **choices()})
    return _to(interaction)


def _asked(request: HttpRequest, id: str) -> HttpResponse:
    text = text_of(request.POST.get("query", ""))
    caller, id = explorer.caller_of(request), id or request.POST.get("conversation", "")
    token = request.COOKIES.get(COOKIE, "") or secrets.token_urlsafe(24)
    with explorer.admitted(request):
        conversation = _conversation(id, request) or holding.begin(caller, token)
        is_new = conversation._state.adding
        reply = answering.reply(text, conversation, means.current(conversation), is_new=is_new)
    response: HttpResponse
    if _is_htmx(request):
        context = {"turn": Turn.of(reply, time.time()), "conversation": conversation, **choices()}
        response = render(request, "chat/turn_alone.html", context)
        response["HX-Push-Url"] = reverse("chat-of", kwargs={"id": conversation.pk})
    elif reply.is_kept:
        response = _to(reply)
    else:  # its words are not kept, so they are shown now or never
        response = _page(request, conversation, turns=[Turn.of(reply, time.time())])
    response.set_cookie(
        COOKIE,
        token,
        COOKIE_S,
        path=reverse("chat"),
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
    return response


def _conversation(id: str, request: HttpRequest) -> Conversation | None:
    if not id:
        return None
    try:
        return holding.find(UUID(id), explorer.caller_of(request))
    except (ValueError, BadUUID):
        raise Unreadable("This is no id of a conversation.") from None


def _to(interaction: Interaction) -> HttpResponse:
    where = reverse("chat-of", kwargs={"id": interaction.conversation_id})
    response = HttpResponseRedirect(f"{where}#a-{interaction.pk}")
    response.status_code = 303
    return response


def _page(request: HttpRequest, conversation: Conversation | None, **more: Any) -> HttpResponse:
    turns: list[Turn] = []
    if conversation is not None:
        rows = Interaction.objects.filter(conversation=conversation).prefetch_related("feedback")
        now = time.time()
        turns = [Turn.of(row, now) for row in rows.order_by("-at")[:MOST_TURNS]][::-1]
    status = more.pop("status", 200)
    context = {"conversation": conversation, "turns": turns, "examples": EXAMPLES, **choices()}
    return render(request, "chat/page.html", context | more, status=status)


def _problem(request: HttpRequest, id: str, status: int, said: str) -> HttpResponse:
    if _is_htmx(request):
        return render(request, "chat/problem.html", {"problem": said}, status=status)
    conversation = _conversation(id, request)
    typed = request.POST.get("query", "")[:2000] if request.method == "POST" else ""
    return _page(request, conversation, problem=said, typed=typed, status=status)


def _is_htmx(request: HttpRequest) -> bool:
    return request.headers.get("HX-Request") == "true"
