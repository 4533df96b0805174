"""
What category a question has: by what it refers back to, a rule, the classifier, a language model.

What the classifier is not sure of a language model is asked, where there is one; else we ask back.
Nothing here waits for the network but the language model, within its budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chat import rules
from chat.categories import Category
from chat.entities import Entities
from chat.following import is_bare, refers_back
from chat.models import Route

UNSURE = 0.5  # of what a language model names, where no classifier says how likely it is
BACK = 0.95  # how sure one may be that a bare follow-up asks the same of something else


class Prediction(Protocol):
    """
    What the classifier says: `confidence` is calibrated, `scores` are of every category. `sure`:
    it reaches what its category needs to be answered without asking back.
    """

    @property
    def category(self) -> Category: ...
    @property
    def confidence(self) -> float: ...
    @property
    def scores(self) -> Mapping[Category, float]: ...
    @property
    def sure(self) -> bool: ...
    @property
    def model(self) -> str: ...


Classify = Callable[[str, str], Prediction | None]  # the text, what an experiment sticks to
AskModel = Callable[[str], Category | None]


@dataclass(frozen=True)
class Before:
    """The question before this one in its conversation."""

    category: Category
    confidence: float
    route: Route
    entities: Entities


@dataclass(frozen=True)
class Sorted:
    """`likely` are the best two when we ask back."""

    category: Category
    confidence: float
    route: Route
    likely: tuple[Category, ...] = ()
    model: str = ""  # the classifier that was asked


def sort(
    text: str,
    found: Entities,
    before: Before | None,
    classify: Classify,
    ask_model: AskModel,
    unit: str = "",
) -> Sorted:
    """`unit` is the id of the conversation."""
    if before is not None and follows(text, found):
        return Sorted(before.category, before.confidence * BACK, Route.RULE)
    verdict = rules.judge(text, found)
    if verdict is not None:
        return Sorted(verdict.category, verdict.confidence, Route.RULE)
    predicted = classify(text, unit)
    model = predicted.model if predicted is not None else ""
    if predicted is not None and predicted.sure:
        return Sorted(predicted.category, predicted.confidence, Route.CLASSIFIER, model=model)
    named = ask_model(text)
    if named is not None:
        # What a language model says of its own sureness is no probability: ours, where we have one.
        sure = predicted.scores.get(named, 0.0) if predicted is not None else 0.0
        return Sorted(named, max(sure, UNSURE), Route.LLM, model=model)
    if predicted is None:
        return Sorted(Category.OUT_OF_SCOPE, 0.0, Route.CLARIFY)
    likely = sorted(predicted.scores, key=lambda c: -predicted.scores[c])[:2]
    return Sorted(predicted.category, predicted.confidence, Route.CLARIFY, tuple(likely), model)


def follows(text: str, found: Entities) -> bool:
    """A question with nothing but names in it, that begins like one that goes on."""
    return refers_back(text, found) and is_bare(text, found)
