from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from providers.adapters.base import Auth, Reply
from providers.adapters.coingecko import CoinGecko, CoinGeckoDemo, CoinGeckoPro
from providers.datasets import (
    CoinQuery,
    HistoryQuery,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
    SearchQuery,
    TrendingQuery,
)
from providers.errors import (
    BadKey,
    Blocked,
    Broken,
    Garbled,
    Missing,
    PlanLimit,
    ProviderError,
    Throttled,
    Unsupported,
)
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"": "bitcoin"}, "ETH": {"": "ethereum"}}
MS = int(NOON.timestamp()) * 1000


def test_a_page_of_the_market_is_asked_for_as_it_is() -> None:
    adapter, http = adapt(CoinGecko, [])
    assert adapter.market(MarketQuery(currency="eur", limit=250, page=3)) == []
    path, params = http.asked[0]
    assert path == "/coins/markets"
    assert (params["vs_currency"], params["per_page"], params["page"]) == ("eur", 250, 3)
    with pytest.raises(Unsupported):
        adapter.market(MarketQuery(limit=251))


def test_prices_are_asked_for_at_once_and_unknown_symbols_are_left_out() -> None:
    body = {"bitcoin": {"eur": 5}, "ethereum": {"eur": Decimal("0.10")}}
    adapter, http = adapt(CoinGecko, body, names=NAMES)
    rows = adapter.price(PriceQuery(("ETH", "NOBODY", "BTC"), "eur"))
    assert [(row.symbol, str(row.price), row.quote) for row in rows] == [
        ("ETH", "0.10", "EUR"),
        ("BTC", "5", "EUR"),
    ]
    assert http.asked[0][1]["ids"] == "ethereum,bitcoin"


def test_symbols_without_any_name_here_are_not_asked_for() -> None:
    adapter, http = adapt(CoinGecko, {}, names=NAMES)
    with pytest.raises(Unsupported):
        adapter.price(PriceQuery(("NOBODY",)))
    assert http.asked == []


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({}, Missing),
        ({"dogecoin": {"usd": 1}}, Garbled),
        ({"bitcoin": {}}, Garbled),
        ({"bitcoin": {"usd": None}}, Garbled),
        ({"bitcoin": {"usd": 0}}, Garbled),
        ([], Garbled),
    ],
)
def test_no_price_is_never_a_price(body: Any, error: type[ProviderError]) -> None:
    adapter, _ = adapt(CoinGecko, body, names=NAMES)
    with pytest.raises(error):
        adapter.price(PriceQuery(("BTC",)))


@pytest.mark.parametrize(
    ("interval", "limit", "days"),
    [("30m", 48, 1), ("4h", 10, 7), ("4h", 43, 7), ("4h", 44, 14), ("4h", 100, 30)],
)
def test_the_days_decide_how_long_a_candle_is(interval: str, limit: int, days: int) -> None:
    adapter, http = adapt(CoinGecko, [], names=NAMES)
    adapter.ohlc(OhlcQuery("BTC", interval, limit))
    assert http.asked[0] == (
        "/coins/bitcoin/ohlc",
        {"vs_currency": "usd", "days": days, "precision": "full"},
    )


@pytest.mark.parametrize(
    "query",
    [
        OhlcQuery("BTC", "1h", 10),
        OhlcQuery("BTC", "1d", 10),
        OhlcQuery("BTC", "30m", 50),
        OhlcQuery("BTC", "4h", 200),
        OhlcQuery("BTC", "4h", 10, start=NOON - timedelta(days=31)),
    ],
    ids=str,
)
def test_candles_it_does_not_have_are_not_asked_for(query: OhlcQuery) -> None:
    adapter, http = adapt(CoinGecko, [], names=NAMES)
    with pytest.raises(Unsupported):
        adapter.ohlc(query)
    assert http.asked == []


