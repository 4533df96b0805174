from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.bitstamp import Bitstamp
from providers.datasets import ListingQuery, OhlcQuery, PriceQuery
from providers.errors import Blocked, Broken, Garbled, ProviderError, Throttled, Unsupported
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"USD": "btcusd", "EUR": "btceur"}, "ETH": {"USD": "ethusd"}}
TICKERS = json.loads((PAYLOADS / "bitstamp/price.json").read_text())
NOON_S = int(NOON.timestamp())


def test_a_dollar_is_a_dollar_and_an_euro_an_euro() -> None:
    rows = adapt(Bitstamp, TICKERS, names=NAMES)[0].price(PriceQuery(("BTC", "ETH")))
    assert [(row.symbol, row.quote) for row in rows] == [("BTC", "USD"), ("ETH", "USD")]
    adapter, http = adapt(Bitstamp, TICKERS[1], names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC", "ETH"), "eur"))
    assert (row.quote, row.price) == ("EUR", Decimal(66311))
    assert http.asked == [("/ticker/btceur/", {})]


def test_the_perpetual_contract_of_a_pair_is_another_market() -> None:
    adapter, http = adapt(Bitstamp, [*TICKERS[:3], TICKERS[3] | {"last": "1"}], names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "ETH")))
    assert rows[0].price == Decimal(77004)
    assert http.asked == [("/ticker/", {})]


def test_one_pair_may_go_unnamed_but_not_by_another_name() -> None:
    unnamed = {name: value for name, value in TICKERS[0].items() if name != "pair"}
    (row,) = adapt(Bitstamp, unnamed, names=NAMES)[0].price(PriceQuery(("BTC",)))
    assert row.price == Decimal(77004)
    with pytest.raises(Garbled):
        adapt(Bitstamp, TICKERS[2], names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_volume_times_its_average_price_is_the_turnover() -> None:
    (row,) = adapt(Bitstamp, TICKERS[0], names=NAMES)[0].price(PriceQuery(("BTC",)))
    assert row.volume_24h == Decimal("812.11334455") * 77410
    assert row.last_updated == NOON - timedelta(seconds=2)


def test_candles_of_another_pair_are_garbled() -> None:
    adapter, _ = adapt(Bitstamp, {"data": {"pair": "ETH/USD", "ohlc": []}}, names=NAMES)
    with pytest.raises(Garbled):
        adapter.ohlc(OhlcQuery("BTC"))


def test_a_range_ends_with_the_opening_of_its_last_candle() -> None:
    adapter, http = adapt(Bitstamp, {"data": {"pair": "BTC/USD", "ohlc": []}}, names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "4h", 3))
    assert http.asked == [
        (
            "/ohlc/btcusd/",
            {"step": 14400, "start": NOON_S - 2 * 14400, "end": NOON_S, "limit": 1000},
        )
    ]


def test_weeks_are_not_offered() -> None:
    adapter, http = adapt(Bitstamp, {}, names=NAMES)
    with pytest.raises(Unsupported):
        adapter.ohlc(OhlcQuery("BTC", "1w"))
    assert http.asked == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"status": "error", "reason": "Too many requests", "code": "400.002"}, Throttled),
        (200, {"error": "Bitstamp.net is under scheduled maintenance."}, Broken),
        (200, {"status": "error", "reason": {"__all__": ["no"]}}, Garbled),
        (403, {"status": "error", "reason": "no", "response_code": "403.004"}, Blocked),
    ],
)
def test_its_errors_mean_what_they_mean(status: int, body: Any, error: type[ProviderError]) -> None:
    assert type(Bitstamp.diagnose(Reply(status, {}, encode(body)))) is error


@pytest.mark.parametrize(("status", "body"), [(200, []), (404, {"error": "Not found"})])
def test_the_status_says_the_rest(status: int, body: Any) -> None:
    assert Bitstamp.diagnose(Reply(status, {}, encode(body))) is None


def test_only_what_is_traded_on_the_spot_is_listed() -> None:
    adapter, _ = adapt(Bitstamp, (PAYLOADS / "bitstamp/listing.json").read_bytes())
    found = adapter.listing(ListingQuery())
    assert [(row.external_id, row.symbol, row.quote) for row in found] == [
        ("btcusd", "BTC", "USD"),
        ("ethbtc", "ETH", "BTC"),
    ]


def test_a_ping_is_a_price() -> None:
    adapter, http = adapt(Bitstamp, TICKERS[0])
    adapter.ping()
    assert http.asked == [("/ticker/btcusd/", {})]
