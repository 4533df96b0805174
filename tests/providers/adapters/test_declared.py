from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.declared import adapter_of
from providers.datasets import (
    Listed,
    ListingQuery,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
    Query,
    TvlQuery,
)
from providers.errors import Garbled, Missing, PlanLimit, Unsupported
from tests.providers.adapters.conftest import NOON, adapt
from tests.providers.adapters.declarations import TWINS, Twin
from tests.providers.adapters.test_mutants import SHORT, check, mutants

NAMES = {"BTC": {"": "90"}, "ETH": {"": "80"}}
PRICE: dict[str, Any] = {
    "path": "/price/{id}",
    "currencies": {"usd": "usd"},
    "fields": {"price": "last"},
}


BATCH = PRICE | {
    "path": "/prices",
    "params": {"ids": "{ids}"},
    "fields": {"id": "i", "price": "p"},
}


def asked(
    mapping: dict[str, Any], query: Query, *bodies: Any, **kwargs: Any
) -> tuple[Any, Any, Any]:
    """(adapter, its upstream, the rows)."""
    adapter, http = adapt(adapter_of("x", mapping), *bodies, names=NAMES)
    return adapter, http, adapter.fetch(query)


def prices(offer: dict[str, Any]) -> dict[str, Any]:
    return {"datasets": {"price": offer}}


# -- The same as an adapter of our own -------------------------------------------------------


@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_what_is_declared_says_the_same_digit_by_digit(twin: Twin) -> None:
    ours, mine = twin.ours.run()[1], twin.theirs.run()
    assert repr(mine[1]) == repr(ours)
    assert mine[0].dropped == 0


@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_no_lie_gets_through(twin: Twin) -> None:
    case = twin.theirs
    originals = case.run()[1]
    found = list(mutants(case))
    assert len(found) >= SHORT
    for mutant in random.Random(str(twin)).sample(found, SHORT):
        check(mutant, originals)


@pytest.mark.slow
@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_no_lie_of_all_gets_through(twin: Twin) -> None:
    case = twin.theirs
    originals = case.run()[1]
    for mutant in mutants(case):
        check(mutant, originals)


# -- Asking ----------------------------------------------------------------------------------


def test_places_are_filled_literally_and_quoted() -> None:
    adapter, http = adapt(
        adapter_of("x", prices(PRICE)), {"last": "1.50"}, names={"BTC": {"": "../a b?c#d"}}
    )
    (row,) = adapter.fetch(PriceQuery(("BTC",)))
    assert http.asked == [("/price/..%2Fa%20b%3Fc%23d", {})]
    assert (row.price, row.quote) == (Decimal("1.50"), "USD")


@pytest.mark.parametrize("own", [".", ".."])
def test_a_path_does_not_climb(own: str) -> None:
    adapter, http = adapt(adapter_of("x", prices(PRICE)), {}, names={"BTC": {"": own}})
    with pytest.raises(Unsupported):
        adapter.fetch(PriceQuery(("BTC",)))
    assert http.asked == []


def test_a_place_inside_a_value_is_no_place() -> None:
    offer = PRICE | {"path": "/price", "params": {"s": "{id}"}}
    adapter, http = adapt(
        adapter_of("x", prices(offer)), {"last": 2}, names={"BTC": {"": "{currency}"}}
    )
    adapter.fetch(PriceQuery(("BTC",)))
    assert http.asked == [("/price", {"s": "{currency}"})]


def test_symbols_are_asked_in_batches() -> None:
    offer = BATCH | {"batch": 1}
    bodies = [[{"i": "90", "p": "1"}], [{"i": "80", "p": "2"}]]
    _, http, rows = asked(prices(offer), PriceQuery(("BTC", "ETH")), *bodies)
    assert [(row.symbol, row.price) for row in rows] == [("BTC", 1), ("ETH", 2)]
    assert [params for _, params in http.asked] == [{"ids": "90"}, {"ids": "80"}]
    kind = adapter_of("x", prices(offer | {"cost": 3}))
    assert (kind.cost(PriceQuery(("BTC", "ETH"))), kind.batch) == (6, {"price": 1})


def test_rows_about_others_are_dropped_and_counted() -> None:
    offer = PRICE | {
        "params": {"x": "{ids}"},
        "path": "/p",
        "batch": 5,
        "fields": {"id": "i", "price": "p"},
    }
    body = [{"i": "90", "p": "1"}, {"i": "7", "p": "9"}]
    adapter, _, rows = asked(prices(offer), PriceQuery(("BTC", "ETH")), body)
    assert [row.symbol for row in rows] == ["BTC"]
    assert adapter.dropped == 1
    with pytest.raises(Garbled):
        asked(prices(offer), PriceQuery(("BTC",)), [{"i": "7", "p": "9"}])


