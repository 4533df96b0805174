"""What the scans of AI models ask: what the Hub says of one, and whether it reads a text."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from providers.datasets.base import Dataset, Query

MODEL_FACTS = Dataset("model_facts", "What the Hub says of a model", fresh_s=0, stale_s=0)
TRIAL = Dataset("trial", "A text for a model to read", fresh_s=0, stale_s=0)


class ModelFacts(NamedTuple):
    """What the Hub says of a model; `served`: live, staging or error, where hf-inference has it."""

    id: str  # what it is called now
    task: str | None
    served: str | None
    gated: bool  # its owner chooses who may use it
    disabled: bool


@dataclass(frozen=True)
class ModelFactsQuery(Query):
    """What is known of a model without asking the model itself; asked by the scan."""

    dataset = MODEL_FACTS
    record = ModelFacts

    model: str = ""


class Trial(NamedTuple):
    """What a model made of a text: its first label, its summary, and so on."""

    output: str
    confidence: Decimal | None  # 0 to 1, where the task has one


@dataclass(frozen=True)
class TrialQuery(Query):
    """Can a model do its task? Asked by the scan, with a text of ours."""

    dataset = TRIAL
    record = Trial

    model: str = ""
    task: str = ""
    text: str = ""
