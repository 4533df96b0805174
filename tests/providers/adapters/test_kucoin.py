from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from providers.adapters.base import Reading, Reply
from providers.adapters.kucoin import KuCoin
from providers.datasets import ListingQuery, OhlcQuery, PriceQuery
from providers.errors import Blocked, Broken, Garbled, Missing, ProviderError, Throttled
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"USDT": "BTC-USDT"}, "SHIB": {"USDC": "SHIB-USDC"}}
TICKERS = json.loads((PAYLOADS / "kucoin/price.json").read_text())
NOON_S = int(NOON.timestamp())


def test_all_pairs_are_one_call_and_the_real_quote_is_named() -> None:
    adapter, http = adapt(KuCoin, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("SHIB", "BTC")))
    assert [(row.symbol, row.quote) for row in rows] == [("SHIB", "USDC"), ("BTC", "USDT")]
    assert http.asked == [("/api/v1/market/allTickers", {})]


def test_a_fraction_becomes_a_percentage() -> None:
    (row,) = adapt(KuCoin, TICKERS, names=NAMES)[0].price(PriceQuery(("BTC",)))
    assert str(row.change_24h_percent) == "-1.28"
    assert row.volume_24h == Decimal("175984946.157790431")


def test_a_pair_that_rests_has_a_price_and_nothing_else() -> None:
    (row,) = adapt(KuCoin, TICKERS, names=NAMES)[0].price(PriceQuery(("SHIB",)))
    assert (row.change_24h_percent, row.volume_24h) == (None, None)


def test_the_close_comes_before_high_and_low_here() -> None:
    row = [str(NOON_S - 3600), "2", "4", "5", "1", "9", "30"]
    adapter, _ = adapt(KuCoin, {"code": "200000", "data": [row]}, names=NAMES)
    (candle,) = adapter.ohlc(OhlcQuery("BTC"))
    assert (candle.open, candle.close, candle.high, candle.low) == (2, 4, 5, 1)
    assert candle.volume == 9


def test_a_range_is_asked_for_in_seconds() -> None:
    adapter, http = adapt(KuCoin, {"code": "200000", "data": []}, names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "1h", 1000))
    ((_, asked),) = http.asked
    assert asked == {
        "symbol": "BTC-USDT",
        "type": "1hour",
        "startAt": NOON_S - 999 * 3600,
        "endAt": NOON_S + 3600,
    }


def test_calls_weigh_what_the_reference_says() -> None:
    queries = [PriceQuery(("BTC",)), OhlcQuery("BTC"), ListingQuery()]
    assert [KuCoin.cost(query) for query in queries] == [15, 3, 4]


@pytest.mark.parametrize(
    ("status", "code", "message", "error"),
    [
        (429, "429000", "Too Many Requests", Throttled),
        (200, "500000", "Internal Server Error", Broken),
        (200, "400100", "Unsupported trading pair.", Missing),
        (400, "400100", "This symbol does not exist", Missing),
        (200, "400100", "pageSize should not be greater than 500", Garbled),
        (200, "900001", "symbol not exists", Missing),
        (200, "400302", "Our services are currently unavailable in the U.S.", Blocked),
        (403, "1", "", Blocked),
    ],
)
def test_the_code_decides(status: int, code: str, message: str, error: type[ProviderError]) -> None:
    body = encode({"code": code, "msg": message})
    assert type(KuCoin.diagnose(Reply(status, {}, body))) is error


@pytest.mark.parametrize(("status", "code"), [(200, "200000"), (502, "1")])
def test_the_status_decides_where_the_code_does_not(status: int, code: str) -> None:
    assert KuCoin.diagnose(Reply(status, {}, encode({"code": code}))) is None


def test_what_is_left_of_thirty_seconds_is_read() -> None:
    said = {"gw-ratelimit-limit": "2000", "GW-RateLimit-Remaining": "1985"}
    headers: Any = CaseInsensitiveDict(said | {"gw-ratelimit-reset": "14500"})
    assert list(KuCoin.readings(headers)) == [
        Reading(per_s=30, remaining=1985, limit=2000, resets_in_s=14.5)
    ]
    assert list(KuCoin.readings({})) == []


def test_only_what_is_traded_is_listed() -> None:
    adapter, _ = adapt(KuCoin, (PAYLOADS / "kucoin/listing.json").read_bytes())
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["BTC-USDT", "ETH-BTC"]


def test_a_ping_tells_the_time() -> None:
    adapter, http = adapt(KuCoin, {"code": "200000", "data": NOON_S * 1000})
    adapter.ping()
    assert http.asked == [("/api/v1/timestamp", {})]
