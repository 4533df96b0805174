"""
The labels of headlines against those of a reader: tuning.tsv is what words and rules were tuned on,
held_out.tsv what nothing was. docs/sentiment.md tells how both were made.
"""

from __future__ import annotations

import time
from functools import cache
from pathlib import Path
from statistics import mean
from typing import NamedTuple, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.sentiment import CLEAR, Label, Sentiment, analyze
from aggregator.sentiment.lexicon import FILE, Kind, Lexicon, stem

HERE = Path(__file__).parent
AGREEMENT = 0.75


class Read(NamedTuple):
    """A headline with what a reader made of it, and what we make of it."""

    label: str
    headline: str
    ours: Sentiment

    @property
    def agrees(self) -> bool:
        return self.label == self.ours.label


@cache
def read(name: str) -> list[Read]:
    rows = (line.split("\t") for line in (HERE / f"{name}.tsv").read_text().splitlines())
    return [Read(label, headline, analyze(headline)) for label, headline in rows]


def score(text: str) -> float:
    return analyze(text).score


# -- Agreement with a reader -----------------------------------------------------------------


def test_the_headlines_are_many_of_each_label_and_in_one_part_alone() -> None:
    tuning, held_out = (
        {row.headline: row.label for row in read(n)} for n in ("tuning", "held_out")
    )
    assert len(tuning) >= 300
    assert len(held_out) >= 200
    assert not set(tuning) & set(held_out)
    for part in (tuning, held_out):
        labels = list(part.values())
        assert set(labels) == set(get_args(Label))
        assert min(map(labels.count, set(labels))) > len(labels) / 4


def test_it_agrees_with_a_reader_on_headlines_it_was_not_tuned_on() -> None:
    rows = read("held_out")
    assert mean(row.agrees for row in rows) >= AGREEMENT


@pytest.mark.parametrize("label", get_args(Label))
def test_it_agrees_on_each_label(label: str) -> None:
    rows = [row for row in read("held_out") if row.label == label]
    assert mean(row.agrees for row in rows) >= AGREEMENT


def test_it_rarely_says_the_opposite() -> None:
    sides = {"bullish", "bearish"}
    opposite = [row for row in read("held_out") if {row.label, row.ours.label} == sides]
    assert len(opposite) <= 0.05 * len(read("held_out"))


def test_confidence_is_the_share_that_agrees() -> None:
    rows = read("held_out")
    assert mean(row.ours.confidence for row in rows) == pytest.approx(
        mean(row.agrees for row in rows), abs=0.05
    )


def test_who_is_surer_is_right_more_often() -> None:
    rows = sorted(read("held_out"), key=lambda row: row.ours.confidence)
    unsure, sure = rows[: len(rows) // 3], rows[-len(rows) // 3 :]
    assert mean(row.agrees for row in sure) > mean(row.agrees for row in unsure)


# -- What words do ---------------------------------------------------------------------------


def test_what_vader_alone_scores_as_nothing_is_good_news() -> None:
    found = analyze("surges to a record high")
    assert found.label == "bullish"
    assert found.score > 0.5


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("Inflation falls", "Inflation rises"),
        ("Bitcoin rises", "Bitcoin falls"),
        ("Fed cuts rates", "Company cuts dividend"),
        ("Record inflows", "Record outflows"),
        ("Outflows stop", "Inflows stop"),
        ("Hack fears fade", "Rally fades"),
        ("Bitcoin ends losing streak", "Bitcoin ends winning streak"),
        ("Losses narrow", "Profit shrinks"),
        ("Court dismisses lawsuit", "Court rejects ETF"),
        ("A fall in unemployment", "A fall in demand"),
        ("Exchange returns stolen funds", "Hackers drain exchange"),
        ("Bear market is over", "Bull market is over"),
    ],
)
def test_what_a_move_means_depends_on_what_moves(good: str, bad: str) -> None:
    assert score(good) > CLEAR
    assert score(bad) < -CLEAR


def test_a_not_turns_what_follows() -> None:
    assert score("Bitcoin is dead") < -CLEAR < CLEAR < score("Bitcoin is not dead")


