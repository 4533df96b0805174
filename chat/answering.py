"""
A question to an answer: what it is about, what it asks for, the facts, the words, and the row.

    reply("price of btc", conversation)  ->  Interaction
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from django.conf import settings
from django.db import transaction

from chat import entities, following, known, llm, parting, phrasing, privacy, sorting, suggesting
from chat.categories import Category
from chat.entities import Entities
from chat.facts import Facts, together
from chat.models import Conversation, Interaction, Purpose, Route
from chat.parting import Part
from chat.skills import SKILLS, Question
from chat.sorting import Before, Classify, Prediction, Sorted
from providers.resilience import Deadline


def unclassified(text: str, unit: str) -> Prediction | None:
    """Where no classifier is deployed, rules alone decide."""
    return None


@dataclass(frozen=True)
class Means:
    """What an answer is made with. `model` is a language model, where one is configured."""

    classify: Classify = unclassified
    model: llm.Model | None = None
    clock: Callable[[], float] = time.time


def reply(
    text: str, conversation: Conversation, means: Means | None = None, *, is_new: bool = False
) -> Interaction:
    """
    The answer to `text`, kept in `conversation`, which is saved too when it is new. It costs no
    transaction while anybody is asked.
    """
    means = means or Means()
    model = means.model.for_one() if means.model else None
    began, now = time.perf_counter(), datetime.fromtimestamp(means.clock(), UTC)
    before = None if is_new else before_of(conversation)
    find = partial(_find, now=now)
    said = find(text)
    parts = parting.parts(text, find)
    judged = _of_parts(parts) or sorting.sort(
        text,
        said,
        before,
        means.classify,
        partial(llm.category_of, model=model),
        str(conversation.pk),
    )
    if before is not None and following.refers_back(text, said):
        said = following.carried(said, before.entities)
    deadline = Deadline(settings.UPSTREAM_PATIENCE_S)
    facts = _facts(parts or [Part(text, judged.category, said)], judged, now, deadline)
    if judged.category is Category.EDUCATIONAL and facts.failures and not facts:
        told = llm.explained(text, means.clock(), model)
        facts = Facts(passages=(told,)) if told else facts
    answer, suggestions = _words(text, said, judged, facts, model, means.clock())
    moment = means.clock()
    interaction = Interaction(
        id=uuid.uuid4(),
        conversation=conversation,
        query=text,
        category=judged.category,
        confidence=round(judged.confidence, 4),
        route=judged.route,
        entities=said.told(),
        answer=answer,
        data=facts.data(moment),
        sources=[source.told(moment) for source in facts.sources()],
        suggestions=list(suggestions),
        model_version=judged.model,
        latency_ms=round(1000 * (time.perf_counter() - began), 1),
        at=now,
    )
    _keep(interaction, is_new)
    return interaction


def _keep(interaction: Interaction, is_new: bool) -> None:
    """All of it, or no word of it where they do not want to find it again."""
    kept = interaction
    if not privacy.may(interaction.conversation, Purpose.HISTORY):
        kept = copy(interaction)
        kept.query = kept.answer = ""
        kept.entities, kept.data, kept.sources, kept.suggestions = {}, [], [], []
    with transaction.atomic():
        if is_new:
            interaction.conversation.save(force_insert=True)
        kept.save(force_insert=True)


def before_of(conversation: Conversation) -> Before | None:
    """The question before, where it was understood."""
    rows = (
        Interaction.objects.filter(conversation=conversation)
        .exclude(route=Route.CLARIFY)
        .order_by("-at")
    )
    last = rows.values_list("category", "confidence", "route", "entities").first()
    if last is None:
        return None
    category, confidence, route, told = last
    return Before(Category(category), confidence, Route(route), Entities.from_told(told))


def _find(text: str, now: datetime) -> Entities:
    return entities.find(text, now, known.lookup, known.spellings())


def _of_parts(parts: list[Part]) -> Sorted | None:
    """A question of several parts counts as the first of them."""
    if not parts:
        return None
    return Sorted(parts[0].category, min(part.confidence for part in parts), Route.RULE)


def _facts(parts: list[Part], judged: Sorted, now: datetime, deadline: Deadline) -> Facts:
    if judged.route is Route.CLARIFY:
        return Facts()
    typos = {typo for part in parts for typo in part.entities.typos}
    remarks = [
        f"I read \N{LEFT DOUBLE QUOTATION MARK}{written}\N{RIGHT DOUBLE QUOTATION MARK} as {name}."
        for written, name in sorted(typos)
    ]
    found = [Facts(remarks=tuple(remarks))]
    for left, part in zip(range(len(parts), 0, -1), parts, strict=True):
        # The first part must not use up the time of the others.
        share = deadline.within(deadline.left() / left)
        found.append(SKILLS[part.category](Question(part.text, part.entities, now, share)))
    return together(found)


def _words(
    text: str, said: Entities, judged: Sorted, facts: Facts, model: llm.Model | None, now: float
) -> tuple[str, tuple[str, ...]]:
    if judged.route is Route.CLARIFY:
        questions = suggesting.instead(judged.likely, said)
        return phrasing.clarify(questions), questions
    return (
        llm.phrased(text, facts, now, model),
        facts.suggestions[: suggesting.MOST],
    )