def test_the_time_of_a_candle_is_that_of_its_close() -> None:
    adapter, _ = adapt(CoinGecko, [[MS, 2, 4, 1, 3]], names=NAMES)
    (candle,) = adapter.ohlc(OhlcQuery("BTC", "30m", 10))
    assert candle.time == NOON - timedelta(minutes=30)
    assert candle.complete
    assert candle.volume is None


def test_candles_of_four_days_are_not_candles_of_four_hours() -> None:
    days = 4 * 86_400_000
    rows = [[MS - n * days, 2, 4, 1, 3] for n in range(3)]
    adapter, _ = adapt(CoinGecko, rows, names=NAMES)
    with pytest.raises(Garbled, match="longer interval"):
        adapter.ohlc(OhlcQuery("BTC", "4h", 100))


def test_a_year_of_history_is_free_and_a_day_more_is_not() -> None:
    chart: dict[str, Any] = {"prices": [], "market_caps": [], "total_volumes": []}
    adapter, http = adapt(CoinGecko, chart, names=NAMES)
    assert adapter.history(HistoryQuery("BTC", days=365)) == []
    asked = http.asked[0][1]
    assert asked["to"] == int(NOON.timestamp())
    assert 0 < asked["from"] - (asked["to"] - 365 * 86400) < 3600
    with pytest.raises(Unsupported):
        adapter.history(HistoryQuery("BTC", days=366))


def test_a_paid_plan_is_asked_for_whatever_the_visitor_wants() -> None:
    adapter, http = adapt(CoinGeckoPro, {"prices": []}, names=NAMES)
    start = datetime(2015, 1, 1, tzinfo=UTC)
    adapter.history(HistoryQuery("BTC", start=start))
    assert http.asked[0][1]["from"] == int(start.timestamp())


def test_history_is_joined_by_time_and_never_by_place() -> None:
    chart = {
        "prices": [[MS - 2000, 7], [MS - 4000, 5], [MS - 4000, 5]],
        "market_caps": [[MS - 4000, 500]],
        "total_volumes": [[MS - 2000, 70], [MS - 4000, None]],
    }
    adapter, _ = adapt(CoinGecko, chart, names=NAMES)
    first, second = adapter.history(HistoryQuery("BTC", days=1))
    assert (first.price, first.market_cap, first.volume) == (5, 500, None)
    assert (second.price, second.market_cap, second.volume) == (7, None, 70)


def test_a_capitalisation_of_zero_is_an_unknown_one() -> None:
    chart = {"prices": [[MS, 7]], "market_caps": [[MS, 0]], "total_volumes": [[MS, 0]]}
    adapter, _ = adapt(CoinGecko, chart, names=NAMES)
    (point,) = adapter.history(HistoryQuery("BTC", days=1))
    assert point.market_cap is None
    assert point.volume == 0


def test_history_holds_its_start_and_not_its_end() -> None:
    chart = {"prices": [[MS - n * 1000, n + 1] for n in range(5)]}
    adapter, _ = adapt(CoinGecko, chart, names=NAMES)
    query = HistoryQuery("BTC", start=NOON - timedelta(seconds=3), end=NOON - timedelta(seconds=1))
    assert [point.price for point in adapter.history(query)] == [4, 3]


def test_another_coin_than_was_asked_for_is_garbled() -> None:
    adapter, _ = adapt(CoinGecko, {"id": "bitcoin-2"}, names=NAMES)
    with pytest.raises(Garbled):
        adapter.coin(CoinQuery("BTC"))


def test_a_search_is_cut_to_its_limit() -> None:
    coin = {"id": "a", "name": "A", "symbol": "a", "market_cap_rank": None}
    adapter, http = adapt(CoinGecko, {"coins": [coin] * 5})
    assert len(adapter.search(SearchQuery("a & b", 3))) == 3
    assert http.asked == [("/search", {"query": "a & b"})]


