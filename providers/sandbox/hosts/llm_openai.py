"""
Hosts that speak like OpenAI: https://platform.openai.com/docs/api-reference/chat

What they share is here: models, completions, streams, keys. How each words its errors and its
limits stands in `llm_vendors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

import orjson

from providers.sandbox.limits import Budget, Usage
from providers.sandbox.llm_words import ODD, Asked, Said, answer
from providers.sandbox.wire import KEY_PREFIX, Host, Refusal, Reply, Request, json_reply, route

EVENTS = "text/event-stream"
CREATED = 1_760_000_000
MESSAGES = {
    400: "Invalid request.",
    401: "Incorrect API key provided.",
    402: "Insufficient credits.",
    403: "You do not have access to this resource.",
    404: "The requested resource was not found.",
    413: "Request too large.",
    422: "Unprocessable entity.",
    429: "Rate limit reached. Please try again in 7m12s.",
    500: "The server had an error while processing your request.",
    503: "The engine is currently overloaded, please try again later.",
    529: "Overloaded",
}


def message(status: int) -> str:
    return MESSAGES.get(status, "Something went wrong.")


class TalkingHost(Host):
    """One that is asked by a JSON object in the body."""

    def read(self, request: Request) -> dict[str, Any]:
        try:
            document = orjson.loads(request.body)
        except orjson.JSONDecodeError:
            raise Refusal(self.failure(400)) from None
        if not isinstance(document, dict):
            raise Refusal(self.failure(400))
        return document


class OpenAIHost(TalkingHost):
    """`base` is what stands before `/chat/completions`."""

    base: ClassVar[str] = "/v1"
    models: ClassVar[tuple[str, ...]] = ()
    lists_to_all: ClassVar[bool] = False
    answers_to_all: ClassVar[bool] = False
    size: ClassVar[int] = 0  # requests a window; 0: none is counted
    seconds: ClassVar[int] = 60

    def serve(self, request: Request) -> Reply:
        if not request.path.startswith(f"{self.base}/"):
            return self.elsewhere(request)
        return super().serve(replace(request, path=request.path[len(self.base) :]))

    def elsewhere(self, request: Request) -> Reply:
        """What stands outside `base`."""
        return self.failure(404)

    @route("/models")
    def model_list(self, request: Request) -> Any:
        if not self.lists_to_all:
            self.admit(request)
        return self.listed([self.card(name) for name in (*self.models, *ODD)])

    def listed(self, cards: list[dict[str, Any]]) -> Any:
        return {"object": "list", "data": cards}

    def card(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": CREATED, "owned_by": "sandbox"}

    @route("/chat/completions", "POST")
    def complete(self, request: Request) -> Any:
        self.admit(request)
        document = self.read(request)
        asked = self.asked(document)
        said = answer(asked)
        if document.get("stream"):
            usage = (document.get("stream_options") or {}).get("include_usage", False)
            return Reply(200, b"".join(self.streamed(asked, said, usage)), EVENTS)
        return {
            **self.envelope(asked, "chat.completion"),
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": said.text},
                    "logprobs": None,
                    "finish_reason": "length" if said.is_cut else "stop",
                }
            ],
            "usage": usage_of(said),
        }

    def envelope(self, asked: Asked, kind: str) -> dict[str, Any]:
        return {
            "id": "chatcmpl-sandbox",
            "object": kind,
            "created": CREATED,
            "model": asked.model,
        }

    def streamed(self, asked: Asked, said: Said, with_usage: bool) -> Iterator[bytes]:
        head = self.envelope(asked, "chat.completion.chunk")
        yield event(head | {"choices": [_delta({"role": "assistant", "content": ""})]})
        for piece in said.pieces:
            yield event(head | {"choices": [_delta({"content": piece})]})
        why = "length" if said.is_cut else "stop"
        yield event(head | {"choices": [_delta({}, why)]})
        if with_usage:
            yield event(head | {"choices": [], "usage": usage_of(said)})
        yield b"data: [DONE]\n\n"

    def admit(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if not self.answers_to_all and (scheme != "Bearer" or not key.startswith(KEY_PREFIX)):
            raise Refusal(self.failure(401))

    def asked(self, document: Mapping[str, Any]) -> Asked:
        turns, model = document.get("messages"), document.get("model")
        if not isinstance(turns, list) or not turns:
            raise Refusal(self.failure(400))
        if model not in (*self.models, *ODD):
            raise Refusal(self.unknown_model(str(model)))
        wanted = document.get("response_format") or {}
        return Asked(
            str(model),
            [(str(turn.get("role")), str(turn.get("content"))) for turn in turns],
            document.get("max_completion_tokens") or document.get("max_tokens"),
            (wanted.get("json_schema") or {}).get("schema"),
            wanted.get("type") == "json_object",
        )

    def unknown_model(self, name: str) -> Reply:
        said = f"The model `{name}` does not exist or you do not have access to it."
        kind = {"type": "invalid_request_error", "param": None, "code": "model_not_found"}
        return json_reply({"error": {"message": said, **kind}}, 404)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
        kind = "invalid_request_error" if status < 429 else "server_error"
        error = {"message": message(status), "type": kind, "param": None, "code": code}
        return waiting(json_reply({"error": error}, status), wait)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        if not self.size or request.method != "POST":
            return ()
        key = request.headers.get("authorization", "")
        return (Budget(f"{request.host}:{key}", self.size, self.seconds),)

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            left = max(0, self.size - usage.used[0])
            resets = self.seconds - request.now % self.seconds
            reply.headers |= self.limits(left, resets)
        return reply

    def limits(self, left: int, resets_in_s: float) -> dict[str, str]:
        """The rate-limit headers of an answer, as this vendor spells them."""
        return {}


def usage_of(said: Said) -> dict[str, int]:
    return {
        "prompt_tokens": said.prompt_tokens,
        "completion_tokens": said.completion_tokens,
        "total_tokens": said.prompt_tokens + said.completion_tokens,
    }


def event(value: Any, name: str = "") -> bytes:
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + orjson.dumps(value) + b"\n\n"


def waiting(reply: Reply, wait: float | None) -> Reply:
    if wait is not None:
        reply.headers["retry-after"] = str(max(1, round(wait)))
    return reply


def _delta(delta: Mapping[str, str], why: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": dict(delta), "logprobs": None, "finish_reason": why}
