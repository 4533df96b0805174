from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.coinlore import CoinLore
from providers.datasets import GlobalQuery, ListingQuery, MarketQuery, PriceQuery
from providers.errors import Garbled, Missing, Unsupported
from tests.providers.adapters.conftest import PAYLOADS, adapt

NAMES = {"BTC": {"": "90"}, "ETH": {"": "80"}}
COINS = json.loads((PAYLOADS / "coinlore/market.json").read_text(), parse_float=Decimal)["data"]


def page(first: int, count: int) -> dict[str, Any]:
    return {"data": [COINS[0] | {"id": str(first + n), "rank": first + n} for n in range(count)]}


def test_several_coins_are_one_call() -> None:
    adapter, http = adapt(CoinLore, COINS[:2], names=NAMES)
    rows = adapter.price(PriceQuery(("ETH", "BTC", "NOBODY")))
    assert [(row.symbol, str(row.price), row.quote) for row in rows] == [
        ("ETH", "2473.20", "USD"),
        ("BTC", "77003.61", "USD"),
    ]
    assert http.asked == [("/ticker/", {"id": "80,90"})]


def test_the_price_of_another_coin_is_no_answer() -> None:
    with pytest.raises(Garbled):
        adapt(CoinLore, COINS[1:2], names=NAMES)[0].price(PriceQuery(("BTC",)))
    with pytest.raises(Missing):
        adapt(CoinLore, [], names=NAMES)[0].price(PriceQuery(("BTC",)))


@pytest.mark.parametrize("own", ["", "ninety", "-90", "9e99", None])
def test_an_id_that_is_no_number_is_no_coin(own: Any) -> None:
    adapter, _ = adapt(CoinLore, {"data": [COINS[0] | {"id": own}, COINS[1]]})
    assert [row.id for row in adapter.market(MarketQuery())] == ["80"]
    assert adapter.dropped == 1


def test_a_page_of_ours_is_as_many_calls_as_it_takes() -> None:
    adapter, http = adapt(CoinLore, page(251, 100), page(351, 100), page(451, 50))
    rows = adapter.market(MarketQuery(limit=250, page=2))
    assert [row.rank for row in rows] == [*range(251, 501)]
    assert http.asked == [
        ("/tickers/", {"start": 250, "limit": 100}),
        ("/tickers/", {"start": 350, "limit": 100}),
        ("/tickers/", {"start": 450, "limit": 50}),
    ]
    assert CoinLore.cost(MarketQuery(limit=250)) == 3


def test_a_page_that_is_not_full_is_the_last() -> None:
    adapter, http = adapt(CoinLore, page(1, 7))
    assert len(adapter.market(MarketQuery(limit=250))) == 7
    assert len(http.asked) == 1


def test_what_is_left_empty_is_nothing_and_not_zero() -> None:
    quiet = adapt(CoinLore, {"data": COINS})[0].market(MarketQuery())[2]
    assert (quiet.market_cap, quiet.circulating_supply) == (None, None)
    assert (quiet.change_1h_percent, quiet.change_24h_percent) == (None, None)
    assert quiet.change_7d_percent == 0


@pytest.mark.parametrize("query", [MarketQuery("eur"), PriceQuery(("BTC",), "eur")], ids=str)
def test_it_speaks_of_dollars_alone(query: Any) -> None:
    adapter, http = adapt(CoinLore, [], names=NAMES)
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


def test_names_are_learned_of_the_largest() -> None:
    adapter, http = adapt(CoinLore, *(page(1 + 100 * n, 100) for n in range(5)))
    assert len(adapter.listing(ListingQuery())) == 500
    assert len(http.asked) == 5 == CoinLore.cost(ListingQuery())


def test_statistics_are_one_object_in_a_list() -> None:
    adapter, http = adapt(CoinLore, (PAYLOADS / "coinlore/global.json").read_bytes())
    (stats,) = adapter.global_(GlobalQuery())
    assert (stats.market_cap, stats.btc_dominance_percent) == (
        Decimal("2621177854944.69"),
        Decimal("58.83"),
    )
    adapter.ping()
    assert http.asked == [("/global/", {}), ("/global/", {})]
