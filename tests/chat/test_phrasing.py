"""Facts in sentences: every figure, its source and its age."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from chat import phrasing
from chat.facts import COMPUTED, Facts, Failure, Figure, Passage, Source

D = Decimal
KRAKEN = Source("kraken", "price", 1000.0)
OLD = Source("fred", "economic", 100.0, stale=True)


def said(*figures: Figure, **more: object) -> str:
    return phrasing.say(Facts(figures, **more), 1012.0).replace(phrasing.SPACE, " ")  # type: ignore[arg-type]


def test_a_price_has_its_digits_its_source_and_its_age() -> None:
    price = Figure("Bitcoin", "price", D("86011.36000"), "USD", KRAKEN)
    change = Figure("Bitcoin", "change in 24 h", D("-1.34728"), "%", KRAKEN)
    assert said(price, change) == (
        "Bitcoin costs 86,011.36 USD; change in 24 h \N{MINUS SIGN}1.34728 % (kraken, 12 s ago)."
    )


def test_what_is_of_another_day_or_stale_or_computed_says_so() -> None:
    figure = Figure("inflation", "change", D("2.4"), "%", OLD, date(2026, 10, 1), COMPUTED)
    assert said(figure) == (
        "Inflation: change +2.4 % on 2026-10-01, computed (fred, 15 min ago, stale)."
    )


def test_what_is_of_a_month_a_quarter_or_a_year_says_so() -> None:
    day = date(2026, 7, 1)
    for span, told in (("month", "July 2026"), ("quarter", "Q3 2026"), ("year", "2026")):
        figure = Figure("inflation", "value", D(2), "%", KRAKEN, day, span=span)
        assert said(figure) == f"Inflation: value 2 % in {told} (kraken, 12 s ago)."


def test_what_failed_is_named_and_the_rest_is_said() -> None:
    price = Figure("Bitcoin", "price", D(1), "USD", KRAKEN)
    failed = (Failure("the price of Nope", "no provider has it"),)
    assert said(price, failures=failed).splitlines() == [
        "Bitcoin costs 1 USD (kraken, 12 s ago).",
        "Not answered: the price of Nope (no provider has it).",
    ]


def test_nothing_is_no_answer() -> None:
    assert phrasing.say(Facts(), 0.0) == phrasing.NOTHING


def test_a_headline_has_who_published_it_and_when() -> None:
    at = datetime(2026, 11, 21, 12, tzinfo=UTC)
    passage = Passage(
        "Something <b>new</b>", "", KRAKEN, "https://news.example", at, "news.example"
    )
    assert said(passages=(passage,)) == (
        "Something <b>new</b> (reported by news.example, 2026-11-21 12:00 UTC)"
    )


def test_small_and_large_figures_keep_their_digits() -> None:
    assert phrasing.number(D("0.0000123400")) == "0.00001234"
    assert phrasing.number(D("1722129511724")) == "1,722,129,511,724"
    assert phrasing.number(D("-0.0")) == "0"
    assert phrasing.number(42) == "42"
