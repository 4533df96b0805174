from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from providers.adapters.base import Reading, Reply
from providers.adapters.gateio import GateIo
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

NAMES = {"BTC": {"USDT": "BTC_USDT"}, "SHIB": {"USDC": "SHIB_USDC"}}
TICKERS = json.loads((PAYLOADS / "gateio/price.json").read_text())
NOON_S = int(NOON.timestamp())


def test_the_real_quote_is_named() -> None:
    adapter, http = adapt(GateIo, TICKERS, names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "SHIB")))
    assert [(row.symbol, row.quote) for row in rows] == [("BTC", "USDT"), ("SHIB", "USDC")]
    assert http.asked == [("/spot/tickers", {})]


def test_one_pair_is_asked_for_alone_and_must_be_the_answer() -> None:
    adapter, http = adapt(GateIo, TICKERS[:1], names=NAMES)
    assert [row.symbol for row in adapter.price(PriceQuery(("BTC",)))] == ["BTC"]
    assert http.asked == [("/spot/tickers", {"currency_pair": "BTC_USDT"})]
    with pytest.raises(Garbled):
        adapt(GateIo, TICKERS[1:2], names=NAMES)[0].price(PriceQuery(("BTC",)))


def test_the_turnover_and_the_close_come_first_here() -> None:
    row = [str(NOON_S - 3600), "30", "4", "5", "1", "2", "9", "true"]
    (candle,) = adapt(GateIo, [row], names=NAMES)[0].ohlc(OhlcQuery("BTC"))
    assert (candle.close, candle.high, candle.low, candle.open) == (4, 5, 1, 2)
    assert candle.volume == 9


def test_a_range_comes_without_a_limit() -> None:
    adapter, http = adapt(GateIo, [], names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "1h", 1000))
    ((_, asked),) = http.asked
    assert asked == {
        "currency_pair": "BTC_USDT",
        "interval": "1h",
        "from": NOON_S - 999 * 3600,
        "to": NOON_S + 3599,
    }


def test_only_the_last_ten_thousand_candles_can_be_had() -> None:
    adapter, http = adapt(GateIo, [], names=NAMES)
    with pytest.raises(Unsupported):
        adapter.ohlc(OhlcQuery("BTC", "1m", 10, start=NOON - timedelta(minutes=10_001)))
    assert http.asked == []


@pytest.mark.parametrize(
    ("status", "label", "error"),
    [
        (400, "INVALID_CURRENCY_PAIR", Missing),
        (429, "TOO_MANY_REQUESTS", Throttled),
        (500, "SERVER_ERROR", Broken),
        (403, "REQUEST_FORBIDDEN", Blocked),
        (403, "SOMETHING_NEW", Blocked),
    ],
)
def test_the_label_decides(status: int, label: str, error: type[ProviderError]) -> None:
    body = encode({"label": label, "message": "no"})
    assert type(GateIo.diagnose(Reply(status, {}, body))) is error


@pytest.mark.parametrize(("status", "body"), [(200, []), (400, {"label": "INVALID_PARAM_VALUE"})])
def test_the_status_says_the_rest(status: int, body: Any) -> None:
    assert GateIo.diagnose(Reply(status, {}, encode(body))) is None


def test_what_is_left_of_ten_seconds_is_read() -> None:
    said = {"X-Gate-Ratelimit-Requests-Remain": "199", "X-Gate-RateLimit-Limit": "200"}
    assert list(GateIo.readings(CaseInsensitiveDict(said))) == [
        Reading(per_s=10, remaining=199, limit=200)
    ]
    assert list(GateIo.readings({})) == []


def test_only_what_is_traded_is_listed() -> None:
    adapter, _ = adapt(GateIo, (PAYLOADS / "gateio/listing.json").read_bytes())
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["BTC_USDT", "ETH_BTC"]


def test_a_ping_tells_the_time() -> None:
    adapter, http = adapt(GateIo, {"server_time": NOON_S * 1000})
    adapter.ping()
    assert http.asked == [("/spot/time", {})]
