"""Whoever is asked, the sandbox is one world: prices, candles, statistics and stories agree."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest

from providers.sandbox.market import DAY_S, SPREAD_BPS
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples_markets import (
    BITFINEX,
    BITSTAMP,
    BYBIT,
    CLEAN,
    CMC,
    COINCAP,
    COINDESK,
    COINLORE,
    DATA_API,
    DT_SOURCE,
    GATE,
    KEY,
    KUCOIN,
    LLAMA,
    MIN_API,
    YAHOO,
)
from tests.providers.sandbox.samples_world import (
    ALPHA,
    ETHERSCAN,
    FRED,
    GDELT,
    NEWS_API,
    PANIC,
    TVL,
    WORLD_BANK,
)

WITHIN = 2.1 * SPREAD_BPS / 10_000
DAY = int(NOW // DAY_S - 1) * DAY_S
BROWSER = {"user_agent": "Mozilla/5.0"}
SPOT: dict[str, Callable[[Asker], Any]] = {
    "binance": lambda a: a.get("https://api.binance.com/api/v3/ticker/price?symbol=BTCUSDT")[
        "price"
    ],
    "bybit": lambda a: a.get(f"{BYBIT}/tickers?category=spot&symbol=BTCUSDT")["result"]["list"][0][
        "lastPrice"
    ],
    "bitstamp": lambda a: a.get(f"{BITSTAMP}/ticker/btcusd/")["last"],
    "bitfinex": lambda a: a.get(f"{BITFINEX}/ticker/tBTCUSD")[6],
    "kucoin": lambda a: a.get(f"{KUCOIN}/market/stats?symbol=BTC-USDT")["data"]["last"],
    "gateio": lambda a: a.get(f"{GATE}/tickers?currency_pair=BTC_USDT")[0]["last"],
    "coinlore": lambda a: a.get(f"{COINLORE}/ticker/?id=90")[0]["price_usd"],
    "coincap": lambda a: a.get(f"{COINCAP}/assets/bitcoin?apiKey={KEY}")["data"]["priceUsd"],
    "coinmarketcap": lambda a: a.get(
        f"{CMC}/v2/cryptocurrency/quotes/latest?id=1&CMC_PRO_API_KEY={KEY}"
    )["data"]["1"]["quote"]["USD"]["price"],
    "cryptocompare": lambda a: a.get(f"{MIN_API}/data/price?fsym=BTC&tsyms=USD&api_key={KEY}")[
        "USD"
    ],
    "coindesk_data": lambda a: a.get(
        f"{DATA_API}/index/cc/v1/latest/tick?market=cadli&instruments=BTC-USD&api_key={KEY}"
    )["Data"]["BTC-USD"]["VALUE"],
    "yahoo": lambda a: a.get(f"{YAHOO}/BTC-USD", **BROWSER)["chart"]["result"][0]["meta"][
        "regularMarketPrice"
    ],
    "defillama": lambda a: a.get(f"{LLAMA}/prices/current/coingecko:bitcoin")["coins"][
        "coingecko:bitcoin"
    ]["price"],
    "api_clean": lambda a: a.get(f"{CLEAN}/api/coins/top?limit=1")["coins"][0]["current_price"],
    "dt_source": lambda a: a.get(f"{DT_SOURCE}/coingecko/price?symbols=BTC")["data"][0]["price"],
    "alphavantage": lambda a: a.get(
        f"{ALPHA}&function=CURRENCY_EXCHANGE_RATE&from_currency=BTC&to_currency=USD"
    )["Realtime Currency Exchange Rate"]["5. Exchange Rate"],
}


def test_every_provider_says_nearly_the_same_price() -> None:
    asker = Asker()
    asker.now = NOW - NOW % 300  # the slowest of them looks every five minutes
    prices = {name: float(ask(asker)) for name, ask in SPOT.items()}
    assert max(prices.values()) / min(prices.values()) < 1 + WITHIN, prices
    # Two of them only pass on what CoinGecko says, and two are one index under two names.
    assert len({round(price, 1) for price in prices.values()}) >= len(prices) - 3


def _bybit(asker: Asker) -> list[Any]:
    url = f"{BYBIT}/kline?category=spot&symbol=ETHUSDT&interval=D&start={DAY}000&limit=1"
    return list(asker.get(url)["result"]["list"][0][1:5])


def _bitstamp(asker: Asker) -> list[Any]:
    url = f"{BITSTAMP}/ohlc/ethusd/?step=86400&limit=1&start={DAY}"
    row = asker.get(url)["data"]["ohlc"][0]
    return [row[name] for name in ("open", "high", "low", "close")]


def _bitfinex(asker: Asker) -> list[Any]:
    url = f"{BITFINEX}/candles/trade:1D:tETHUSD/hist?start={DAY}000&limit=1&sort=1"
    _, opened, closed, high, low, _ = asker.get(url)[0]
    return [opened, high, low, closed]


def _kucoin(asker: Asker) -> list[Any]:
    url = f"{KUCOIN}/market/candles?symbol=ETH-USDT&type=1day&startAt={DAY}&endAt={DAY + 1}"
    _, opened, closed, high, low, _, _ = asker.get(url)["data"][0]
    return [opened, high, low, closed]


def _gate(asker: Asker) -> list[Any]:
    url = f"{GATE}/candlesticks?currency_pair=ETH_USDT&interval=1d&from={DAY}&to={DAY}"
    _, _, closed, high, low, opened, _, _ = asker.get(url)[0]
    return [opened, high, low, closed]


def _cryptocompare(asker: Asker) -> list[Any]:
    url = f"{MIN_API}/data/v2/histoday?fsym=ETH&tsym=USD&limit=1&toTs={DAY}&api_key={KEY}"
    row = asker.get(url)["Data"]["Data"][-1]
    return [row[name] for name in ("open", "high", "low", "close")]


def _coindesk(asker: Asker) -> list[Any]:
    query = f"market=cadli&instrument=ETH-USD&limit=1&to_ts={DAY}&api_key={KEY}"
    row = asker.get(f"{COINDESK}/index/cc/v1/historical/days?{query}")["Data"][0]
    return [row[name] for name in ("OPEN", "HIGH", "LOW", "CLOSE")]


def _yahoo(asker: Asker) -> list[Any]:
    url = f"{YAHOO}/ETH-USD?period1={DAY}&period2={DAY + 1}&interval=1d"
    (columns,) = asker.get(url, **BROWSER)["chart"]["result"][0]["indicators"]["quote"]
    return [columns[name][0] for name in ("open", "high", "low", "close")]


def _alphavantage(asker: Asker) -> list[Any]:
    url = f"{ALPHA}&function=DIGITAL_CURRENCY_DAILY&symbol=ETH&market=USD"
    rows = asker.get(url)["Time Series (Digital Currency Daily)"]
    return list(rows["2026-11-17"].values())[:4]


def _dt_source(asker: Asker) -> list[Any]:
    row = asker.get(f"{DT_SOURCE}/binance/klines?symbol=ETH&timeframe=1d&limit=2")["data"][0]
    assert row["timestamp"] == DAY * 1000
    return [row[name] for name in ("open", "high", "low", "close")]


CANDLES = (
    _bybit, _bitstamp, _bitfinex, _kucoin, _gate, _cryptocompare, _coindesk, _yahoo, _alphavantage,
    _dt_source,
)  # fmt: skip


@pytest.mark.parametrize("ask", CANDLES, ids=lambda ask: ask.__name__.strip("_"))
def test_every_provider_has_nearly_the_same_candle_of_a_day(
    asker: Asker, ask: Callable[[Asker], list[Any]]
) -> None:
    url = "https://api.binance.com/api/v3/klines?symbol=ETHUSDT&interval=1d&limit=1"
    reference = [float(text) for text in asker.get(f"{url}&startTime={DAY}000")[0][1:5]]
    assert [float(value) for value in ask(asker)] == pytest.approx(reference, rel=WITHIN)


# -- Statistics ------------------------------------------------------------------------------


def fred(asker: Asker, series: str, more: str = "") -> dict[str, str]:
    url = FRED.format("series/observations", f"series_id={series}{more}")
    return {row["date"]: row["value"] for row in asker.get(url)["observations"]}


def test_fred_and_yahoo_close_alike(asker: Asker) -> None:
    for symbol, series in (("%5EGSPC", "SP500"), ("CL=F", "DCOILWTICO"), ("EURUSD=X", "DEXUSEU")):
        url = f"{YAHOO}/{symbol}?period1={DAY - 9 * DAY_S}&period2={DAY}&interval=1d"
        result = asker.get(url, **BROWSER)["chart"]["result"][0]
        closes = result["indicators"]["quote"][0]["close"]
        values = [float(v) for v in fred(asker, series, "&limit=9&sort_order=desc").values()]
        found = [close for close in closes if close is not None]
        assert len(found) >= 4
        near = [min(abs(close / value - 1) for value in values) for close in found]
        assert max(near) < 0.0001


def test_both_hosts_of_fred_tell_the_same(asker: Asker) -> None:
    reply = asker.ask("https://fred.stlouisfed.org/graph/fredgraph.csv?id=DGS10&cosd=2026-01-01")
    rows = list(csv.DictReader(io.StringIO(reply.body.decode())))
    graph = {row["observation_date"]: row["DGS10"] or "." for row in rows}
    assert graph == fred(asker, "DGS10", "&observation_start=2026-01-01")
    assert len(graph) > 200


def test_alpha_vantage_has_the_figures_of_fred(asker: Asker) -> None:
    data = asker.get(f"{ALPHA}&function=CPI")["data"]
    assert {row["date"]: row["value"] for row in data} == fred(asker, "CPIAUCNS")


def test_the_world_bank_and_fred_measure_one_economy(asker: Asker) -> None:
    url = f"{WORLD_BANK}/US/indicator/NY.GDP.MKTP.CD?format=json&date=2020:2024"
    rows = orjson.loads(asker.ask(url).body.decode("utf-8-sig"))[1]
    quarters = fred(asker, "GDP")
    for row in rows:
        billions = [float(quarters[f"{row['date']}-{m:02}-01"]) for m in (1, 4, 7, 10)]
        assert row["value"] == pytest.approx(sum(billions) / 4 * 1e9, rel=1e-9)


def test_etherscan_and_the_nodes_see_one_chain(asker: Asker) -> None:
    history = asker.rpc(
        "https://ethereum-rpc.publicnode.com", ("eth_feeHistory", ["0x1", "latest", [50]])
    )["result"]
    url = f"{ETHERSCAN}?chainid=1&module=gastracker&action=gasoracle&apikey={KEY}"
    gas = asker.get(url)["result"]
    base, tip = int(history["baseFeePerGas"][-1], 16), int(history["reward"][0][0], 16)
    assert int(gas["LastBlock"]) == int(history["oldestBlock"], 16)
    assert float(gas["suggestBaseFee"]) * 1e9 == pytest.approx(base)
    assert float(gas["ProposeGasPrice"]) * 1e9 == pytest.approx(base + tip)


def test_the_proxies_pass_on_the_index_of_fear(asker: Asker) -> None:
    real = asker.get("https://api.alternative.me/fng/?limit=1")["data"][0]
    clean = asker.get(f"{CLEAN}/api/sentiment/global")
    (row,) = asker.get(f"{DT_SOURCE}/alternative/fng?limit=1")["data"]
    assert clean["fear_greed_index"] == row["value"] == int(real["value"])
    assert row["value_classification"] == real["value_classification"]


# -- Stories ---------------------------------------------------------------------------------


def test_aggregators_of_news_have_read_the_feeds(asker: Asker) -> None:
    reply = asker.ask("https://www.coindesk.com/arc/outboundfeeds/rss")
    items = ElementTree.fromstring(reply.body).findall("channel/item")  # noqa: S314
    feed = {item.findtext("link"): item.findtext("title") for item in items}
    panic = asker.get(f"{PANIC}&size=50")["results"]
    coindesk = asker.get(f"{COINDESK}/news/v1/article/list?limit=50&api_key={KEY}")["Data"]
    legacy = asker.get(f"{MIN_API}/data/v2/news/?api_key={KEY}")["Data"]
    gdelt = asker.get(f"{GDELT}?query=bitcoin%20sourcelang:english&format=json")["articles"]
    headlines = asker.get(f"{NEWS_API}/everything?q=sandbox&apiKey={KEY}")["articles"]
    for rows, link in (
        (panic, "original_url"), (coindesk, "URL"), (legacy, "url"), (headlines, "url"),
    ):  # fmt: skip
        title = "TITLE" if link == "URL" else "title"
        shared = {row[link]: row[title] for row in rows if row[link] in feed}
        assert len(shared) >= 3, link
        assert all(feed[url] == text for url, text in shared.items())
    assert all("Bitcoin" in row["title"] for row in gdelt)
    assert gdelt


def test_one_story_reaches_an_aggregator_under_several_addresses(asker: Asker) -> None:
    rows = asker.get(f"{PANIC}&size=50")["results"]
    links: dict[str, set[str]] = {}
    for row in rows:
        links.setdefault(row["title"], set()).add(row["original_url"])
    assert max(len(found) for found in links.values()) >= 2
    assert len({row["id"] for row in rows}) == len(rows)


def test_the_same_clock_and_seed_give_the_same_bytes_of_later_hosts() -> None:
    urls = (
        f"{BYBIT}/tickers?category=spot", f"{BITFINEX}/tickers?symbols=ALL", f"{GATE}/tickers",
        f"{COINLORE}/tickers/", f"{CLEAN}/api/coins/top", f"{TVL}/chains",
        f"{LLAMA}/prices/current/coingecko:bitcoin", "https://cryptoslate.com/feed/", PANIC,
        FRED.format("series/observations", "series_id=UNRATE"),
        f"{WORLD_BANK}/all/indicator/SL.UEM.TOTL.ZS?format=json",
    )  # fmt: skip
    first, second = Asker(), Asker()
    bodies = [first.ask(url).body for url in urls]
    assert bodies == [second.ask(url).body for url in urls]
    other = Asker(seed=2)
    assert all(body != other.ask(url).body for url, body in zip(urls, bodies, strict=True))
