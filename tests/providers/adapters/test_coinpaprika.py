from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from providers.adapters.base import Reply
from providers.adapters.coinpaprika import CoinPaprika
from providers.datasets import (
    CoinQuery,
    HistoryQuery,
    ListingQuery,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
)
from providers.errors import Garbled, PlanLimit, Unsupported
from tests.providers.adapters.conftest import NOON, PAYLOADS, adapt, encode

NAMES = {"BTC": {"": "btc-bitcoin"}, "ETH": {"": "eth-ethereum"}}
TICKERS = json.loads((PAYLOADS / "coinpaprika/market.json").read_text(), parse_float=Decimal)
DAY = json.loads((PAYLOADS / "coinpaprika/ohlc.json").read_text(), parse_float=Decimal)
TODAY = json.loads((PAYLOADS / "coinpaprika/ohlc.2.json").read_text(), parse_float=Decimal)
NOON_S = int(NOON.timestamp())


def test_a_page_is_cut_out_by_rank_and_the_unranked_come_last() -> None:
    shuffled = [TICKERS[3], TICKERS[2], TICKERS[0], TICKERS[1]]
    adapter, http = adapt(CoinPaprika, shuffled)
    first = adapter.market(MarketQuery(limit=2))
    second = adapter.market(MarketQuery(limit=2, page=2))
    assert [row.symbol for row in first + second] == ["BTC", "ETH", "SHIB", "QUIET"]
    assert http.asked[0] == ("/tickers", {"quotes": "USD"})
    assert second[1].rank is None


def test_what_is_left_empty_is_nothing_and_not_zero() -> None:
    quiet = adapt(CoinPaprika, TICKERS)[0].market(MarketQuery())[3]
    assert (quiet.price, quiet.volume_24h, quiet.market_cap) == (None, None, None)


def test_one_coin_is_asked_for_alone_and_several_as_the_whole_list() -> None:
    adapter, http = adapt(CoinPaprika, TICKERS[0], names=NAMES)
    (row,) = adapter.price(PriceQuery(("BTC", "NOBODY")))
    assert str(row.price) == "77004.557788990011"
    assert http.asked == [("/tickers/btc-bitcoin", {"quotes": "USD"})]
    adapter, http = adapt(CoinPaprika, TICKERS, names=NAMES)
    assert len(adapter.price(PriceQuery(("BTC", "ETH")))) == 2
    assert http.asked == [("/tickers", {"quotes": "USD"})]


def test_the_price_of_another_coin_is_no_answer() -> None:
    adapter, _ = adapt(CoinPaprika, TICKERS[1], names=NAMES)
    with pytest.raises(Garbled):
        adapter.price(PriceQuery(("BTC",)))


@pytest.mark.parametrize("dataset", ["market", "price"])
def test_a_currency_it_does_not_have_is_not_asked_for(dataset: str) -> None:
    adapter, http = adapt(CoinPaprika, TICKERS, names=NAMES)
    query: Any = {"market": MarketQuery("xau"), "price": PriceQuery(("BTC",), "xau")}[dataset]
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


def test_an_answer_in_another_currency_is_garbled() -> None:
    with pytest.raises(Garbled):
        adapt(CoinPaprika, TICKERS)[0].market(MarketQuery("eur"))


@pytest.mark.parametrize(
    ("limit", "end", "paths"),
    [
        (1, None, ["today"]),
        (2, None, ["latest", "today"]),
        (1, NOON - timedelta(hours=12), ["latest"]),
    ],
)
def test_yesterday_and_today_are_free(limit: int, end: Any, paths: list[str]) -> None:
    bodies = [{"latest": DAY, "today": TODAY}[path] for path in paths]
    adapter, http = adapt(CoinPaprika, *bodies, names=NAMES)
    found = adapter.ohlc(OhlcQuery("BTC", "1d", limit, end=end))
    assert [path for path, _ in http.asked] == [f"/coins/btc-bitcoin/ohlcv/{p}" for p in paths]
    assert len(found) == limit
    assert found[-1].complete == (paths[-1] == "latest")


def test_a_turnover_is_no_volume() -> None:
    adapter, _ = adapt(CoinPaprika, TODAY, names=NAMES)
    (candle,) = adapter.ohlc(OhlcQuery("BTC", "1d", 1))
    assert candle.volume is None


@pytest.mark.parametrize(
    "query",
    [
        OhlcQuery("BTC", "1d", 3),
        OhlcQuery("BTC", "1h", 1),
        OhlcQuery("BTC", "1d", 1, currency="eur"),
        OhlcQuery("BTC", "1d", 1, start=NOON - timedelta(days=3)),
        HistoryQuery("BTC", days=366),
        HistoryQuery("BTC", days=7, currency="eur"),
    ],
    ids=str,
)
def test_what_is_not_free_is_not_asked_for(query: Any) -> None:
    adapter, http = adapt(CoinPaprika, [], names=NAMES)
    with pytest.raises(Unsupported):
        adapter.fetch(query)
    assert http.asked == []


@pytest.mark.parametrize(("days", "interval"), [(1, "1h"), (2, "1d"), (365, "1d")])
def test_history_is_hourly_within_a_day_and_daily_within_a_year(days: int, interval: str) -> None:
    adapter, http = adapt(CoinPaprika, [], names=NAMES)
    assert adapter.history(HistoryQuery("BTC", days=days, currency="btc")) == []
    path, asked = http.asked[0]
    assert path == "/tickers/btc-bitcoin/historical"
    assert (asked["interval"], asked["quote"], asked["end"]) == (interval, "btc", NOON_S)
    assert 0 <= asked["start"] - (NOON_S - days * 86400) <= 60


def test_another_coin_than_was_asked_for_is_garbled() -> None:
    adapter, _ = adapt(CoinPaprika, {"id": "eth-ethereum"}, names=NAMES)
    with pytest.raises(Garbled):
        adapter.coin(CoinQuery("BTC"))


def test_a_coin_of_few_words_is_a_coin() -> None:
    coin = {"id": "btc-bitcoin", "name": "Bitcoin", "symbol": "BTC", "rank": 0, "links": None}
    adapter, _ = adapt(CoinPaprika, coin | {"description": "", "whitepaper": None}, names=NAMES)
    (found,) = adapter.coin(CoinQuery("BTC"))
    assert found.description is None
    assert (found.categories, found.platforms, found.rank) == ((), {}, None)


def test_a_limit_of_the_plan_is_not_a_bad_key() -> None:
    error = {"error": "Getting historical data before then is not allowed in this plan."}
    assert type(CoinPaprika.diagnose(Reply(402, {}, encode(error)))) is PlanLimit
    assert CoinPaprika.diagnose(Reply(403, {}, encode(error))) is None


def test_coins_that_are_gone_are_not_listed() -> None:
    adapter, _ = adapt(CoinPaprika, (PAYLOADS / "coinpaprika/listing.json").read_bytes())
    assert [row.symbol for row in adapter.listing(ListingQuery())] == ["BTC", "ETH"]


def test_a_ping_is_the_age_of_its_statistics() -> None:
    adapter, http = adapt(CoinPaprika, {"last_updated": NOON_S})
    adapter.ping()
    assert http.asked == [("/global", {})]
