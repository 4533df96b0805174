"""Frozen datasets: what is in them, that they stay, and how they go."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256

import pytest
from django.db import connection
from django.utils.timezone import now
from hypothesis import given
from hypothesis import strategies as st

from chat import datasets, questions
from chat.categories import Category
from chat.models import DatasetContent, DatasetVersion, Example, ModelVersion
from chat.questions import Question, QuestionError
from tests.chat.learners import model

pytestmark = pytest.mark.django_db


def test_a_version_holds_the_training_questions_and_what_people_added() -> None:
    Example.objects.create(text="is the zebra chain cheap now", category=Category.GAS)
    version, is_new = datasets.freeze("first")
    found = datasets.read(version)
    assert is_new
    assert Question("is the zebra chain cheap now", Category.GAS) in found
    assert len(found) == version.questions == len(questions.train()) + 1
    assert version.manifest["of_examples"] == 1
    assert sum(version.manifest["by_category"].values()) == version.questions


def test_its_hash_is_that_of_the_file() -> None:
    version, _ = datasets.freeze()
    text = datasets.content(version)
    assert sha256(text.encode()).hexdigest() == version.sha256
    assert all(json.loads(line)["text"] for line in text.splitlines())


def test_nothing_held_out_is_learned() -> None:
    secret = questions.held_out()[0]
    Example.objects.create(text=secret.text, category=secret.category)
    version, _ = datasets.freeze()
    assert secret.text not in {question.text for question in datasets.read(version)}
    assert version.manifest["held_out_examples_left_out"] == 1


def test_the_same_is_not_frozen_twice() -> None:
    first, _ = datasets.freeze()
    assert datasets.freeze() == (first, False)
    Example.objects.create(text="what are fees on the zebra chain", category=Category.GAS)
    second, is_new = datasets.freeze()
    assert (second.number, is_new) == (first.number + 1, True)


def test_a_reviewer_overrules_the_label_that_was_there() -> None:
    known = questions.train()[0]
    Example.objects.create(text=known.text, category=Category.SMALLTALK)
    version, _ = datasets.freeze()
    [label] = {q.category for q in datasets.read(version) if q.text == known.text}
    assert label is Category.SMALLTALK


def test_what_was_tampered_with_is_not_trained_on() -> None:
    version, _ = datasets.freeze()
    DatasetContent.objects.update(jsonl='{"text": "a", "category": "NEWS"}\n')
    version.refresh_from_db()
    with pytest.raises(QuestionError, match="hash"):
        datasets.read(version)


def test_questions_are_encrypted_where_they_lie() -> None:
    datasets.freeze()
    with connection.cursor() as cursor:
        cursor.execute("SELECT jsonl FROM chat_datasetcontent")
        assert "bitcoin" not in cursor.fetchone()[0]


def test_old_versions_are_archived_but_those_a_model_needs() -> None:
    needed = model(role=ModelVersion.Role.CHAMPION).run.dataset
    for number in range(7):
        Example.objects.create(text=f"fees on zebra {'x' * number}", category=Category.GAS)
        datasets.freeze()
    DatasetVersion.objects.update(at=now() - timedelta(days=91))
    assert datasets.archive() == DatasetVersion.objects.count() - datasets.KEEP_NEWEST - 1 > 0
    assert datasets.read(needed)
    archived = DatasetVersion.objects.exclude(archived_at=None)
    assert all(version.manifest["questions"] for version in archived)
    with pytest.raises(datasets.Archived):
        datasets.content(archived[0])
    assert datasets.archive() == 0


@given(st.lists(st.builds(Question, st.text(min_size=1), st.sampled_from(Category))))
def test_any_questions_survive_their_file(some: list[Question]) -> None:
    kept = datasets.unique(q for q in some if q.text.strip())
    lines = datasets.jsonl(kept).splitlines()
    assert [questions.parse(line) for line in lines] == kept
    assert datasets.jsonl(datasets.unique(reversed(kept))) == datasets.jsonl(kept)
