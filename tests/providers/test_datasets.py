from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from providers.datasets import (
    DAY,
    HOUR,
    INTERVALS,
    QUERIES,
    HistoryQuery,
    MarketQuery,
    MarketRow,
    MoversQuery,
    NewsQuery,
    OhlcQuery,
    PriceQuery,
)

PAST = datetime(2024, 1, 1, tzinfo=UTC)


def test_every_query_has_a_dataset_and_a_record_of_its_own() -> None:
    assert len({query.dataset.name for query in QUERIES}) == len(QUERIES)
    assert all(hasattr(query.record, "_fields") for query in QUERIES)


@given(st.integers(1, 250), st.integers(1, 250))
def test_every_first_page_is_cut_from_one_upstream_page(one: int, other: int) -> None:
    assert MarketQuery(limit=one).upstream() == MarketQuery(limit=other).upstream()
    assert len(MarketQuery(limit=one).refine(range(250))) == one


def test_equal_questions_have_equal_keys_and_others_have_others() -> None:
    assert MarketQuery("usd", 10).key == MarketQuery(limit=10).key
    keys = {
        MarketQuery(limit=10).key,
        MarketQuery(page=10).key,
        PriceQuery(("BTC", "ETH")).key,
        PriceQuery(("BTC",)).key,
        OhlcQuery("BTC").key,
        OhlcQuery("BTC", start=PAST).key,
        OhlcQuery("BTC", end=PAST).key,
    }
    assert len(keys) == 7


def test_what_is_past_stays_fresh_for_a_day() -> None:
    assert OhlcQuery("BTC", "1m", end=PAST).fresh_s == DAY
    assert HistoryQuery("BTC", start=PAST, end=PAST.replace(month=2)).fresh_s == DAY


def test_what_is_running_stays_fresh_for_less() -> None:
    assert [OhlcQuery("BTC", i).fresh_s for i in ("1m", "1h", "1d")] == [15, 900, HOUR]
    assert [HistoryQuery("BTC", days=d).fresh_s for d in (1, 30, 365)] == [300, HOUR, DAY]


def test_every_news_question_is_cut_from_one() -> None:
    assert NewsQuery(symbol="BTC", limit=3).upstream() == NewsQuery(source="x").upstream()


@given(st.integers(1, 1000), st.sampled_from(sorted(INTERVALS)))
def test_candles_are_asked_for_in_few_sizes_each_of_which_holds_enough(
    limit: int, interval: str
) -> None:
    size = OhlcQuery("BTC", interval, limit).upstream().limit
    assert size >= limit
    assert size in (OhlcQuery.FEW.get(interval, 300), 300, 1000)
    assert OhlcQuery("BTC", interval, size).upstream().limit == size


@given(st.integers(1, 1000))
def test_candles_are_cut_from_the_end_that_was_asked_for(limit: int) -> None:
    newest, first = OhlcQuery("BTC", limit=limit), OhlcQuery("BTC", limit=limit, start=PAST)
    assert list(newest.refine(range(1000))) == list(range(1000 - limit, 1000))
    assert list(first.refine(range(1000))) == list(range(limit))


def coin(name: str, change: str | None, volume: int | None = 5_000_000) -> MarketRow:
    moved = None if change is None else Decimal(change)
    traded = None if volume is None else Decimal(volume)
    blank: dict[str, Any] = dict.fromkeys(MarketRow._fields)
    return MarketRow(**blank | {"id": name, "change_24h_percent": moved, "volume_24h": traded})


COINS = [
    coin("up", "3"),
    coin("still", "0"),
    coin("down", "-9"),
    coin("top", "12.5"),
    coin("thin", "90", 10),
    coin("silent", None),
    coin("dip", "-1"),
    coin("untold", "4", None),
]


def test_gainers_rose_and_losers_fell_and_nothing_else_is_there() -> None:
    gainers = [row.id for row in MoversQuery("gainers").refine(COINS)]
    losers = [row.id for row in MoversQuery("losers").refine(COINS)]
    assert (gainers, losers) == (["top", "up"], ["down", "dip"])


def test_movers_of_a_week_are_those_of_its_change() -> None:
    week = [
        row._replace(change_7d_percent=Decimal(change))
        for row, change in zip(COINS, (-1, 2, 3, 4, 5, 6, 7, 8), strict=True)
    ]
    found = [row.id for row in MoversQuery("gainers", window="7d").refine(week)]
    assert found == ["dip", "silent", "top", "down", "still"]
    assert MoversQuery("gainers", window="1h").refine(week) == []


def test_movers_are_cut_from_the_market_everybody_asks_for() -> None:
    assert MoversQuery("losers", limit=3).upstream() == MarketQuery(limit=10).upstream()
