"""Cues in many languages, and the signs a classifier is given."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import questions
from chat.cues import WORDS, cues, names
from chat.masking import words
from chat.signs import signs

ANYTHING = st.text(max_size=80) | st.lists(
    st.sampled_from(["why", "btc", "or", "eth", "warum", "为什么", "нового", "news", "<asset>"])
).map(" ".join)


@pytest.mark.parametrize(
    "text",
    [
        "why does bitcoin fall",
        "warum fällt bitcoin",
        "por qué cae bitcoin",
        "pourquoi le bitcoin baisse",
        "почему падает биткоин",
        "bitcoin neden düşüyor",
        "比特币为什么跌",
        "なぜビットコインは下がる",
        "비트코인 왜 떨어져",
    ],
)
def test_one_cue_in_many_languages(text: str) -> None:
    assert "why" in cues(text)


def test_a_phrase_counts_as_a_whole() -> None:
    assert "top list" in cues("how many coins are there")
    assert "top list" not in cues("many coins, and how")


def test_a_star_stands_for_any_ending() -> None:
    assert "news" in cues("новостей нет")
    assert "news" not in cues("новый")


@given(ANYTHING)
def test_cues_are_known_ones_each_once_and_in_order(text: str) -> None:
    found = cues(text)
    assert list(found) == [name for name in names() if name in found]


@given(ANYTHING)
def test_cues_and_signs_depend_on_the_words_alone(text: str) -> None:
    assert cues(words(text)) == cues(text)
    assert signs(words(text)) == signs(text)


@given(ANYTHING)
def test_signs_are_each_there_once(text: str) -> None:
    assert max(Counter(signs(text)).values()) == 1


def test_signs_tell_what_goes_together() -> None:
    found = signs("which is faster, solana or avalanche?")
    assert {"compare", "asset", "assets:2", "assets:2+True", "assets:2+compare", "ours"} <= set(
        found
    )
    assert "other" in signs("how do planes fly")
    assert "other+word:fly" in signs("how do planes fly")
    assert {"glossary", "ours"} <= set(signs("flash loan"))


def test_a_section_of_cues_is_named_once_and_not_empty() -> None:
    lines = WORDS.read_text(encoding="utf-8").splitlines()
    sections = [line for line in lines if line.startswith("[")]
    assert len(sections) == len(set(sections)) == len(names())
    followed = [after for line, after in zip(lines, lines[1:], strict=False) if line in sections]
    assert all(line and not line.startswith("[") for line in followed)


def test_nearly_every_question_has_a_cue() -> None:
    found = [cues(question.text) for question in questions.train()]
    assert sum(map(bool, found)) / len(found) > 0.9