def test_what_is_searched_for_keeps_its_order_and_its_digits() -> None:
    adapter, http = adapt(CoinGecko, (PAYLOADS / "coingecko" / "trending.json").read_bytes())
    first, second = adapter.trending(TrendingQuery())
    assert (first.symbol, first.rank, second.symbol, second.rank) == ("BONK", 103, "NEWC", None)
    assert f"{first.price_btc:f} {second.price_btc:f}" == "0.000000000078214 0.0000013145"
    assert (str(first.change_24h_percent), str(second.change_24h_percent)) == ("-3.2741", "41.7")
    assert http.asked == [("/search/trending", {})]


def test_a_trend_without_prices_is_a_trend() -> None:
    item = {"id": "a", "name": "A", "symbol": "a", "market_cap_rank": 9}
    (row,) = adapt(CoinGecko, {"coins": [{"item": item}]})[0].trending(TrendingQuery())
    assert (row.price_btc, row.change_24h_percent) == (None, None)


def test_the_free_tier_sends_no_key_and_the_others_send_theirs() -> None:
    assert CoinGecko.auth is None
    assert CoinGeckoDemo.auth == Auth(header="x-cg-demo-api-key")
    assert CoinGeckoPro.auth == Auth(header="x-cg-pro-api-key")
    assert CoinGeckoDemo.base_url == CoinGecko.base_url != CoinGeckoPro.base_url


def test_the_tiers_share_their_names_for_assets() -> None:
    assert {tier.listed_as for tier in (CoinGecko, CoinGeckoDemo, CoinGeckoPro)} == {"coingecko"}


def status(code: int) -> dict[str, Any]:
    return {"status": {"error_code": code, "error_message": "…"}}


@pytest.mark.parametrize(
    ("http_status", "body", "error"),
    [
        (429, status(429), Throttled),
        (429, b"<html>slow down</html>", Throttled),
        (429, b"", Throttled),
        (200, status(429), Throttled),
        (401, {"error": status(10012)}, PlanLimit),
        (401, status(10005), PlanLimit),
        (401, status(10002), BadKey),
        (400, status(10010), BadKey),
        (400, {"error": status(10011)}, BadKey),
        (403, {"error": "Your plan does not have access to this"}, PlanLimit),
        (403, b"<html>error code: 1020</html>", Blocked),
        (404, {"error": "coin not found"}, Missing),
        (200, {"error": "something"}, Broken),
    ],
)
def test_its_errors_mean_what_they_mean(
    http_status: int, body: Any, error: type[ProviderError]
) -> None:
    raw = body if isinstance(body, bytes) else encode(body)
    assert type(CoinGecko.diagnose(Reply(http_status, {}, raw))) is error


@pytest.mark.parametrize(
    ("http_status", "body"),
    [(401, status(401)), (401, {}), (500, {}), (503, []), (404, {"error": "no such path"})],
)
def test_the_status_decides_where_it_says_nothing_of_its_own(http_status: int, body: Any) -> None:
    assert CoinGecko.diagnose(Reply(http_status, {}, encode(body))) is None


def wait(**headers: str) -> float | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    error = CoinGecko.diagnose(Reply(429, CaseInsensitiveDict(named), b"{}"))
    assert error
    return error.wait


def test_its_own_reset_says_how_long_to_wait() -> None:
    date = "Mon, 09 Mar 2026 03:27:15 GMT"
    reset = "2026-03-09 03:28:00 +0000"
    assert wait(date=date, x_ratelimit_reset=reset) == 45
    assert wait(date=date, x_ratelimit_reset="2026-03-09 03:27:00 +0000") is None
    assert wait(x_ratelimit_reset=reset) is None
    assert wait(date=date) is None


def test_retry_after_wins_over_its_own_reset() -> None:
    # None leaves it to the one way out, which reads Retry-After for everybody.
    reset = "2026-03-09 03:28:00 +0000"
    date = "Mon, 09 Mar 2026 03:27:15 GMT"
    assert wait(date=date, x_ratelimit_reset=reset, retry_after="119") is None


def test_a_ping_is_answered_by_a_gecko() -> None:
    adapter, http = adapt(CoinGecko, {"gecko_says": "(V3) To the Moon!"})
    adapter.ping()
    assert http.asked == [("/ping", {})]
