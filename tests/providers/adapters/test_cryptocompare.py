from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from providers.adapters.base import Adapter, Reading, Reply
from providers.adapters.cryptocompare import CoinDeskData, CryptoCompare
from providers.datasets import HistoryQuery, ListingQuery, MarketQuery, OhlcQuery, PriceQuery
from providers.errors import (
    BadKey,
    Garbled,
    Missing,
    ProviderError,
    Throttled,
    Unsupported,
)
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"": "BTC"}, "ETH": {"": "ETH"}}
NOON_S = int(NOON.timestamp())
BOTH = pytest.mark.parametrize("adapter_class", [CryptoCompare, CoinDeskData])


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"cryptocompare/{name}.json").read_text(), parse_float=Decimal)


def old(*rows: Any) -> dict[str, Any]:
    return {"Response": "Success", "Data": {"Data": list(rows)}}


def new(*rows: Any) -> dict[str, Any]:
    return {"Data": list(rows), "Err": {}}


def empty(adapter_class: type[Adapter]) -> dict[str, Any]:
    return old() if adapter_class is CryptoCompare else new()


def bar(at: int, close: int = 3, instrument: str = "BTC-USD") -> dict[str, Any]:
    row = {"TIMESTAMP": at, "OPEN": 2, "HIGH": 4, "LOW": 1, "CLOSE": close, "VOLUME": 5}
    return row | {"INSTRUMENT": instrument}


# -- The older generation ----------------------------------------------------------------------


def test_prices_are_one_call_and_name_their_pair() -> None:
    adapter, http = adapt(CryptoCompare, payload("price"), names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "ETH", "NOBODY")))
    assert [(row.symbol, str(row.price), row.quote) for row in rows] == [
        ("BTC", "77004.41", "USD"),
        ("ETH", "2473.15", "USD"),
    ]
    assert http.asked == [("/data/pricemultifull", {"fsyms": "BTC,ETH", "tsyms": "USD"})]


@pytest.mark.parametrize("lie", [{"FROMSYMBOL": "ETH"}, {"TOSYMBOL": "USDT"}], ids=str)
def test_the_price_of_another_pair_is_garbled(lie: dict[str, str]) -> None:
    raw = payload("price")["RAW"]["BTC"]["USD"] | lie
    adapter, _ = adapt(CryptoCompare, {"RAW": {"BTC": {"USD": raw}}}, names=NAMES)
    with pytest.raises(Garbled):
        adapter.price(PriceQuery(("BTC",)))


def test_a_page_of_ours_is_cut_out_of_pages_of_a_hundred() -> None:
    coin = payload("market")["Data"][2]
    pages = [{"Data": [coin] * 100}, {"Data": [coin] * 70}]
    adapter, http = adapt(CryptoCompare, *pages)
    assert len(adapter.market(MarketQuery(limit=60, page=2))) == 60
    assert [asked["page"] for _, asked in http.asked] == [0, 1]
    adapter, http = adapt(CryptoCompare, *pages)
    assert len(adapter.market(MarketQuery(limit=250))) == 170
    assert len(http.asked) == 2
    assert CryptoCompare.cost(MarketQuery(limit=250)) == 3


def test_a_coin_that_nobody_trades_has_no_price() -> None:
    rows = adapt(CryptoCompare, payload("market"))[0].market(MarketQuery())
    assert [(row.symbol, row.price is None) for row in rows] == [
        ("BTC", False),
        ("ETH", False),
        ("QUIET", True),
    ]


def test_rows_of_zeros_are_from_before_a_coin_was_listed() -> None:
    adapter, _ = adapt(CryptoCompare, payload("ohlc"), names=NAMES)
    assert len(adapter.ohlc(OhlcQuery("BTC"))) == 4
    assert adapter.dropped == 0
    zeros = dict.fromkeys(("open", "high", "low", "close", "volumefrom"), 0)
    adapter, _ = adapt(CryptoCompare, old(zeros | {"time": NOON_S - 3600}), names=NAMES)
    assert list(adapter.ohlc(OhlcQuery("BTC"))) == []


