from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.kraken import Kraken
from providers.datasets import Listed, ListingQuery, OhlcQuery, PriceQuery
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    Garbled,
    Missing,
    ProviderError,
    Throttled,
    Unsupported,
)
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {
    "BTC": {"USD": "BTC/USD", "EUR": "BTC/EUR"},
    "DOGE": {"USD": "DOGE/USD"},
    "ETH": {"BTC": "ETH/BTC"},
    "USDT": {"USD": "USDT/USD"},
}
TICKERS = json.loads((PAYLOADS / "kraken/price.json").read_text())
NOON_S = int(NOON.timestamp())
ROW = [NOON_S, "2", "4", "1", "3", "2.5", "5", 7]


def answer(key: str = "XXBTZUSD", rows: Any = (ROW,)) -> dict[str, Any]:
    return {"error": [], "result": {key: list(rows), "last": NOON_S}}


def test_one_call_has_the_prices_of_all_and_no_bad_pair_fails_it() -> None:
    adapter, http = adapt(Kraken, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("DOGE", "BTC", "USDT", "NOBODY")))
    assert [(row.symbol, row.quote) for row in rows] == [("DOGE", "USD"), ("BTC", "USD")]
    assert http.asked == [("/Ticker", {"assetVersion": 1})]


def test_a_pair_that_is_not_in_the_list_is_missing() -> None:
    adapter, _ = adapt(Kraken, TICKERS, names=NAMES)
    with pytest.raises(Missing):
        adapter.price(PriceQuery(("USDT",)))


def test_a_change_since_midnight_is_no_change_of_24_hours() -> None:
    adapter, _ = adapt(Kraken, TICKERS, names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC",)))
    assert row.change_24h_percent is None
    assert row.last_updated is None


def test_turnover_is_volume_times_its_own_average() -> None:
    adapter, _ = adapt(Kraken, TICKERS, names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC",)))
    assert row.volume_24h == Decimal("2210.55000000") * Decimal("77512.33000")


def test_a_price_is_never_read_from_the_next_column() -> None:
    ticker = dict(TICKERS["result"]["BTC/USD"])
    ticker["c"] = ticker["c"][1:]
    adapter, _ = adapt(Kraken, {"error": [], "result": {"BTC/USD": ticker}}, names=NAMES)
    with pytest.raises(Garbled):
        adapter.price(PriceQuery(("BTC",)))


@pytest.mark.parametrize(
    ("symbol", "currency", "pair", "key"),
    [
        ("BTC", "usd", "XBTUSD", "XXBTZUSD"),
        ("BTC", "usd", "XBTUSD", "XBTUSD"),
        ("BTC", "usd", "XBTUSD", "BTC/USD"),
        ("DOGE", "usd", "XDGUSD", "XDGUSD"),
        ("ETH", "btc", "ETHXBT", "XETHXXBT"),
        ("USDT", "usd", "USDTUSD", "USDTZUSD"),
    ],
)
def test_candles_are_asked_for_by_the_old_name_and_known_by_any(
    symbol: str, currency: str, pair: str, key: str
) -> None:
    adapter, http = adapt(Kraken, answer(key), names=NAMES)
    (candle,) = adapter.ohlc(OhlcQuery(symbol, "1h", 10, currency=currency))
    assert http.asked == [("/OHLC", {"pair": pair, "interval": 60})]
    assert (candle.close, candle.volume, candle.complete) == (3, 5, False)


@pytest.mark.parametrize("result", [{"XETHZUSD": [ROW]}, {"a": [], "b": []}, {"last": 1}, {}, []])
def test_candles_of_another_pair_are_no_answer(result: Any) -> None:
    adapter, _ = adapt(Kraken, {"error": [], "result": result}, names=NAMES)
    with pytest.raises((Garbled, ValueError, AttributeError)):
        adapter.ohlc(OhlcQuery("BTC", "1h", 10))


def test_a_start_is_sent_as_the_second_before() -> None:
    adapter, http = adapt(Kraken, answer(), names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "1h", 10, start=NOON - timedelta(hours=5)))
    assert http.asked[0][1]["since"] == NOON_S - 5 * 3600 - 1


@pytest.mark.parametrize(
    "query",
    [
        OhlcQuery("BTC", "1h", 800),
        OhlcQuery("BTC", "1h", 10, start=NOON - timedelta(hours=721)),
        OhlcQuery("BTC", "1m", 10, end=NOON - timedelta(hours=12)),
    ],
    ids=str,
)
def test_what_is_older_than_720_candles_is_not_asked_for(query: OhlcQuery) -> None:
    adapter, http = adapt(Kraken, answer(), names=NAMES)
    with pytest.raises(Unsupported):
        adapter.ohlc(query)
    assert http.asked == []


def pair(**changes: Any) -> dict[str, Any]:
    return {"altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency"} | changes


@pytest.mark.parametrize(
    ("key", "row", "listed"),
    [
        ("BTC/USD", pair(), Listed("BTC/USD", "BTC", None, "USD")),
        ("XXBTZUSD", pair(), Listed("BTC/USD", "BTC", None, "USD")),
        ("XDGEUR", pair(wsname="XDG/EUR"), Listed("DOGE/EUR", "DOGE", None, "EUR")),
        ("ETH/BTC", pair(status="online"), Listed("ETH/BTC", "ETH", None, "BTC")),
        ("BTC/USD", pair(status="cancel_only"), None),
        ("AAPLx/USD", pair(aclass_base="tokenized_asset"), None),
        ("XXBTZUSD.d", {"altname": "XBTUSD.d", "aclass_base": "currency"}, None),
    ],
)
def test_pairs_are_listed_by_their_names_of_today(
    key: str, row: dict[str, Any], listed: Listed | None
) -> None:
    adapter, _ = adapt(Kraken, {"error": [], "result": {key: row}})
    assert adapter.listing(ListingQuery()) == ([listed] if listed else [])


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        ("EQuery:Unknown asset pair", Missing),
        ("EGeneral:Too many requests", Throttled),
        ("EAPI:Rate limit exceeded", Throttled),
        ("EGeneral:Temporary lockout", Throttled),
        ("EAPI:Invalid key", BadKey),
        ("EService:Unavailable", Broken),
        ("EService:Market in cancel_only mode", Broken),
        ("EGeneral:Internal error", Broken),
        ("EGeneral:Invalid arguments", Garbled),
        ("EGeneral:Invalid arguments:interval", Garbled),
    ],
)
def test_errors_come_inside_a_success(error: str, meaning: type[ProviderError]) -> None:
    found = Kraken.diagnose(Reply(200, {}, encode({"error": [error]})))
    assert type(found) is meaning


def test_a_warning_is_no_error() -> None:
    assert Kraken.diagnose(Reply(200, {}, encode({"error": ["WGeneral:Hm"], "result": {}}))) is None
    assert Kraken.diagnose(Reply(200, {}, encode({"error": [], "result": {}}))) is None


def test_a_refusal_without_a_key_is_of_this_host() -> None:
    assert type(Kraken.diagnose(Reply(403, {}, b"<html>"))) is Blocked


@pytest.mark.parametrize("status", ["online", "cancel_only", "post_only"])
def test_prices_can_be_had_while_trading_is_limited(status: str) -> None:
    adapt(Kraken, {"error": [], "result": {"status": status}})[0].ping()


def test_an_exchange_under_maintenance_is_not_well() -> None:
    with pytest.raises(Broken):
        adapt(Kraken, {"error": [], "result": {"status": "maintenance"}})[0].ping()
