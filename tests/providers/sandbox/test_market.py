"""The market is a pure function, its candles fit together, and providers agree on it."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.sandbox.coins import Coin, load
from providers.sandbox.market import (
    DAY_S,
    HOUR_S,
    MINUTE_S,
    SHARES,
    SPREAD_BPS,
    TICK_S,
    Market,
    uniform,
)
from tests.providers.sandbox.asking import NOW, Asker

COINS = load()
MARKET = Market(COINS)
BITCOIN = MARKET.courses["bitcoin"]

moments = st.integers(1_510_000_000, 2_000_000_000)
coins = st.sampled_from(COINS)


def test_there_are_a_hundred_coins_with_ids_at_every_aggregator() -> None:
    assert len(COINS) == 100
    assert len({coin.coingecko for coin in COINS}) == 100
    assert len({coin.coinpaprika for coin in COINS}) == 100


@given(coins, moments, st.integers(0, 5))
def test_the_same_seed_and_moment_give_the_same_price(coin: Coin, moment: int, seed: int) -> None:
    first, second = Market([coin], seed), Market([coin], seed)
    assert first.price(coin, moment) == second.price(coin, moment)


def test_another_seed_is_another_market() -> None:
    other = Market(COINS, seed=2)
    assert other.price(COINS[0], NOW) != MARKET.price(COINS[0], NOW)


def test_prices_move_from_tick_to_tick() -> None:
    prices = [BITCOIN.at(NOW + TICK_S * number) for number in range(60)]
    assert len(set(prices)) > 50
    assert max(prices) / min(prices) < 1.05


@given(coins, moments)
def test_prices_stay_between_floor_and_ceiling(coin: Coin, moment: int) -> None:
    course = MARKET.courses[coin.id]
    assert 0 < course.floor <= course.at(moment) <= course.ceiling


@given(coins, moments, st.sampled_from([MINUTE_S, 5 * MINUTE_S, HOUR_S, DAY_S, 7 * DAY_S]))
def test_a_candle_holds_its_ends_and_every_tick_inside(
    coin: Coin, moment: int, length: int
) -> None:
    start = moment - moment % length
    bar = MARKET.bar(coin, start, start + length)
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high
    assert bar.volume > 0
    assert bar.open == MARKET.price(coin, start)
    assert bar.close == MARKET.price(coin, start + length)
    for part in range(0, length, max(TICK_S, length // 40 // TICK_S * TICK_S)):
        assert bar.low <= MARKET.price(coin, start + part) <= bar.high


@settings(max_examples=25)
@given(coins, moments, st.sampled_from([(MINUTE_S, HOUR_S), (HOUR_S, DAY_S), (DAY_S, 7 * DAY_S)]))
def test_a_candle_is_the_sum_of_the_smaller_ones_in_it(
    coin: Coin, moment: int, lengths: tuple[int, int]
) -> None:
    small, large = lengths
    start = moment - moment % large
    whole = MARKET.bar(coin, start, start + large)
    parts = [MARKET.bar(coin, t, t + small) for t in range(start, start + large, small)]
    assert max(part.high for part in parts) == whole.high
    assert min(part.low for part in parts) == whole.low
    assert (parts[0].open, parts[-1].close) == (whole.open, whole.close)
    assert math.isclose(sum(part.volume for part in parts), whole.volume, rel_tol=1e-9)


@given(st.integers(1_600_100_000, 2_000_000_000))
def test_a_closed_candle_never_changes(later: int) -> None:
    asker = Asker(coins=COINS[:1])
    url = (
        "https://api.binance.com/api/v3/klines?symbol=BTCUSDT&interval=1h"
        "&startTime=1600000000000&limit=3"
    )
    first = asker.get(url)
    asker.now = later
    assert asker.get(url) == first


@given(coins, moments)
def test_providers_differ_by_a_few_basis_points_at_most(coin: Coin, moment: int) -> None:
    prices = [MARKET.price(coin, moment, "usd", venue) for venue in (*SHARES, "coingecko")]
    spread = (max(prices) / min(prices) - 1) * 10_000
    assert 0 < spread <= 2 * SPREAD_BPS * 1.001


def test_what_the_providers_say_lies_within_the_spread() -> None:
    asker = Asker()
    asker.now = NOW - NOW % 300  # the slowest of them looks every five minutes
    gecko = asker.get(
        "https://api.coingecko.com/api/v3/simple/price?ids=bitcoin&vs_currencies=usd&precision=full"
    )
    paprika = asker.get("https://api.coinpaprika.com/v1/tickers/btc-bitcoin")
    kraken = asker.get("https://api.kraken.com/0/public/Ticker?pair=XBTUSD")
    prices = {
        "coingecko": gecko["bitcoin"]["usd"],
        "coinpaprika": paprika["quotes"]["USD"]["price"],
        "kraken": float(kraken["result"]["XXBTZUSD"]["c"][0]),
        "binance": float(
            asker.get("https://api.binance.com/api/v3/ticker/price?symbol=BTCUSDT")["price"]
        ),
        "coinbase": float(
            asker.get("https://api.exchange.coinbase.com/products/BTC-USD/ticker")["price"]
        ),
        "okx": float(
            asker.get("https://www.okx.com/api/v5/market/ticker?instId=BTC-USDT")["data"][0]["last"]
        ),
    }
    assert len(set(prices.values())) == 6
    assert max(prices.values()) / min(prices.values()) < 1 + 2.1 * SPREAD_BPS / 10_000


def test_exchanges_agree_on_the_candles_of_a_day() -> None:
    asker = Asker()
    day = int(NOW // DAY_S - 1) * DAY_S
    binance = asker.get(
        "https://api.binance.com/api/v3/klines?symbol=ETHUSDT&interval=1d"
        f"&startTime={day * 1000}&limit=1"
    )[0]
    kraken = asker.get("https://api.kraken.com/0/public/OHLC?pair=ETHUSD&interval=1440")
    kraken = next(row for row in kraken["result"]["XETHZUSD"] if row[0] == day)
    coinbase = asker.get(
        "https://api.exchange.coinbase.com/products/ETH-USD/candles"
        f"?granularity=86400&start={day}&end={day}"
    )[0]
    okx = asker.get("https://www.okx.com/api/v5/market/candles?instId=ETH-USDT&bar=1Dutc&limit=2")
    okx = okx["data"][1]
    opened, high, low, closed = (float(text) for text in binance[1:5])
    for candle in (
        [float(text) for text in kraken[1:5]],
        [coinbase[3], coinbase[2], coinbase[1], coinbase[4]],
        [float(text) for text in okx[1:5]],
    ):
        assert candle == pytest.approx([opened, high, low, closed], rel=2.1 * SPREAD_BPS / 10_000)
    assert (coinbase[0], int(okx[0])) == (day, day * 1000)


def test_stablecoins_are_stable_and_bitcoin_leads() -> None:
    assert MARKET.price(MARKET.by_symbol["usdt"], NOW) == pytest.approx(1, abs=0.002)
    assert MARKET.rank(COINS[0], NOW) == 1
    assert sorted(MARKET.rank(coin, NOW) for coin in COINS) == list(range(1, 101))


def test_a_price_in_another_currency_is_the_price_in_dollars_by_its_rate() -> None:
    coin = COINS[5]
    for quote in ("eur", "btc", "sats", "xau"):
        dollars = MARKET.price(coin, NOW, quote) * MARKET.rate(quote, NOW)
        assert dollars == pytest.approx(MARKET.price(coin, NOW))


def test_a_candle_in_bitcoin_holds_its_ends() -> None:
    bar = MARKET.bar(COINS[1], NOW - DAY_S, NOW, "btc")
    assert bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high


@given(st.lists(st.integers(0, 1 << 63), min_size=1, max_size=4))
def test_lots_lie_between_nought_and_one(keys: list[int]) -> None:
    assert 0 <= uniform(*keys) < 1


def test_lots_are_even() -> None:
    drawn = [uniform(7, number) for number in range(4000)]
    assert 0.48 < sum(drawn) / len(drawn) < 0.52
    assert len({int(lot * 64) for lot in drawn}) == 64


def test_the_same_clock_and_seed_give_the_same_bytes() -> None:
    urls = (
        "https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&per_page=250&page=1",
        "https://api.kraken.com/0/public/Ticker",
        "https://www.coindesk.com/arc/outboundfeeds/rss",
        "https://eth.blockscout.com/api/v2/stats",
    )
    first, second = Asker(), Asker()
    assert [first.ask(url).body for url in urls] == [second.ask(url).body for url in urls]
    assert first.ask(urls[0]).body != Asker(seed=2).ask(urls[0]).body
