"""Small models and questions for tests of what learns."""

from __future__ import annotations

from functools import cache

from chat import datasets
from chat.categories import Category
from chat.models import Artefact, Conversation, Interaction, ModelVersion, Route, TrainingRun
from chat.questions import Question, train
from chat.training.evaluation import evaluate
from chat.training.fitting import Trained
from chat.training.fitting import train as fit
from chat.weights import Weights, read


def few(step: int = 6) -> tuple[Question, ...]:
    """Some questions of every category, none of them held out."""
    return train()[::step]


@cache
def trained(seed: int = 0) -> Trained:
    return fit(few(), {"dataset": 0}, seed=seed)


def weights(seed: int = 0) -> Weights:
    return read(trained(seed).data, trained(seed).sha256)


def model(seed: int = 0, role: str = ModelVersion.Role.CANDIDATE) -> ModelVersion:
    """A row with its artefact; its figures are those on what it was trained on."""
    dataset, _ = datasets.freeze()
    made = trained(seed)
    row = ModelVersion.objects.create(
        code=made.sha256[:12],
        sha256=made.sha256,
        size_bytes=len(made.data),
        role=role,
        run=TrainingRun.objects.create(dataset=dataset, seed=seed, state="passed"),
        metrics=evaluate(weights(seed).predict, few(60)).as_json(),
        trained_s=1.0,
    )
    Artefact.objects.create(model=row, data=made.data)
    return row


def asked(query: str = "price of btc", **given: object) -> Interaction:
    """A question that was asked and answered."""
    fields: dict[str, object] = {
        "query": query,
        "category": Category.PRICE_QUERY,
        "confidence": 0.9,
        "route": Route.CLASSIFIER,
        "answer": "Bitcoin costs 1 USD.",
        "latency_ms": 5.0,
        "model_version": "",
    } | given
    fields.setdefault("conversation", Conversation.objects.create())
    return Interaction.objects.create(**fields)
