from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.okx import Okx
from providers.datasets import ListingQuery, OhlcQuery, PriceQuery
from providers.errors import Blocked, Broken, Garbled, Missing, ProviderError, Throttled
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"USDT": "BTC-USDT"}, "SHIB": {"USDC": "SHIB-USDC", "USD": "SHIB-USD"}}
TICKERS = json.loads((PAYLOADS / "okx/price.json").read_text())
MS = int(NOON.timestamp()) * 1000


def data(rows: Any) -> dict[str, Any]:
    return {"code": "0", "msg": "", "data": rows}


def bars(first: int, last: int) -> dict[str, Any]:
    """Minutes that opened so many minutes ago, newest first."""
    row = ["2", "4", "1", "3", "9", "18", "18", "1"]
    return data([[str(MS - n * 60_000), *row] for n in range(first, last + 1)])


def test_the_real_quote_is_named_in_the_order_of_preference() -> None:
    adapter, http = adapt(Okx, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("SHIB", "BTC")))
    assert [(row.symbol, row.quote) for row in rows] == [("SHIB", "USDC"), ("BTC", "USDT")]
    assert http.asked == [("/api/v5/market/tickers", {"instType": "SPOT"})]


def test_a_change_is_reckoned_from_the_price_of_24_hours_ago() -> None:
    adapter, _ = adapt(Okx, TICKERS, names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC",)))
    assert row.change_24h_percent == Decimal("-1.2678")  # 77011.1 of 78000


@pytest.mark.parametrize("before", ["", "0"])
def test_a_new_pair_has_no_change(before: str) -> None:
    ticker = TICKERS["data"][0] | {"open24h": before}
    (row,) = adapt(Okx, data([ticker]), names=NAMES)[0].price(PriceQuery(("BTC",)))
    assert row.change_24h_percent is None


def test_a_swap_is_no_spot_price() -> None:
    ticker = TICKERS["data"][0] | {"instType": "SWAP"}
    with pytest.raises(Garbled):
        adapt(Okx, data([ticker]), names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_an_instrument_that_is_not_in_the_list_is_missing() -> None:
    adapter, _ = adapt(Okx, data(TICKERS["data"][1:2]), names=NAMES)
    with pytest.raises(Missing):
        adapter.price(PriceQuery(("BTC",)))


@pytest.mark.parametrize(
    ("interval", "bar"),
    [("1m", "1m"), ("1h", "1H"), ("4h", "4H"), ("1d", "1Dutc"), ("1w", "1Wutc")],
)
def test_days_and_weeks_open_at_midnight_utc(interval: str, bar: str) -> None:
    adapter, http = adapt(Okx, data([]), names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", interval, 10))
    assert http.asked[0][1]["bar"] == bar


def test_pages_are_turned_backwards() -> None:
    adapter, http = adapt(Okx, bars(0, 299), bars(300, 499), names=NAMES)
    found = adapter.ohlc(OhlcQuery("BTC", "1m", 500))
    assert len(found) == 500
    assert found[0].time == NOON - timedelta(minutes=499)
    assert [(path, asked["after"], asked["limit"]) for path, asked in http.asked] == [
        ("/api/v5/market/candles", MS + 60_000, 300),
        ("/api/v5/market/candles", MS - 299 * 60_000, 200),
    ]
    assert Okx.cost(OhlcQuery("BTC", "1m", 500)) == 2


def test_a_page_that_is_not_full_is_the_last() -> None:
    adapter, http = adapt(Okx, bars(0, 9), names=NAMES)
    assert len(adapter.ohlc(OhlcQuery("BTC", "1m", 500))) == 10
    assert len(http.asked) == 1


def test_old_candles_come_from_the_archive_a_hundred_at_a_time() -> None:
    adapter, http = adapt(Okx, bars(1900, 1999), bars(2000, 2049), names=NAMES)
    start = NOON - timedelta(minutes=2049)
    found = adapter.ohlc(OhlcQuery("BTC", "1m", 150, start=start))
    assert [(path, asked["after"], asked["limit"]) for path, asked in http.asked] == [
        ("/api/v5/market/history-candles", MS - 1899 * 60_000, 100),
        ("/api/v5/market/history-candles", MS - 1999 * 60_000, 50),
    ]
    assert (found[0].time, len(found)) == (start, 150)


def test_a_page_that_never_ends_is_turned_no_further_than_needed() -> None:
    adapter, http = adapt(Okx, bars(0, 299), names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "1m", 900))
    assert len(http.asked) == 3


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, {"code": "50011", "msg": "Too Many Requests"}, Throttled),
        (200, {"code": "50011", "msg": "", "data": []}, Throttled),
        (200, {"code": "50001", "msg": "", "data": []}, Broken),
        (503, {"code": "50013", "msg": ""}, Broken),
        (200, {"code": "51000", "msg": "Parameter error", "data": []}, Garbled),
        (200, {"code": "51001", "msg": "Instrument ID does not exist", "data": []}, Missing),
        (403, {"code": "1", "msg": ""}, Blocked),
    ],
)
def test_the_code_decides(status: int, body: Any, error: type[ProviderError]) -> None:
    assert type(Okx.diagnose(Reply(status, {}, encode(body)))) is error


@pytest.mark.parametrize(("status", "code"), [(200, "0"), (500, "50999"), (404, "404")])
def test_the_status_decides_where_the_code_does_not(status: int, code: str) -> None:
    assert Okx.diagnose(Reply(status, {}, encode({"code": code, "data": []}))) is None


def test_only_what_is_live_is_listed() -> None:
    adapter, _ = adapt(Okx, (PAYLOADS / "okx/listing.json").read_bytes())
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["BTC-USDT", "ETH-BTC"]


def test_a_ping_tells_the_time() -> None:
    adapter, http = adapt(Okx, data([{"ts": str(MS)}]))
    adapter.ping()
    assert http.asked == [("/api/v5/public/time", {})]
