"""What exchanges really answered, read by our adapters and, independently, right here."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from providers.adapters.binance import Binance
from providers.adapters.bitfinex import Bitfinex
from providers.adapters.bitstamp import Bitstamp
from providers.adapters.coinbase import Coinbase
from providers.adapters.kraken import Kraken
from providers.adapters.kucoin import KuCoin
from providers.adapters.okx import Okx
from providers.datasets import (
    Listed,
    ListingQuery,
    OhlcQuery,
    PriceQuery,
)
from providers.errors import Blocked, Throttled
from providers.http import Answer
from tests.providers.adapters.conftest import adapt
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


def test_every_one_of_these_comparisons_has_a_recording() -> None:
    assert list(idle(globals())) == []
