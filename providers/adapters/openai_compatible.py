"""
https://platform.openai.com/docs/api-reference/chat

The way most hosts of language models speak. One adapter, one row each: what differs between them
is in `dialects`, and the row's options name the dialect and the model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, ClassVar

from providers.adapters.base import Reply, listed, text
from providers.adapters.dialects import DIALECTS, Dialect
from providers.adapters.llm import (
    PROBE,
    LanguageModel,
    ended,
    in_words,
    parts,
    reason,
    tokens,
    whole,
    written,
)
from providers.adapters.llm_errors import document, meant
from providers.adapters.sse import DONE, events
from providers.datasets import DAY
from providers.datasets.completions import Chunk, Completion, CompletionQuery
from providers.errors import Garbled, NoCredit, ProviderError
from providers.ratelimits import Observation
from providers.registry import register


@register
class OpenAICompatible(LanguageModel):
    """Asks any host that speaks like OpenAI."""

    name = "openai_compatible"
    title = "OpenAI and who speaks like it"
    base_url = "https://api.openai.com/v1"
    docs_url = "https://platform.openai.com/docs/api-reference/chat"
    dialect: ClassVar[Dialect] = DIALECTS["openai"]
    auth = DIALECTS["openai"].auth
    known = frozenset(["model", "dialect"])

    @classmethod
    def facts(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        dialect = DIALECTS.get(options.get("dialect", "plain"))
        if dialect is None:
            raise ValueError(f"'dialect' is one of {', '.join(DIALECTS)}")
        return {
            **super().facts(options),
            "dialect": dialect,
            "auth": dialect.auth,
            "families": dialect.families,
            "relays": dialect.relays,
            "windows": dialect.windows,
            "check_every_s": dialect.check_every_s,
            "ping_proves_key": bool(dialect.key_path) or not dialect.public,
        }

    def completion(self, query: CompletionQuery) -> list[Completion]:
        found = self.http.post("/chat/completions", self._body(query))
        choice = listed(found["choices"])[0]
        return [whole(_completion(found, parts(choice["message"].get("content")), choice))]

    def stream(self, query: CompletionQuery) -> Iterator[Chunk]:
        body = {**self._body(query), "stream": True}
        if self.dialect.counts_streams:
            body["stream_options"] = {"include_usage": True}
        return ended(self._pieces(body))

    def _pieces(self, body: dict[str, Any]) -> Iterator[Chunk]:
        for event in events(self.http.lines("/chat/completions", body)):
            if event.data == DONE:
                return
            reply = Reply(200, {}, event.data.encode())
            if error := self.diagnose(reply):  # a stream may break off with an error of its own
                raise error
            yield _chunk(reply.json())

    def _body(self, query: CompletionQuery) -> dict[str, Any]:
        messages = [{"role": m.role, "content": m.content} for m in query.messages]
        body: dict[str, Any] = {"model": self.named_model(query), "messages": messages}
        if query.max_tokens is not None:
            body[self.dialect.tokens_field] = query.max_tokens
        if query.temperature is not None:
            body["temperature"] = query.temperature
        if query.schema is not None:
            match self.dialect.json:
                case "schema":
                    wanted = {"name": "answer", "schema": query.schema}
                    body["response_format"] = {"type": "json_schema", "json_schema": wanted}
                case "object":
                    body["response_format"] = {"type": "json_object"}
            if self.dialect.json != "schema":
                messages.insert(0, {"role": "system", "content": in_words(query.schema)})
        return body

    def ping(self) -> None:
        """
        The free question that says most. DeepSeek's balance says whether anything may be asked;
        where nothing is free, a few words are.
        """
        if self.dialect.probes_by_asking:
            self.completion(PROBE)
            return
        if self.dialect.key_path:
            found = self.http.get(self.dialect.key_path)
            if found.get("is_available") is False:
                raise NoCredit("its balance is used up", wait=DAY)
            return
        found = self.http.get(self.dialect.models_path)
        # Together sends a bare list.
        rows = found if isinstance(found, list) else found["data"]
        self.has_model(self.rows(rows, lambda row: text(row["id"])))

    @classmethod
    def diagnose(cls, reply: Reply) -> ProviderError | None:
        return meant(reply, cls.observations(reply))

    @classmethod
    def observations(cls, reply: Reply) -> Iterable[Observation]:
        """Headers; and where a path tells of a key's credit (OpenRouter's /key), that."""
        yield from super().observations(reply)
        if cls.dialect.key_path != "/key" or reply.status != 200:
            return
        told = document(reply).get("data")
        if isinstance(told, dict) and "limit_remaining" in told:
            yield from _of_key(told)


def _of_key(told: dict[str, Any]) -> Iterator[Observation]:
    """https://openrouter.ai/docs/api-reference/limits: credits, and free questions of the day."""
    window_s = {"daily": DAY, "weekly": 7 * DAY, "monthly": 30 * DAY}.get(
        str(told.get("limit_reset"))
    )
    limit, left = _amount(told.get("limit")), _amount(told.get("limit_remaining"))
    yield Observation("credits", window_s, limit, left, source="quota_api", names=("limit",))
    free = told.get("free_model_daily_requests")
    if isinstance(free, dict):
        yield Observation(
            "requests",
            DAY,
            _amount(free.get("limit")),
            _amount(free.get("remaining")),
            source="quota_api",
            names=("free_model_daily_requests",),
        )


def _amount(value: Any) -> float | None:
    """A number not below zero, as a debt is nothing left; None for whatever is no number."""
    return max(0.0, float(value)) if type(value) in (int, float, Decimal) else None


def _usage(found: Any) -> tuple[int | None, int | None]:
    usage = found.get("usage")
    told = usage if isinstance(usage, dict) else {}
    return tokens(told.get("prompt_tokens")), tokens(told.get("completion_tokens"))


def _model(found: Any) -> str | None:
    model = found.get("model")
    return text(model, most=200) if isinstance(model, str) and model.strip() else None


def _completion(found: Any, said: str, choice: Any) -> Completion:
    return Completion(said, _model(found), reason(choice.get("finish_reason")), *_usage(found))


def _chunk(found: Any) -> Chunk:
    """The last of a stream has the tokens and no choice."""
    choices = found.get("choices") or []
    if not choices:
        return Chunk("", _model(found), None, *_usage(found))
    choice = listed(choices)[0]
    delta = choice.get("delta")
    if not isinstance(delta, dict):
        raise Garbled("a piece of an answer was promised")
    said = written(delta.get("content"))
    return Chunk(said, _model(found), reason(choice.get("finish_reason")), *_usage(found))
