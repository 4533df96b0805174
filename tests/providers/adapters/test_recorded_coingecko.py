"""What CoinGecko really answered, read by our adapter and, independently, right here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from providers.adapters.base import Adapter
from providers.adapters.coingecko import CoinGecko, CoinGeckoPro
from providers.datasets import (
    CoinQuery,
    GlobalQuery,
    HistoryQuery,
    MarketQuery,
    OhlcQuery,
    PriceQuery,
)
from tests.providers.adapters.recordings import (
    FOLDER,
    Recording,
    at,
    exact,
    idle,
    numbers,
    read,
    recordings,
)

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")


@pytest.mark.parametrize("recording", recordings(r"api\.coingecko\.com/api/v3/simple/price/?\?"))
def test_coingecko_simple_price(recording: Recording) -> None:
    ids, currency = recording.params["ids"].split(","), recording.params["vs_currencies"]
    names = {own.upper(): {"": own} for own in ids}
    _, rows = read(CoinGecko, recording, PriceQuery((*names, "NOBODY"), currency), names)
    plain = recording.plain
    expected = [(own.upper(), exact(plain[own][currency])) for own in ids if own in plain]
    assert expected
    assert [(row.symbol, exact(row.price)) for row in rows] == expected
    assert {row.quote for row in rows} == {currency.upper()}


@pytest.mark.parametrize("recording", recordings(r"coingecko\.com/api/v3/coins/markets"))
def test_coingecko_markets(recording: Recording) -> None:
    _, rows = read(CoinGecko, recording, MarketQuery())
    for row, plain in zip(rows, recording.plain, strict=True):
        assert (row.id, row.symbol) == (plain["id"], plain["symbol"].upper())
        assert exact(row.rank) == exact(plain["market_cap_rank"])
        assert exact(row.price) == exact(plain["current_price"])
        assert exact(row.market_cap) == exact(plain["market_cap"])
        assert exact(row.volume_24h) == exact(plain["total_volume"])
        assert exact(row.change_24h_percent) == exact(plain["price_change_percentage_24h"])
        assert exact(row.circulating_supply) == exact(plain["circulating_supply"])


@pytest.mark.parametrize("recording", recordings(r"coingecko\.com/api/v3/coins/[\w-]+/ohlc"))
def test_coingecko_ohlc(recording: Recording) -> None:
    now = at(recording.plain[-1][0])
    names = {"ETH": {"": "ethereum"}}
    _, rows = read(CoinGecko, recording, OhlcQuery("ETH", "4h"), names, now)
    expected = [[at(row[0]) - timedelta(hours=4), *map(exact, row[1:])] for row in recording.plain]
    assert [[candle.time, *numbers(candle)[:4]] for candle in rows] == expected


@pytest.mark.parametrize("recording", recordings(r"coingecko\.com/api/v3/coins/[\w-]+/market_ch"))
def test_coingecko_market_chart(recording: Recording) -> None:
    plain = recording.plain
    _, rows = read(CoinGecko, recording, HistoryQuery("ETH", days=7), {"ETH": {"": "ethereum"}})
    assert [point.time for point in rows] == [at(time) for time, _ in plain["prices"]]
    assert [exact(point.price) for point in rows] == [exact(v) for _, v in plain["prices"]]
    assert [exact(point.market_cap) for point in rows] == [
        exact(v) for _, v in plain["market_caps"]
    ]
    assert [exact(point.volume) for point in rows] == [exact(v) for _, v in plain["total_volumes"]]


@pytest.mark.parametrize("recording", recordings(r"coingecko\.com/api/v3/global$"))
def test_coingecko_global(recording: Recording) -> None:
    _, (stats,) = read(CoinGecko, recording, GlobalQuery())
    plain = recording.plain["data"]
    assert exact(stats.market_cap) == exact(plain["total_market_cap"]["usd"])
    assert exact(stats.volume_24h) == exact(plain["total_volume"]["usd"])
    assert exact(stats.btc_dominance_percent) == exact(plain["market_cap_percentage"]["btc"])
    assert exact(stats.markets) == exact(plain["markets"])
    assert stats.last_updated == at(plain["updated_at"] + "000")


COINS = r"(?<!pro-)api\.coingecko\.com/api/v3/coins/[\w-]+(\?.*)?$"
LISTS = re.compile(r"/coins/(markets|categories|list)\b")


def coins(pattern: str) -> list[Any]:
    """Recorded coins that say which they are: some were shortened to a few fields."""
    found = [p for p in recordings(pattern) if not LISTS.search(p.values[0].url)]
    return [p for p in found if "links" in p.values[0].plain]


@pytest.mark.parametrize("recording", coins(COINS))
def test_coingecko_coin(recording: Recording) -> None:
    compare_coin(CoinGecko, recording)


@pytest.mark.parametrize("recording", coins(r"pro-api\.coingecko\.com/api/v3/coins/[\w-]+\?"))
def test_coingecko_pro_coin(recording: Recording) -> None:
    compare_coin(CoinGeckoPro, recording)


def compare_coin(adapter: type[Adapter], recording: Recording) -> None:
    plain = recording.plain
    _, (coin,) = read(adapter, recording, CoinQuery("ANY"), {"ANY": {"": plain["id"]}})
    assert (coin.id, coin.symbol, coin.name) == (
        plain["id"],
        plain["symbol"].upper(),
        plain["name"],
    )
    assert exact(coin.rank) == exact(plain["market_cap_rank"])
    assert coin.homepage == plain["links"]["homepage"][0]
    assert coin.categories == tuple(plain["categories"])
    assert coin.platforms == {k: v for k, v in plain["platforms"].items() if k}
    assert exact(coin.votes_up_percent) == exact(plain["sentiment_votes_up_percentage"])
    assert (coin.description is None) == (not plain["description"]["en"].strip())
    assert not coin.description or not re.search(r"<\w|\r|&amp;", coin.description)


def test_every_one_of_these_comparisons_has_a_recording() -> None:
    assert list(idle(globals())) == []
