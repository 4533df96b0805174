"""What each exchange refuses and how it says so; orders, limits and other oddities."""

from __future__ import annotations

import pytest

from providers.sandbox.market import DAY_S, HOUR_S
from tests.providers.sandbox.asking import NOW, Asker, weekday
from tests.providers.sandbox.samples import BINANCE, COINBASE, OKX

KRAKEN = "https://api.kraken.com/0/public"


# -- Binance ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("ticker/price?symbol=NOPEUSDT", -1121),
        ("ticker/24hr?symbols=%5B%22BTCUSDT%22,%22NOPEUSDT%22%5D", -1121),
        ("ticker/price?symbols=BTCUSDT", -1100),
        ("ticker/price?symbols=%5B%22BTCUSDT%22,%20%22ETHUSDT%22%5D", -1100),
        ("ticker/price?symbol=btcusdt", -1100),
        ("ticker/price?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128),
        ("klines?symbol=BTCUSDT", -1102),
        ("klines?interval=1h", -1102),
        ("klines?symbol=BTCUSDT&interval=1H", -1120),
        ("klines?symbol=BTCUSDT&interval=1h&limit=x", -1100),
        ("klines?symbol=BTCUSDT&interval=1h&limit=0", -1130),
        ("ping?hello=1", -1104),
    ],
)
def test_binance_says_what_is_wrong(asker: Asker, path: str, code: int) -> None:
    status, error = asker.refused(f"{BINANCE}/{path}")
    assert (status, set(error), error["code"]) == (400, {"code", "msg"}, code)


def test_binance_klines_start_where_asked_and_end_with_the_running_one(asker: Asker) -> None:
    newest = asker.get(f"{BINANCE}/klines?symbol=BTCUSDT&interval=1h")
    assert len(newest) == 500
    assert newest[-1][0] <= NOW * 1000 < newest[-1][6]
    assert len(asker.get(f"{BINANCE}/klines?symbol=BTCUSDT&interval=1h&limit=5000")) == 1000
    url = f"{BINANCE}/klines?symbol=BTCUSDT&interval=1h&startTime=1600000000001&limit=3"
    assert [row[0] for row in asker.get(url)] == [1600002000000 + n * 3_600_000 for n in range(3)]
    url = f"{BINANCE}/klines?symbol=BTCUSDT&interval=1h&endTime=1600002000000&limit=2"
    assert [row[0] for row in asker.get(url)] == [1599998400000, 1600002000000]


def test_binance_has_the_same_minute_under_two_spellings_and_months_apart(asker: Asker) -> None:
    minutes = asker.get(f"{BINANCE}/klines?symbol=BTCUSDT&interval=1m&limit=2")
    months = asker.get(f"{BINANCE}/klines?symbol=BTCUSDT&interval=1M&limit=2")
    assert minutes[1][0] - minutes[0][0] == 60_000
    assert months[1][0] - months[0][0] == 31 * DAY_S * 1000
    weeks = asker.get(f"{BINANCE}/klines?symbol=BTCUSDT&interval=1w&limit=3")
    assert {weekday(row[0] / 1000) for row in weeks} == {"Mon"}


def test_binance_knows_nothing_from_before_it_began(asker: Asker) -> None:
    url = f"{BINANCE}/klines?symbol=BTCUSDT&interval=1d&startTime=0&limit=1"
    assert asker.get(url)[0][0] == 1_502_928_000_000


# -- Kraken ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("Ticker?pair=NOPE", "EQuery:Unknown asset pair"),
        ("Ticker?pair=XBTUSD,NOPE", "EQuery:Unknown asset pair"),
        ("OHLC?pair=XBTUSD&interval=7", "EGeneral:Invalid arguments"),
        ("OHLC?pair=XBTUSD,ETHUSD", "EGeneral:Invalid arguments"),
    ],
)
def test_kraken_says_what_is_wrong_in_a_200(asker: Asker, path: str, error: str) -> None:
    assert asker.get(f"{KRAKEN}/{path}") == {"error": [error]}


def test_kraken_answers_under_its_own_names(asker: Asker) -> None:
    asked = "XBTUSD,ETHUSD,XDGUSD,SOLUSD,USDTUSD,ETHXBT"
    named = ["XXBTZUSD", "XETHZUSD", "XDGUSD", "SOLUSD", "USDTZUSD", "XETHXXBT"]
    assert list(asker.get(f"{KRAKEN}/Ticker?pair={asked}")["result"]) == named
    plain = ["BTC/USD", "ETH/USD", "DOGE/USD", "SOL/USD", "USDT/USD", "ETH/BTC"]
    url = f"{KRAKEN}/Ticker?assetVersion=1&pair="
    assert list(asker.get(url + asked)["result"]) == plain
    assert list(asker.get(url + ",".join(plain))["result"]) == plain


def test_kraken_has_720_candles_and_no_way_further_back(asker: Asker) -> None:
    result = asker.get(f"{KRAKEN}/OHLC?pair=XBTUSD&interval=60")["result"]
    rows = result["XXBTZUSD"]
    assert len(rows) == 720
    assert rows[-1][0] == NOW // HOUR_S * HOUR_S
    assert result["last"] == rows[-2][0]
    early = asker.get(f"{KRAKEN}/OHLC?pair=XBTUSD&interval=60&since=1600000000")
    assert early["result"]["XXBTZUSD"] == rows
    since = asker.get(f"{KRAKEN}/OHLC?pair=XBTUSD&interval=60&since={rows[-3][0]}")
    assert since["result"]["XXBTZUSD"] == rows[-2:]


