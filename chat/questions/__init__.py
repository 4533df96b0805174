"""
The questions this project was given to learn from, each with its category.

They stand in `train/` and `held_out/`, one file a category, one JSON object a line. Which part a
question belongs to is decided by its skeleton alone, and the held-out part is frozen: its files
have the hashes in `manifest.json`. docs/questions.md tells how they were written and labelled.

Models learn from `train()`. Nothing is tuned on `held_out()`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, get_args

from chat.categories import Category
from chat.masking import mask

HERE = Path(__file__).parent
FIELDS = {"text", "category", "lang", "note"}

Part = Literal["train", "held_out"]
PARTS: tuple[Part, ...] = get_args(Part)


class QuestionError(ValueError):
    """A line is not a question; the message names its file and number."""


@dataclass(frozen=True, slots=True)
class Question:
    """`lang` is an ISO 639-1 code; `note` says why a doubtful one has its category."""

    text: str
    category: Category
    lang: str = "en"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """
    What was frozen: hashes below `below` are held out, and `sha256` is that of each file of
    `held_out/` by its name.
    """

    version: int
    below: int
    questions: int
    skeletons: int
    sha256: Mapping[str, str]


def train() -> tuple[Question, ...]:
    return questions("train")


def held_out() -> tuple[Question, ...]:
    return questions("held_out")


@cache
def questions(part: Part) -> tuple[Question, ...]:
    """By category, then in the order they were written."""
    files = sorted((HERE / part).glob("*.jsonl"))
    return tuple(question for file in files for question in _read(file))


@cache
def manifest() -> Manifest:
    said = json.loads((HERE / "manifest.json").read_text(encoding="utf-8"))
    held = said["held_out"]
    return Manifest(
        version=said["version"],
        below=int(said["held_out_below"], 16),
        questions=held["questions"],
        skeletons=held["skeletons"],
        sha256=held["sha256"],
    )


def part_of(text: str) -> Part:
    """The part a text belongs to: by the first 64 bits of its skeleton's SHA-256."""
    digest = sha256(mask(text).encode()).digest()
    return "held_out" if int.from_bytes(digest[:8]) < manifest().below else "train"


def _read(file: Path) -> list[Question]:
    with file.open(encoding="utf-8") as lines:
        return [parse(line, f"{file.name}:{number}") for number, line in enumerate(lines, 1)]


def parse(line: str, where: str = "question") -> Question:
    """One line of a file. Raises `QuestionError`."""
    try:
        said: Any = json.loads(line)
    except ValueError as error:
        raise QuestionError(f"{where}: not JSON: {error}") from None
    if not isinstance(said, dict) or not {"text", "category"} <= set(said):
        raise QuestionError(f"{where}: an object with text and category")
    if unknown := set(said) - FIELDS:
        raise QuestionError(f"{where}: unknown: {', '.join(sorted(unknown))}")
    if not all(isinstance(value, str) and value.strip() for value in said.values()):
        raise QuestionError(f"{where}: every field is a text that is not empty")
    if said["category"] not in Category.__members__:
        raise QuestionError(f"{where}: no such category: {said['category']}")
    return Question(**{**said, "category": Category(said["category"])})


__all__ = [
    "PARTS",
    "Manifest",
    "Part",
    "Question",
    "QuestionError",
    "held_out",
    "manifest",
    "parse",
    "part_of",
    "questions",
    "train",
]
