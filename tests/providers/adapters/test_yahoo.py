from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.yahoo import Yahoo
from providers.datasets import HistoryQuery, OhlcQuery, PriceQuery
from providers.errors import (
    Blocked,
    Broken,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Unsupported,
)
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {
    "BTC": {"USD": "BTC-USD"},
    "AAPL": {"USD": "AAPL"},
    "SP500": {"": "^GSPC"},
    "VOD": {"": "VOD.L"},
}
NOON_S = int(NOON.timestamp())
DAY = 86400
SESSION = 23400  # of the exchanges of New York, in seconds
BELL = NOON_S - 3 * DAY + 5400  # 13:30 UTC of a Friday


def chart(own: str, bars: list[tuple[Any, ...]], **changes: Any) -> dict[str, Any]:
    """Bars are (time, open, high, low, close, volume)."""
    meta: dict[str, Any] = {"symbol": own, "currency": "USD", "instrumentType": "EQUITY"}
    meta |= {"regularMarketPrice": Decimal("244.87"), "regularMarketTime": NOON_S}
    meta["currentTradingPeriod"] = {"regular": {"start": BELL, "end": BELL + SESSION}}
    times, *columns = zip(*bars, strict=True) if bars else [()] * 6
    quote = dict(zip(("open", "high", "low", "close", "volume"), map(list, columns), strict=True))
    found = {"meta": meta | changes, "indicators": {"quote": [quote if bars else {}]}}
    return {"chart": {"result": [found | ({"timestamp": times} if bars else {})], "error": None}}


def bar(at: int, close: Any = 3) -> tuple[Any, ...]:
    return (at, 2, 4, 1, close, 900)


def test_a_symbol_is_a_call() -> None:
    adapter, http = adapt(Yahoo, chart("BTC-USD", []), chart("AAPL", []), names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "AAPL", "NOBODY")))
    assert [(row.symbol, row.quote, str(row.price)) for row in rows] == [
        ("BTC", "USD", "244.87"),
        ("AAPL", "USD", "244.87"),
    ]
    assert rows[0].last_updated == NOON
    assert [path for path, _ in http.asked] == [
        "/v8/finance/chart/BTC-USD",
        "/v8/finance/chart/AAPL",
    ]
    assert Yahoo.cost(PriceQuery(("BTC", "AAPL"))) == 2


def test_pence_are_not_pounds() -> None:
    body = chart("VOD.L", [], currency="GBp", regularMarketPrice=71)
    (row,) = adapt(Yahoo, body, names=NAMES)[0].price(PriceQuery(("VOD",), "gbp"))
    assert (row.price, row.quote) == (71, "GBp")
    with pytest.raises(Unsupported):
        adapt(Yahoo, body, names=NAMES)[0].ohlc(OhlcQuery("VOD", currency="gbp"))


