from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.coinmarketcap import CoinMarketCap
from providers.datasets import (
    CoinQuery,
    GlobalQuery,
    ListingQuery,
    MarketQuery,
    PriceQuery,
    SentimentQuery,
)
from providers.errors import (
    BadKey,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
    Unsupported,
)
from tests.providers.adapters.conftest import PAYLOADS, adapt, encode

NAMES = {"BTC": {"": "1"}, "ETH": {"": "1027"}}


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"coinmarketcap/{name}.json").read_text(), parse_float=Decimal)


def ok(data: Any) -> dict[str, Any]:
    return {"status": {"error_code": 0}, "data": data}


def test_several_coins_are_one_call_by_their_numbers() -> None:
    adapter, http = adapt(CoinMarketCap, payload("price"), names=NAMES)
    rows = adapter.price(PriceQuery(("ETH", "BTC", "NOBODY")))
    assert [(row.symbol, str(row.price), row.quote) for row in rows] == [
        ("ETH", "2473.2001234567", "USD"),
        ("BTC", "77004.55778899001", "USD"),
    ]
    asked = {"id": "1027,1", "convert": "USD", "skip_invalid": True}
    assert http.asked == [("/v2/cryptocurrency/quotes/latest", asked)]


def test_a_coin_under_the_number_of_another_is_garbled() -> None:
    swapped = ok({"1": payload("price")["data"]["1027"]})
    with pytest.raises(Garbled):
        adapt(CoinMarketCap, swapped, names=NAMES)[0].price(PriceQuery(("BTC",)))
    found = ok({"1027": payload("coin")["data"]["1027"] | {"id": 1}})
    with pytest.raises(Garbled):
        adapt(CoinMarketCap, found, names=NAMES)[0].coin(CoinQuery("ETH"))


def test_numbers_that_are_skipped_are_missing() -> None:
    with pytest.raises(Missing):
        adapt(CoinMarketCap, ok({}), names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_an_answer_in_another_currency_is_garbled() -> None:
    with pytest.raises(Garbled):
        adapt(CoinMarketCap, payload("market"))[0].market(MarketQuery("eur"))


def test_pages_begin_at_one() -> None:
    adapter, http = adapt(CoinMarketCap, payload("market"))
    adapter.market(MarketQuery("usd", 100, 3))
    assert http.asked[0][1] == {"start": 201, "limit": 100, "convert": "USD"}


def test_statistics_are_in_dollars() -> None:
    (stats,) = adapt(CoinMarketCap, payload("global"))[0].global_(GlobalQuery())
    assert stats.market_cap == Decimal("2621040321355.0412")
    assert stats.market_cap_change_24h_percent == Decimal("-1.6082")


def test_a_coin_is_what_it_says_of_itself() -> None:
    (coin,) = adapt(CoinMarketCap, payload("coin"), names=NAMES)[0].coin(CoinQuery("ETH"))
    assert (coin.id, coin.genesis_date) == ("1027", date(2015, 7, 30))
    assert coin.categories == ("Smart Contracts", "Layer 1")
    assert list(coin.platforms) == ["BNB Smart Chain (BEP20)"]


def test_a_coin_launched_before_there_were_prices_is_a_coin() -> None:
    found = payload("coin")["data"]["1027"] | {"date_launched": "2008-10-31T00:00:00.000Z"}
    (coin,) = adapt(CoinMarketCap, ok({"1027": found}), names=NAMES)[0].coin(CoinQuery("ETH"))
    assert coin.genesis_date == date(2008, 10, 31)


def test_the_newest_day_comes_first() -> None:
    adapter, http = adapt(CoinMarketCap, payload("sentiment"))
    days = adapter.sentiment(SentimentQuery(2))
    assert [day.value for day in days] == [38, 51]
    assert http.asked == [("/v3/fear-and-greed/historical", {"limit": 2})]
    with pytest.raises(Unsupported):
        adapter.sentiment(SentimentQuery(501))


def test_coins_that_are_gone_are_not_listed() -> None:
    adapter, _ = adapt(CoinMarketCap, payload("listing"))
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["1", "1027"]


@pytest.mark.parametrize(("symbols", "credits"), [(0, 1), (1, 1), (100, 1), (101, 2)])
def test_prices_cost_by_the_hundred(symbols: int, credits: int) -> None:
    assert CoinMarketCap.cost(PriceQuery(tuple(map(str, range(symbols))))) == credits


def test_a_market_costs_by_the_two_hundred() -> None:
    assert [CoinMarketCap.cost(MarketQuery(limit=n)) for n in (100, 200, 250)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("status", "code", "error", "wait"),
    [
        (401, 1001, BadKey, None),
        (402, 1003, BadKey, None),
        (403, 1006, PlanLimit, None),
        (429, 1008, Throttled, 60),
        (429, 1010, Throttled, 3600),
        (200, "1009", Throttled, 3600),
        (200, 4711, Garbled, None),
    ],
)
def test_its_own_code_decides(
    status: int, code: Any, error: type[ProviderError], wait: float | None
) -> None:
    body = encode({"status": {"error_code": code, "error_message": "no"}})
    found = CoinMarketCap.diagnose(Reply(status, {}, body))
    assert type(found) is error
    assert found.wait == wait


@pytest.mark.parametrize(
    ("message", "error"),
    [('Invalid value for "id": "99"', Missing), ('Invalid value for "convert": "XXX"', type(None))],
)
def test_a_number_that_it_does_not_know_is_missing(message: str, error: type[Any]) -> None:
    body = encode({"status": {"error_code": 400, "error_message": message}})
    assert type(CoinMarketCap.diagnose(Reply(400, {}, body))) is error


@pytest.mark.parametrize(("status", "body"), [(200, ok([])), (500, []), (502, {"status": "down"})])
def test_the_status_says_the_rest(status: int, body: Any) -> None:
    assert CoinMarketCap.diagnose(Reply(status, {}, encode(body))) is None


def test_a_ping_costs_next_to_nothing() -> None:
    adapter, http = adapt(CoinMarketCap, payload("listing"))
    adapter.ping()
    assert http.asked == [("/v1/cryptocurrency/map", {"limit": 1})]
