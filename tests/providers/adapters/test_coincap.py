from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.coincap import CoinCap
from providers.datasets import HistoryQuery, ListingQuery, MarketQuery, PriceQuery, SearchQuery
from providers.errors import Garbled, Missing, Throttled, Unsupported
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt

NAMES = {"BTC": {"": "bitcoin"}, "ETH": {"": "ethereum"}}
ASSETS = json.loads((PAYLOADS / "coincap/market.json").read_text())["data"]
MS = int(NOON.timestamp()) * 1000


def data(rows: Any) -> dict[str, Any]:
    return {"timestamp": MS, "data": rows}


def test_digits_stay_as_they_were_sent() -> None:
    adapter, http = adapt(CoinCap, data(ASSETS[:2]), names=NAMES)
    btc, _ = adapter.price(PriceQuery(("BTC", "ETH", "NOBODY")))
    assert (btc.quote, str(btc.price)) == ("USD", "77003.5578899900112233")
    assert http.asked == [("/assets", {"ids": "bitcoin,ethereum", "limit": 2})]


def test_the_price_of_another_coin_is_no_answer() -> None:
    with pytest.raises(Garbled):
        adapt(CoinCap, data(ASSETS[1:2]), names=NAMES)[0].price(PriceQuery(("BTC",)))
    with pytest.raises(Missing):
        adapt(CoinCap, data([]), names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_pages_are_offsets() -> None:
    adapter, http = adapt(CoinCap, data(ASSETS))
    assert [row.rank for row in adapter.market(MarketQuery(limit=50, page=3))] == [1, 2, 901]
    assert http.asked == [("/assets", {"limit": 50, "offset": 100})]


@pytest.mark.parametrize(
    ("days", "interval"), [(1, "m5"), (2, "h1"), (30, "h1"), (31, "d1"), (2000, "d1")]
)
def test_the_longer_a_history_the_coarser(days: int, interval: str) -> None:
    adapter, http = adapt(CoinCap, data([]), names=NAMES)
    assert adapter.history(HistoryQuery("BTC", days=days)) == []
    asked = {"interval": interval, "start": MS - days * 86_400_000, "end": MS}
    assert http.asked == [("/assets/bitcoin/history", asked)]


@pytest.mark.parametrize(
    "query",
    [
        MarketQuery("eur"),
        PriceQuery(("BTC",), "eur"),
        HistoryQuery("BTC", days=7, currency="eur"),
        HistoryQuery("BTC", start=NOON - timedelta(days=8000)),
    ],
    ids=str,
)
def test_what_it_does_not_have_is_not_asked_for(query: Any) -> None:
    adapter, http = adapt(CoinCap, data([]), names=NAMES)
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


@pytest.mark.parametrize(
    ("query", "credits"),
    [
        (PriceQuery(("BTC",)), 2),
        (MarketQuery(limit=250), 43),
        (HistoryQuery("BTC", days=1), 13),
        (HistoryQuery("BTC", start=NOON - timedelta(days=365), end=NOON), 16),
        (SearchQuery("eth", 50), 10),
        (ListingQuery(), 35),
    ],
    ids=str,
)
def test_an_answer_costs_by_its_size(query: Any, credits: int) -> None:
    assert CoinCap.cost(query) == credits


def test_credits_that_are_spent_set_no_key_aside() -> None:
    error = CoinCap.diagnose(Reply(402, {}, b'{"error":"out of credits"}'))
    assert type(error) is Throttled
    assert error.wait == 3600
    assert CoinCap.diagnose(Reply(403, {}, b'{"error":"no"}')) is None


def test_a_ping_is_the_largest_asset() -> None:
    adapter, http = adapt(CoinCap, data(ASSETS[:1]))
    adapter.ping()
    assert http.asked == [("/assets", {"limit": 1})]
