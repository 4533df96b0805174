"""
What language models are asked and answer: a dataset like the others, but every answer is paid for.

Answers are never shelved: what a visitor asks is their own, and the same words asked twice may be
meant to be answered twice. Keys of queries stand in logs, so none holds a word of a message.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any, NamedTuple

from providers.datasets.base import Dataset, Query

COMPLETION = Dataset("completion", "Answers of language models", fresh_s=0, stale_s=0, paid=True)

ROLES = ("system", "user", "assistant")
# Why a model stopped, in the words of the OpenAI API; every other vendor's are translated.
STOP, LENGTH, FILTERED, TOOLS = "stop", "length", "content_filter", "tool_calls"


class Message(NamedTuple):
    """One turn of a conversation; `role` is one of ROLES."""

    role: str
    content: str


class Completion(NamedTuple):
    """
    What a model wrote. `model` is the one that says it answered, which may be another than was
    asked; tokens are as the provider counted them, None where it did not say.
    """

    text: str
    model: str | None
    finish_reason: str | None  # stop, length, content_filter or tool_calls
    prompt_tokens: int | None
    completion_tokens: int | None


class Chunk(NamedTuple):
    """A piece of an answer as it is written; the last ones bring why it ended, and the tokens."""

    text: str = ""
    model: str | None = None
    finish_reason: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


@dataclass(frozen=True)
class CompletionQuery(Query):
    """
    Go on with this conversation. A `model` of None is the one that the provider's row names;
    `schema` is a JSON schema that the text has to obey. What is None is the provider's own choice.
    """

    dataset = COMPLETION
    record = Completion

    messages: tuple[Message, ...] = ()
    model: str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    schema: Mapping[str, Any] | None = field(default=None, hash=False)
    stream: bool = False

    @property
    def key(self) -> str:
        """Without a word of the messages."""
        asked = repr(self.messages) + json.dumps(self.schema, sort_keys=True, default=str)
        digest = blake2b(asked.encode("utf-8", "backslashreplace"), digest_size=8).hexdigest()
        return f"{self.dataset.name}:{self.model or ''}:{digest}"


def joined(chunks: Iterable[Chunk]) -> Completion:
    """The whole answer out of its pieces; what several of them tell, the last one knows best."""
    text, told = [], Completion("", None, None, None, None)
    for chunk in chunks:
        text.append(chunk.text)
        news = {name: value for name, value in chunk._asdict().items() if value is not None}
        told = told._replace(**news)
    return told._replace(text="".join(text))