def test_kraken_has_today_and_the_last_day_side_by_side(asker: Asker) -> None:
    row = asker.get(f"{KRAKEN}/Ticker?pair=XBTUSD")["result"]["XXBTZUSD"]
    assert float(row["v"][0]) < float(row["v"][1])
    assert float(row["h"][0]) <= float(row["h"][1])
    assert float(row["l"][0]) >= float(row["l"][1])


# -- Coinbase --------------------------------------------------------------------------------


def test_coinbase_takes_300_candles_and_not_one_more(asker: Asker) -> None:
    end = int(NOW // 60 * 60)
    url = f"{COINBASE}/products/BTC-USD/candles?granularity=60&end={end}"
    assert len(asker.get(f"{url}&start={end - 299 * 60}")) == 300
    status, error = asker.refused(f"{url}&start={end - 301 * 60}")
    assert status == 400
    assert error["message"].endswith("Count of aggregations requested exceeds 300")


def test_coinbase_ignores_half_a_range_and_reads_both_spellings(asker: Asker) -> None:
    url = f"{COINBASE}/products/BTC-USD/candles?granularity=3600"
    assert asker.get(f"{url}&start=2020-01-01") == asker.get(url)
    seconds = asker.get(f"{url}&start=1793750400&end=1793757600")
    texts = asker.get(f"{url}&start=2026-11-04T00:00:00Z&end=2026-11-04T02:00:00Z")
    assert seconds == texts
    assert [row[0] for row in seconds] == [1793757600, 1793754000, 1793750400]


def test_coinbase_leaves_out_minutes_without_a_trade(asker: Asker) -> None:
    quiet = asker.get(f"{COINBASE}/products")[-1]["id"]
    url = f"{COINBASE}/products/{{}}/candles?granularity=60&start=1793750400&end=1793764800"
    busy, rows = asker.get(url.format("BTC-USD")), asker.get(url.format(quiet))
    assert len(busy) == 241
    assert 150 < len(rows) < 241


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("products/NOPE-USD/ticker", 404, "NotFound"),
        ("products/USDC-USD/ticker", 404, "NotFound"),
        ("products/BTC-USD/candles?granularity=1800", 400, "Unsupported granularity"),
        ("nothing", 404, "NotFound"),
    ],
)
def test_coinbase_says_what_is_wrong(asker: Asker, path: str, status: int, message: str) -> None:
    assert asker.refused(f"{COINBASE}/{path}") == (status, {"message": message})


def test_coinbase_wants_to_know_who_asks(asker: Asker) -> None:
    status, _ = asker.refused(f"{COINBASE}/time", user_agent="")
    assert status == 400


# -- OKX -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("market/ticker?instId=NOPE-USDT", 200, "51001"),
        ("market/candles?instId=NOPE-USDT", 200, "51001"),
        ("market/tickers", 400, "50014"),
        ("market/tickers?instType=NOPE", 400, "51000"),
        ("market/candles?instId=BTC-USDT&bar=1h", 400, "51000"),
        ("market/candles?instId=BTC-USDT&limit=301", 400, "51000"),
        ("market/history-candles?instId=BTC-USDT&limit=101", 400, "51000"),
        ("support/announcements?annType=nope", 400, "51000"),
    ],
)
def test_okx_says_what_is_wrong(asker: Asker, path: str, status: int, code: str) -> None:
    found, error = asker.refused(f"{OKX}/{path}")
    assert (found, error["code"], error["data"]) == (status, code, [])
    assert error["msg"]


def test_okx_is_newest_first_and_marks_the_running_bar(asker: Asker) -> None:
    rows = asker.get(f"{OKX}/market/candles?instId=BTC-USDT&bar=1H&limit=5")["data"]
    stamps = [int(row[0]) for row in rows]
    assert stamps == sorted(stamps, reverse=True)
    assert [row[8] for row in rows] == ["0", "1", "1", "1", "1"]
    older = f"{OKX}/market/candles?instId=BTC-USDT&bar=1H&limit=2&after={stamps[1]}"
    assert asker.get(older)["data"] == rows[2:4]
    newer = f"{OKX}/market/candles?instId=BTC-USDT&bar=1H&before={stamps[2]}"
    assert asker.get(newer)["data"] == rows[:2]


def test_okx_days_begin_in_hong_kong_unless_asked_for_utc(asker: Asker) -> None:
    url = f"{OKX}/market/candles?instId=BTC-USDT&limit=3&bar="
    local = [int(row[0]) // 1000 % DAY_S for row in asker.get(f"{url}1D")["data"]]
    assert set(local) == {16 * HOUR_S}
    assert {int(r[0]) // 1000 % DAY_S for r in asker.get(f"{url}1Dutc")["data"]} == {0}
    weeks = [int(row[0]) / 1000 for row in asker.get(f"{url}1Wutc")["data"]]
    assert {weekday(moment) for moment in weeks} == {"Mon"}


def test_okx_candles_reach_1440_bars_back_and_history_beyond(asker: Asker) -> None:
    edge = int(NOW - 1500 * 60) * 1000
    query = f"instId=BTC-USDT&bar=1m&after={edge}&limit=10"
    assert asker.get(f"{OKX}/market/candles?{query}")["data"] == []
    assert len(asker.get(f"{OKX}/market/history-candles?{query}")["data"]) == 10
