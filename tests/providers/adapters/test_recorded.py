"""
Answers that providers really gave, read by our adapters and, independently, right here.

The recordings are no part of the project: where their folder is absent, nothing is compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import pytest

from providers.adapters.base import Adapter
from providers.adapters.binance import Binance
from providers.adapters.bitfinex import Bitfinex
from providers.adapters.bitstamp import Bitstamp
from providers.adapters.coinbase import Coinbase
from providers.adapters.coingecko import CoinGecko, CoinGeckoPro
from providers.adapters.coinmarketcap import CoinMarketCap
from providers.adapters.cryptocompare import CoinDeskData, CryptoCompare
from providers.adapters.cryptopanic import CryptoPanic
from providers.adapters.defillama_prices import DefiLlamaPrices
from providers.adapters.etherscan import Etherscan
from providers.adapters.fred import Fred
from providers.adapters.kraken import Kraken
from providers.adapters.kucoin import KuCoin
from providers.adapters.newsapi import NewsApi
from providers.adapters.okx import Okx
from providers.adapters.yahoo import Yahoo
from providers.datasets import (
    Candle,
    CoinQuery,
    EconomicQuery,
    GasQuery,
    GlobalQuery,
    HistoryQuery,
    Listed,
    ListingQuery,
    MarketQuery,
    NewsQuery,
    OhlcQuery,
    PriceQuery,
    Query,
    SeriesQuery,
)
from providers.errors import Blocked, Garbled, Missing, Throttled
from providers.http import Answer
from tests.providers.adapters.conftest import adapt

FOLDER = Path(__file__).parents[4] / "shared" / "recorded"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the recordings are not here")


class Recording(NamedTuple):
    file: str
    url: str
    status: int

    @property
    def body(self) -> bytes:
        return (FOLDER / self.file).read_bytes()

    @property
    def plain(self) -> Any:
        """Decoded by another way than ours: every number is the text of its digits."""
        return json.loads(self.body, parse_float=str, parse_int=str)

    @property
    def headers(self) -> dict[str, str]:
        entries = json.loads((FOLDER / "manifest.json").read_text())
        found: dict[str, str] = next(e["headers"] for e in entries if e["file"] == self.file)
        return found

    @property
    def params(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.url).query).items()}


def recordings(pattern: str) -> list[Any]:
    """Those whose address matches, as parameters of a test."""
    if not FOLDER.is_dir():
        return []
    entries = json.loads((FOLDER / "manifest.json").read_text())
    found = (Recording(e["file"], e["url"], e["status"]) for e in entries)
    return [pytest.param(r, id=r.file) for r in found if re.search(pattern, r.url)]


def read(
    adapter: type[Adapter],
    recording: Recording,
    query: Query,
    names: dict[str, dict[str, str]] | None = None,
    now: datetime | None = None,
) -> tuple[Adapter, Sequence[Any]]:
    translator, _ = adapt(
        adapter, recording.body, names=names or {}, now=now or datetime(2026, 7, 23, 12, tzinfo=UTC)
    )
    return translator, translator.fetch(query)


def exact(number: Any) -> tuple[Any, ...] | None:
    """Every digit of a number, trailing zeros included."""
    return None if number is None else Decimal(number).as_tuple()


def at(milliseconds: str) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(milliseconds))


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


@pytest.mark.parametrize("recording", recordings(r"api\.binance\.com/api/v3/klines"))
def test_binance_klines(recording: Recording) -> None:
    plain = recording.plain
    newest = at(plain[-1][0])
    query = OhlcQuery("ANY", recording.params["interval"], int(recording.params["limit"]))
    names = {"ANY": {"USDT": recording.params["symbol"]}}
    adapter, rows = read(Binance, recording, query, names, newest + timedelta(hours=1))
    assert adapter.dropped == 0
    assert [c.time for c in rows] == [at(row[0]) for row in plain]
    assert [numbers(c) for c in rows] == [[*map(exact, row[1:6])] for row in plain]
    assert [c.complete for c in rows] == [True] * (len(plain) - 1) + [False]


def numbers(candle: Candle) -> list[Any]:
    return [exact(value) for value in candle[1:6]]


@pytest.mark.parametrize("recording", recordings(r"api\.binance\.com/api/v3/ticker/24hr$"))
def test_binance_ticker(recording: Recording) -> None:
    if recording.status == 429:
        error = Binance.diagnose(Answer(recording.status, {}, recording.body))
        assert type(error) is Throttled
        return
    plain = recording.plain  # of one symbol, as its own documentation shows it
    adapter, _ = adapt(
        Binance, b"[" + recording.body + b"]", names={"BNB": {"BTC": plain["symbol"]}}
    )
    (row,) = adapter.price(PriceQuery(("BNB",), "btc"))
    assert exact(row.price) == exact(plain["lastPrice"])
    assert exact(row.change_24h_percent) == exact(plain["priceChangePercent"])
    assert exact(row.volume_24h) == exact(plain["quoteVolume"])
    assert row.last_updated == at(plain["closeTime"])


@pytest.mark.parametrize("recording", recordings(r"api\.binance\.com/api/v3/exchangeInfo$"))
def test_binance_blocks_a_country(recording: Recording) -> None:
    error = Binance.diagnose(Answer(recording.status, {}, recording.body))
    assert type(error) is Blocked


@pytest.mark.parametrize("recording", recordings(r"api\.kraken\.com/0/public/Ticker\b"))
def test_kraken_ticker(recording: Recording) -> None:
    plain = recording.plain["result"]
    names = {pair: {"USD": pair} for pair in plain}
    adapter, rows = read(Kraken, recording, PriceQuery(tuple(plain)), names)
    traded = {pair: t for pair, t in plain.items() if float(t["c"][0]) > 0}
    assert traded
    assert [(row.symbol, exact(row.price)) for row in rows] == [
        (pair, exact(ticker["c"][0])) for pair, ticker in traded.items()
    ]
    assert adapter.dropped == len(plain) - len(traded)
    for row, ticker in zip(rows, traded.values(), strict=True):
        assert row.volume_24h == Decimal(ticker["v"][1]) * Decimal(ticker["p"][1])


@pytest.mark.parametrize("recording", recordings(r"api\.kraken\.com/0/public/AssetPairs"))
def test_kraken_pairs(recording: Recording) -> None:
    adapter, rows = read(Kraken, recording, ListingQuery())
    renamed = {"XBT": "BTC", "XDG": "DOGE"}
    expected = []
    for pair in recording.plain["result"].values():
        if pair["aclass_base"] == "currency" and pair.get("wsname"):
            base, quote = (renamed.get(name, name) for name in pair["wsname"].split("/"))
            expected.append(Listed(f"{base}/{quote}", base, None, quote))
    assert rows == expected
    assert Listed("BTC/USD", "BTC", None, "USD") in rows
    assert adapter.dropped == 0


@pytest.mark.parametrize("recording", recordings(r"coinbase\.com/products$"))
def test_coinbase_products(recording: Recording) -> None:
    adapter, rows = read(Coinbase, recording, ListingQuery())
    expected = [
        Listed(p["id"], p["base_currency"], None, p["quote_currency"])
        for p in recording.plain
        if p["status"] == "online" and not p["trading_disabled"]
    ]
    assert rows == expected
    assert adapter.dropped == 0


@pytest.mark.parametrize("recording", recordings(r"exchange\.coinbase\.com/products/.*/candles"))
def test_coinbase_candles(recording: Recording) -> None:
    plain = recording.plain[::-1]
    now = at(plain[-1][0] + "000") + timedelta(seconds=30)
    names = {"BTC": {"USD": "BTC-USD"}}
    _, rows = read(Coinbase, recording, OhlcQuery("BTC", "1m"), names, now)
    columns = [(open_, high, low, close, vol) for _, low, high, open_, close, vol in plain]
    assert [numbers(candle) for candle in rows] == [[*map(exact, row)] for row in columns]
    assert [candle.time for candle in rows] == [at(row[0] + "000") for row in plain]


@pytest.mark.parametrize("recording", recordings(r"okx\.com/api/v5/public/instruments"))
def test_okx_instruments(recording: Recording) -> None:
    _, rows = read(Okx, recording, ListingQuery())
    expected = [
        Listed(i["instId"], i["baseCcy"], None, i["quoteCcy"])
        for i in recording.plain["data"]
        if i["state"] == "live"
    ]
    assert expected
    assert rows == expected


@pytest.mark.parametrize("recording", recordings(r"okx\.com/api/v5/market/tickers"))
def test_okx_tickers(recording: Recording) -> None:
    # A sample of swaps, which are no spot prices: it is read as one of those for its numbers.
    body = recording.body.replace(b'"SWAP"', b'"SPOT"')
    plain = recording.plain["data"]
    names = {ticker["instId"]: {"USD": ticker["instId"]} for ticker in plain}
    adapter, _ = adapt(Okx, body, names=names)
    rows = adapter.price(PriceQuery(tuple(names)))
    assert [row.symbol for row in rows] == [ticker["instId"] for ticker in plain]
    assert [exact(row.price) for row in rows] == [exact(ticker["last"]) for ticker in plain]
    assert [row.last_updated for row in rows] == [at(ticker["ts"]) for ticker in plain]


@pytest.mark.parametrize("recording", recordings(r"okx\.com/api/v5/market/candles"))
def test_okx_candles(recording: Recording) -> None:
    plain = {row[0]: row for row in recording.plain["data"]}  # a sample with one time twice
    now = at(max(plain)) + timedelta(seconds=1)
    names = {"BTC": {"USDT": "BTC-USDT"}}
    _, rows = read(Okx, recording, OhlcQuery("BTC", "1m"), names, now)
    assert [candle.time for candle in rows] == [at(time) for time in sorted(plain)]
    assert [numbers(candle) for candle in rows] == [
        [*map(exact, plain[time][1:6])] for time in sorted(plain)
    ]


OBSERVATIONS = r"fred/series/observations\?file_type=json&series_id="


@pytest.mark.parametrize("recording", recordings(OBSERVATIONS))
def test_fred_observations(recording: Recording) -> None:
    own = recording.params["series_id"]
    [about] = [r.values[0] for r in recordings(rf"fred/series\?file_type=json&series_id={own}$")]
    adapter, _ = adapt(Fred, about.body, recording.body)
    rows = adapter.economic(EconomicQuery(own))
    plain = recording.plain["observations"]
    assert [row.date.isoformat() for row in rows] == [row["date"] for row in plain]
    values = [None if row["value"] == "." else exact(row["value"]) for row in plain]
    assert [exact(row.value) for row in rows] == values
    assert {row.units for row in rows} == {about.plain["seriess"][0]["units"]}
    assert adapter.dropped == 0


@pytest.mark.parametrize("recording", recordings(r"fred/(category/)?series\?(?!.*search)"))
def test_fred_series(recording: Recording) -> None:
    adapter, rows = read(Fred, recording, SeriesQuery("any", limit=1000))
    assert adapter.dropped == 0
    for row, plain in zip(rows, recording.plain["seriess"], strict=True):
        assert (row.id, row.title, row.units) == (plain["id"], plain["title"], plain["units"])
        assert plain["frequency"].lower().startswith(row.frequency)
        assert row.seasonal_adjustment == plain["seasonal_adjustment"]
        assert row.start.isoformat() == plain["observation_start"]
        assert row.end.isoformat() == plain["observation_end"]
        local, hours = plain["last_updated"][:19], int(plain["last_updated"][19:])
        expected = datetime.fromisoformat(local).replace(tzinfo=UTC) - timedelta(hours=hours)
        assert row.last_updated == expected


@pytest.mark.parametrize("recording", recordings(r"etherscan\.io/api\?.*action=gasoracle"))
def test_etherscan_gas(recording: Recording) -> None:
    _, (fees,) = read(Etherscan, recording, GasQuery())
    plain = recording.plain["result"]
    assert exact(fees.slow) == exact(plain["SafeGasPrice"])
    assert exact(fees.average) == exact(plain["ProposeGasPrice"])
    assert exact(fees.fast) == exact(plain["FastGasPrice"])
    assert exact(fees.base_fee) == exact(plain["suggestBaseFee"])


@pytest.mark.parametrize("recording", recordings(r"etherscan\.io/(v2/)?api$"))
def test_etherscan_refuses_inside_a_200(recording: Recording) -> None:
    if not isinstance(recording.plain, dict) or recording.plain.get("status") != "0":
        return  # the log of a client, without what was around the result
    error = Etherscan.diagnose(Answer(recording.status, {}, recording.body))
    limited = "rate limit" in recording.plain["result"]
    assert type(error) is (Throttled if limited else Garbled)


@pytest.mark.parametrize("recording", recordings(r"newsapi\.org/v2/everything"))
def test_newsapi_articles(recording: Recording) -> None:
    adapter, rows = read(NewsApi, recording, NewsQuery(limit=100))
    plain = {article["title"]: article for article in recording.plain["articles"]}
    assert len(rows) == len(plain)
    assert adapter.dropped == 0
    for row in rows:
        assert row.url == plain[row.title]["url"]
        assert row.published_at == datetime.fromisoformat(plain[row.title]["publishedAt"])
        assert row.source == urlsplit(row.url).netloc.removeprefix("www.")
    assert rows == sorted(rows, key=lambda row: row.published_at, reverse=True)


@pytest.mark.parametrize("recording", recordings(r"cryptopanic\.com/api/posts/"))
def test_cryptopanic_posts(recording: Recording) -> None:
    """Of its first version, whose rows name coins otherwise and have no other address."""
    results = json.loads(recording.body)
    results = results["results"] if isinstance(results, dict) else results
    adapter, _ = adapt(CryptoPanic, {"next": "https://x.example/?auth_token=T", "results": results})
    rows = adapter.news(NewsQuery(limit=250))
    plain = {row["url"]: row for row in results}
    assert adapter.dropped == 0
    assert len(rows) > len(plain) / 2  # some headlines are told by several
    for row in rows:
        told = plain[row.url]
        assert row.published_at == datetime.fromisoformat(told["published_at"])
        assert row.source == told["source"]["domain"].removeprefix("www.")
        up, down = told["votes"]["positive"], told["votes"]["negative"]
        expected = round((up - down) / (up + down), 2) if up + down >= 5 else None
        assert (row.sentiment and row.sentiment["score"]) == expected
        assert "<" not in row.title


@pytest.mark.parametrize("recording", recordings(r"cryptocompare\.com/index/cc/v1/historical/days"))
def test_coindesk_data_days(recording: Recording) -> None:
    (plain,) = recording.plain["Data"]
    own, currency = recording.params["instrument"].split("-")
    opened = at(plain["TIMESTAMP"] + "000")
    query = OhlcQuery("ANY", "1d", 1, start=opened, currency=currency.lower())
    now = opened + timedelta(days=2)
    _, (candle,) = read(CoinDeskData, recording, query, {"ANY": {"": own}}, now)
    assert candle.time == opened
    assert numbers(candle) == [
        exact(plain[name]) for name in ("OPEN", "HIGH", "LOW", "CLOSE", "VOLUME")
    ]


@pytest.mark.parametrize(
    "recording", recordings(r"cryptocompare\.com/index/cc/v1/historical/hours")
)
def test_coindesk_data_before_it_was_traded(recording: Recording) -> None:
    error = CoinDeskData.diagnose(Answer(recording.status, {}, recording.body))
    assert type(error) is Missing


@pytest.mark.parametrize("recording", recordings(r"to_ts=1720000000"))
def test_coindesk_data_windows(recording: Recording) -> None:
    told = recording.headers
    readings = list(CoinDeskData.readings(told))
    windows = [part.split(";window=") for part in told["x-ratelimit-remaining-all"].split(", ")]
    assert [(r.remaining, r.per_s) for r in readings] == [
        (float(left), float(seconds)) for left, *window in windows for seconds in window
    ]
    assert len(readings) == 5
    assert [r.limit for r in readings] == [50, 2500, 25000, 50000, 100000]


@pytest.mark.parametrize(
    "recording", recordings(r"min-api\.cryptocompare\.com/data/pricemultifull")
)
def test_cryptocompare_price(recording: Recording) -> None:
    plain = recording.plain["RAW"]["BTC"]["USD"]
    _, (row,) = read(CryptoCompare, recording, PriceQuery(("BTC",)), {"BTC": {"": "BTC"}})
    assert exact(row.price) == exact(plain["PRICE"])
    assert exact(row.change_24h_percent) == exact(plain["CHANGEPCT24HOUR"])
    assert exact(row.volume_24h) == exact(plain["VOLUME24HOURTO"])
    assert row.last_updated == at(plain["LASTUPDATE"] + "000")


HISTO = r"min-api\.cryptocompare\.com/data/histo(day|hour|minute)\?(?!aggregate)"


@pytest.mark.parametrize("recording", recordings(HISTO))
def test_cryptocompare_candles(recording: Recording) -> None:
    # Of the first version, whose envelope is one layer thinner.
    plain = recording.plain["Data"]
    sound = [row for row in plain if float(row["low"]) <= float(row["close"]) <= float(row["high"])]
    lengths = {"histoday": "1d", "histohour": "1h", "histominute": "1m"}
    interval = lengths[urlsplit(recording.url).path.rsplit("/", 1)[-1]]
    adapter, _ = adapt(
        CryptoCompare,
        b'{"Data":' + recording.body + b"}",
        names={"BTC": {"": "BTC"}},
        now=at(plain[-1]["time"] + "000"),
    )
    start = at(plain[0]["time"] + "000")
    found = adapter.ohlc(OhlcQuery("BTC", interval, 2000, start=start))
    assert [candle.time for candle in found] == [at(row["time"] + "000") for row in sound]
    names = ("open", "high", "low", "close", "volumefrom")
    assert [numbers(candle) for candle in found] == [[exact(r[n]) for n in names] for r in sound]
    assert adapter.dropped == len(plain) - len(sound)


@pytest.mark.parametrize("recording", recordings(r"min-api\.cryptocompare\.com/data/all/coinlist"))
def test_cryptocompare_coins(recording: Recording) -> None:
    adapter, rows = read(CryptoCompare, recording, ListingQuery())
    plain = recording.plain["Data"]
    assert [(row.external_id, row.name) for row in rows] == [
        (own, " ".join(coin["FullName"].rsplit(" (", 1)[0].split())) for own, coin in plain.items()
    ]
    assert adapter.dropped == 0


@pytest.mark.parametrize("recording", recordings(r"finance\.yahoo\.com/v8/finance/chart/"))
def test_yahoo_price(recording: Recording) -> None:
    meta = recording.plain["chart"]["result"][0]["meta"]
    names = {"ANY": {meta["currency"]: meta["symbol"]}}
    query = PriceQuery(("ANY",), meta["currency"].lower())
    _, (row,) = read(Yahoo, recording, query, names)
    assert exact(row.price) == exact(meta["regularMarketPrice"])
    assert row.quote == meta["currency"]
    assert row.last_updated == at(meta["regularMarketTime"] + "000")


@pytest.mark.parametrize("recording", recordings(r"finance\.yahoo\.com/v8/finance/chart/"))
def test_yahoo_candles_and_history(recording: Recording) -> None:
    (plain,) = recording.plain["chart"]["result"]
    meta, times = plain["meta"], plain.get("timestamp", [])
    names = {"ANY": {"": meta["symbol"]}}
    start, currency = at(recording.params["period1"] + "000"), meta["currency"].lower()
    now = at(recording.params["period2"] + "000") + timedelta(days=2)
    query = OhlcQuery("ANY", meta["dataGranularity"], 99, start=start, currency=currency)
    _, rows = read(Yahoo, recording, query, names, now)
    assert [candle.time for candle in rows] == [at(time + "000") for time in times]
    quote = plain["indicators"]["quote"][0] if times else {}
    for name in ("open", "high", "low", "close"):
        prices = [exact(getattr(candle, name)) for candle in rows]
        assert prices == [exact(value) for value in quote.get(name, [])]
    counted = meta["instrumentType"] == "EQUITY"
    volumes = [exact(value) if counted else None for value in quote.get("volume", [])]
    assert [exact(candle.volume) for candle in rows] == volumes
    past = HistoryQuery("ANY", start=start, end=now, currency=currency)
    _, points = read(Yahoo, recording, past, names, start + timedelta(days=2000))
    assert [exact(point.price) for point in points] == [exact(v) for v in quote.get("close", [])]
    assert all(
        timedelta() < point.time - at(time + "000") <= timedelta(days=1)
        for point, time in zip(points, times, strict=True)
    )


@pytest.mark.parametrize("recording", recordings(r"bitstamp\.net/api/v2/ticker"))
def test_bitstamp_ticker(recording: Recording) -> None:
    plain = recording.plain
    _, (row,) = read(Bitstamp, recording, PriceQuery(("BTC",)), {"BTC": {"USD": "btcusd"}})
    assert exact(row.price) == exact(plain["last"])
    assert row.volume_24h == Decimal(plain["volume"]) * Decimal(plain["vwap"])
    assert row.last_updated == at(plain["timestamp"] + "000")


@pytest.mark.parametrize("recording", recordings(r"bitfinex\.com/v2/tickers"))
def test_bitfinex_ticker(recording: Recording) -> None:
    plain = {row[0]: row for row in recording.plain}["tBTCUSD"]
    adapter, (row,) = read(Bitfinex, recording, PriceQuery(("BTC",)), {"BTC": {"USD": "tBTCUSD"}})
    assert exact(row.price) == exact(plain[7])
    assert row.change_24h_percent == Decimal(plain[6]) * 100
    assert adapter.dropped == len(recording.plain) - 1  # what is lent for interest


@pytest.mark.parametrize("recording", recordings(r"api\.kucoin\.com/api/v1/symbols"))
def test_kucoin_symbols(recording: Recording) -> None:
    adapter, rows = read(KuCoin, recording, ListingQuery())
    expected = [
        Listed(s["symbol"], s["baseCurrency"], None, s["quoteCurrency"])
        for s in recording.plain["data"]
        if s["enableTrading"]
    ]
    assert expected
    assert rows == expected
    assert adapter.dropped == 0


@pytest.mark.parametrize("recording", recordings(r"coinmarketcap\.com/v1/cryptocurrency/listings"))
def test_coinmarketcap_listings(recording: Recording) -> None:
    _, rows = read(CoinMarketCap, recording, MarketQuery())
    assert rows
    for row, plain in zip(rows, recording.plain["data"], strict=True):
        quote = plain["quote"]["USD"]
        assert (row.id, row.symbol, row.name) == (plain["id"], plain["symbol"], plain["name"])
        assert exact(row.rank) == exact(plain["cmc_rank"])
        assert exact(row.price) == exact(quote["price"])
        assert exact(row.market_cap) == exact(quote["market_cap"])
        assert exact(row.volume_24h) == exact(quote["volume_24h"])
        assert exact(row.change_7d_percent) == exact(quote["percent_change_7d"])
        assert exact(row.circulating_supply) == exact(plain["circulating_supply"])


@pytest.mark.parametrize("recording", recordings(r"llama\.fi/(.*/)?prices/current/coingecko:"))
def test_defillama_prices(recording: Recording) -> None:
    plain = recording.plain["coins"]
    names = {name: {"": name.removeprefix("coingecko:")} for name in plain}
    adapter, rows = read(DefiLlamaPrices, recording, PriceQuery((*names, "NOBODY")), names)
    assert [(row.symbol, exact(row.price), row.quote) for row in rows] == [
        (name, exact(coin["price"]), "USD") for name, coin in plain.items()
    ]
    assert [row.last_updated for row in rows] == [
        at(coin["timestamp"] + "000") for coin in plain.values()
    ]
    assert adapter.dropped == 0


def _tests() -> Iterator[Callable[..., None]]:
    for name, test in globals().items():
        if name.startswith("test_") and hasattr(test, "pytestmark"):
            yield test


def test_every_one_of_these_comparisons_has_a_recording() -> None:
    for test in _tests():
        (mark,) = test.pytestmark  # type: ignore[attr-defined]
        assert mark.args[1], f"{test.__name__} compares nothing"