@pytest.mark.parametrize("body", [chart("ETH-USD", []), chart("BTC-USD", [], currency="EUR")])
def test_another_symbol_or_currency_than_is_listed_is_garbled(body: Any) -> None:
    with pytest.raises(Garbled):
        adapt(Yahoo, body, names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_an_index_is_quoted_in_what_the_answer_says() -> None:
    adapter, http = adapt(Yahoo, chart("^GSPC", [bar(NOON_S - 7200)]), names=NAMES)
    assert [row.quote for row in adapter.price(PriceQuery(("SP500",)))] == ["USD"]
    assert len(adapter.ohlc(OhlcQuery("SP500"))) == 1
    assert http.asked[0][0] == "/v8/finance/chart/^GSPC"


def test_a_share_is_looked_back_for_longer_as_its_exchange_sleeps() -> None:
    adapter, http = adapt(Yahoo, chart("AAPL", []), names=NAMES)
    assert list(adapter.ohlc(OhlcQuery("AAPL", "1h", 300))) == []
    asked = http.asked[0][1]
    assert asked["period1"] == NOON_S - 299 * 3600 * 6
    assert asked["period2"] == NOON_S + 3600
    assert (asked["interval"], asked["includePrePost"]) == ("1h", False)


def test_a_start_is_a_start() -> None:
    adapter, http = adapt(Yahoo, chart("AAPL", []), names=NAMES)
    adapter.ohlc(OhlcQuery("AAPL", "1d", 10, start=NOON - timedelta(days=9)))
    assert http.asked[0][1]["period1"] == NOON_S + 43200 - 9 * DAY


def test_a_time_without_trades_is_a_gap_and_not_a_bad_row() -> None:
    nothing = (NOON_S - 7200, None, None, None, None, None)
    half = (NOON_S - 3600, 2, None, 1, 3, 900)
    body = chart("AAPL", [bar(NOON_S - 10800), nothing, half, bar(NOON_S)])
    adapter, _ = adapt(Yahoo, body, names=NAMES)
    found = adapter.ohlc(OhlcQuery("AAPL"))
    assert [(NOON - candle.time) / timedelta(hours=1) for candle in found] == [3, 0]
    assert adapter.dropped == 1


def test_columns_of_different_lengths_would_shift_prices() -> None:
    body = chart("AAPL", [bar(NOON_S - 3600), bar(NOON_S)])
    del body["chart"]["result"][0]["indicators"]["quote"][0]["open"][0]
    with pytest.raises(Garbled):
        adapt(Yahoo, body, names=NAMES)[0].ohlc(OhlcQuery("AAPL"))


def test_the_latest_trade_is_no_candle() -> None:
    late = NOON_S + 847
    bars = [bar(NOON_S - 3600), bar(NOON_S), bar(late)]
    body = chart("AAPL", bars, regularMarketTime=late)
    adapter, _ = adapt(Yahoo, body, names=NAMES, now=NOON + timedelta(minutes=20))
    assert len(adapter.ohlc(OhlcQuery("AAPL"))) == 2
    body = chart("AAPL", bars[:2], regularMarketTime=NOON_S)
    adapter, _ = adapt(Yahoo, body, names=NAMES, now=NOON + timedelta(minutes=20))
    assert len(adapter.ohlc(OhlcQuery("AAPL"))) == 2  # a trade as the hour begins is of a candle


@pytest.mark.parametrize(
    ("kind", "volume"),
    [("EQUITY", 900), ("FUTURE", 900), ("CRYPTOCURRENCY", None), ("CURRENCY", None)],
)
def test_a_volume_is_counted_in_what_is_traded(kind: str, volume: Any) -> None:
    body = chart("AAPL", [bar(NOON_S - 3600)], instrumentType=kind)
    (candle,) = adapt(Yahoo, body, names=NAMES)[0].ohlc(OhlcQuery("AAPL"))
    assert candle.volume == volume


@pytest.mark.parametrize(
    "query",
    [
        OhlcQuery("AAPL", "30m"),
        OhlcQuery("AAPL", "1w"),
        OhlcQuery("AAPL", "1m", 10, start=NOON - timedelta(days=8)),
        OhlcQuery("AAPL", "15m", 10, start=NOON - timedelta(days=60)),
        OhlcQuery("AAPL", currency="eur"),
        HistoryQuery("NOBODY", days=1),
    ],
    ids=str,
)
def test_what_it_does_not_have_is_not_asked_for(query: Any) -> None:
    adapter, http = adapt(Yahoo, chart("AAPL", []), names=NAMES)
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


def test_a_day_of_a_share_closes_with_its_exchange() -> None:
    bars = [bar(BELL - DAY, 3), bar(BELL, Decimal("3.5"))]
    body = chart("AAPL", bars, regularMarketTime=BELL + SESSION + 1)
    found = adapt(Yahoo, body, names=NAMES)[0].history(HistoryQuery("AAPL", days=365))
    closes = datetime.fromtimestamp(BELL + SESSION, UTC)
    assert [(point.time, str(point.price)) for point in found] == [
        (closes - timedelta(days=1), "3"),
        (closes, "3.5"),
    ]


def test_the_latest_trade_is_the_latest_point() -> None:
    late = NOON_S + 847
    body = chart("AAPL", [bar(NOON_S - 3600, 2), bar(NOON_S, 3), bar(late, 4)])
    body["chart"]["result"][0]["meta"]["regularMarketTime"] = late
    now = NOON + timedelta(minutes=20)
    found = adapt(Yahoo, body, names=NAMES, now=now)[0].history(HistoryQuery("AAPL", days=7))
    assert [(int(p.time.timestamp()), p.price) for p in found] == [(NOON_S, 2), (late, 4)]


@pytest.mark.parametrize(
    ("query", "bars"),
    [
        (HistoryQuery("AAPL", days=1), "5m"),
        (HistoryQuery("AAPL", days=90), "1h"),
        (HistoryQuery("AAPL", days=91), "1d"),
        (HistoryQuery("AAPL", days=9000), "1d"),
        (HistoryQuery("AAPL", start=NOON - timedelta(days=61), end=NOON - timedelta(60)), "1h"),
        (HistoryQuery("AAPL", start=NOON - timedelta(days=999), end=NOON - timedelta(998)), "1d"),
    ],
    ids=str,
)
def test_the_longer_or_older_a_history_the_coarser(query: HistoryQuery, bars: str) -> None:
    adapter, http = adapt(Yahoo, chart("AAPL", []), names=NAMES)
    assert adapter.history(query) == []
    assert http.asked[0][1]["interval"] == bars


def test_shares_had_prices_before_coins_had() -> None:
    old = int(datetime(1987, 10, 19, 14, 30, tzinfo=UTC).timestamp())
    adapter, _ = adapt(Yahoo, chart("AAPL", [bar(old)]), names=NAMES)
    (point,) = adapter.history(HistoryQuery("AAPL", days=15_000))
    assert point.time.year == 1987


def test_it_is_asked_as_a_browser_would() -> None:
    assert Yahoo.headers["User-Agent"].startswith("Mozilla/5.0")


NOT_FOUND = {"chart": {"result": None, "error": {"code": "Not Found", "description": "No data"}}}
TOO_FAR = {"chart": {"result": None, "error": {"code": "Unprocessable Entity"}}}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, NOT_FOUND, Missing),
        (200, NOT_FOUND, Missing),
        (422, TOO_FAR, PlanLimit),
        (400, TOO_FAR, PlanLimit),
        (200, TOO_FAR, Garbled),
        (401, b"Unauthorized", Blocked),
        (403, b"Forbidden", Blocked),
        (200, b"<html><title>Yahoo</title>Will be right back...</html>", Broken),
    ],
)
def test_its_errors_mean_what_they_mean(status: int, body: Any, error: type[ProviderError]) -> None:
    raw = body if isinstance(body, bytes) else encode(body)
    assert type(Yahoo.diagnose(Reply(status, {}, raw))) is error


@pytest.mark.parametrize(("status", "error"), [(200, None), (500, {"code": "Internal"})])
def test_the_status_says_the_rest(status: int, error: Any) -> None:
    body = {"chart": {"result": [], "error": error}}
    assert Yahoo.diagnose(Reply(status, {}, encode(body))) is None


def test_the_payloads_are_of_traditional_assets_too() -> None:
    found = json.loads((PAYLOADS / "yahoo/ohlc.json").read_text())
    assert found["chart"]["result"][0]["meta"]["symbol"] == "GC=F"


def test_a_ping_is_the_price_of_a_coin() -> None:
    adapter, http = adapt(Yahoo, chart("BTC-USD", []))
    adapter.ping()
    asked = {"range": "1d", "interval": "1d", "includePrePost": False}
    assert http.asked == [("/v8/finance/chart/BTC-USD", asked)]