def test_it_sends_one_row_more_than_its_limit() -> None:
    adapter, http = adapt(CryptoCompare, old(), names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "4h", 300))
    ((path, asked),) = http.asked
    assert path == "/data/v2/histohour"
    assert (asked["fsym"], asked["tsym"]) == ("BTC", "USD")
    assert (asked["aggregate"], asked["limit"]) == (4, 299)
    assert asked["toTs"] == NOON_S  # which a candle of four hours opens at


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"Response": "Error", "Type": 99, "Message": "over your rate limit"}, Throttled),
        ({"Response": "Error", "Type": 2, "Message": "market does not exist"}, Missing),
        ({"Response": "Error", "Type": 1, "Message": "You need a valid auth key"}, BadKey),
        ({"Response": "Error", "Type": 1, "Message": "internal"}, Garbled),
    ],
)
def test_errors_inside_a_200_are_errors(body: Any, error: type[ProviderError]) -> None:
    assert type(CryptoCompare.diagnose(Reply(200, {}, encode(body)))) is error


def test_the_status_says_the_rest() -> None:
    assert CryptoCompare.diagnose(Reply(200, {}, encode(old()))) is None
    assert CryptoCompare.diagnose(Reply(401, {}, b'{"Data":{},"Err":{"type":2}}')) is None
    assert CoinDeskData.diagnose(Reply(200, {}, encode(new()))) is None
    assert CoinDeskData.diagnose(Reply(502, {}, b"<html>")) is None


def test_a_ticker_at_the_end_is_no_part_of_a_name() -> None:
    adapter, http = adapt(CryptoCompare, payload("listing"))
    found = adapter.listing(ListingQuery())
    assert [(row.external_id, row.name) for row in found] == [
        ("BTC", "Bitcoin"),
        ("ETH", "Ethereum"),
    ]
    assert http.asked == [("/data/all/coinlist", {"summary": True})]


def test_a_ping_asks_how_many_calls_are_left() -> None:
    adapter, http = adapt(CryptoCompare, {"Data": {"calls_left": {"month": 74000}}})
    adapter.ping()
    assert http.asked == [("/stats/rate/limit", {})]


# -- The newer generation ----------------------------------------------------------------------


def test_candles_are_asked_for_by_instrument() -> None:
    adapter, http = adapt(CoinDeskData, new(), names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "1d", 300, currency="eur"))
    asked = {"market": "cadli", "instrument": "BTC-EUR", "aggregate": 1, "limit": 300}
    midnight = NOON_S - 43200
    assert http.asked == [("/index/cc/v1/historical/days", asked | {"to_ts": midnight})]


def test_candles_of_another_instrument_are_garbled() -> None:
    adapter, _ = adapt(CoinDeskData, new(bar(NOON_S - 3600, instrument="ETH-USD")), names=NAMES)
    with pytest.raises(Garbled):
        adapter.ohlc(OhlcQuery("BTC"))


def test_without_a_key_it_is_the_key_that_is_missing() -> None:
    body = {
        "Data": {},
        "Err": {"type": 2, "message": "API key required", "http_status_code": 401},
    }
    assert type(CoinDeskData.diagnose(Reply(401, {}, encode(body)))) is BadKey
    assert type(CoinDeskData.diagnose(Reply(200, {}, encode(body)))) is BadKey


def test_a_time_before_it_was_traded_is_missing() -> None:
    body = {"Data": [], "Err": {"type": 1, "message": "was not trading", "other_info": {}}}
    assert type(CoinDeskData.diagnose(Reply(404, {}, encode(body)))) is Missing
    assert type(CoinDeskData.diagnose(Reply(400, {}, encode(body)))) is Garbled
    limited = {"Err": {"type": 99, "message": "rate limit"}}
    assert type(CoinDeskData.diagnose(Reply(429, {}, encode(limited)))) is Throttled


