"""
Which questions somebody should look at, and what becomes of their labels.

All that were answered badly, those we were not sure of, those two models disagree about, and two of
a hundred at random: only those tell how good the others are. `reasons` is pure.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum
from hashlib import sha256
from typing import Any, ClassVar

from django.db import transaction
from django.utils.timezone import now

from chat import privacy
from chat.categories import Category
from chat.models import Example, Interaction, ReviewItem, Route
from chat.scrubbing import scrub
from providers.errors import GatewayError

UNSURE_BELOW = 0.5
RANDOM_OF_10000 = 200

State = ReviewItem.State


class Reason(StrEnum):
    NEGATIVE = "negative"
    DISAGREEMENT = "disagreement"
    LOW_CONFIDENCE = "low_confidence"
    RANDOM = "random"


PRIORITY = {
    Reason.NEGATIVE: 100,
    Reason.DISAGREEMENT: 50,
    Reason.LOW_CONFIDENCE: 20,
    Reason.RANDOM: 1,
}
NEGATIVE = frozenset(("down", "correction", "flag"))


class Decided(GatewayError):
    """Somebody else was faster."""

    code: ClassVar[str] = "decided"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "This was decided already"


class NotAgreed(GatewayError):
    """Who asked does not want us to learn from it, or does not any more."""

    code: ClassVar[str] = "not_agreed"
    http_status: ClassVar[int] = 409
    title: ClassVar[str] = "Nobody may learn from this"


def reasons(
    unit: str,
    category: str,
    confidence: float,
    route: str,
    *,
    feedback: Collection[str] = (),
    opinions: Collection[str] = (),
) -> tuple[Reason, ...]:
    """
    Why a question is to be reviewed, the gravest first; empty when it is not.

    `unit` is its id, `feedback` the types of what was said to it, `opinions` the categories that
    others gave it: another model, or the visitor.
    """
    found = {
        Reason.NEGATIVE: not NEGATIVE.isdisjoint(feedback),
        Reason.DISAGREEMENT: any(opinion and opinion != category for opinion in opinions),
        Reason.LOW_CONFIDENCE: confidence < UNSURE_BELOW or route == Route.CLARIFY,
        Reason.RANDOM: _drawn(unit),
    }
    return tuple(reason for reason, holds in found.items() if holds)


def _drawn(unit: str) -> bool:
    """Two of a hundred, the same ones each time."""
    return int.from_bytes(sha256(f"audit|{unit}".encode()).digest()[:8]) % 10_000 < RANDOM_OF_10000


def propose(interaction: Interaction, why: Collection[Reason], suggested: str) -> ReviewItem:
    """What the queue gets; not saved. The gravest reason says how soon it is looked at."""
    return ReviewItem(
        interaction=interaction,
        reasons=[str(reason) for reason in why],
        priority=max(PRIORITY[reason] for reason in why),
        suggested=suggested or interaction.category,
    )


def before(item: ReviewItem) -> Interaction | None:
    """The question before it, which a follow-up is read by; none that staff may not look at."""
    asked = item.interaction
    earlier = Interaction.objects.filter(conversation=asked.conversation_id, at__lt=asked.at)
    last = earlier.select_related("conversation").order_by("-at").first()
    return last if last is not None and last.query and privacy.may_learn(last) else None


@transaction.atomic
def label(item: ReviewItem, category: Category, by: Any) -> Example:
    """Its category is this: an example to learn from. Raises Decided and NotAgreed."""
    if not privacy.may_learn(item.interaction):
        raise NotAgreed("Who asked this did not agree that we learn from it.")
    accepted = category == item.suggested
    _decide(item, State.ACCEPTED if accepted else State.RELABELLED, category, by)
    return Example.objects.create(
        text=scrub(item.interaction.query),
        category=category,
        source=Example.Source.REVIEW,
        interaction=item.interaction,
        labelled_by=by,
    )


@transaction.atomic
def reject(item: ReviewItem, by: Any) -> None:
    """Nothing is to be learned from it. Raises Decided."""
    _decide(item, State.REJECTED, "", by)


@transaction.atomic
def reopen(item: ReviewItem) -> None:
    """Take a decision back, and its example with it; no frozen dataset changes."""
    Example.objects.filter(interaction=item.interaction_id).delete()
    ReviewItem.objects.filter(pk=item.pk).update(
        state=State.OPEN, category="", reviewer=None, decided_at=None
    )
    item.refresh_from_db()


def _decide(item: ReviewItem, state: str, category: str, by: Any) -> None:
    open_item = ReviewItem.objects.filter(pk=item.pk, state=State.OPEN)
    if not open_item.update(state=state, category=category, reviewer=by, decided_at=now()):
        raise Decided("Somebody decided this one already.")
    item.refresh_from_db()
