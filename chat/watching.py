"""
What the worker does with new questions, every minute: asks the shadow, fills the review queue,
notes who met which arm of an experiment. Visitors wait for none of it.

How far it came is remembered in a cell. Whatever is done twice is done once, by the unique
constraints of its rows.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from chat import classifier, experiments, privacy, reviewing
from chat.models import (
    Experiment,
    Exposure,
    Feedback,
    Interaction,
    ModelVersion,
    Purpose,
    ReviewItem,
    Route,
    ShadowVote,
)
from chat.reviewing import Reason
from providers.resilience import Cell

logger = logging.getLogger(__name__)

MOST = 5_000  # questions of one round
# A question is written a little after it was asked, so a while is looked at again.
MARGIN = timedelta(minutes=2)
FIRST = timedelta(days=1)  # how far back when nothing is remembered

_cell = Cell("chat:watched", ttl=30 * 86400.0)


def run(moment: datetime) -> int:
    """Look at what is new: how many questions."""
    told = _cell.peek()
    since = datetime.fromisoformat(told) if told else moment - FIRST
    rows = list(
        Interaction.objects.filter(at__gt=since)
        .order_by("at")
        .select_related("conversation")
        .prefetch_related("feedback")[:MOST]
    )
    votes = vote(rows)
    enqueue(rows, votes, _said_since(since))
    complain(since)
    expose(rows)
    if rows:
        # A full round may lie within the margin: then it goes on behind its last question.
        seen = rows[-1].at if len(rows) == MOST else rows[-1].at - MARGIN
        reached = max(seen, since).isoformat()
        _cell.update(lambda last: (max(last or "", reached), None))
    return len(rows)


def vote(rows: Iterable[Interaction]) -> dict[Any, str]:
    """What the shadow says to questions that the classifier was asked, by interaction."""
    shadow = ModelVersion.objects.filter(role=ModelVersion.Role.SHADOW).first()
    if shadow is None:
        return {}
    try:
        weights = classifier.model(shadow.sha256)
    except classifier.NoModel as error:
        logger.error("the shadow cannot be asked: %s", error)
        return {}
    votes: list[ShadowVote] = []
    for row in rows:
        if row.model_version:
            said = weights.predict(row.query)
            votes.append(
                ShadowVote(
                    interaction=row,
                    model=shadow,
                    category=said.category,
                    confidence=said.confidence,
                )
            )
    ShadowVote.objects.bulk_create(votes, ignore_conflicts=True, batch_size=500)
    return {given.interaction_id: given.category for given in votes}


def enqueue(
    rows: Iterable[Interaction], votes: Mapping[Any, str], feedback: Mapping[Any, list[Feedback]]
) -> None:
    """Put into the review queue what should be there."""
    items = []
    rows = list(rows)
    willing = privacy.willing([row.conversation for row in rows], Purpose.TRAINING)
    for row in rows:
        said = feedback.get(row.pk, [])
        if row.conversation_id not in willing and not _wants_a_look(said):
            continue
        corrected = next((f.category for f in said if f.category), "")
        why = reviewing.reasons(
            str(row.pk),
            row.category,
            row.confidence,
            row.route,
            feedback=[f.type for f in said],
            opinions=[votes.get(row.pk, ""), corrected, _second(row)],
        )
        if why:
            items.append(reviewing.propose(row, why, corrected))
    ReviewItem.objects.bulk_create(items, ignore_conflicts=True, batch_size=500)


def complain(since: datetime) -> None:
    """Bad feedback counts whenever it comes: also to old questions, and to those in the queue."""
    said = Feedback.objects.filter(
        Q(at__gt=since - MARGIN), type__in=reviewing.NEGATIVE
    ).select_related("interaction__conversation", "interaction__review")
    some = list(said[:MOST])
    willing = privacy.willing([f.interaction.conversation for f in some], Purpose.TRAINING)
    for feedback in some:
        row = feedback.interaction
        if row.conversation_id not in willing and not _wants_a_look([feedback]):
            continue
        item = getattr(row, "review", None)
        if item is None:
            item = reviewing.propose(row, [Reason.NEGATIVE], feedback.category)
            ReviewItem.objects.bulk_create([item], ignore_conflicts=True)
        elif item.state == ReviewItem.State.OPEN and Reason.NEGATIVE not in item.reasons:
            ReviewItem.objects.filter(pk=item.pk, state=ReviewItem.State.OPEN).update(
                reasons=[str(Reason.NEGATIVE), *item.reasons],
                priority=reviewing.PRIORITY[Reason.NEGATIVE],
                suggested=feedback.category or item.suggested,
            )


def _wants_a_look(said: Iterable[Feedback]) -> bool:
    return any(feedback.type in privacy.ASKED_TO_LOOK for feedback in said)


def expose(rows: Iterable[Interaction]) -> None:
    """Note which arm a conversation met, where the model that answered is that of its arm."""
    trial = (
        Experiment.objects.filter(state=Experiment.State.RUNNING)
        .select_related("champion", "challenger")
        .first()
    )
    if trial is None:
        return
    codes = {"champion": trial.champion.code, "challenger": trial.challenger.code}
    met: dict[Any, Exposure] = {}
    for row in rows:
        unit = row.conversation_id
        arm = experiments.arm_of(trial.salt, str(unit), trial.share_percent)
        if row.at >= trial.at and row.model_version == codes[arm] and unit not in met:
            met[unit] = Exposure(experiment=trial, conversation_id=unit, arm=arm, at=row.at)
    Exposure.objects.bulk_create(met.values(), ignore_conflicts=True, batch_size=500)


def units(trial: Experiment) -> dict[str, list[experiments.Unit]]:
    """What each conversation of each arm adds to the comparison."""
    codes = {"champion": trial.champion.code, "challenger": trial.challenger.code}
    arms = dict(trial.exposures.values_list("conversation", "arm"))
    thumbs: dict[Any, dict[str, int]] = defaultdict(lambda: {"up": 0, "down": 0})
    served = Interaction.objects.filter(conversation__exposures__experiment=trial, at__gte=trial.at)
    if trial.ended_at:
        served = served.filter(at__lte=trial.ended_at)
    given = Feedback.objects.filter(interaction__in=served, type__in=["up", "down"]).values_list(
        "interaction__conversation", "type", "interaction__model_version"
    )
    for unit, type_, code in given:
        if code == codes[arms[unit]]:
            thumbs[unit][type_] += 1
    counted: dict[Any, list[float]] = defaultdict(lambda: [0, 0, 0.0])
    rows = served.values_list("conversation", "model_version", "route", "latency_ms")
    for unit, code, route, latency_ms in rows.iterator():
        if code == codes[arms[unit]]:
            counts = counted[unit]
            counts[0] += 1
            counts[1] += route == Route.CLARIFY
            counts[2] += latency_ms
    found: dict[str, list[experiments.Unit]] = {"champion": [], "challenger": []}
    for unit, (questions, clarified, latency_ms) in counted.items():
        found[arms[unit]].append(
            experiments.Unit(
                questions=int(questions),
                clarified=int(clarified),
                latency_ms=latency_ms,
                **thumbs[unit],
            )
        )
    return found


def _said_since(since: datetime) -> dict[Any, list[Feedback]]:
    """Feedback to the questions since then, by interaction."""
    found: dict[Any, list[Feedback]] = defaultdict(list)
    for feedback in Feedback.objects.filter(interaction__at__gt=since):
        found[feedback.interaction_id].append(feedback)
    return found


def _second(row: Interaction) -> str:
    """What the classifier says, where a language model had the last word."""
    if row.route != Route.LLM:
        return ""
    try:
        return classifier.classify(row.query).category
    except classifier.NoModel:
        return ""
