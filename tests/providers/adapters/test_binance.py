from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from providers.adapters.base import Reading, Reply
from providers.adapters.binance import Binance
from providers.datasets import ListingQuery, OhlcQuery, PriceQuery
from providers.errors import (
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
    "BTC": {"USDC": "BTCUSDC", "USDT": "BTCUSDT", "EUR": "BTCEUR"},
    "SHIB": {"USDC": "SHIBUSDC"},
}
TICKERS = json.loads((PAYLOADS / "binance/price.json").read_text())
MS = int(NOON.timestamp()) * 1000


def test_a_dollar_that_is_a_tether_is_called_one() -> None:
    adapter, http = adapt(Binance, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "SHIB")))
    assert [(row.symbol, row.quote) for row in rows] == [("BTC", "USDT"), ("SHIB", "USDC")]
    assert http.asked == [("/api/v3/ticker/24hr", {"symbols": '["BTCUSDT","SHIBUSDC"]'})]


def test_an_euro_is_an_euro() -> None:
    adapter, http = adapt(Binance, [TICKERS[0] | {"symbol": "BTCEUR"}], names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC", "SHIB"), "eur"))
    assert row.quote == "EUR"
    assert json.loads(http.asked[0][1]["symbols"]) == ["BTCEUR"]


def test_digits_stay_as_they_were_sent() -> None:
    adapter, _ = adapt(Binance, TICKERS, names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC",)))
    assert (str(row.price), str(row.change_24h_percent)) == ("77010.12000000", "-1.210")


def test_the_price_of_another_symbol_is_no_answer() -> None:
    adapter, _ = adapt(Binance, TICKERS[1:2], names=NAMES)
    with pytest.raises(Garbled):
        adapter.price(PriceQuery(("BTC",)))


def test_a_market_without_a_price_is_left_out_and_counted() -> None:
    halted = TICKERS[0] | {"lastPrice": "0.00000000"}
    adapter, _ = adapt(Binance, [halted, TICKERS[2]], names=NAMES)
    assert [row.symbol for row in adapter.price(PriceQuery(("BTC", "SHIB")))] == ["SHIB"]
    assert adapter.dropped == 1


def test_a_range_of_candles_is_half_open_and_theirs_is_not() -> None:
    adapter, http = adapt(Binance, [], names=NAMES)
    start, end = NOON - timedelta(hours=5), NOON - timedelta(hours=1)
    adapter.ohlc(OhlcQuery("BTC", "1h", 10, start, end))
    assert http.asked == [
        (
            "/api/v3/klines",
            {
                "symbol": "BTCUSDT",
                "interval": "1h",
                "startTime": MS - 5 * 3_600_000,
                "endTime": MS - 3_600_000 - 1,
                "limit": 10,
            },
        )
    ]


def test_more_candles_than_a_call_has_are_not_offered() -> None:
    adapter, _ = adapt(Binance, [], names=NAMES)
    with pytest.raises(Unsupported):
        adapter.ohlc(OhlcQuery("BTC", "1h", 1001))


@pytest.mark.parametrize(
    ("symbols", "weight"), [(1, 2), (20, 2), (21, 40), (100, 40), (101, 80), (500, 80)]
)
def test_prices_weigh_by_their_number(symbols: int, weight: int) -> None:
    assert Binance.cost(PriceQuery(tuple(map(str, range(symbols))))) == weight


def test_candles_and_lists_have_weights_of_their_own() -> None:
    assert Binance.cost(OhlcQuery("BTC")) == 2
    assert Binance.cost(ListingQuery()) == 20


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, {"code": -1003, "msg": "Too many requests."}, Throttled),
        (418, {"code": -1003, "msg": "Way too much."}, Blocked),
        (451, {"code": 0, "msg": "Service unavailable from a restricted location."}, Blocked),
        (403, {"code": 0, "msg": "Service unavailable from a restricted location."}, Blocked),
        (403, b"<html>firewall</html>", Blocked),
        (400, {"code": -1121, "msg": "Invalid symbol."}, Missing),
        (503, {"code": -1007, "msg": "Timeout waiting for response."}, Broken),
        (200, {"code": -1000, "msg": "An unknown error."}, Broken),
        (200, {"code": -4242, "msg": "Something new."}, Garbled),
    ],
)
def test_its_errors_mean_what_they_mean(status: int, body: Any, error: type[ProviderError]) -> None:
    raw = body if isinstance(body, bytes) else encode(body)
    assert type(Binance.diagnose(Reply(status, {}, raw))) is error


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, []), (200, {}), (200, {"symbols": []}), (500, {}), (400, {"code": -1102, "msg": "…"})],
)
def test_the_status_decides_where_it_says_nothing_of_its_own(status: int, body: Any) -> None:
    assert Binance.diagnose(Reply(status, {}, encode(body))) is None


def test_used_weight_is_read_from_the_headers() -> None:
    headers = CaseInsensitiveDict(
        {"x-mbx-used-weight": "40", "x-mbx-used-weight-1m": "42", "X-MBX-USED-WEIGHT-2H": "99"}
    )
    assert list(Binance.readings(headers)) == [
        Reading(per_s=60, used=42),
        Reading(per_s=7200, used=99),
    ]


def test_a_ping_is_answered_by_nothing() -> None:
    adapter, _ = adapt(Binance, {})
    adapter.ping()
    with pytest.raises(Garbled):
        adapt(Binance, {"hello": 1})[0].ping()


def test_only_what_is_traded_is_listed() -> None:
    adapter, _ = adapt(Binance, (PAYLOADS / "binance/listing.json").read_bytes())
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["BTCUSDT", "ETHBTC"]


def test_a_volume_is_money_in_the_quote() -> None:
    adapter, _ = adapt(Binance, TICKERS, names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC",)))
    assert row.volume_24h == Decimal(TICKERS[0]["quoteVolume"])


def test_a_delisted_pair_does_not_take_the_others_with_it() -> None:
    adapter, http = adapt(Binance, {"code": -1121, "msg": "Invalid symbol."}, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "SHIB")))
    assert [row.symbol for row in rows] == ["BTC", "SHIB"]
    assert http.asked[1] == ("/api/v3/ticker/24hr", {})


def test_a_delisted_pair_alone_is_missing() -> None:
    adapter, http = adapt(Binance, {"code": -1121, "msg": "Invalid symbol."}, names=NAMES)
    with pytest.raises(Missing):
        adapter.price(PriceQuery(("BTC",)))
    assert len(http.asked) == 1
