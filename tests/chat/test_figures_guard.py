"""No figure that is not so gets past: a model that lies, in every way we could think of."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chat import phrasing
from chat.facts import Facts, Figure, Passage, Source
from chat.figures_guard import check

D = Decimal
KRAKEN, GECKO = Source("kraken", "price", 1000.0), Source("coingecko", "market", 990.0)
NOW = 1012.0
FACTS = Facts(
    (
        Figure("Bitcoin", "price", D("86011.36000"), "USD", KRAKEN),
        Figure("Bitcoin", "change in 24 h", D("-1.34728"), "%", KRAKEN),
        Figure("Bitcoin", "market capitalisation", D(1722129511724), "USD", GECKO),
        Figure("Bitcoin", "rank", 1, "", GECKO),
        Figure("Ethereum", "price", D("2218.02"), "USD", KRAKEN),
        Figure("Ethereum", "change in 24 h", D("2.5"), "%", KRAKEN),
        Figure("US consumer prices", "value", D("325.737"), "", GECKO, date(2026, 10, 1)),
    ),
    (Passage("Bitcoin hits 100k, again", "", GECKO),),
)

TRUE = [
    "Bitcoin costs 86,011.36 USD.",
    "Bitcoin costs 86011.36 dollars, down 1.34728% in 24 hours.",
    "Bitcoin trades at $86,011.36 after it lost 1.34728 percent within 24h.",
    "Bitcoin fell 1.34728 % to 86,011.36 USD.",
    "Bitcoin: \N{MINUS SIGN}1.34728 % in 24 h.",
    "Bitcoin costs 86'011.36 USD; Ethereum gained 2.5 % and costs 2,218.02 USD.",
    "The market capitalisation of Bitcoin is 1.722129511724 trillion USD.",
    "Bitcoin has rank 1.",
    "US consumer prices stood at 325.737 on 2026-10-01.",
    "The newest headline: Bitcoin hits 100k, again",
    "Both are worth a look.",
]
LIES = [
    # another value, by a little, by rounding, by scale, in words
    "Bitcoin costs 86,011.37 USD.",
    "Bitcoin costs 86,011 USD.",
    "Bitcoin costs about 86,000 USD.",
    "Bitcoin costs 86k USD.",
    "Bitcoin costs 86.01136 USD.",
    "Bitcoin costs 860,113.6 USD.",
    "Bitcoin costs eighty-six thousand dollars.",
    "Bitcoin costs eighty six thousand and eleven dollars.",
    "Bitcoin costs \uff18\uff17\uff10\uff10\uff10 USD.",
    "Bitcoin costs \u0668\u0667\u0660\u0660\u0660 USD.",
    "Bitcoin costs 8\u200b7,000 USD.",
    "Bitcoin costs 87 000 USD.",
    "Bitcoin cost ochenta mil dollars.",
    "Bitcoin kostet achtzigtausend Dollar.",
    "Bitcoin costs \u516b\u4e07 USD.",
    "Bitcoin will reach 100,000 USD.",
    "Bitcoin hits 100k.",
    "Bitcoin has doubled.",
    "Bitcoin is up tenfold.",
    "Bitcoin lost half of its value.",
    "Bitcoin is the third coin.",
    "Bitcoin costs 8.6e4 USD.",
    "Bitcoin costs \u00bd of that.",
    # another unit
    "Bitcoin costs 86,011.36 EUR.",
    "Bitcoin costs \u20ac86,011.36.",
    "Bitcoin costs 86,011.36.",
    "Bitcoin costs 86,011.36 %.",
    "Bitcoin fell 1.34728.",
    "Bitcoin fell 1.34728 USD.",
    "Bitcoin fell 1.34728 percentage points.",
    "Bitcoin fell 1.34728 basis points.",
    # another sign
    "Bitcoin rose 1.34728 %.",
    "Bitcoin gained 1.34728 % in 24 hours.",
    "Bitcoin: +1.34728 %.",
    "Bitcoin changed 1.34728 %.",
    "Ethereum fell 2.5 %.",
    "Ethereum: \N{MINUS SIGN}2.5 %.",
    "Ethereum costs -2,218.02 USD.",
    # of something else
    "Ethereum costs 86,011.36 USD.",
    "Bitcoin costs 2,218.02 USD.",
    "Bitcoin costs 86,011.36 USD, Ethereum 86,011.36 USD.",
    "Bitcoin's volume is 1,722,129,511,724 USD.",
    "The price of Bitcoin is 1,722,129,511,724 USD.",
    # another day, another length
    "US consumer prices stood at 325.737 on 2026-11-01.",
    "US consumer prices stood at 325.737 in 2026.",
    "Bitcoin fell 1.34728 % in 48 hours.",
    "Bitcoin fell 1.34728 % in 24 days.",
]


@pytest.mark.parametrize("text", TRUE)
def test_what_is_so_passes(text: str) -> None:
    assert check(text, FACTS) == []


@pytest.mark.parametrize("text", LIES)
def test_what_is_not_so_does_not_pass(text: str) -> None:
    assert check(text, FACTS)


def test_an_offence_says_what_is_wrong_with_it() -> None:
    [found] = check("Bitcoin costs 87,000 USD.", FACTS)
    assert found.words == "87,000"
    assert found.reason == "no fact has this value"


SUBJECTS = st.sampled_from(["Bitcoin", "Ethereum", "Bitcoin Cash", "1inch", "US 10-year yield"])
LABELS = st.sampled_from(["price", "change in 24 h", "volume in 24 h", "RSI 14 of 1d candles"])
VALUES = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=6)
UNITS = st.sampled_from(["USD", "EUR", "%", "", "gwei", "sat/vB"])
FIGURES = st.builds(Figure, SUBJECTS, LABELS, VALUES, UNITS, st.just(KRAKEN))


@given(st.lists(FIGURES, min_size=1, max_size=6))
def test_what_we_say_ourselves_always_passes(figures: list[Figure]) -> None:
    facts = Facts(tuple(figures))
    assert check("\n".join(phrasing.body(facts, NOW, sources=False)), facts) == []


@given(VALUES, VALUES, st.sampled_from([",f", "f", ".0f", ".1f", ",.2f"]))
def test_another_value_never_passes_however_it_is_written(
    true: Decimal, said: Decimal, spec: str
) -> None:
    written = format(said, spec)
    assume(D(written.replace(",", "")) != true)
    facts = Facts((Figure("Bitcoin", "price", true, "USD", KRAKEN),))
    assert check(f"Bitcoin costs {written} USD.", facts)


@given(st.text(max_size=100))
def test_without_facts_no_number_of_any_script_passes(text: str) -> None:
    if any(character.isdigit() for character in text):
        assert check(text, Facts())


def test_the_span_of_a_figure_may_be_named_and_no_other() -> None:
    source = Source("fred", "economic", 0.0)
    rate = Figure(
        "the rate", "value", Decimal("2.93"), "%", source, date(2026, 10, 1), span="month"
    )
    facts = Facts((rate,))
    assert not check("The rate was 2.93 % in October 2026.", facts)
    assert check("The rate was 2.93 % in October 2025.", facts)
    assert check("The rate was 2.93 % in 2026.", facts)
