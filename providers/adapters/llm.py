"""What the adapters of language models share: options of a row, and careful readers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Self

from providers.adapters.base import Adapter, Reading, Reply, kind, listed
from providers.datasets.completions import (
    FILTERED,
    LENGTH,
    STOP,
    TOOLS,
    Chunk,
    Completion,
    CompletionQuery,
    Message,
)
from providers.errors import Broken, Garbled, ModelGone, Unsupported
from providers.ratelimits import Family, Observation, read

MODEL = re.compile(r"[\w@][\w@.:/+-]{0,199}", re.ASCII)
MOST_TEXT = 400_000  # characters of an answer: four times what any of them writes
DEFAULT_TOKENS = 1024  # where a vendor wants a number and nobody named one
PROBE = CompletionQuery(messages=(Message("user", "Reply with the word OK."),), max_tokens=16)


class LanguageModel(Adapter):
    """One model vendor. A row's options name its `model`, for who asks without naming one."""

    offers = (CompletionQuery,)
    model: ClassVar[str] = ""
    families: ClassVar[tuple[Family, ...]] = ()  # of rate-limit headers that it sends
    windows: ClassVar[Mapping[str, float]] = {}  # metric -> seconds, where no header tells
    known: ClassVar[frozenset[str]] = frozenset(["model"])
    relays: ClassVar[bool] = False  # it hands what is said to others, wherever it runs itself

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> type[Self]:
        if strange := set(options) - cls.known:
            raise ValueError(f"no option is called {', '.join(sorted(strange))}")
        model = options.get("model", "")
        if model and not (isinstance(model, str) and MODEL.fullmatch(model)):
            raise ValueError("'model' is the name of a model")
        return cls._made(json.dumps(dict(options), sort_keys=True))

    @classmethod
    @lru_cache(256)  # noqa: B019 (classes live as long as the process)
    def _made(cls, options: str) -> type[Self]:
        return type(cls.__name__, (cls,), cls.facts(json.loads(options)))

    @classmethod
    def facts(cls, options: Mapping[str, Any]) -> dict[str, Any]:
        """Class attributes that follow from a row's options."""
        return {"model": options.get("model", "")}

    def stream(self, query: CompletionQuery) -> Iterator[Chunk]:
        """The answer in pieces, as they come; it raises where the answer breaks off."""
        raise NotImplementedError

    def named_model(self, query: CompletionQuery) -> str:
        model = query.model or self.model
        if not model:
            raise Unsupported("no model is named, and its row has none")
        if not MODEL.fullmatch(model):
            raise Unsupported("this is no name of a model")
        return model

    def has_model(self, names: Iterable[str]) -> None:
        """ModelGone when the model of the row is no longer in its list."""
        if self.model and self.model not in set(names):
            raise ModelGone(f"it no longer lists {self.model}")

    @classmethod
    def observations(cls, reply: Reply) -> Iterable[Observation]:
        return read(reply.headers, cls.families, time.time(), cls.windows)

    @classmethod
    def readings(cls, headers: Mapping[str, str]) -> Iterable[Reading]:
        """Requests alone, and where the window is known: tokens are not what our windows count."""
        for seen in read(headers, cls.families, time.time(), cls.windows):
            if seen.metric == "requests" and seen.window_s is not None:
                yield Reading(
                    seen.window_s,
                    remaining=seen.remaining,
                    limit=seen.limit,
                    resets_in_s=seen.resets_in_s,
                )


# -- Readers -----------------------------------------------------------------------------------

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)


def written(value: Any) -> str:
    """What a model wrote, with its lines and blanks, without control characters; null is ""."""
    if value is None:
        return ""
    if type(value) is not str:
        raise Garbled(f"a text was promised, not {kind(value)}")
    if len(value) > MOST_TEXT:
        raise Garbled("an answer without an end")
    return _CONTROL.sub("", value)


def parts(value: Any) -> str:
    """The text of a message: a text, or a list of parts of which the texts count."""
    if not isinstance(value, list):
        return written(value)
    texts = [part for part in listed(value) if part.get("type", "text") == "text"]
    return "".join(written(part.get("text")) for part in texts)


def tokens(value: Any) -> int | None:
    """A count; None for whatever else a vendor puts there: an answer is not worth less for it."""
    return value if type(value) is int and value >= 0 else None


_REASONS = {
    "stop": STOP, "eos": STOP, "end_turn": STOP, "stop_sequence": STOP, "complete": STOP,
    "length": LENGTH, "max_tokens": LENGTH, "model_length": LENGTH,
    "content_filter": FILTERED, "safety": FILTERED, "refusal": FILTERED, "recitation": FILTERED,
    "blocklist": FILTERED, "prohibited_content": FILTERED, "spii": FILTERED,
    "error_toxic": FILTERED,
    "tool_calls": TOOLS, "tool_use": TOOLS, "tool_call": TOOLS,
}  # fmt: skip


def reason(value: Any) -> str | None:
    """Why it stopped, in our words; None for null and for words of which we have no translation."""
    if value is None:
        return None
    if type(value) is not str:
        raise Garbled(f"a reason was promised, not {kind(value)}")
    if value.lower() in ("error", "network_error"):
        raise Broken("it stopped with an error of its own")
    return _REASONS.get(value.lower())


def whole(completion: Completion) -> Completion:
    """The answer; Garbled for one that says nothing, unless it was cut or filtered to that."""
    if not completion.text.strip() and completion.finish_reason not in (LENGTH, FILTERED, TOOLS):
        raise Garbled("an answer without a word")
    return completion


def ended(chunks: Iterator[Chunk]) -> Iterator[Chunk]:
    """The same pieces; Garbled where they break off before the model said why it stopped."""
    finished, length = False, 0
    for chunk in chunks:
        finished = finished or chunk.finish_reason is not None
        length += len(chunk.text)
        if length > MOST_TEXT:
            raise Garbled("an answer without an end")
        yield chunk
    if not finished:
        raise Garbled("the answer breaks off")


def system_and_turns(query: CompletionQuery) -> tuple[str, list[Message]]:
    """What vendors keep apart: instructions, and who said what."""
    system = "\n\n".join(m.content for m in query.messages if m.role == "system")
    return system, [m for m in query.messages if m.role != "system"]


def in_words(schema: Mapping[str, Any]) -> str:
    """An instruction for who has no field for a schema."""
    return (
        "Answer with one JSON value and nothing else. It must obey this JSON schema: "
        + json.dumps(schema, sort_keys=True)
    )
