"""
Whom to ask what a text says: our own words and rules, a model at Hugging Face, or one of this
machine. Whoever was meant to read and did not is stood in for by our own, and that is said.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.conf import settings

from aggregator import asking, sentiment
from aggregator.sentiment import local
from providers import roster, standins
from providers.aimodels import AiModel
from providers.datasets import CLASSIFICATION, ClassificationQuery, Classified
from providers.errors import (
    Attempt,
    GatewayError,
    Loading,
    Missing,
    ModelFailed,
    NoKey,
    PlanLimit,
    Unanswered,
    Unserved,
)
from providers.resilience import Deadline

LEXICON, HUGGINGFACE, LOCAL = sentiment.METHOD, "huggingface", "local"


@dataclass(frozen=True)
class Fallback:
    """Who did not read the texts, and why; `reason` is the code of an error, or a status."""

    method: str
    reason: str
    detail: str
    model: str | None = None


@dataclass(frozen=True)
class Reading:
    """What the texts say, in their order, and who said so. `rows` have label, score, confidence."""

    rows: Sequence[sentiment.Sentiment | Classified]
    method: str
    model: str | None
    source: str
    latency_ms: float
    attempts: tuple[Attempt, ...] = ()
    fallback: Fallback | None = None


def chosen() -> str:
    """The method that is set; `auto` is a token's, else a model's of this machine, else ours."""
    if settings.SENTIMENT_METHOD != "auto":
        return str(settings.SENTIMENT_METHOD)
    if roster.current().offering(CLASSIFICATION):
        return HUGGINGFACE
    return LOCAL if local.is_there() else LEXICON


def read(texts: Sequence[str], deadline: Deadline) -> Reading:
    """Never fails: the last to be asked is a function of ours."""
    method = chosen()
    if method == LEXICON:
        return _by_lexicon(texts)
    try:
        return _MODELS[method](texts, deadline)
    except GatewayError as error:
        attempts = tuple(getattr(error, "attempts", ()))
        model = settings.SENTIMENT_MODEL if method == HUGGINGFACE else None
        fallback = Fallback(method, _reason(error, attempts), str(error), model)
        return _by_lexicon(texts, attempts, fallback)


def _reason(error: GatewayError, attempts: Sequence[Attempt]) -> str:
    """Where one was asked, its reason: that nobody answered is no news then."""
    return attempts[-1].outcome if attempts else error.code


def _by_lexicon(
    texts: Sequence[str], attempts: tuple[Attempt, ...] = (), fallback: Fallback | None = None
) -> Reading:
    began = time.perf_counter()
    rows = [sentiment.analyze(text) for text in texts]
    return Reading(rows, LEXICON, None, LEXICON, _ms_since(began), attempts, fallback)


def _by_hugging_face(texts: Sequence[str], deadline: Deadline) -> Reading:
    if not roster.current().offering(CLASSIFICATION):
        missing = Attempt(HUGGINGFACE, NoKey.code)
        raise Unanswered("No Hugging Face token is set, or the provider is off.", [missing])
    asked = settings.SENTIMENT_MODEL
    line = standins.in_line(asked) or [AiModel(model_id=asked, canonical_id=asked)]
    fallback, attempts = _passed_over(asked, line[0]), list[Attempt]()
    for row in line:
        try:
            answer = asking.first(_query(row, texts), deadline)
        except GatewayError as error:
            attempts += _of_model(row, error)
            if row is line[-1] or attempts[-1].outcome not in _OF_THE_MODEL:
                raise Unanswered(str(error), attempts) from error
            failed = Fallback(HUGGINGFACE, attempts[-1].outcome, attempts[-1].detail, asked)
            fallback = fallback or failed
        else:
            ms, told = answer.latency_ms or 0.0, (*attempts, *answer.attempts)
            name, rows = row.canonical_id, answer.records()
            return Reading(rows, HUGGINGFACE, name, answer.source, ms, told, fallback)
    raise Unanswered("No model could be asked.", attempts)


# What one model says and another may not; for all else it is at fault who runs them.
_OF_THE_MODEL = frozenset(e.code for e in (Loading, ModelFailed, Unserved, Missing, PlanLimit))


def _query(row: AiModel, texts: Sequence[str]) -> ClassificationQuery:
    labels = tuple((name, side) for name, side in row.labels)
    return ClassificationQuery(tuple(texts), row.canonical_id, labels)


def _passed_over(asked: str, first: AiModel) -> Fallback | None:
    """Where a scan had found that the model itself would be asked in vain."""
    row = standins.find(asked)
    if row is None or row.model_id == first.model_id:
        return None
    why = row.reason if row.is_active else "switched off"
    return Fallback(HUGGINGFACE, row.status, f"{asked}: {why}", asked)


def _of_model(row: AiModel, error: GatewayError) -> list[Attempt]:
    """Who was asked, with the model's name: several models of one provider may be asked."""
    known: Sequence[Attempt] = getattr(error, "attempts", ())
    return [replace(one, detail=f"{row}: {one.detail or one.outcome}") for one in known] or [
        Attempt(HUGGINGFACE, error.code, detail=f"{row}: {error}")
    ]


def _by_local_model(texts: Sequence[str], deadline: Deadline) -> Reading:
    began = time.perf_counter()
    rows = local.classify(texts, deadline)
    return Reading(rows, LOCAL, rows[0].model, LOCAL, _ms_since(began))


_MODELS: Mapping[str, Callable[[Sequence[str], Deadline], Reading]] = {
    HUGGINGFACE: _by_hugging_face,
    LOCAL: _by_local_model,
}
METHODS = (LEXICON, *_MODELS)


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000


def rows_of(reading: Reading) -> list[dict[str, Any]]:
    """As the API shows them."""
    return [
        {
            "label": row.label,
            "score": row.score,
            "confidence": row.confidence,
            "method": reading.method,
            "model": reading.model,
        }
        for row in reading.rows
    ]
