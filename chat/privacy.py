"""
What people may ask of what we hold of them, and what they agreed to.

The rules for each model stand in `chat/personal.py`; that somebody is erased for good, also from
backups, in `providers/personal.py`.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import datetime
from io import StringIO
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.timezone import now

from chat import personal as personal_rows
from chat.models import (
    AuditEvent,
    Consent,
    Conversation,
    Example,
    Feedback,
    Interaction,
    PrivacyPolicy,
    Purpose,
    ReviewItem,
)
from monitoring.readouts import harmless
from providers import personal
from providers.personal import Subject

# -- Who ---------------------------------------------------------------------------------------


def of_client(key: int) -> Subject:
    return Subject("client", str(key))


def of_pseudonym(pseudonym: str) -> Subject:
    return Subject("pseudonym", pseudonym)


def of_conversation(conversation: Conversation) -> Subject:
    """Whoever knows the id of a conversation, and nothing else: this one alone."""
    return Subject("conversation", str(conversation.pk))


def holder(conversation: Conversation) -> Subject:
    if conversation.client_id is not None:
        return of_client(conversation.client_id)
    return of_pseudonym(conversation.pseudonym)


# -- Consent -------------------------------------------------------------------------------------


def agree(subject: Subject, purpose: Purpose, granted: bool, method: str) -> Consent:
    """Note what they said; it holds from the next question on."""
    said = Consent.objects.create(
        subject=str(subject), purpose=purpose, granted=granted, method=method
    )
    note("subject", "consent", subject, {"purpose": purpose, "granted": granted})
    if purpose is Purpose.TRAINING and not granted:
        unlearn(subject)
    return said


def unlearn(subject: Subject) -> None:
    """Nobody learns from what is theirs any more, nor is it waiting to be looked at."""
    with transaction.atomic():
        personal_rows.forget_examples(personal_rows.hanging_on(Example)(subject))
        personal_rows.hanging_on(ReviewItem)(subject).delete()


def agreed(subjects: Iterable[Subject]) -> dict[Purpose, Consent | None]:
    """What they said last of each purpose; None where they said nothing."""
    found: dict[Purpose, Consent | None] = dict.fromkeys(Purpose)
    rows = Consent.objects.filter(subject__in=map(str, subjects)).order_by("at", "pk")
    return found | {Purpose(row.purpose): row for row in rows}


def may(conversation: Conversation, purpose: Purpose) -> bool:
    """May its questions be used for this? What was said last counts, else the policy."""
    return purpose in terms(conversation)


def terms(conversation: Conversation) -> frozenset[Purpose]:
    """All that its questions may be used for, in two queries."""
    policy = PrivacyPolicy.current()
    said = agreed([holder(conversation), of_conversation(conversation)])
    return frozenset(
        purpose
        for purpose, row in said.items()
        if (policy.by_default(purpose) if row is None else row.granted)
    )


def willing(conversations: Iterable[Conversation], purpose: Purpose) -> set[UUID]:
    """Those of many that may be used for this, in two queries however many they are."""
    whose = {c.pk: (str(holder(c)), str(of_conversation(c))) for c in conversations}
    rows = Consent.objects.filter(
        purpose=purpose, subject__in={name for names in whose.values() for name in names}
    )
    said = {row.subject: (row.at, row.pk, row.granted) for row in rows.order_by("at", "pk")}
    default = PrivacyPolicy.current().by_default(purpose)

    def is_willing(names: tuple[str, str]) -> bool:
        newest = max((said[name] for name in names if name in said), default=None)
        return default if newest is None else newest[2]

    return {pk for pk, names in whose.items() if is_willing(names)}


# Who corrects or flags an answer has it looked at: the form says so.
ASKED_TO_LOOK = frozenset((Feedback.Type.CORRECTION, Feedback.Type.FLAG))


def may_learn(interaction: Interaction) -> bool:
    """May staff look at this question, and may we learn from it?"""
    asked = interaction.feedback.filter(type__in=ASKED_TO_LOOK).exists()
    return asked or may(interaction.conversation, Purpose.TRAINING)


def standing(subject: Subject) -> list[dict[str, Any]]:
    """Each purpose: in words, whether it holds now, and since when they said so (or None)."""
    policy, said = PrivacyPolicy.current(), agreed([subject])
    return [
        {
            "purpose": purpose.value,
            "means": purpose.label,
            "granted": policy.by_default(purpose) if row is None else row.granted,
            "said_at": row and row.at,
        }
        for purpose, row in said.items()
    ]


# -- Export and erasure --------------------------------------------------------------------------


def export(subject: Subject) -> dict[str, Any]:
    """Everything we hold of them, as JSON."""
    found = personal.export(subject)
    note("subject", "export", subject, {name: len(rows) for name, rows in found.items() if rows})
    return {"subject": subject.kind, "exported_at": now(), "held": found}


COLUMNS = ("what", "number", "field", "value")


def as_csv(held: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """The same as a table: a line for each field of each row, safe to open in a spreadsheet."""
    yield _line(COLUMNS)
    for what, rows in held.items():
        for number, row in enumerate(rows, 1):
            for name, value in row.items():
                yield _line((what, number, name, harmless("" if value is None else str(value))))


def _line(values: Iterable[Any]) -> str:
    out = StringIO()
    csv.writer(out).writerow(values)
    return out.getvalue()


def erase(subject: Subject, actor: str = "subject") -> dict[str, int]:
    """Everything we hold of them goes, for good: how many rows of what."""
    gone = personal.erase(subject)
    note(actor, "erase", subject, gone)
    return gone


def retain(moment: datetime | None = None) -> dict[str, int]:
    """What has had its time goes; the worker does it every day."""
    gone = personal.retain(moment or now())
    if any(gone.values()):
        note("worker", "retention", None, gone)
    return gone


def note(actor: str, action: str, subject: Subject | None, detail: dict[str, Any]) -> None:
    """Into the audit trail."""
    AuditEvent.objects.create(
        actor=actor,
        action=action,
        subject=subject.fingerprint if subject else "",
        detail={str(name): value for name, value in detail.items()},
    )
