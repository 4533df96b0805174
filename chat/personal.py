"""What the rows of the chat hold of people: who may see them, and when they go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet

from chat import datasets, questions
from chat.models import (
    AuditEvent,
    Consent,
    Conversation,
    Example,
    Exposure,
    Feedback,
    Interaction,
    PrivacyPolicy,
    ReviewItem,
    ShadowVote,
)
from providers.personal import Holding, Subject, holds_nobody, register


def _holder(subject: Subject, path: str = "") -> Q:
    """Rows that hang on the conversations of a subject; `path` leads to the conversation."""
    if subject.kind == "client":
        return Q(**{f"{path}client": int(subject.key)})
    if subject.kind == "pseudonym":
        return Q(**{f"{path}pseudonym": subject.key})
    return Q(**{f"{path}pk": UUID(subject.key)})


def conversations(subject: Subject) -> QuerySet[Conversation]:
    return Conversation.objects.filter(_holder(subject))


def interactions(subject: Subject) -> QuerySet[Interaction]:
    return Interaction.objects.filter(_holder(subject, "conversation__"))


def feedback(subject: Subject) -> QuerySet[Feedback]:
    return Feedback.objects.filter(_holder(subject, "interaction__conversation__"))


def hanging_on(model: Any) -> Any:
    """Rows of a model that hangs on an interaction."""
    path = "interaction__conversation__"
    return lambda subject: model.objects.filter(_holder(subject, path))


def exposures(subject: Subject) -> QuerySet[Exposure]:
    return Exposure.objects.filter(_holder(subject, "conversation__"))


def forget_examples(rows: QuerySet[Example]) -> None:
    """From frozen datasets too; but what stands among the questions we wrote is not theirs."""
    texts = {row.text for row in rows} - {question.text for question in questions.train()}
    if texts:
        datasets.forget(texts)
    rows.delete()


def consents(subject: Subject) -> QuerySet[Consent]:
    """Theirs, and those of each of their conversations."""
    whole = [f"conversation:{pk}" for pk in conversations(subject).values_list("pk", flat=True)]
    return Consent.objects.filter(subject__in=[str(subject), *whole])


def everybody() -> Iterator[Subject]:
    """Whoever has a conversation, and each conversation as the subject that it is by itself."""
    rows = Conversation.objects.values_list("pk", "client", "pseudonym")
    for pk, client, pseudonym in rows.iterator():
        yield Subject("conversation", str(pk))
        yield Subject("client", str(client)) if client else Subject("pseudonym", pseudonym)


def agreed_to_something() -> Iterator[Subject]:
    for text in Consent.objects.order_by().values_list("subject", flat=True).distinct():
        kind, _, key = text.partition(":")
        yield Subject(kind, key)


def _kept() -> timedelta:
    return timedelta(days=PrivacyPolicy.current().keep_days)


def _audit_kept() -> timedelta:
    return timedelta(days=PrivacyPolicy.current().keep_audit_days)


def _show_interaction(row: Interaction) -> dict[str, Any]:
    return {
        "id": row.pk,
        "conversation_id": row.conversation_id,
        "at": row.at,
        "query": row.query,
        "category": row.category,
        "confidence": row.confidence,
        "route": row.route,
        "entities": row.entities,
        "answer": row.answer,
        "sources": row.sources,
    }


def _show_feedback(row: Feedback) -> dict[str, Any]:
    said = {"type": row.type, "text": row.text, "category": row.category}
    return {"interaction_id": row.interaction_id, "at": row.at, **said}


def _show_review(row: ReviewItem) -> dict[str, Any]:
    said = {"state": row.state, "reasons": row.reasons, "category": row.category}
    return {"interaction_id": row.interaction_id, "at": row.at, **said}


def _show_example(row: Example) -> dict[str, Any]:
    return {"at": row.at, "text": row.text, "category": row.category}


def _show_vote(row: ShadowVote) -> dict[str, Any]:
    return {"interaction_id": row.interaction_id, "category": row.category}


def _show_exposure(row: Exposure) -> dict[str, Any]:
    return {"at": row.at, "arm": row.arm}


def _show_consent(row: Consent) -> dict[str, Any]:
    said = {"purpose": row.purpose, "granted": row.granted}
    return {"at": row.at, **said, "notice": row.notice, "method": row.method}


def _show_event(row: AuditEvent) -> dict[str, Any]:
    return {"at": row.at, "actor": row.actor, "action": row.action, "detail": row.detail}


def _keep_the_trail(rows: QuerySet[Any]) -> None:
    """That somebody was erased is shown by the trail, which names nobody."""


HOLDINGS = (
    Holding(
        Conversation,
        "so that a question may refer to the one before",
        conversations,
        lambda row: {"id": row.pk, "at": row.at},
        keep=_kept,
        unless=Q(interactions__isnull=False),  # it goes on
        subjects=everybody,
    ),
    Holding(
        Interaction,
        "to show the history, to be corrected, and to learn where that was agreed to",
        interactions,
        _show_interaction,
        keep=_kept,
    ),
    Holding(Feedback, "to learn which answers were wrong", feedback, _show_feedback, keep=_kept),
    Holding(ReviewItem, "to look at answers that were wrong", hanging_on(ReviewItem), _show_review),
    Holding(
        Example,
        "to learn from, without what is personal in it",
        hanging_on(Example),
        _show_example,
        erase=forget_examples,
    ),
    Holding(
        ShadowVote,
        "to compare models",
        hanging_on(ShadowVote),
        _show_vote,
        since="interaction__at",
    ),
    Holding(Exposure, "to compare models", exposures, _show_exposure),
    Holding(
        Consent,
        "to know, and to prove, what was agreed to",
        consents,
        _show_consent,
        subjects=agreed_to_something,
    ),
    Holding(
        AuditEvent,
        "to prove who did what with what is people's",
        lambda subject: AuditEvent.objects.filter(subject=subject.fingerprint),
        _show_event,
        erase=_keep_the_trail,
        keep=_audit_kept,
    ),
)
_WHO = "which member of staff did it; theirs as employees"
NOBODY = {
    "aggregator.Client": "a program, as its operator calls it; its key is a hash",
    "chat.DatasetVersion": _WHO,
    "chat.TrainingRun": _WHO,
    "chat.DatasetContent": "texts of examples, which take theirs out of it",
    "admin.LogEntry": "what staff did in the admin; theirs as employees",
    "auth.User": "staff; the admin shows and deletes them",
    "sessions.Session": "of staff that is logged in; it ends by itself",
    "providers.Edit": "what staff changed in the catalogue",
    "providers.Credential": "a provider's key: encrypted, and of nobody's person",
}


def hold() -> None:
    """Register it all; once, when the app is ready."""
    register(*HOLDINGS)
    for model, why in NOBODY.items():
        holds_nobody(model, why)
