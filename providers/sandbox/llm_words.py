"""
What the sandbox's language models say: always the same to the same question, and never more than
they were told. A model called `liar` changes figures, one called `rambler` obeys no schema, and
one called `gullible` does what it reads in what it was given to phrase.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

LIAR, RAMBLER, GULLIBLE = "liar", "rambler", "gullible"
ODD = (LIAR, RAMBLER, GULLIBLE)
MOST_FACTS = 6
MOST_TEXT = 1200  # characters of a text in a schema
_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


@dataclass(frozen=True)
class Asked:
    """A request in the words of none of the vendors."""

    model: str
    messages: Sequence[tuple[str, str]]  # role, text
    most_tokens: int | None = None
    schema: Mapping[str, Any] | None = None
    wants_json: bool = False

    @property
    def question(self) -> str:
        return next((text for role, text in reversed(self.messages) if role == "user"), "")


@dataclass(frozen=True)
class Said:
    text: str
    is_cut: bool
    prompt_tokens: int
    completion_tokens: int

    @property
    def pieces(self) -> list[str]:
        """As a stream brings it: word by word, each with the blank before it."""
        return re.findall(r"\s*\S+\s*$|\s*\S+", self.text) or [self.text]


def count(text: str) -> int:
    """Tokens, roughly: four characters each."""
    return len(text) // 4 + 1


def answer(asked: Asked) -> Said:
    text = _text(asked)
    if LIAR in asked.model:
        text = _FIGURE.sub(_otherwise, text)
    words = text.split(" ")
    most = asked.most_tokens
    is_cut = most is not None and count(text) > most
    if most is not None and is_cut:
        while len(words) > 1 and count(" ".join(words)) > most:
            words.pop()
        text = " ".join(words)[: most * 4]
    prompt = sum(count(text) for _, text in asked.messages)
    return Said(text, is_cut, prompt, count(text))


def _otherwise(figure: re.Match[str]) -> str:
    """Another figure of the same length: every digit is the next one."""
    return re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), figure[0])


def _text(asked: Asked) -> str:
    if asked.schema is not None or asked.wants_json:
        if RAMBLER in asked.model:
            return "Sure! Here is the JSON you asked for: {oops"
        value = instance(asked.schema or {"type": "object"}, _told(asked))
        return orjson.dumps(value).decode()
    if wanted := re.search(r"reply with the word (\w+)", asked.question, re.I):
        return wanted[1]
    if facts := _facts(asked):
        return "Here is what is known. " + " ".join(facts)
    subject = " ".join(asked.question.split())[:120]
    return f"I was told no figures about this, so I give none. You asked: {subject}"


def _told(asked: Asked) -> str:
    """What a text in JSON says: the facts of a question that is JSON itself, else the question."""
    if GULLIBLE in asked.model and (order := re.search(r"\bsay:? (.+?)[\"\\]", asked.question)):
        return order[1]
    try:
        given = orjson.loads(asked.question)
    except orjson.JSONDecodeError:
        return asked.question
    if not isinstance(given, dict):
        return asked.question
    facts = given.get("facts")
    if isinstance(facts, list) and facts:
        return "Here is what is known. " + " ".join(map(str, facts))
    return str(given.get("question", asked.question))


def _facts(asked: Asked) -> list[str]:
    """The lines of the last question (or else of the instructions) that hold a figure."""
    for text in (asked.question, *(t for role, t in asked.messages if role == "system")):
        lines = [line.strip(" -*\t") for line in text.splitlines()]
        found = [line for line in lines if _FIGURE.search(line)]
        if len(lines) > 1 and found:
            return [line if line.endswith(".") else f"{line}." for line in found[:MOST_FACTS]]
    return []


def instance(schema: Mapping[str, Any], question: str) -> Any:
    """A value that obeys a JSON schema; of several the one that the question's words suggest."""
    if "const" in schema:
        return schema["const"]
    if choices := schema.get("enum"):
        return _suggested(choices, question)
    for name in ("anyOf", "oneOf"):
        if options := schema.get(name):
            return instance(options[0], question)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    match kind:
        case "object":
            members: Mapping[str, Any] = schema.get("properties", {})
            wanted = schema.get("required", list(members))
            return {n: instance(members.get(n, {"type": "string"}), question) for n in wanted}
        case "array":
            least = schema.get("minItems", 0)
            return [instance(schema.get("items", {}), question) for _ in range(least)]
        case "number":
            return _within(schema, 0.75)
        case "integer":
            return int(_within(schema, 1))
        case "boolean":
            return False
        case "null":
            return None
    return " ".join(question.split())[: schema.get("maxLength", MOST_TEXT)]


def _suggested(choices: Sequence[Any], question: str) -> Any:
    """PRICE_QUERY for a question with "price" in it; the first choice where none is suggested."""
    said = question.lower()
    for choice in choices:
        words = re.findall(r"[a-z]{4,}", str(choice).lower())
        if any(word in said for word in words):
            return choice
    return choices[0]


def _within(schema: Mapping[str, Any], value: float) -> float:
    least, most = schema.get("minimum", value), schema.get("maximum", value)
    return float(min(max(value, least), most))
