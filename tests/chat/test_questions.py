"""The questions keep what docs/questions.md promises of them."""

from __future__ import annotations

import re
from collections import Counter
from hashlib import sha256

import pytest

from chat import questions
from chat.categories import Category
from chat.masking import mask, words
from chat.questions import HERE, PARTS, Part, Question, QuestionError

DOC = (HERE.parent.parent / "docs" / "questions.md").read_text(encoding="utf-8")

ALL = [question for part in PARTS for question in questions.questions(part)]
LANGUAGES = {
    *("ar", "de", "en", "es", "fr", "hi", "id", "it", "ja"),
    *("ko", "nl", "pl", "pt", "ru", "tr", "vi", "zh"),
}


def share(*categories: Category) -> float:
    return sum(question.category in categories for question in ALL) / len(ALL)


def test_there_are_enough_of_them() -> None:
    assert len(ALL) >= 3000
    assert len(questions.train()) >= 2000
    assert len(questions.held_out()) == 1000


@pytest.mark.parametrize("part", PARTS)
def test_every_category_is_in_both_parts(part: Part) -> None:
    counts = Counter(question.category for question in questions.questions(part))
    assert set(counts) == set(Category)
    assert min(counts.values()) >= {"train": 100, "held_out": 30}[part]


def test_they_are_weighted_as_questions_really_are() -> None:
    """Quarters, sixths and sevenths, roughly: within a third of each."""
    figures = share(Category.MARKET_DATA, Category.GAS, Category.ECONOMIC_INDICATOR)
    assert figures == pytest.approx(1 / 4, rel=1 / 3)
    assert share(Category.EDUCATIONAL) == pytest.approx(1 / 4, rel=1 / 3)
    assert share(Category.NEWS) == pytest.approx(1 / 6, rel=1 / 3)
    assert share(Category.ADVICE) == pytest.approx(1 / 7, rel=1 / 3)


def test_none_is_there_twice() -> None:
    """Case, spacing and punctuation do not make another question."""
    counts = Counter(words(question.text) for question in ALL)
    assert [text for text, count in counts.items() if count > 1 or not text] == []


def test_they_are_varied() -> None:
    skeletons = Counter(mask(question.text) for question in ALL)
    assert len(skeletons) >= 2600
    assert max(skeletons.values()) <= 12


def test_no_skeleton_is_in_both_parts() -> None:
    train = {mask(question.text) for question in questions.train()}
    assert [q.text for q in questions.held_out() if mask(q.text) in train] == []


@pytest.mark.parametrize("part", PARTS)
def test_a_question_is_where_its_skeleton_puts_it(part: Part) -> None:
    """A new one that is held out by its skeleton is left out: that part is frozen."""
    found = questions.questions(part)
    assert [q.text for q in found if questions.part_of(q.text) != part] == []


def test_the_held_out_part_is_the_frozen_one() -> None:
    files = sorted((HERE / "held_out").iterdir())
    manifest = questions.manifest()
    assert {f.name: sha256(f.read_bytes()).hexdigest() for f in files} == manifest.sha256
    assert manifest.questions == len(questions.held_out())
    assert manifest.skeletons == len({mask(q.text) for q in questions.held_out()})


@pytest.mark.parametrize("part", PARTS)
def test_a_file_holds_its_category(part: Part) -> None:
    for file in (HERE / part).iterdir():
        held = {questions.parse(line).category for line in file.read_text().splitlines()}
        assert held == {Category(file.stem.upper())}


def test_they_come_in_other_languages_too() -> None:
    counts = Counter(question.lang for question in ALL)
    assert set(counts) == LANGUAGES
    assert 0.06 <= 1 - counts["en"] / len(ALL) <= 0.2


def test_short_and_long_ones_are_there() -> None:
    lengths = [len(question.text.split()) for question in ALL]
    assert sum(length <= 2 for length in lengths) > 300
    assert sum(length >= 12 for length in lengths) > 300


def test_nothing_private_is_in_them() -> None:
    texts = "\n".join(question.text for question in ALL)
    assert not re.search(r"[\w.]+@[\w-]+\.\w+|\+\d[\d ]{8,}", texts)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not JSON"),
        ("[]", "an object with text and category"),
        ('{"text": "btc"}', "an object with text and category"),
        ('{"text": " ", "category": "NEWS"}', "not empty"),
        ('{"text": 5, "category": "NEWS"}', "not empty"),
        ('{"text": "btc", "category": "PRICE"}', "no such category: PRICE"),
        ('{"text": "btc", "category": "NEWS", "label": "x"}', "unknown: label"),
    ],
)
def test_a_line_that_is_no_question_says_why(line: str, reason: str) -> None:
    with pytest.raises(QuestionError, match=f"^news.jsonl:3: .*{reason}"):
        questions.parse(line, "news.jsonl:3")


def test_a_line_becomes_a_question() -> None:
    line = '{"text": "btc preis", "category": "PRICE_QUERY", "lang": "de", "note": "why"}'
    assert questions.parse(line) == Question("btc preis", Category.PRICE_QUERY, "de", "why")


def test_the_document_counts_right() -> None:
    total = Counter(question.category for question in ALL)
    held = Counter(question.category for question in questions.held_out())
    table = re.findall(r"^\| (\w+) \| ([\d,]+) \| (\d+) \|$", DOC, re.MULTILINE)
    told = {name: (int(count.replace(",", "")), int(kept)) for name, count, kept in table}
    assert told == {str(category): (total[category], held[category]) for category in Category}
    assert f"holds {len(ALL):,} questions" in DOC
    assert f"There are {len({mask(q.text) for q in ALL}):,} of them" in DOC
