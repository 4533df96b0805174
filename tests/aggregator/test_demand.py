from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import demand
from providers.datasets import (
    GasQuery,
    HistoryQuery,
    MarketQuery,
    NewsQuery,
    OhlcQuery,
    PriceQuery,
    Query,
    from_spec,
    spec,
)

NOW = 1_760_000_000.0
moments = st.none() | st.datetimes(
    datetime(2015, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC)
)
queries = st.one_of(
    st.builds(MarketQuery, limit=st.integers(1, 250), page=st.integers(1, 9)),
    st.builds(PriceQuery, symbols=st.tuples(st.sampled_from(["BTC", "ETH"]))),
    st.builds(OhlcQuery, symbol=st.just("BTC"), start=moments, end=moments),
    st.builds(HistoryQuery, symbol=st.just("ETH"), start=moments, days=st.none() | st.just(7)),
    st.builds(NewsQuery, since=moments),
)


@given(queries)
def test_a_question_written_down_is_the_same_question(query: Query) -> None:
    assert from_spec(spec(query)) == query


@pytest.mark.django_db
def test_the_most_asked_come_first_and_the_rarely_asked_not_at_all() -> None:
    for query, times in [(MarketQuery(), 5), (GasQuery(), 2), (PriceQuery(("BTC",)), 1)]:
        for _ in range(times):
            demand.note(query)
    demand.settle(lambda: NOW)
    assert demand.most_asked(10, clock=lambda: NOW) == [MarketQuery(), GasQuery()]


@pytest.mark.django_db
def test_demand_of_the_last_hour_counts_and_older_demand_does_not() -> None:
    demand.note(GasQuery())
    demand.note(GasQuery())
    demand.settle(lambda: NOW)
    assert demand.most_asked(10, clock=lambda: NOW + 3600) == [GasQuery()]
    assert demand.most_asked(10, clock=lambda: NOW + 7200) == []
