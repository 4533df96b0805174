"""
https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from providers import ratelimits
from providers.adapters.base import Auth, Reply, listed, text
from providers.adapters.llm import (
    DEFAULT_TOKENS,
    LanguageModel,
    ended,
    in_words,
    parts,
    reason,
    system_and_turns,
    tokens,
    whole,
    written,
)
from providers.adapters.llm_errors import meant
from providers.adapters.sse import events
from providers.datasets.completions import Chunk, Completion, CompletionQuery
from providers.errors import Broken, ProviderError
from providers.ratelimits import MINUTE_S
from providers.registry import register

# An error in the middle of a stream has a type and no status.
_STATUS = {"overloaded_error": 529, "rate_limit_error": 429, "authentication_error": 401}


@register
class Anthropic(LanguageModel):
    """Anthropic's own API."""

    name = "anthropic"
    title = "Anthropic"
    base_url = "https://api.anthropic.com/v1"
    docs_url = "https://platform.claude.com/docs/en/api/messages"
    auth = Auth(header="x-api-key")
    headers: ClassVar[Mapping[str, str]] = {"anthropic-version": "2023-06-01"}
    families = (ratelimits.anthropic,)
    windows: ClassVar[Mapping[str, float]] = dict.fromkeys(
        ("requests", "tokens", "input_tokens", "output_tokens"), MINUTE_S
    )

    def completion(self, query: CompletionQuery) -> list[Completion]:
        found = self.http.post("/messages", self._body(query))
        usage = found["usage"]
        return [
            whole(
                Completion(
                    parts(listed(found["content"])),
                    text(found["model"]),
                    reason(found.get("stop_reason")),
                    tokens(usage.get("input_tokens")),
                    tokens(usage.get("output_tokens")),
                )
            )
        ]

    def stream(self, query: CompletionQuery) -> Iterator[Chunk]:
        return ended(self._pieces({**self._body(query), "stream": True}))

    def _pieces(self, body: dict[str, Any]) -> Iterator[Chunk]:
        for event in events(self.http.lines("/messages", body)):
            found = Reply(200, {}, event.data.encode()).json()
            match found["type"]:
                case "message_start":
                    message = found["message"]
                    used = tokens(message["usage"].get("input_tokens"))
                    yield Chunk("", text(message["model"]), None, used)
                case "content_block_delta" if found["delta"]["type"] == "text_delta":
                    yield Chunk(written(found["delta"]["text"]))
                case "message_delta":
                    why = reason(found["delta"].get("stop_reason"))
                    used = tokens((found.get("usage") or {}).get("output_tokens"))
                    yield Chunk("", None, why, None, used)
                case "message_stop":
                    return
                case "error":
                    raise _broken_off(found)

    def _body(self, query: CompletionQuery) -> dict[str, Any]:
        system, turns = system_and_turns(query)
        if query.schema is not None:
            system = "\n\n".join(filter(None, (system, in_words(query.schema))))
        body: dict[str, Any] = {
            "model": self.named_model(query),
            "max_tokens": query.max_tokens or DEFAULT_TOKENS,
            "messages": [{"role": turn.role, "content": turn.content} for turn in turns],
        }
        if system:
            body["system"] = system
        if query.temperature is not None:
            body["temperature"] = query.temperature
        return body

    def ping(self) -> None:
        found = self.http.get("/models", limit=1000)
        self.has_model(self.rows(found["data"], lambda row: text(row["id"])))

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        return meant(reply, cls.observations(reply))


def _broken_off(found: Any) -> ProviderError:
    kind = found["error"]["type"]
    status = _STATUS.get(kind, 500)
    return meant(Reply(status, {}, b"{}")) or Broken("it stopped with an error of its own")
