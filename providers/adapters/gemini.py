"""
https://ai.google.dev/api/generate-content

Google's own way to speak with its models. The free plan has some twenty questions a day: its list
of models is what says how it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from providers.adapters.base import Auth, Reply, listed, maybe, text
from providers.adapters.llm import (
    LanguageModel,
    ended,
    reason,
    system_and_turns,
    tokens,
    whole,
    written,
)
from providers.adapters.llm_errors import meant
from providers.adapters.sse import events
from providers.datasets.completions import FILTERED, Chunk, Completion, CompletionQuery
from providers.errors import Garbled, ProviderError, Unsupported
from providers.registry import register

PLAIN = re.compile(r"[\w.-]{1,100}", re.ASCII)  # of a model, which stands in the path


@register
class Gemini(LanguageModel):
    """Google's Gemini API with a key of AI Studio."""

    name = "gemini"
    title = "Google Gemini API"
    base_url = "https://generativelanguage.googleapis.com/v1beta"
    docs_url = "https://ai.google.dev/api/generate-content"
    auth = Auth(header="x-goog-api-key")

    def completion(self, query: CompletionQuery) -> list[Completion]:
        found = self.http.post(f"{self._path(query)}:generateContent", _body(query))
        chunk = _chunk(found)
        return [whole(Completion(*chunk))]

    def stream(self, query: CompletionQuery) -> Iterator[Chunk]:
        path = f"{self._path(query)}:streamGenerateContent?alt=sse"
        return ended(self._pieces(path, _body(query)))

    def _pieces(self, path: str, body: dict[str, Any]) -> Iterator[Chunk]:
        for event in events(self.http.lines(path, body)):
            reply = Reply(200, {}, event.data.encode())
            if error := self.diagnose(reply):
                raise error
            yield _chunk(reply.json())

    def _path(self, query: CompletionQuery) -> str:
        model = self.named_model(query).removeprefix("models/")
        if not PLAIN.fullmatch(model):
            raise Unsupported("this is no name of a model")
        return f"/models/{model}"

    def ping(self) -> None:
        found = listed(self.http.get("/models", pageSize=1000)["models"])
        self.has_model(text(row["name"]).removeprefix("models/") for row in found)

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        return meant(reply)


def _body(query: CompletionQuery) -> dict[str, Any]:
    system, turns = system_and_turns(query)
    roles = {"assistant": "model"}
    body: dict[str, Any] = {
        "contents": [
            {"role": roles.get(turn.role, turn.role), "parts": [{"text": turn.content}]}
            for turn in turns
        ]
    }
    if system:
        body["systemInstruction"] = {"parts": [{"text": system}]}
    config: dict[str, Any] = {
        "maxOutputTokens": query.max_tokens,
        "temperature": query.temperature,
    }
    if query.schema is not None:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": query.schema}
    if given := {name: value for name, value in config.items() if value is not None}:
        body["generationConfig"] = given
    return body


def _chunk(found: Any) -> Chunk:
    """A question it refuses has no candidate, but a reason: it was answered, and filtered."""
    usage = found.get("usageMetadata")
    told = usage if isinstance(usage, dict) else {}
    counts = tokens(told.get("promptTokenCount")), tokens(told.get("candidatesTokenCount"))
    model = maybe(text, found.get("modelVersion"))
    candidates = found.get("candidates") or []
    if not candidates:
        feedback = found.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            return Chunk("", model, FILTERED, *counts)
        if told:
            return Chunk("", model, None, *counts)
        raise Garbled("no candidate, and no reason why")
    candidate = listed(candidates)[0]
    content = candidate.get("content") or {}
    parts = content.get("parts") or []
    said = "".join(written(part.get("text")) for part in listed(parts) if not part.get("thought"))
    return Chunk(said, model, reason(candidate.get("finishReason")), *counts)
