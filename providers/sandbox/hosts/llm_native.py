"""
Those who speak in their own way: Google https://ai.google.dev/api/generate-content, Anthropic
https://platform.claude.com/docs/en/api/messages and Cohere https://docs.cohere.com/reference/chat
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import orjson

from providers.sandbox.hosts.llm_openai import (
    EVENTS,
    OpenAIHost,
    TalkingHost,
    event,
    message,
    waiting,
)
from providers.sandbox.limits import Budget, Usage
from providers.sandbox.llm_words import ODD, Asked, Said, answer
from providers.sandbox.wire import KEY_PREFIX, Host, Refusal, Reply, Request, iso, json_reply, route


class _Native(TalkingHost):
    models: ClassVar[tuple[str, ...]] = ()

    @property
    def every(self) -> tuple[str, ...]:
        return (*self.models, *ODD)


# -- Google ------------------------------------------------------------------------------------

_GRPC = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


class GeminiApi(_Native, OpenAIHost):
    """Its own paths, and below /openai those of OpenAI."""

    names: ClassVar = ("generativelanguage.googleapis.com",)
    base: ClassVar = "/v1beta/openai"
    models: ClassVar = ("gemini-3.1-flash-lite", "gemini-3.5-flash")

    def elsewhere(self, request: Request) -> Reply:
        return Host.serve(self, request)

    @route("/v1beta/models")
    def own_list(self, request: Request) -> Any:
        self._admit(request)
        return {
            "models": [
                {
                    "name": f"models/{name}", "version": "001", "displayName": name,
                    "inputTokenLimit": 1048576, "outputTokenLimit": 65536,
                    "supportedGenerationMethods": ["generateContent", "countTokens"],
                }
                for name in self.every
            ]
        }  # fmt: skip

    @route("/v1beta/models/{name}:generateContent", "POST")
    def generate(self, request: Request, name: str) -> Any:
        asked = self._asked(request, name)
        return self._part(asked, said := answer(asked), said.text, last=True)

    @route("/v1beta/models/{name}:streamGenerateContent", "POST")
    def generate_in_pieces(self, request: Request, name: str) -> Any:
        asked = self._asked(request, name)
        said = answer(asked)
        ends = [False] * (len(said.pieces) - 1) + [True]
        pieces = zip(said.pieces, ends, strict=True)
        body = b"".join(event(self._part(asked, said, text, last=last)) for text, last in pieces)
        return Reply(200, body, EVENTS)

    def _part(self, asked: Asked, said: Said, text: str, *, last: bool) -> dict[str, Any]:
        why = {"finishReason": "MAX_TOKENS" if said.is_cut else "STOP"} if last else {}
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, **why, "index": 0}
        used = {
            "promptTokenCount": said.prompt_tokens,
            "candidatesTokenCount": said.completion_tokens,
            "totalTokenCount": said.prompt_tokens + said.completion_tokens,
        }
        return {"candidates": [candidate], "usageMetadata": used, "modelVersion": asked.model}

    def _admit(self, request: Request) -> None:
        if not request.headers.get("x-goog-api-key", "").startswith(KEY_PREFIX):
            error = {"code": 400, "message": "API key not valid. Please pass a valid API key."}
            info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo"}
            details = [{**info, "reason": "API_KEY_INVALID", "domain": "googleapis.com"}]
            error |= {"status": "INVALID_ARGUMENT", "details": details}
            raise self.refuse({"error": error}, 400)

    def _asked(self, request: Request, name: str) -> Asked:
        self._admit(request)
        document = self.read(request)
        if name not in self.every:
            said = f"models/{name} is not found for API version v1beta"
            raise self.refuse({"error": {"code": 404, "message": said, "status": "NOT_FOUND"}}, 404)
        roles = {"model": "assistant"}
        turns = [
            (roles.get(t.get("role", "user"), "user"), _texts(t)) for t in document["contents"]
        ]
        if system := document.get("systemInstruction"):
            turns.insert(0, ("system", _texts(system)))
        config = document.get("generationConfig") or {}
        wants_json = config.get("responseMimeType") == "application/json"
        schema = config.get("responseJsonSchema")
        return Asked(name, turns, config.get("maxOutputTokens"), schema, wants_json)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        details: list[dict[str, Any]] = []
        if status == 429:
            quota = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"
            prefix = "type.googleapis.com/google.rpc."
            details.append({"@type": f"{prefix}QuotaFailure", "violations": [{"quotaId": quota}]})
            details.append({"@type": f"{prefix}RetryInfo", "retryDelay": f"{wait or 34.07}s"})
        error = {"code": status, "message": message(status), "status": _GRPC.get(status, "UNKNOWN")}
        return json_reply({"error": {**error, "details": details}}, status)


def _texts(turn: Mapping[str, Any]) -> str:
    return "".join(str(part.get("text", "")) for part in turn.get("parts", ()))


# -- Anthropic ---------------------------------------------------------------------------------

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}


class AnthropicApi(_Native):
    names: ClassVar = ("api.anthropic.com",)
    models: ClassVar = ("claude-haiku-4-5", "claude-sonnet-4-5")
    size: ClassVar = 50

    @route("/v1/models")
    def list(self, request: Request) -> Any:
        self._admit(request)
        made = {"type": "model", "created_at": "2025-10-15T00:00:00Z", "max_tokens": 64000}
        data = [{"id": name, "display_name": name, **made} for name in self.every]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]}
        return {"data": data, "has_more": False, **ends}

    @route("/v1/messages", "POST")
    def messages(self, request: Request) -> Any:
        self._admit(request)
        document = self.read(request)
        if not isinstance(document.get("max_tokens"), int) or not document.get("messages"):
            raise Refusal(self.failure(400))
        asked = self._asked(document)
        said = answer(asked)
        if document.get("stream"):
            return Reply(200, b"".join(_anthropic_events(asked, said)), EVENTS)
        return _message(asked, said)

    def _asked(self, document: Mapping[str, Any]) -> Asked:
        model = str(document.get("model"))
        if model not in self.every:
            error = {"type": "not_found_error", "message": f"model: {model}"}
            raise self.refuse({"type": "error", "error": error, "request_id": "req_1"}, 404)
        turns = [(str(t.get("role")), str(t.get("content"))) for t in document["messages"]]
        system = str(document.get("system") or "")
        if system:
            turns.insert(0, ("system", system))
        return Asked(
            model, turns, document["max_tokens"], _schema_in(system), "JSON schema" in system
        )

    def _admit(self, request: Request) -> None:
        if not request.headers.get("x-api-key", "").startswith(KEY_PREFIX):
            raise Refusal(self.failure(401))
        if not request.headers.get("anthropic-version"):
            raise Refusal(self.failure(400))

    def failure(self, status: int, wait: float | None = None) -> Reply:
        kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
        error = {"type": kind, "message": message(status)}
        body = {"type": "error", "error": error, "request_id": "req_sandbox"}
        return waiting(json_reply(body, status), wait)

    def budgets(self, request: Request) -> tuple[Budget, ...]:
        key = request.headers.get("x-api-key", "")
        return (Budget(f"anthropic:{key}", self.size, 60),) if request.method == "POST" else ()

    def dress(self, request: Request, reply: Reply, usage: Usage) -> Reply:
        if usage.used:
            resets = iso(request.now - request.now % 60 + 60)
            head = "anthropic-ratelimit"
            reply.headers |= {
                f"{head}-requests-limit": str(self.size),
                f"{head}-requests-remaining": str(max(0, self.size - usage.used[0])),
                f"{head}-requests-reset": resets,
                f"{head}-input-tokens-limit": "50000",
                f"{head}-input-tokens-remaining": "49000",
                f"{head}-input-tokens-reset": resets,
            }
        return reply


def _schema_in(system: str) -> Any:
    """The schema that an instruction quotes after a colon; None without one."""
    try:
        return orjson.loads(system[system.index("{") :]) if "JSON schema" in system else None
    except (ValueError, orjson.JSONDecodeError):
        return None


def _message(asked: Asked, said: Said) -> dict[str, Any]:
    return {
        "id": "msg_sandbox",
        "type": "message",
        "role": "assistant",
        "model": asked.model,
        "content": [{"type": "text", "text": said.text}],
        "stop_reason": "max_tokens" if said.is_cut else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": said.prompt_tokens, "output_tokens": said.completion_tokens},
    }


def _anthropic_events(asked: Asked, said: Said) -> Iterator[bytes]:
    whole = _message(asked, said)
    begun = whole | {"content": [], "stop_reason": None}

    def told(kind: str, **more: Any) -> bytes:
        return event({"type": kind, **more}, kind)

    yield told("message_start", message=begun)
    yield told("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield told("ping")
    for piece in said.pieces:
        yield told("content_block_delta", index=0, delta={"type": "text_delta", "text": piece})
    yield told("content_block_stop", index=0)
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield told("message_delta", delta=ended, usage={"output_tokens": said.completion_tokens})
    yield told("message_stop")


# -- Cohere ------------------------------------------------------------------------------------


class CohereApi(_Native):
    names: ClassVar = ("api.cohere.com",)
    models: ClassVar = ("command-r7b-12-2024", "command-a-03-2025")

    @route("/v1/check-api-key", "POST")
    def check(self, request: Request) -> Any:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        good = scheme == "Bearer" and key.startswith(KEY_PREFIX)
        return {"valid": good, "organization_id": "sandbox", "owner_id": "sandbox"}

    @route("/v1/models")
    def list(self, request: Request) -> Any:
        self._admit(request)
        return {
            "models": [
                {"name": n, "endpoints": ["chat"], "context_length": 131072, "is_deprecated": False}
                for n in self.every
            ]
        }

    @route("/v2/chat", "POST")
    def chat(self, request: Request) -> Any:
        self._admit(request)
        document = self.read(request)
        model, turns = str(document.get("model")), document.get("messages") or []
        if model not in self.every:
            raise self.refuse({"message": f"model '{model}' not found"}, 404)
        wanted = document.get("response_format") or {}
        asked = Asked(
            model,
            [(str(t.get("role")), str(t.get("content"))) for t in turns],
            document.get("max_tokens"),
            wanted.get("json_schema"),
            wanted.get("type") == "json_object",
        )
        said = answer(asked)
        used = {"input_tokens": said.prompt_tokens, "output_tokens": said.completion_tokens}
        usage = {"billed_units": used, "tokens": used}
        why = "MAX_TOKENS" if said.is_cut else "COMPLETE"
        if document.get("stream"):
            return Reply(200, b"".join(_cohere_events(said, why, usage)), EVENTS)
        content = [{"type": "text", "text": said.text}]
        written = {"role": "assistant", "content": content}
        return {"id": "sandbox", "finish_reason": why, "message": written, "usage": usage}

    def _admit(self, request: Request) -> None:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer" or not key.startswith(KEY_PREFIX):
            raise self.refuse({"message": "invalid api token"}, 401)

    def failure(self, status: int, wait: float | None = None) -> Reply:
        return waiting(json_reply({"message": message(status)}, status), wait)


def _cohere_events(said: Said, why: str, usage: Mapping[str, Any]) -> Iterator[bytes]:
    begun = {"message": {"role": "assistant", "content": []}}
    yield event({"type": "message-start", "id": "sandbox", "delta": begun}, "message-start")
    for piece in said.pieces:
        delta = {"message": {"content": {"text": piece}}}
        yield event({"type": "content-delta", "index": 0, "delta": delta}, "content-delta")
    ended = {"finish_reason": why, "usage": usage}
    yield event({"type": "message-end", "delta": ended}, "message-end")
    yield b"data: [DONE]\n\n"
