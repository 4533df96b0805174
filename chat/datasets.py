"""
Frozen datasets: what a model was trained on, so that it can be trained again.

A version is the project's own training questions and the examples that people added, as JSONL:
one object a line, sorted, so that the same questions have the same hash. Examples whose skeleton
is held out stay out, as nothing of that part may be learned from.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.timezone import now

from chat import questions
from chat.categories import Category
from chat.models import DatasetContent, DatasetVersion, Example, ModelVersion
from chat.questions import Question

FORMAT = 1
KEEP = timedelta(days=90)  # a version that nothing needs any more
KEEP_NEWEST = 5

_AT_WORK = (
    ModelVersion.Role.CHAMPION,
    ModelVersion.Role.CHALLENGER,
    ModelVersion.Role.SHADOW,
)


class Archived(LookupError):
    """Of this version only the manifest is left."""


def freeze(note: str = "", by: Any = None) -> tuple[DatasetVersion, bool]:
    """A version of what there is now, and whether it is new: the same is not frozen twice."""
    added, left_out = _examples()
    found = unique([*questions.train(), *added])
    text = jsonl(found)
    digest = sha256(text.encode()).hexdigest()
    with transaction.atomic():
        if same := DatasetVersion.objects.filter(sha256=digest).first():
            if same.archived_at:  # it is the same again, so its content comes back
                DatasetContent.objects.create(version=same, jsonl=text)
                same.archived_at = None
                same.save(update_fields=["archived_at"])
            return same, False
        newest = DatasetVersion.objects.aggregate(Max("number"))["number__max"] or 0
        version = DatasetVersion.objects.create(
            number=newest + 1,
            sha256=digest,
            questions=len(found),
            manifest=manifest(found, len(added), left_out),
            note=note,
            created_by=by,
        )
        DatasetContent.objects.create(version=version, jsonl=text)
    return version, True


def manifest(found: list[Question], added: int, left_out: int) -> dict[str, Any]:
    """What a version holds, without a word of it."""
    frozen = questions.manifest()
    return {
        "format": FORMAT,
        "questions": len(found),
        "of_examples": added,
        "held_out_examples_left_out": left_out,
        "by_category": dict(sorted(Counter(str(q.category) for q in found).items())),
        "by_language": dict(sorted(Counter(q.lang for q in found).items())),
        "held_out": {"version": frozen.version, "sha256": dict(frozen.sha256)},
    }


def content(version: DatasetVersion) -> str:
    """Its JSONL. Raises Archived."""
    try:
        text = version.content.jsonl
    except DatasetContent.DoesNotExist:
        raise Archived(f"{version} was archived; its manifest is left.") from None
    return str(text)


def read(version: DatasetVersion) -> list[Question]:
    """Its questions. Raises Archived, and QuestionError when they were tampered with."""
    text = content(version)
    if sha256(text.encode()).hexdigest() != version.sha256:
        raise questions.QuestionError(f"{version} does not have the hash it was frozen with")
    return [
        questions.parse(line, f"{version}:{number}")
        for number, line in enumerate(text.splitlines(), 1)
    ]


def unique(found: Iterable[Question]) -> list[Question]:
    """Each text once, sorted; the label that came last wins."""
    return sorted({q.text: q for q in found}.values(), key=lambda q: (q.category, q.text))


def jsonl(found: Iterable[Question]) -> str:
    # JSON's own line is ASCII, so no character in a question can end one.
    lines = (
        json.dumps({"text": q.text, "category": q.category, "lang": q.lang}, sort_keys=True)
        for q in found
    )
    return "".join(f"{line}\n" for line in lines)


def forget(texts: Collection[str]) -> int:
    """
    Take texts out of every version that holds them, for whoever is erased: how many versions. A
    version's hash is then that of what is left; a model that was made of more says so.
    """
    gone, changed = set(texts), 0
    for held in DatasetContent.objects.select_related("version").select_for_update():
        lines = held.jsonl.splitlines(keepends=True)
        left = [line for line in lines if json.loads(line)["text"] not in gone]
        if len(left) < len(lines):
            _shrink(held, "".join(left), len(lines) - len(left))
            changed += 1
    return changed


def _shrink(held: DatasetContent, text: str, fewer: int) -> None:
    version = held.version
    version.manifest["erased"] = version.manifest.get("erased", 0) + fewer
    digest = sha256(text.encode()).hexdigest()
    if DatasetVersion.objects.filter(sha256=digest).exists():  # without them it is another version
        held.delete()
        version.archived_at = now()
    else:
        version.sha256, version.questions = digest, version.questions - fewer
        held.jsonl = text
        held.save(update_fields=["jsonl"])
    version.save(update_fields=["manifest", "sha256", "questions", "archived_at"])
    for model in ModelVersion.objects.filter(run__dataset=version):
        model.metrics["learned_from_erased"] = model.metrics.get("learned_from_erased", 0) + fewer
        model.save(update_fields=["metrics"])


def archive(moment: datetime | None = None) -> int:
    """Delete the content of old versions that no model at work was made of: how many."""
    before = (moment or now()) - KEEP
    newest = DatasetVersion.objects.order_by("-number").values_list("pk", flat=True)[:KEEP_NEWEST]
    old = DatasetVersion.objects.filter(archived_at=None, at__lt=before).exclude(
        pk__in=list(newest)
    )
    needed = ModelVersion.objects.filter(role__in=_AT_WORK).values("run__dataset")
    gone = list(old.exclude(pk__in=needed).exclude(runs__finished_at=None, runs__isnull=False))
    for version in gone:
        with transaction.atomic():
            DatasetContent.objects.filter(version=version).delete()
            DatasetVersion.objects.filter(pk=version.pk).update(archived_at=moment or now())
    return len(gone)


def _examples() -> tuple[list[Question], int]:
    """What people added, oldest first, and how many of it are held out."""
    rows = Example.objects.order_by("at", "pk")
    found = [Question(row.text, Category(row.category)) for row in rows if row.text.strip()]
    kept = [question for question in found if questions.part_of(question.text) == "train"]
    return kept, len(found) - len(kept)
