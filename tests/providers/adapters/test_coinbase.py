from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.coinbase import Coinbase
from providers.datasets import ListingQuery, OhlcQuery, PriceQuery
from providers.errors import Blocked, Unsupported
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt

NAMES = {"BTC": {"USD": "BTC-USD"}, "ETH": {"USD": "ETH-USD"}}
NOON_S = int(NOON.timestamp())


def test_low_and_high_come_first_here() -> None:
    adapter, _ = adapt(Coinbase, [[NOON_S - 3600, 1, 5, 2, 4, 9]], names=NAMES)
    (candle,) = adapter.ohlc(OhlcQuery("BTC"))
    assert (candle.low, candle.high, candle.open, candle.close) == (1, 5, 2, 4)
    assert candle.volume == 9


def test_nanoseconds_are_cut_to_what_a_time_can_hold() -> None:
    adapter, http = adapt(Coinbase, (PAYLOADS / "coinbase/price.json").read_bytes(), names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC",)))
    assert row.last_updated.isoformat() == "2026-05-18T11:59:59.016274+00:00"
    assert http.asked == [("/products/BTC-USD/ticker", {})]


def test_several_products_are_several_calls() -> None:
    ticker = (PAYLOADS / "coinbase/price.json").read_bytes()
    adapter, http = adapt(Coinbase, ticker, names=NAMES)
    rows = adapter.price(PriceQuery(("BTC", "ETH", "NOBODY")))
    assert [row.symbol for row in rows] == ["BTC", "ETH"]
    assert len(http.asked) == 2 == Coinbase.cost(PriceQuery(("BTC", "ETH")))


def test_its_volume_is_in_coins_so_that_it_is_left_out() -> None:
    ticker = (PAYLOADS / "coinbase/price.json").read_bytes()
    (row,) = adapt(Coinbase, ticker, names=NAMES)[0].price(PriceQuery(("BTC",)))
    assert row.volume_24h is None
    assert row.change_24h_percent is None


def windows(asked: list[tuple[str, dict[str, Any]]]) -> list[tuple[int, int]]:
    return [(params["start"], params["end"]) for _, params in asked]


def test_start_and_end_are_always_both_sent_and_span_no_300_candles() -> None:
    adapter, http = adapt(Coinbase, [], names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", "1m", 1000))
    asked = windows(http.asked)
    assert len(asked) == 4 == Coinbase.cost(OhlcQuery("BTC", "1m", 1000))
    assert all(end - start <= 299 * 60 for start, end in asked)
    assert asked[0][0] == NOON_S - 999 * 60
    assert asked[-1][1] == NOON_S + 60
    assert [start for start, _ in asked[1:]] == [end for _, end in asked[:-1]]


def test_pages_overlap_without_a_candle_coming_twice() -> None:
    def page(first: int, last: int) -> list[list[int]]:
        return [[NOON_S - n * 60, 1, 4, 2, 3, 9] for n in range(first, last + 1)]

    adapter, _ = adapt(Coinbase, page(201, 499), page(0, 201), names=NAMES)
    found = adapter.ohlc(OhlcQuery("BTC", "1m", 500))
    assert len(found) == 500
    assert found[0].time == NOON - timedelta(minutes=499)
    assert found[-1].time == NOON


def test_a_range_ends_before_its_end() -> None:
    adapter, http = adapt(Coinbase, [], names=NAMES)
    start, end = NOON - timedelta(hours=9), NOON - timedelta(hours=2)
    adapter.ohlc(OhlcQuery("BTC", "1h", 100, start, end))
    assert windows(http.asked) == [(NOON_S - 9 * 3600, NOON_S - 2 * 3600)]


@pytest.mark.parametrize("interval", ["30m", "4h", "1w"])
def test_lengths_it_does_not_have_are_not_offered(interval: str) -> None:
    adapter, http = adapt(Coinbase, [], names=NAMES)
    with pytest.raises(Unsupported):
        adapter.ohlc(OhlcQuery("BTC", interval))
    assert http.asked == []


@pytest.mark.parametrize("status", [401, 403])
def test_a_refusal_without_a_key_is_of_this_host(status: int) -> None:
    assert type(Coinbase.diagnose(Reply(status, {}, b'{"message":"no"}'))) is Blocked


@pytest.mark.parametrize("status", [200, 400, 404, 429, 500])
def test_the_status_says_the_rest(status: int) -> None:
    assert Coinbase.diagnose(Reply(status, {}, b'{"message":"NotFound"}')) is None


def test_only_what_is_traded_is_listed() -> None:
    adapter, _ = adapt(Coinbase, (PAYLOADS / "coinbase/listing.json").read_bytes())
    assert [row.external_id for row in adapter.listing(ListingQuery())] == ["BTC-USD", "ETH-EUR"]


def test_a_ping_tells_the_time() -> None:
    adapter, http = adapt(Coinbase, {"iso": "2026-06-19T16:43:33.188Z", "epoch": 1781887413.188})
    adapter.ping()
    assert http.asked == [("/time", {})]
