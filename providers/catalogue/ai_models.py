"""The AI models this project knows of, read from `ai_models.yaml`: facts from their cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from providers import plainyaml
from providers.aimodels import MODEL_ID, SIDES, Category, Task
from providers.catalogue import HERE, CatalogueError, _build, _require, _rows

FILE = HERE / "ai_models.yaml"


@dataclass(frozen=True, slots=True)
class AiModelEntry:
    """One model. `labels`: what each label means, in the order of the model's head."""

    model_id: str
    model_key: str
    task: str
    category: str
    notes: str
    canonical_id: str = ""
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    max_tokens: int | None = None
    fallback: str = ""

    def __post_init__(self) -> None:
        for name in (self.model_id, self.canonical_id or self.model_id):
            _require(re.fullmatch(MODEL_ID, name, re.ASCII) is not None, f"{name!r} is no model id")
        _require(re.fullmatch(r"[a-z0-9-]{1,80}", self.model_key) is not None, "key is [a-z0-9-]")
        _require(self.task in Task.values, f"task is one of {Task.values}")
        _require(self.category in Category.values, f"category is one of {Category.values}")
        _require(set(self.labels.values()) <= set(SIDES), f"a label means one of {SIDES}")

    def row(self) -> dict[str, Any]:
        """Field names of `providers.aimodels.AiModel` and values."""
        return {
            "model_key": self.model_key,
            "canonical_id": self.canonical_id or self.model_id,
            "task": self.task,
            "category": self.category,
            "labels": [[name, side] for name, side in self.labels.items()],
            "max_tokens": self.max_tokens,
            "fallback": self.fallback,
            "notes": self.notes.strip(),
        }


def load(file: Path = FILE) -> tuple[AiModelEntry, ...]:
    """Everything, validated; CatalogueError names the first thing that is wrong."""
    try:
        rows = plainyaml.read(file.read_text()).value
    except plainyaml.NotPlain as error:
        raise CatalogueError(f"{file.name}: {error}") from None
    found = _rows("model", "model_id", rows, partial(_build, AiModelEntry))
    known = {entry.model_id: entry for entry in found}
    for entry in found:
        other = known.get(entry.fallback)
        _require(not entry.fallback or other is not None, f"no model {entry.fallback!r}")
        _require(other is None or other.task == entry.task, f"{entry.model_id}: another task")
    return found