def test_a_list_of_everything_is_no_list_of_others() -> None:
    offer = {
        "path": "/all",
        "everything": True,
        "currencies": {"usd": "usd"},
        "rows": "data",
        "fields": {"id": "i", "price": "p", "quote": "q"},
        "units": {"id": "whole", "price": "0.01"},
    }
    body = {"data": [{"i": 90, "p": 150, "q": "USDT"}, {"i": 7, "p": 9, "q": "USD"}]}
    adapter, http, (row,) = asked(prices(offer), PriceQuery(("BTC", "ETH")), body)
    assert (row.price, row.quote, adapter.dropped) == (Decimal("1.50"), "USDT", 0)
    assert len(http.asked) == 1
    with pytest.raises(Missing):
        asked(prices(offer), PriceQuery(("ETH",)), body)


def test_pages_are_asked_until_one_is_not_full() -> None:
    offer = {
        "path": "/m",
        "params": {"o": "{offset}", "p": "{page}", "n": "{size}"},
        "pages": {"size": 2, "first": 0, "most": 3},
        "currencies": {"usd": "usd"},
        "fields": {"id": "id", "symbol": "id", "name": "id"},
    }
    mapping = {"datasets": {"market": offer}}
    page = [{"id": "a"}, {"id": "b"}]
    _, http, rows = asked(mapping, MarketQuery(limit=5), page, page, page[:1])
    assert [row.id for row in rows] == ["a", "b", "a", "b", "a"]
    assert [params["o"] for _, params in http.asked] == ["0", "2", "4"]
    _, http, rows = asked(mapping, MarketQuery(limit=3, page=2), page, page)
    assert [row.id for row in rows] == ["b", "a", "b"]
    assert [params["p"] for _, params in http.asked] == ["1", "2"]
    with pytest.raises(Unsupported):
        asked(mapping, MarketQuery(limit=250), page)


def test_a_list_of_what_it_calls_each_coin_is_read_too() -> None:
    offer = {
        "path": "/coins",
        "rows": "[?is_active]",
        "fields": {"external_id": "id", "symbol": "symbol", "name": "name"},
        "units": {"external_id": "whole", "symbol": "upper"},
    }
    body = [
        {"id": 1, "symbol": "btc", "name": "Bitcoin", "is_active": True},
        {"id": 2, "symbol": "old", "name": "Old", "is_active": False},
    ]
    _, _, rows = asked({"datasets": {"listing": offer}}, ListingQuery(), body)
    assert rows == [Listed("1", "BTC", "Bitcoin", "")]


def test_rows_may_be_the_values_of_an_object() -> None:
    offer = {
        "path": "/chains",
        "rows": "values(@)",
        "fields": {"chain": "n", "tvl": "not_null(t, u)"},
        "units": {"tvl": "1000000"},
    }
    body = {"a": {"n": "A", "t": "1.25"}, "b": {"n": "B", "u": "123456789012345678901234567890.1"}}
    _, _, rows = asked({"datasets": {"tvl": offer}}, TvlQuery(), body)
    assert [str(row.tvl) for row in rows] == [
        "123456789012345678901234567890100000.0",
        "1250000.00",
    ]


def test_what_was_not_declared_is_not_offered() -> None:
    with pytest.raises(Unsupported):
        asked(prices(PRICE), PriceQuery(("BTC",), "eur"), {})
    ohlc = next(twin for twin in TWINS if twin.dataset == "ohlc").mapping
    with pytest.raises(Unsupported):
        adapt(adapter_of("x", ohlc), [], names={"BTC": {"USDT": "B"}})[0].fetch(
            OhlcQuery("BTC", "4h")
        )


def test_a_parameter_without_a_value_is_left_out() -> None:
    ohlc = next(twin for twin in TWINS if twin.dataset == "ohlc").mapping
    adapter, http = adapt(adapter_of("x", ohlc), [], names={"BTC": {"USDT": "B"}}, now=NOON)
    adapter.fetch(OhlcQuery("BTC", "1h", 3))
    assert http.asked[0][1] == {"symbol": "B", "interval": "1h", "limit": "3"}


# -- Errors and problems ---------------------------------------------------------------------


def test_an_error_inside_a_200_is_what_the_mapping_says() -> None:
    rules = [{"when": "code == '7'", "means": "missing"}, {"when": "error", "means": "plan_limit"}]
    mapping = prices(PRICE) | {"errors": rules}
    with pytest.raises(Missing):
        asked(mapping, PriceQuery(("BTC",)), {"code": "7", "error": "no such coin"})
    with pytest.raises(PlanLimit):
        asked(mapping, PriceQuery(("BTC",)), {"error": "pay"})


def test_every_field_that_cannot_be_read_is_named() -> None:
    offer = PRICE | {
        "path": "/p",
        "params": {"i": "{ids}"},
        "batch": 9,
        "fields": {"id": "i", "price": "p"},
    }
    body = [{"i": "90", "p": "1"}, {"i": "80", "p": None}]
    adapter, _, rows = asked(prices(offer), PriceQuery(("BTC", "ETH")), body)
    assert len(rows) == 1
    assert adapter.problems == ["price: a number was promised, not null"]


@pytest.mark.parametrize("body", [None, [], "x", 7, {"rows": 5}, {"rows": None}, {"other": []}])
def test_an_answer_of_another_shape_is_garbled(body: Any) -> None:
    offer = PRICE | {"rows": "rows"}
    with pytest.raises((Garbled, Missing)):
        asked(prices(offer), PriceQuery(("BTC",)), body)
