"""What a client wants, out of its JSON: strictly, and with an error that names the field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat.openai.errors import Refusal
from providers.datasets.completions import CompletionQuery, Message

MOST_MESSAGES, MOST_CHARACTERS, MOST_TOKENS = 200, 200_000, 32_768
# OpenAI calls instructions either; every provider knows the older word.
ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant"}
# Fields that we obey, and those that change nothing in what is answered.
OBEYED = {"model", "messages", "max_tokens", "max_completion_tokens", "temperature"}
OBEYED |= {"response_format", "stream", "stream_options", "n"}
WITHOUT_EFFECT = {"user", "metadata", "store", "safety_identifier", "service_tier"}


@dataclass(frozen=True)
class Wish:
    """The question, and whether a stream shall end with its tokens."""

    query: CompletionQuery
    counts: bool = False


def read(body: bytes) -> Wish:
    """The wish of a request's body; Refusal for anything else."""
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "The body is no JSON.") from None
    if not isinstance(given, dict):
        raise Refusal(400, "The body is a JSON object.")
    if strange := sorted(set(given) - OBEYED - WITHOUT_EFFECT):
        raise _wrong(strange[0], "is not supported here", code="unsupported_parameter")
    if given.get("n") not in (None, 1):
        raise _wrong("n", "is 1: one answer is asked for")
    model = given.get("model")
    if not isinstance(model, str) or not 0 < len(model) <= 250:
        raise _wrong("model", "is the name of a model, or 'auto'")
    stream = _flag(given, "stream")
    query = CompletionQuery(
        messages=_messages(given.get("messages")),
        model=model,
        max_tokens=_max_tokens(given),
        temperature=_temperature(given.get("temperature")),
        schema=_schema(given.get("response_format")),
        stream=stream,
    )
    return Wish(query, _counts(given.get("stream_options"), stream))


def _wrong(field: str, said: str, *, code: str | None = None) -> Refusal:
    return Refusal(400, f"'{field[:60]}' {said}.", param=field[:60], code=code)


def _flag(given: Mapping[str, Any], name: str) -> bool:
    value = given.get(name)
    if value not in (None, True, False) or isinstance(value, int) and type(value) is not bool:
        raise _wrong(name, "is true or false")
    return bool(value)


def _messages(value: Any) -> tuple[Message, ...]:
    if not isinstance(value, list) or not value:
        raise _wrong("messages", "is a list of messages")
    if len(value) > MOST_MESSAGES:
        raise _wrong("messages", f"has at most {MOST_MESSAGES} of them")
    found = tuple(_message(turn, f"messages[{place}]") for place, turn in enumerate(value))
    if sum(len(turn.content) for turn in found) > MOST_CHARACTERS:
        raise _wrong("messages", f"has at most {MOST_CHARACTERS:,} characters")
    if not any(turn.role == "user" for turn in found):
        raise _wrong("messages", "has a message of a user")
    return found


def _message(turn: Any, where: str) -> Message:
    if not isinstance(turn, dict):
        raise _wrong(where, "is an object")
    if strange := sorted(set(turn) - {"role", "content", "name"}):
        raise _wrong(f"{where}.{strange[0]}", "is not supported here", code="unsupported_parameter")
    role = turn.get("role")
    if not isinstance(role, str) or role not in ROLES:
        raise _wrong(f"{where}.role", f"is one of {', '.join(ROLES)}")
    return Message(ROLES[role], _content(turn.get("content"), f"{where}.content"))


def _content(value: Any, where: str) -> str:
    if isinstance(value, str):
        return value
    if not isinstance(value, list) or not value:
        raise _wrong(where, "is a text, or a list of texts")
    for part in value:
        if not isinstance(part, dict) or part.get("type") != "text":
            raise _wrong(where, "has parts of type 'text' alone")
        if not isinstance(part.get("text"), str):
            raise _wrong(where, "has parts with a text")
    return "".join(part["text"] for part in value)


def _max_tokens(given: Mapping[str, Any]) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        value = given.get(name)
        if value is not None:
            if type(value) is not int or not 1 <= value <= MOST_TOKENS:
                raise _wrong(name, f"is 1 to {MOST_TOKENS}")
            return value
    return None


def _temperature(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in (int, float) or not 0 <= value <= 2:
        raise _wrong("temperature", "is 0 to 2")
    return float(value)


def _schema(value: Any) -> Mapping[str, Any] | None:
    if value is None:
        return None
    kind = value.get("type") if isinstance(value, dict) else None
    match kind:
        case "text":
            return None
        case "json_object":
            return {"type": "object"}
        case "json_schema":
            inner = value.get("json_schema")
            schema = inner.get("schema") if isinstance(inner, dict) else None
            if isinstance(schema, dict):
                return schema
    raise _wrong("response_format", "is of type text, json_object or json_schema with its schema")


def _counts(value: Any, stream: bool) -> bool:
    if value is None:
        return False
    if not stream or not isinstance(value, dict) or set(value) - {"include_usage"}:
        raise _wrong("stream_options", "is {'include_usage': true}, with 'stream'")
    return _flag(value, "include_usage")
