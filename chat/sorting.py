"""
What category a question has: by what it refers back to, a rule, the classifier, a language model.

What the classifier is not sure of a language model is asked, where there is one; else we ask back.
Nothing here waits for the network but the language model, within its budget.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chat import glossary, rules
from chat.categories import Category
from chat.entities import Entities
from chat.following import is_bare, refers_back, without_filler
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
    """
    The question before this one in its conversation. `words` are those that a bare follow-up leaves
    out, without names: "market cap of" before "and eth?", also where others like it came between.
    """

    category: Category
    confidence: float
    route: Route
    entities: Entities
    words: str = ""


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
    if before is not None and follows(text, found, before):
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


def follows(text: str, found: Entities, before: Before) -> bool:
    """A question with nothing but names in it, or a term after one that was explained."""
    if not refers_back(text, found):
        return False
    is_term = before.category is Category.EDUCATIONAL and is_a_term(text)
    return is_term or is_bare(text, found)


def is_a_term(text: str) -> bool:
    """ "And mining?" """
    return any(match.score == 1 for match in glossary.search(without_filler(text), 1))