def test_what_follows_a_but_counts_more() -> None:
    assert score("Bitcoin rises, but analysts warn of losses") < 0
    assert score("Analysts warn of losses, but bitcoin rises sharply") > 0


def test_what_is_conceded_hardly_counts() -> None:
    assert score("Ether climbs despite hack") > CLEAR


@pytest.mark.parametrize(
    "headline",
    [
        "Will bitcoin crash?",
        "How the bridge hack worked",
        "What a recession means for stocks",
        "Bitcoin unchanged",
        "Coinbase names new head of legal",
        "Fed keeps rates on hold, as expected",
    ],
)
def test_who_asks_or_announces_asserts_nothing(headline: str) -> None:
    assert analyze(headline).label == "neutral"


def test_a_text_is_the_mean_of_its_sentences_that_say_something() -> None:
    both = score("Bitcoin soars. Ether crashes.")
    assert both == pytest.approx((score("Bitcoin soars.") + score("Ether crashes.")) / 2, abs=0.001)
    assert score("Bitcoin soars. It is Tuesday.") == score("Bitcoin soars.")


@pytest.mark.parametrize("text", ["", " ", "123", "?!", "\n", "₿ $100"])
def test_of_nothing_nothing_is_said_and_that_without_confidence(text: str) -> None:
    assert analyze(text) == Sentiment("neutral", 0.0, 0.0, "lexicon")


# -- Whatever the text -----------------------------------------------------------------------

WORDS = [word for entry in Lexicon.read(FILE.read_text().splitlines()).entries for word in entry]


@given(st.text() | st.lists(st.sampled_from(WORDS)).map(" ".join))
def test_every_text_has_a_sentiment_within_its_bounds(text: str) -> None:
    found = analyze(text)
    assert found.label in get_args(Label)
    assert -1 <= found.score <= 1
    assert 0 <= found.confidence <= 1
    assert (found.label == "bullish") <= (found.score >= CLEAR)
    assert (found.label == "bearish") <= (found.score <= -CLEAR)


@given(st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join))
def test_it_does_not_matter_how_a_text_is_written(text: str) -> None:
    assert analyze(text) == analyze(text.upper()) == analyze(f"  {text}")


def test_a_headline_takes_less_than_a_millisecond() -> None:
    headlines = [row.headline for row in read("held_out")]
    began = time.process_time()
    for headline in headlines:
        analyze(headline)
    assert time.process_time() - began < 0.001 * len(headlines)


@pytest.mark.parametrize("words", ["rise ", "hack falls ", "not ", "end hack fears ease ", "? . "])
def test_no_text_takes_long(words: str) -> None:
    began = time.process_time()
    analyze(words * 10_000)
    assert time.process_time() - began < 0.5


# -- The lexicon -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    [
        ("surge", "surges", "surged", "surging"),
        ("rally", "rallies", "rallied"),
        ("drop", "drops", "dropped", "dropping"),
        ("fee", "fees"),
        ("loss", "losses"),
        ("bitcoin", "bitcoin's"),
    ],
)
def test_inflections_have_one_stem(words: tuple[str, ...]) -> None:
    assert len(set(map(stem, words))) == 1


def test_a_loss_is_not_to_lose() -> None:
    assert stem("loss") != stem("lose")


def test_every_kind_of_word_has_words() -> None:
    lexicon = Lexicon.read(FILE.read_text().splitlines())
    assert {word.kind for word in lexicon.entries.values()} == set(Kind)


def test_a_word_stands_in_one_group_alone() -> None:
    with pytest.raises(ValueError, match="'ris' stands in two groups"):
        Lexicon.read(["[up 1]", "rise", "[down 1]", "fall rises"])


def test_numbers_and_money_are_words_of_a_phrase() -> None:
    lexicon = Lexicon.read(["[up 1]", '"up #" "top $"'])
    for text, known in {
        "XRP up 8%": True,
        "XRP up": False,
        "Bitcoin tops $100,000": True,
        "The top 20 coins": False,
    }.items():
        assert bool(list(lexicon.words(text))) == known
