"""Answers in the shape of this API. What a provider did not tell is null."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import orjson

from aggregator.completing import AUTO, Done, Offer, Streamed
from chat.openai.errors import broken_off
from providers.datasets.completions import Chunk, joined
from providers.errors import GatewayError


def models(offers: list[Offer], made: int) -> dict[str, Any]:
    """`auto` first: whichever is best just now. `made` is a time, which this API wants."""
    rows = [(AUTO, "aggregator"), *((offer.name, offer.provider.slug) for offer in offers)]
    return {"object": "list", "data": [model(name, owner, made) for name, owner in rows]}


def model(name: str, owner: str, made: int) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": made, "owned_by": owner}


def whole(done: Done, number: str, made: int) -> dict[str, Any]:
    completion = done.completion
    message = {"role": "assistant", "content": completion.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None}
    return {
        "id": number,
        "object": "chat.completion",
        "created": made,
        "model": _name(done.provider, completion.model),
        "choices": [{**choice, "finish_reason": completion.finish_reason or "stop"}],
        "usage": _usage(completion.prompt_tokens, completion.completion_tokens),
    }


def pieces(streamed: Streamed, number: str, made: int, counts: bool) -> Generator[bytes]:
    """
    Server-sent events. A failure in the middle is an event of its own, after which nothing comes,
    not even the last word: so nobody takes half an answer for a whole one.
    """
    seen: list[Chunk] = []
    head: dict[str, Any] = {"id": number, "object": "chat.completion.chunk", "created": made}
    head["model"] = _name(streamed.provider, None)
    more = {"usage": None} if counts else {}
    why: str | None = None
    try:
        yield _event(head | more | _choice({"role": "assistant", "content": ""}))
        for chunk in streamed.chunks:
            seen.append(chunk._replace(text=""))
            head["model"] = _name(streamed.provider, chunk.model or joined(seen).model)
            why = chunk.finish_reason or why
            if chunk.text:
                yield _event(head | more | _choice({"content": chunk.text}))
        yield _event(head | more | _choice({}, why or "stop"))
        if counts:
            told = joined(seen)
            usage = _usage(told.prompt_tokens, told.completion_tokens)
            yield _event(head | {"choices": [], "usage": usage})
        yield b"data: [DONE]\n\n"
    except GatewayError as error:
        yield _event(broken_off(error))
    finally:
        streamed.chunks.close()


def _choice(delta: dict[str, str], why: str | None = None) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": why}]}


def _event(value: Any) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _name(provider: str, model: str | None) -> str:
    return f"{provider}/{model}" if model else provider


def _usage(prompt: int | None, completion: int | None) -> dict[str, int] | None:
    if prompt is None or completion is None:
        return None
    counts = {"prompt_tokens": prompt, "completion_tokens": completion}
    return {**counts, "total_tokens": prompt + completion}
