from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.crypto_dt_source import CryptoDtSource
from providers.datasets import OhlcQuery, PriceQuery, SentimentQuery
from providers.errors import Broken, Garbled, Missing, Unsupported
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"": "bitcoin"}, "ETH": {"": "ethereum"}, "TON": {"": "the-open-network"}}


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"crypto_dt_source/{name}.json").read_text(), parse_float=Decimal)


def test_a_question_goes_out_under_both_names() -> None:
    adapter, http = adapt(CryptoDtSource, payload("price"), names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "ETH")))
    assert [(row.symbol, str(row.price), row.quote) for row in rows] == [
        ("BTC", "77004.5", "USD"),
        ("ETH", "2473.2", "USD"),
    ]
    both = {"symbols": "BTC,ETH", "ids": "bitcoin,ethereum", "vs_currencies": "usd", "limit": 2}
    assert http.asked == [("/api/v1/coingecko/price", both)]


def test_a_ticker_that_it_would_take_for_an_id_is_not_asked_for() -> None:
    adapter, http = adapt(CryptoDtSource, payload("price"), names=NAMES)
    adapter.price(PriceQuery(("TON", "BTC")))
    assert http.asked[0][1]["symbols"] == "BTC"
    for query in (PriceQuery(("TON",)), OhlcQuery("TON")):
        adapter, http = adapt(CryptoDtSource, payload("price"), names=NAMES)
        with pytest.raises(Unsupported):
            adapter.fetch(query)
        assert http.asked == []


def test_defaults_that_came_instead_of_an_answer_are_garbled() -> None:
    others = payload("price")
    others["data"] = others["data"][1:]
    with pytest.raises(Garbled):
        adapt(CryptoDtSource, others, names=NAMES)[0].price(PriceQuery(("BTC",)))
    with pytest.raises(Missing):
        adapt(CryptoDtSource, others | {"data": []}, names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_a_zero_means_nothing() -> None:
    zero = payload("price")["data"][0] | {"changePercent24h": 0, "volume24h": 0}
    adapter, _ = adapt(CryptoDtSource, {"success": True, "data": [zero]}, names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC",)))
    assert (row.change_24h_percent, row.volume_24h) == (None, None)
    free = {"success": True, "data": [zero | {"price": 0}]}
    with pytest.raises(Garbled):
        adapt(CryptoDtSource, free, names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_candles_are_asked_for_under_both_names() -> None:
    adapter, http = adapt(CryptoDtSource, payload("ohlc"))
    assert len(adapter.ohlc(OhlcQuery("BTC", "1h", 300))) == 4
    both = {"symbol": "BTC", "timeframe": "1h", "interval": "1h", "limit": 300}
    assert http.asked == [("/api/v1/binance/klines", both)]


def test_the_past_is_reached_by_asking_for_more() -> None:
    adapter, http = adapt(CryptoDtSource, payload("ohlc"))
    end = NOON - timedelta(hours=500)
    adapter.ohlc(OhlcQuery("BTC", "1h", 300, end=end))
    assert http.asked[0][1]["limit"] == 801
    with pytest.raises(Unsupported):
        adapter.ohlc(OhlcQuery("BTC", "1h", 300, start=NOON - timedelta(hours=1001)))


@pytest.mark.parametrize("told", [{"symbol": "BTCUSDT"}, {"timeframe": "1h"}], ids=str)
def test_an_answer_that_says_what_it_is_about_is_believed(told: dict[str, str]) -> None:
    adapter, _ = adapt(CryptoDtSource, payload("ohlc") | told)
    assert len(adapter.ohlc(OhlcQuery("BTC"))) == 4


@pytest.mark.parametrize(
    "told",
    [{"symbol": "ETH"}, {"timeframe": "1d"}, {"symbol": None}, {"symbol": "BTCUSD"}],
    ids=str,
)
def test_an_answer_about_something_else_is_garbled(told: dict[str, Any]) -> None:
    with pytest.raises(Garbled):
        adapt(CryptoDtSource, payload("ohlc") | told)[0].ohlc(OhlcQuery("BTC"))


@pytest.mark.parametrize("query", [PriceQuery(("BTC",), "eur"), OhlcQuery("BTC", currency="eur")])
def test_it_speaks_of_dollars_alone(query: Any) -> None:
    adapter, http = adapt(CryptoDtSource, {}, names=NAMES)
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


def test_the_index_is_told_newest_first() -> None:
    adapter, http = adapt(CryptoDtSource, payload("sentiment"))
    assert [day.value for day in adapter.sentiment(SentimentQuery(2))] == [38, 51]
    assert http.asked == [("/api/v1/alternative/fng", {"limit": 2})]


def test_a_failure_inside_a_200_is_one() -> None:
    failed = {"success": False, "error": "timeout", "message": "no"}
    assert type(CryptoDtSource.diagnose(Reply(200, {}, encode(failed)))) is Broken
    assert CryptoDtSource.diagnose(Reply(200, {}, encode(payload("price")))) is None
    assert CryptoDtSource.diagnose(Reply(503, {}, encode({"detail": "no"}))) is None


def test_a_ping_is_its_own_word() -> None:
    adapter, http = adapt(CryptoDtSource, {"success": True, "status": "operational"})
    adapter.ping()
    assert http.asked == [("/api/v1/status", {})]
