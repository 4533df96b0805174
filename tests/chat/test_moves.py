"""Why something moved: the move by the data, the headlines as reports, and no cause."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from chat.categories import Category
from chat.models import Interaction
from chat.skills import moves
from providers.datasets import GlobalQuery, GlobalStats, HistoryPoint, HistoryQuery, NewsQuery
from tests.chat import shelved
from tests.chat.test_answering import classifying, reply
from tests.upstreams import article

pytestmark = pytest.mark.django_db(transaction=True)

SURE = classifying(Category.NEWS, 0.9, sure=True)
NOW = datetime.now(UTC)


@pytest.fixture(autouse=True)
def _shelved() -> None:
    shelved.coins()
    shelved.everything()
    shelved.shelve(
        NewsQuery(),
        [
            article("Bitcoin slips", at=NOW - timedelta(hours=2))._replace(symbols=("BTC",)),
            article("A fund wants it", at=NOW - timedelta(days=3))._replace(symbols=("BTC",)),
            article("Something old", at=NOW - timedelta(days=20))._replace(symbols=("BTC",)),
        ],
    )


def ask(query: str) -> Interaction:
    return reply(query, classify=SURE)


def told(found: Interaction) -> list[tuple[str, Decimal]]:
    return [(row["label"], row["value"]) for row in found.data if row["kind"] == "figure"]


def headlines(found: Interaction) -> list[str]:
    return [row["title"] for row in found.data if row["kind"] == "passage"]


def test_a_move_is_told_with_its_figures_and_the_headlines_as_reports() -> None:
    found = ask("why did btc fall?")
    assert told(found) == [
        ("price", Decimal("86011.36000")),
        ("change in 24 h", Decimal("-1.34728")),
        ("change in 7 days", Decimal("4.5")),
    ]
    first, figures, *reports = found.answer.splitlines()
    assert first == moves.MEASURED
    assert "\N{MINUS SIGN}1.34728" in figures
    assert "(coingecko, " in figures
    assert headlines(found) == ["Bitcoin slips", "A fund wants it"], "of the days that are measured"
    assert all("(reported by " in line for line in reports)
    assert {source["dataset"] for source in found.sources} == {"market", "news"}


def test_of_the_asked_period_both() -> None:
    points = [
        HistoryPoint(NOW - timedelta(days=days), Decimal(price), None, None)
        for days, price in ((6, 100), (3, 120), (1, 90))
    ]
    shelved.shelve(HistoryQuery(symbol="BTC", days=7), points, "kraken")
    found = ask("why has bitcoin dropped in the past 7 days")
    assert dict(told(found))["change between them"] == Decimal("-10.00")
    assert headlines(found) == ["Bitcoin slips", "A fund wants it"]
    today = ask("why is bitcoin down today")
    assert headlines(today) == ["Bitcoin slips"]
    assert [label for label, _ in told(today)] == ["price", "change in 24 h"]


@pytest.mark.parametrize("query", ["why is bitcoin up today", "¿por qué sube bitcoin hoy?"])
def test_what_the_question_takes_for_granted_is_looked_at(query: str) -> None:
    assert ask(query).answer.splitlines()[0] == "By this data Bitcoin did not rise in that time."


@pytest.mark.parametrize(
    "query", ["why is bitcoin down today", "warum fällt bitcoin heute", "what's up with bitcoin"]
)
def test_and_what_is_so_is_not_disputed(query: str) -> None:
    assert ask(query).answer.splitlines()[0] == moves.MEASURED


def test_the_market_moves_as_a_whole() -> None:
    stats = GlobalStats(Decimal(3), None, None, None, Decimal("-2.5"), None, None, None)
    shelved.shelve(GlobalQuery(), [stats], "coingecko")
    found = ask("why is the crypto market down")
    assert told(found) == [("capitalisation", Decimal(3)), ("change in 24 h", Decimal("-2.5"))]


def test_other_questions_for_news_get_no_figures() -> None:
    for query in ("why is the sec suing coinbase", "why did bitcoin developers meet"):
        assert not told(ask(query)), query
