from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.crypto_api_clean import CryptoApiClean
from providers.datasets import GlobalQuery, MarketQuery, SentimentQuery, TrendingQuery
from providers.errors import Garbled, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"crypto_api_clean/{name}.json").read_text(), parse_float=Decimal)


def test_rows_are_those_of_coingecko() -> None:
    adapter, http = adapt(CryptoApiClean, payload("market"))
    rows = adapter.market(MarketQuery(limit=250))
    assert [(row.id, row.symbol, row.rank) for row in rows] == [
        ("bitcoin", "BTC", 1),
        ("ethereum", "ETH", 2),
        ("quiet", "QUIET", None),
    ]
    assert rows[0].change_24h_percent == Decimal("-1.27012")
    assert http.asked == [("/api/coins/top", {"limit": 250})]


@pytest.mark.parametrize(
    "query",
    [
        MarketQuery("eur"),
        MarketQuery(limit=100, page=2),
        MarketQuery(limit=251),
        SentimentQuery(366),
    ],
    ids=str,
)
def test_what_it_does_not_have_is_not_asked_for(query: Any) -> None:
    adapter, http = adapt(CryptoApiClean, {})
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


def test_statistics_have_no_time_but_that_of_the_answer() -> None:
    (stats,) = adapt(CryptoApiClean, payload("global"))[0].global_(GlobalQuery())
    assert stats.market_cap == Decimal("2621040321355.04")
    assert stats.btc_dominance_percent == Decimal("58.8312")
    assert stats.last_updated is None


def test_trends_stay_in_their_order() -> None:
    rows = adapt(CryptoApiClean, payload("trending"))[0].trending(TrendingQuery())
    assert [(row.symbol, row.rank, str(row.price_btc)) for row in rows] == [
        ("GALA", 206, "7.71E-8"),
        ("BONK", 103, "7.821E-11"),
    ]


@pytest.mark.parametrize(("days", "frame"), [(1, "1D"), (2, "7D"), (30, "30D"), (365, "1Y")])
def test_the_index_is_told_newest_first(days: int, frame: str) -> None:
    adapter, http = adapt(CryptoApiClean, payload("sentiment"))
    assert [day.value for day in adapter.sentiment(SentimentQuery(days))] == [38, 51][:days]
    assert http.asked == [("/api/sentiment/global", {"timeframe": frame})]


def test_an_index_that_was_made_up_is_garbled() -> None:
    with pytest.raises(Garbled):
        adapt(CryptoApiClean, payload("sentiment") | {"source": "fallback"})[0].sentiment(
            SentimentQuery(1)
        )


def test_neither_its_resources_nor_what_it_makes_up_is_ever_asked_for() -> None:
    asked: set[str] = set()
    queries = {
        "market": MarketQuery(),
        "global": GlobalQuery(),
        "trending": TrendingQuery(),
        "sentiment": SentimentQuery(),
    }
    assert {query.dataset.name for query in CryptoApiClean.offers} == set(queries)
    for name, query in queries.items():
        adapter, http = adapt(CryptoApiClean, payload(name))
        adapter.fetch(query)
        asked |= {path for path, _ in http.asked}
    assert asked == {"/api/coins/top", "/api/market", "/api/trending", "/api/sentiment/global"}


def test_a_ping_is_a_good_word() -> None:
    adapter, http = adapt(CryptoApiClean, {"status": "healthy", "resources_loaded": True})
    adapter.ping()
    assert http.asked == [("/health", {})]
    with pytest.raises(Garbled):
        adapt(CryptoApiClean, {"status": "degraded"})[0].ping()
