from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.bitfinex import Bitfinex
from providers.datasets import Listed, ListingQuery, OhlcQuery, PriceQuery
from providers.errors import Blocked, Broken, Garbled, Missing, ProviderError, Throttled
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"USD": "tBTCUSD", "USDT": "tBTCUST"}, "SHIB": {"USDT": "tSHIB:UST"}}
TICKERS = (PAYLOADS / "bitfinex/price.json").read_bytes()
MS = int(NOON.timestamp()) * 1000


def test_dollars_come_before_what_follows_the_dollar() -> None:
    adapter, http = adapt(Bitfinex, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "SHIB")))
    assert [(row.symbol, row.quote) for row in rows] == [("BTC", "USD"), ("SHIB", "USDT")]
    assert http.asked == [("/tickers", {"symbols": "tBTCUSD,tSHIB:UST"})]


def test_a_fraction_becomes_a_percentage_and_a_volume_in_coins_is_left_out() -> None:
    (row,) = adapt(Bitfinex, TICKERS, names=NAMES)[0].price(PriceQuery(("BTC",)))
    assert row.change_24h_percent == Decimal("-1.26987")
    assert row.volume_24h is None


def test_what_is_lent_for_interest_is_no_price() -> None:
    lent = ["tBTCUSD", *[1] * 16]
    with pytest.raises(Garbled):
        adapt(Bitfinex, [lent], names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_a_symbol_that_it_does_not_know_is_missing() -> None:
    with pytest.raises(Missing):
        adapt(Bitfinex, [], names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_the_close_comes_before_high_and_low_here() -> None:
    adapter, http = adapt(Bitfinex, [[MS - 3_600_000, 2, 4, 5, 1, 9]], names=NAMES)
    (candle,) = adapter.ohlc(OhlcQuery("BTC", "1h", 1000))
    assert (candle.open, candle.close, candle.high, candle.low) == (2, 4, 5, 1)
    ((path, asked),) = http.asked
    assert path == "/candles/trade:1h:tBTCUSD/hist"
    assert asked == {"start": MS - 999 * 3_600_000, "end": MS + 3_599_999, "limit": 10_000}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, {"error": "ERR_RATE_LIMIT"}, Throttled),
        (500, ["error", 11010, "ratelimit: error"], Throttled),
        (500, ["error", 20060, "maintenance"], Broken),
        (503, {"code": 503, "error": "temporarily_unavailable"}, Broken),
        (500, ["error", 10020, "symbol: invalid"], Missing),
        (500, ["error", 10020, "limit: invalid"], Garbled),
        (200, ["error", 10001, "unknown"], Garbled),
        (403, b"<html>firewall</html>", Blocked),
    ],
)
def test_its_errors_mean_what_they_mean(status: int, body: Any, error: type[ProviderError]) -> None:
    raw = body if isinstance(body, bytes) else encode(body)
    assert type(Bitfinex.diagnose(Reply(status, {}, raw))) is error


@pytest.mark.parametrize(("status", "body"), [(200, []), (200, [["tBTCUSD"]]), (500, [])])
def test_the_status_says_the_rest(status: int, body: Any) -> None:
    assert Bitfinex.diagnose(Reply(status, {}, encode(body))) is None


def test_its_names_become_everybodys() -> None:
    adapter, _ = adapt(Bitfinex, (PAYLOADS / "bitfinex/listing.json").read_bytes())
    assert adapter.listing(ListingQuery()) == [
        Listed("tBTCUSD", "BTC", None, "USD"),
        Listed("tBTCUST", "BTC", None, "USDT"),
        Listed("tETHBTC", "ETH", None, "BTC"),
        Listed("tETHUDC", "ETH", None, "USDC"),
        Listed("tLINK:USD", "LINK", None, "USD"),
    ]


def test_a_tether_is_one_whatever_it_tells() -> None:
    (row,) = adapt(Bitfinex, [["IOTUST"], [["IOT", "IOTA"]]])[0].listing(ListingQuery())
    assert (row.symbol, row.quote) == ("IOTA", "USDT")


@pytest.mark.parametrize("names", [[["UST"]], [["UST", None]], None, {}])
def test_names_that_cannot_be_read_may_mean_something_else(names: Any) -> None:
    with pytest.raises((Garbled, ValueError)):
        adapt(Bitfinex, [["BTCUST"], names])[0].listing(ListingQuery())


def test_a_pair_that_cannot_be_split_is_dropped() -> None:
    names = [["UDC", "USDC"], ["UST", "USDt"]]
    adapter, _ = adapt(Bitfinex, [["BTCUSD", "SHIBUSD"], names])
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["tBTCUSD"]
    assert adapter.dropped == 1


def test_a_ping_tells_whether_it_is_open() -> None:
    adapter, http = adapt(Bitfinex, [1])
    adapter.ping()
    assert http.asked == [("/platform/status", {})]
    with pytest.raises(Broken):
        adapt(Bitfinex, [0])[0].ping()
