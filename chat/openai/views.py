"""The door itself: who may come in, and what they are answered."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import wraps
from uuid import uuid4

from django.http import HttpRequest, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from aggregator import callers, completing
from aggregator.meter import meter
from chat.openai import asked, said
from chat.openai.errors import Refusal, refusal
from providers.errors import GatewayError

View = Callable[..., HttpResponseBase]


def door(method: str) -> Callable[[View], View]:
    """A view for programs with a client key: others, and errors, are answered as they know it."""

    def guard(view: View) -> View:
        @csrf_exempt  # a key is sent on purpose, and no cookie is looked at
        @wraps(view)
        def answer(request: HttpRequest, **names: str) -> HttpResponseBase:
            try:
                admit(request)
                if request.method != method:
                    said = f"This address takes {method} alone."
                    raise Refusal(405, said, code="method_not_allowed")
                return view(request, **names)
            except Refusal as error:
                return error.response()
            except GatewayError as error:
                return refusal(error).response()

        return answer

    return guard


def admit(request: HttpRequest) -> None:
    """Let in whoever has a key and has not asked too often; nobody without one."""
    told = request.META.get
    key = callers.key_of(told("HTTP_X_API_KEY", ""), told("HTTP_AUTHORIZATION", ""))
    if not key:
        raise callers.Unauthorized("no key")
    callers.reload()
    verdict = meter.count(callers.identify(key))
    if not verdict.allowed:
        message = f"The limit is {verdict.limit} requests a minute."
        kind, code = "rate_limit_error", "rate_limit_exceeded"
        raise Refusal(429, message, kind=kind, code=code, wait=verdict.resets_in_s)


@door("GET")
def model_list(request: HttpRequest) -> HttpResponseBase:
    return JsonResponse(said.models(completing.offers(), int(time.time())))


@door("GET")
def one_model(request: HttpRequest, name: str) -> HttpResponseBase:
    rows = said.models(completing.offers(), int(time.time()))["data"]
    found = next((row for row in rows if row["id"] == name), None)
    if found is None:
        message = f"The model {name[:80]!r} is not offered here."
        raise Refusal(404, message, code="model_not_found", param="model")
    return JsonResponse(found)


@door("POST")
def complete(request: HttpRequest) -> HttpResponseBase:
    wish = asked.read(request.body)
    number, made = f"chatcmpl-{uuid4().hex}", int(time.time())
    if not wish.query.stream:
        done = completing.complete(wish.query)
        reply: HttpResponseBase = JsonResponse(said.whole(done, number, made))
        reply["X-Provider"] = done.provider
        return reply
    streamed = completing.stream(wish.query)
    events = said.pieces(streamed, number, made, wish.counts)
    reply = StreamingHttpResponse(events, content_type="text/event-stream")
    reply["X-Provider"] = streamed.provider
    reply["Cache-Control"] = "no-store"
    reply["X-Accel-Buffering"] = "no"  # a proxy in front must not gather the pieces
    return reply


def unknown(request: HttpRequest, **names: str) -> HttpResponseBase:
    message = "Nothing is here: /v1/chat/completions and /v1/models are."
    return Refusal(404, message, code="unknown_url").response()


unknown = csrf_exempt(unknown)