HEADERS = CaseInsensitiveDict(
    {
        "X-RateLimit-Limit": '100000, 1;window=1;burst=50;policy="fixed window", '
        '3;window=60;burst=2500;policy="fixed window", 100000;window=2592000;policy="fixed"',
        "x-ratelimit-remaining": "99956",
        "x-ratelimit-remaining-all": "99956, 49;window=1, 2499;window=60, 99956;window=2592000",
        "x-ratelimit-reset-all": "1408648, 1;window=1, 28;window=60, 1408648;window=2592000",
    }
)


def test_its_headers_tell_of_several_windows_at_once() -> None:
    assert list(CoinDeskData.readings(HEADERS)) == [
        Reading(per_s=1, remaining=49, limit=50, resets_in_s=1),
        Reading(per_s=60, remaining=2499, limit=2500, resets_in_s=28),
        Reading(per_s=2592000, remaining=99956, limit=100000, resets_in_s=1408648),
    ]
    assert list(CoinDeskData.readings({})) == []


# -- Both --------------------------------------------------------------------------------------


@BOTH
def test_minutes_go_back_a_week(adapter_class: type[Adapter]) -> None:
    adapter, http = adapt(adapter_class, old(), names=NAMES)
    with pytest.raises(Unsupported):
        adapter.ohlc(OhlcQuery("BTC", "1m", 10, start=NOON - timedelta(days=8)))
    assert http.asked == []


@BOTH
def test_more_candles_than_a_call_has_are_several_calls(adapter_class: type[Adapter]) -> None:
    adapter, http = adapt(adapter_class, empty(adapter_class), names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "1h", 4500))
    assert len(http.asked) == 3 == adapter_class.cost(OhlcQuery("BTC", "1h", 4500))


@BOTH
@pytest.mark.parametrize(
    ("query", "unit", "aggregate"),
    [
        (HistoryQuery("BTC", days=1), "minute", 5),
        (HistoryQuery("BTC", days=80), "hour", 1),
        (HistoryQuery("BTC", days=81), "day", 1),
        (
            HistoryQuery("BTC", start=NOON - timedelta(days=30), end=NOON - timedelta(days=29)),
            "hour",
            1,
        ),
    ],
    ids=str,
)
def test_the_longer_or_older_a_history_the_coarser(
    adapter_class: type[Adapter], query: HistoryQuery, unit: str, aggregate: int
) -> None:
    adapter, http = adapt(adapter_class, empty(adapter_class), names=NAMES)
    assert adapter.history(query) == []
    ((path, asked),) = http.asked
    assert path.endswith((f"histo{unit}", f"historical/{unit}s"))
    assert asked["aggregate"] == aggregate
    assert adapter_class.cost(query) == 1


def test_a_point_is_the_close_at_the_time_of_the_close() -> None:
    bars = [bar(NOON_S - 7200, 2), bar(NOON_S - 3600, 3), bar(NOON_S, 4)]
    late = NOON + timedelta(minutes=10)
    adapter, _ = adapt(CoinDeskData, new(*bars), names=NAMES, now=late)
    found = adapter.history(HistoryQuery("BTC", start=NOON - timedelta(hours=30), end=late))
    known: list[tuple[datetime, Any]] = [(point.time, point.price) for point in found]
    assert known == [(NOON - timedelta(hours=1), 2), (NOON, 3)]  # the running one closes later


def test_the_running_candle_is_a_point_of_now() -> None:
    late = NOON + timedelta(minutes=10)
    adapter, _ = adapt(CoinDeskData, new(bar(NOON_S, 4)), names=NAMES, now=late)
    end = late + timedelta(hours=1)
    (point,) = adapter.history(HistoryQuery("BTC", start=NOON - timedelta(days=2), end=end))
    assert (point.time, point.price) == (late, 4)


def test_the_newer_one_pings_with_a_day() -> None:
    adapter, http = adapt(CoinDeskData, new())
    adapter.ping()
    asked = {"market": "cadli", "instrument": "BTC-USD", "limit": 1}
    assert http.asked == [("/index/cc/v1/historical/days", asked)]
