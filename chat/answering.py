"""
A question to an answer: what it is about, what it asks for, the facts, the words, and the row.

    reply("price of btc", conversation)  ->  Interaction
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from itertools import takewhile

from django.conf import settings
from django.db import transaction

from chat import entities, following, known, llm, parting, phrasing, privacy, sorting, suggesting
from chat.categories import Category
from chat.entities import Entities
from chat.facts import Facts, Failure, together
from chat.models import Conversation, Interaction, Purpose, Route
from chat.parting import Part
from chat.skills import SKILLS, Question
from chat.skills.base import QUOTED
from chat.sorting import Before, Classify, Prediction, Sorted
from providers.resilience import Deadline

FOLLOWED_BY_NOTHING = (Category.SMALLTALK, Category.OUT_OF_SCOPE)
FAR_BACK = 8  # questions that bare follow-ups may lie behind
# What is answered by figures of a time: where the time cannot be told, that is said.
FIGURES = frozenset(
    (
        Category.PRICE_QUERY,
        Category.MARKET_DATA,
        Category.ECONOMIC_INDICATOR,
        Category.COMPARISON,
        Category.CONVERSION,
        Category.GAS,
    )
)

IN_ONE_CURRENCY = (Category.MARKET_DATA, Category.TECHNICAL, Category.COMPARISON)


def unclassified(text: str, unit: str) -> Prediction | None:
    """Where no classifier is deployed, rules alone decide."""
    return None


@dataclass(frozen=True)
class Means:
    """What an answer is made with. `model` is a language model, where one is configured."""

    classify: Classify = unclassified
    model: llm.Model | None = None
    clock: Callable[[], float] = time.time

    def for_one(self) -> Means:
        """For one question: its calls of a language model share a budget."""
        return replace(self, model=self.model.for_one() if self.model else None)


@dataclass(frozen=True)
class Understood:
    """A question and what it asks for; one part where it asks one thing."""

    text: str
    entities: Entities
    judged: Sorted
    parts: Sequence[Part]
    left: Sequence[tuple[str, str]] = ()  # what is not answered, and why


def reply(
    text: str, conversation: Conversation, means: Means | None = None, *, is_new: bool = False
) -> Interaction:
    """
    The answer to `text`, kept in `conversation`, which is saved too when it is new. It costs no
    transaction while anybody is asked.
    """
    means = (means or Means()).for_one()
    began, now = time.perf_counter(), datetime.fromtimestamp(means.clock(), UTC)
    asked = _understood(text, conversation, None if is_new else before_of(conversation), means, now)
    facts = _facts(asked, now, means, Deadline(settings.UPSTREAM_PATIENCE_S))
    interaction = _written(asked, facts, means)
    interaction.conversation, interaction.at = conversation, now
    interaction.latency_ms = round(1000 * (time.perf_counter() - began), 1)
    _keep(interaction, is_new)
    return interaction


def _understood(
    text: str, conversation: Conversation, before: Before | None, means: Means, now: datetime
) -> Understood:
    find = cache(partial(_find, now=now))  # a clause may be the whole question
    found = find(text)
    unit = str(conversation.pk)
    parted = parting.parts(
        text, find, partial(_foreign, find=find, classify=means.classify, unit=unit)
    )
    judged = _of_parts(parted.parts) or sorting.sort(
        text, found, before, means.classify, partial(llm.category_of, model=means.model), unit
    )
    if judged.route is Route.CLARIFY or judged.category is Category.OUT_OF_SCOPE:
        # Then what rules are sure of is answered, and what else is asked is left out.
        parted = parting.parts(text, find, partial(_unnamed, find=find))
        judged = _of_parts(parted.parts) or judged
    if before is not None and following.refers_back(text, found):
        whole = f"{before.words} {text}" if following.is_bare(text, found) else text
        found = following.carried(found, before.entities, judged.category)
    else:
        whole = text
    parts = parted.parts or [Part(whole, judged.category, found)]
    return Understood(text, found, judged, parts, parted.left)


def _foreign(clause: str, find: parting.Find, classify: Classify, unit: str) -> str:
    """Why a part of a question is none of ours, where the classifier is sure that it is."""
    predicted = None if not _unnamed(clause, find) else classify(clause, unit)
    is_so = predicted and predicted.sure and predicted.category is Category.OUT_OF_SCOPE
    return "that is nothing I can answer" if is_so else ""


def _unnamed(clause: str, find: parting.Find) -> str:
    """Why a part of a question is left out that names nothing we know."""
    found = find(clause)
    ours = found.assets or found.series or found.studies or found.amounts or found.unknown
    return "" if ours else "I am not sure what that asks for"


def _keep(interaction: Interaction, is_new: bool) -> None:
    """All of it, or no word of it where they do not want to find it again."""
    kept = interaction
    interaction.is_kept = privacy.may(interaction.conversation, Purpose.HISTORY)
    if not interaction.is_kept:
        kept = copy(interaction)
        kept.query = kept.answer = ""
        kept.entities, kept.data, kept.sources, kept.suggestions = {}, [], [], []
    with transaction.atomic():
        if is_new:
            interaction.conversation.save(force_insert=True)
        kept.save(force_insert=True)


def before_of(conversation: Conversation) -> Before | None:
    """The question before, where it was understood; thanks between them do not count."""
    rows = (
        Interaction.objects.filter(conversation=conversation)
        .exclude(route=Route.CLARIFY)
        .exclude(category__in=FOLLOWED_BY_NOTHING)
        .order_by("-at")
        .values_list("category", "confidence", "route", "entities", "query")
    )
    some = list(rows[:FAR_BACK])
    if not some:
        return None
    category, confidence, route, told, _ = some[0]
    alike = takewhile(lambda row: row[0] == category, some)
    texts = ((query, Entities.from_told(found)) for *_, found, query in alike)
    said = (following.rest(*text) for text in texts if not following.is_bare(*text))
    entities = Entities.from_told(told)
    return Before(Category(category), confidence, Route(route), entities, next(said, ""))


def _find(text: str, now: datetime) -> Entities:
    return entities.find(text, now, known.lookup, known.spellings())


def _of_parts(parts: list[Part]) -> Sorted | None:
    """A question of several parts counts as the first of them."""
    if not parts:
        return None
    return Sorted(parts[0].category, min(part.confidence for part in parts), Route.RULE)


def _facts(asked: Understood, now: datetime, means: Means, deadline: Deadline) -> Facts:
    if asked.judged.route is Route.CLARIFY:
        return Facts()
    typos = {typo for part in asked.parts for typo in part.entities.typos}
    remarks = [f"I read {phrasing.quoted(written)} as {name}." for written, name in sorted(typos)]
    found = [Facts(remarks=tuple(remarks))]
    for left, part in zip(range(len(asked.parts), 0, -1), asked.parts, strict=True):
        # The first part must not use up the time of the others.
        share = deadline.within(deadline.left() / left)
        unread = part.entities.unread if part.category in FIGURES else ()
        found.append(Facts(failures=tuple(Failure(item.text, item.why) for item in unread)))
        found.append(Facts(failures=tuple(_other_money(part))))
        if not unread or part.entities.period:  # figures of now answer no question of then
            found.append(SKILLS[part.category](Question(part.text, part.entities, now, share)))
    left_out = (Failure(phrasing.quoted(text), why) for text, why in asked.left)
    facts = together([*found, Facts(failures=tuple(left_out))])
    if asked.judged.category is Category.EDUCATIONAL and facts.failures and not facts:
        told = llm.explained(asked.text, means.clock(), means.model)
        return Facts(passages=(told,)) if told else facts
    return facts


def _other_money(part: Part) -> Iterator[Failure]:
    """Figures other than prices are told in one currency that they are asked in."""
    if part.category in IN_ONE_CURRENCY:
        quoted = [code for code in part.entities.currencies if code in QUOTED]
        for code in part.entities.currencies:
            if code not in quoted[:1]:
                why = "I tell them in one currency" if code in QUOTED else "nobody tells them in it"
                yield Failure(f"these figures in {code.upper()}", why)


def _written(asked: Understood, facts: Facts, means: Means) -> Interaction:
    """The row, but for where it belongs and how long it took."""
    answer, suggestions = _words(asked, facts, means)
    judged, moment = asked.judged, means.clock()
    return Interaction(
        id=uuid.uuid4(),
        query=asked.text,
        category=judged.category,
        confidence=round(judged.confidence, 4),
        route=judged.route,
        entities=asked.entities.told(),
        answer=answer,
        data=facts.data(moment),
        sources=[source.told(moment) for source in facts.sources()],
        suggestions=list(suggestions),
        model_version=judged.model,
    )


def _words(asked: Understood, facts: Facts, means: Means) -> tuple[str, tuple[str, ...]]:
    if asked.judged.route is Route.CLARIFY:
        questions = suggesting.instead(asked.judged.likely, asked.entities)
        return phrasing.clarify(questions, asked.entities.unknown), questions
    words = llm.phrased(asked.text, facts, means.clock(), means.model)
    return words, facts.suggestions[: suggesting.MOST]
