"""
https://docs.cohere.com/reference/chat

A trial key has a thousand calls a month, checks among them: they come seldom by themselves, as a
check may use up only a small share of a quota.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from providers.adapters.base import Reply, flag, listed
from providers.adapters.dialects import BEARER
from providers.adapters.llm import LanguageModel, ended, parts, reason, tokens, whole, written
from providers.adapters.llm_errors import meant
from providers.adapters.sse import events
from providers.datasets.completions import Chunk, Completion, CompletionQuery
from providers.errors import BadKey, ProviderError
from providers.registry import register


@register
class Cohere(LanguageModel):
    """Cohere's own API, version 2."""

    name = "cohere"
    title = "Cohere"
    base_url = "https://api.cohere.com"
    docs_url = "https://docs.cohere.com/reference/chat"
    auth = BEARER

    def completion(self, query: CompletionQuery) -> list[Completion]:
        found = self.http.post("/v2/chat", self._body(query))
        said = parts(listed(found["message"]["content"]))
        why = reason(found.get("finish_reason"))
        # It does not say which model answered.
        return [whole(Completion(said, None, why, *_tokens(found.get("usage"))))]

    def stream(self, query: CompletionQuery) -> Iterator[Chunk]:
        return ended(self._pieces({**self._body(query), "stream": True}))

    def _pieces(self, body: dict[str, Any]) -> Iterator[Chunk]:
        for event in events(self.http.lines("/v2/chat", body)):
            found = Reply(200, {}, event.data.encode()).json()
            match found.get("type"):
                case "content-delta":
                    content = found["delta"]["message"]["content"]
                    yield Chunk(written(content.get("text")))
                case "message-end":
                    delta = found["delta"]
                    why = reason(delta.get("finish_reason"))
                    yield Chunk("", None, why, *_tokens(delta.get("usage")))
                    return

    def _body(self, query: CompletionQuery) -> dict[str, Any]:
        body: dict[str, Any] = {
            "model": self.named_model(query),
            "messages": [{"role": m.role, "content": m.content} for m in query.messages],
        }
        if query.max_tokens is not None:
            body["max_tokens"] = query.max_tokens
        if query.temperature is not None:
            body["temperature"] = query.temperature
        if query.schema is not None:
            body["response_format"] = {"type": "json_object", "json_schema": query.schema}
        return body

    def ping(self) -> None:
        if not flag(self.http.post("/v1/check-api-key", {})["valid"]):
            raise BadKey("its key is not accepted")

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        """498 is a key that is no key here."""
        return BadKey("its key is not accepted") if reply.status == 498 else meant(reply)


def _tokens(usage: Any) -> tuple[int | None, int | None]:
    told = usage.get("tokens") if isinstance(usage, dict) else None
    counts = told if isinstance(told, dict) else {}
    return tokens(counts.get("input_tokens")), tokens(counts.get("output_tokens"))
