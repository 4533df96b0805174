from __future__ import annotations

import re
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat import glossary
from chat.glossary import Entry, GlossaryError

ENTRIES = glossary.entries()
ROW: dict[str, Any] = {
    "term": "Fork",
    "aliases": ["hard fork"],
    "answer": "A fork is a change of the rules.",
    "source": {"name": "A guide", "url": "https://example.org/fork"},
}


def first(query: str) -> str:
    return glossary.search(query)[0].entry.term


def test_there_are_enough() -> None:
    assert len(ENTRIES) >= 150
    counts = Counter(entry.topic for entry in ENTRIES)
    assert set(counts) == {"chains", "markets", "defi", "safety", "economy", "projects"}


def test_every_name_leads_to_its_entry() -> None:
    for entry in ENTRIES:
        for name in (entry.term, *entry.aliases):
            assert first(name) == entry.term, name


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.term)
def test_an_answer_is_short_and_has_a_source(entry: Entry) -> None:
    sentences = re.findall(r"[.!?](?= [A-Z\"]|$)", entry.answer.replace("St. ", "St "))
    assert 2 <= len(sentences) <= 5, sentences
    assert 80 <= len(entry.answer) <= 480
    assert "  " not in entry.answer
    assert entry.source_name
    assert re.fullmatch(r"https://[\w.-]+\.\w+(/[\w./()&#%=-]*)?", entry.source_url)


@pytest.mark.parametrize(
    ("query", "term"),
    [
        ("What is a rug pull?", "Rug pull"),
        ("explain impermanent loss to me please", "Impermanent loss"),
        ("how does the bitcoin halving work", "Halving"),
        ("whats proof-of-stake", "Proof of stake"),
        ("what is base", "Base"),
        ("meaning of FDV", "Fully diluted valuation"),
        ("who is justin sun", "TRON"),
        ("why do i have to pay gas fees on ethereum", "Gas"),
        ("how do I move coins to a hardware wallet", "Cold and hardware wallet"),
        ("what are seed phrases for", "Seed phrase"),
        ("fear & greed", "Fear and greed index"),
    ],
)
def test_a_question_finds_its_entry(query: str, term: str) -> None:
    assert first(query) == term


def test_a_name_alone_finds_one_entry_for_sure() -> None:
    assert glossary.search("TVL") == [glossary.Match(_entry("Total value locked"), 1.0)]


def _entry(term: str) -> Entry:
    return next(entry for entry in ENTRIES if entry.term == term)


def test_two_names_find_both() -> None:
    found = {match.entry.term for match in glossary.search("proof of work vs proof of stake")}
    assert {"Proof of work", "Proof of stake"} <= found


def test_words_without_a_name_are_enough() -> None:
    assert first("somebody pretends to be many to outvote others") == "Sybil attack"


@pytest.mark.parametrize(
    "query", ["", "???", "what is", "weather in berlin", "recipe for pancakes"]
)
def test_what_is_not_in_it_is_not_found(query: str) -> None:
    assert glossary.search(query) == []


@given(
    st.text(max_size=80)
    | st.lists(st.sampled_from(["what", "is", "a", "base", "fee", "btc", "near"])).map(" ".join)
)
def test_any_text_is_searched(query: str) -> None:
    found = glossary.search(query, limit=2)
    assert len(found) <= 2
    assert len({match.entry.term for match in found}) == len(found)
    assert all(0 <= match.score <= 1 for match in found)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"term": None}, "chains: an entry has a term"),
        ({"note": "x"}, "chains: Fork: term, aliases, answer and source, nothing else"),
        ({"aliases": "fork"}, "chains: Fork: aliases are a list of texts"),
        ({"answer": " "}, "chains: Fork: an answer"),
        ({"source": "a guide"}, "chains: Fork: source has name and url"),
        ({"source": {"name": "x", "url": "http://x.org"}}, "url begins with https"),
    ],
)
def test_an_entry_that_is_none_says_why(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(GlossaryError, match=reason):
        glossary.parse({**ROW, **change}, "chains")


def test_an_entry_is_read() -> None:
    assert glossary.parse(ROW, "chains") == Entry(
        "Fork",
        ("hard fork",),
        "A fork is a change of the rules.",
        "A guide",
        "https://example.org/fork",
        "chains",
    )
