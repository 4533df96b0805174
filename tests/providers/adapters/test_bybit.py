from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from providers.adapters.base import Reading, Reply
from providers.adapters.bybit import Bybit
from providers.datasets import ListingQuery, OhlcQuery, PriceQuery
from providers.errors import Blocked, Broken, Garbled, Missing, ProviderError, Throttled
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"USDT": "BTCUSDT", "USDC": "BTCUSDC"}, "SHIB": {"USDC": "SHIBUSDC"}}
TICKERS = json.loads((PAYLOADS / "bybit/price.json").read_text())
MS = int(NOON.timestamp()) * 1000


def spot(rows: Any, **more: Any) -> dict[str, Any]:
    result = {"category": "spot", "list": rows, **more}
    return {"retCode": 0, "retMsg": "OK", "result": result, "time": MS}


def test_a_dollar_that_is_a_tether_is_called_one() -> None:
    adapter, http = adapt(Bybit, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "SHIB")))
    assert [(row.symbol, row.quote) for row in rows] == [("BTC", "USDT"), ("SHIB", "USDC")]
    assert http.asked == [("/v5/market/tickers", {"category": "spot"})]


def test_one_pair_is_asked_for_alone() -> None:
    adapter, http = adapt(Bybit, spot(TICKERS["result"]["list"][:1]), names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC", "NOBODY")))
    assert http.asked == [("/v5/market/tickers", {"category": "spot", "symbol": "BTCUSDT"})]
    assert row.last_updated == NOON


def test_a_fraction_becomes_a_percentage_with_its_digits() -> None:
    adapter, _ = adapt(Bybit, TICKERS, names=NAMES)
    row, _ = adapter.price(PriceQuery(("BTC", "SHIB")))
    assert str(row.change_24h_percent) == "-1.27"
    assert row.volume_24h == Decimal("612345678.91")  # money, not coins


@pytest.mark.parametrize("method", ["price", "ohlc"])
def test_what_is_about_another_symbol_is_garbled(method: str) -> None:
    body = spot(TICKERS["result"]["list"][1:2], symbol="ETHUSDT")
    query: Any = {"price": PriceQuery(("BTC",)), "ohlc": OhlcQuery("BTC")}[method]
    with pytest.raises(Garbled):
        adapt(Bybit, body, names=NAMES)[0].fetch(query)


def test_a_contract_is_no_spot_price() -> None:
    body = spot(TICKERS["result"]["list"][:1], category="linear")
    with pytest.raises(Garbled, match="no spot"):
        adapt(Bybit, body, names=NAMES)[0].price(PriceQuery(("BTC",)))


@pytest.mark.parametrize(
    ("interval", "own"), [("1m", "1"), ("1h", "60"), ("4h", "240"), ("1d", "D"), ("1w", "W")]
)
def test_a_call_asks_for_all_candles_that_open_in_the_range(interval: str, own: str) -> None:
    adapter, http = adapt(Bybit, spot([], symbol="BTCUSDT"), names=NAMES)
    query = OhlcQuery("BTC", interval, 10)
    adapter.ohlc(query)
    ((path, asked),) = http.asked
    assert (path, asked["interval"]) == ("/v5/market/kline", own)
    assert (asked["end"] + 1 - asked["start"]) // 1000 == 10 * query.seconds
    assert asked["end"] >= MS


def test_a_range_that_has_not_begun_is_not_asked_for() -> None:
    adapter, http = adapt(Bybit, spot([]), names=NAMES)
    assert list(adapter.ohlc(OhlcQuery("BTC", start=NOON + timedelta(days=1)))) == []
    assert http.asked == []


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (200, {"retCode": 10006, "retMsg": "Too many visits!"}, Throttled),
        (200, {"retCode": 10016, "retMsg": "System error"}, Broken),
        (200, {"retCode": 10001, "retMsg": "Not supported symbols"}, Missing),
        (200, {"retCode": 10001, "retMsg": "Illegal interval"}, Garbled),
        (403, b'{"retMsg":"403, access too frequent. "}', Throttled),
        (403, b"<html>The Amazon CloudFront distribution</html>", Blocked),
    ],
)
def test_the_code_decides(status: int, body: Any, error: type[ProviderError]) -> None:
    raw = body if isinstance(body, bytes) else encode(body)
    assert type(Bybit.diagnose(Reply(status, {}, raw))) is error


def test_a_ban_lasts_ten_minutes() -> None:
    error = Bybit.diagnose(Reply(403, {}, b"access too frequent"))
    assert error is not None
    assert error.wait == 600


@pytest.mark.parametrize(("status", "code"), [(200, 0), (500, 7)])
def test_the_status_decides_where_the_code_does_not(status: int, code: int) -> None:
    assert Bybit.diagnose(Reply(status, {}, encode({"retCode": code}))) is None


def test_what_is_left_of_five_seconds_is_read_where_it_is_told() -> None:
    told = CaseInsensitiveDict({"X-Bapi-Limit": "100", "x-bapi-limit-status": "99"})
    assert list(Bybit.readings(told)) == [Reading(per_s=5, remaining=99, limit=100)]
    assert list(Bybit.readings({"Content-Length": "141"})) == []


def test_only_what_is_traded_is_listed() -> None:
    adapter, _ = adapt(Bybit, (PAYLOADS / "bybit/listing.json").read_bytes())
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["BTCUSDT", "ETHBTC"]


def test_a_ping_tells_the_time() -> None:
    adapter, http = adapt(Bybit, {"retCode": 0, "result": {}, "time": MS})
    adapter.ping()
    assert http.asked == [("/v5/market/time", {})]
