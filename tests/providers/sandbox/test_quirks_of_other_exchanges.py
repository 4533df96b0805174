"""What Bybit, Bitstamp, Bitfinex, KuCoin and Gate refuse and how; orders and other oddities."""

from __future__ import annotations

from typing import Any

import pytest

from providers.sandbox.market import DAY_S, HOUR_S
from tests.providers.sandbox.asking import NOW, Asker, weekday
from tests.providers.sandbox.samples_markets import BITFINEX, BITSTAMP, BYBIT, GATE, KUCOIN

HOUR = int(NOW // HOUR_S) * HOUR_S


# -- Bybit -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("tickers", "Category is invalid"),
        ("tickers?category=nope", "Category is invalid"),
        ("tickers?category=spot&symbol=NOPEUSDT", "Not supported symbols"),
        ("kline?category=spot&symbol=NOPEUSDT&interval=60", "Not supported symbols"),
        ("kline?category=spot&symbol=BTCUSDT&interval=1h", "Invalid period!"),
        ("kline?category=spot&symbol=BTCUSDT&interval=60&limit=1001", "limit is invalid"),
        ("kline?category=spot&symbol=BTCUSDT&interval=60&start=x", "start is invalid"),
    ],
)
def test_bybit_says_what_is_wrong_in_a_200(asker: Asker, path: str, text: str) -> None:
    answer = asker.get(f"{BYBIT}/{path}")
    assert (answer["retCode"], answer["result"]) == (10001, {})
    assert text in answer["retMsg"]


def test_bybit_candles_are_newest_first_and_hold_the_start(asker: Asker) -> None:
    url = f"{BYBIT}/kline?category=spot&symbol=BTCUSDT&interval=60"
    rows = asker.get(url)["result"]["list"]
    stamps = [int(row[0]) // 1000 for row in rows]
    assert stamps == [HOUR - n * HOUR_S for n in range(200)]
    middle = (HOUR - 5 * HOUR_S + 1800) * 1000
    since = asker.get(f"{url}&start={middle}&limit=2")["result"]["list"]
    assert [int(row[0]) // 1000 for row in since] == [HOUR - 4 * HOUR_S, HOUR - 5 * HOUR_S]
    until = asker.get(f"{url}&end={middle}&limit=2")["result"]["list"]
    assert [int(row[0]) // 1000 for row in until] == [HOUR - 5 * HOUR_S, HOUR - 6 * HOUR_S]
    weeks = asker.get(f"{BYBIT}/kline?category=spot&symbol=BTCUSDT&interval=W&limit=2")
    assert {weekday(int(row[0]) / 1000) for row in weeks["result"]["list"]} == {"Mon"}


def test_bybit_gives_the_change_as_a_fraction(asker: Asker) -> None:
    (row,) = asker.get(f"{BYBIT}/tickers?category=spot&symbol=BTCUSDT")["result"]["list"]
    change = float(row["lastPrice"]) / float(row["prevPrice24h"]) - 1
    assert float(row["price24hPcnt"]) == pytest.approx(change, abs=0.0001)


def test_bybit_tells_what_is_left(asker: Asker) -> None:
    headers = asker.ask(f"{BYBIT}/time").headers
    assert headers["x-bapi-limit"] == "600"
    assert 0 < int(headers["x-bapi-limit-status"]) < 600
    assert 0 < int(headers["x-bapi-limit-reset-timestamp"]) - NOW * 1000 <= 5000


def test_a_country_that_bybit_does_not_serve_sees_a_page(asker: Asker) -> None:
    reply = asker.ask(f"{BYBIT}/time", headers={"x-sandbox-fault": "status=403"})
    assert (reply.status, reply.content_type) == (403, "text/html")
    assert b"CloudFront" in reply.body


def test_who_is_too_frequent_for_bybit_waits_ten_minutes() -> None:
    asker = Asker(limits=True)
    asker.now = 1_795_000_200.0
    replies = [asker.ask(f"{BYBIT}/time") for _ in range(602)]
    assert [reply.status for reply in replies[-3:]] == [200, 403, 403]
    assert replies[-1].body == b"access too frequent"
    asker.now += 599
    assert asker.ask(f"{BYBIT}/time").status == 403
    asker.now += 2
    assert asker.ask(f"{BYBIT}/time").status == 200


# -- Bitstamp --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("ticker/nopeusd/", 404),
        ("ohlc/nopeusd/?step=60&limit=1", 404),
        ("ohlc/btcusd/", 400),
        ("ohlc/btcusd/?step=60", 400),
        ("ohlc/btcusd/?step=61&limit=1", 400),
        ("ohlc/btcusd/?step=60&limit=1001", 400),
        ("ohlc/btcusd/?step=60&limit=1&start=x", 400),
    ],
)
def test_bitstamp_says_what_is_wrong(asker: Asker, path: str, status: int) -> None:
    found, error = asker.refused(f"{BITSTAMP}/{path}")
    assert found == status
    assert set(error) == ({"message"} if status == 404 else {"code", "errors"})


def test_bitstamp_candles_ascend_from_a_start_or_to_an_end(asker: Asker) -> None:
    url = f"{BITSTAMP}/ohlc/btcusd/?step=3600&limit=3"

    def stamps(more: str) -> list[int]:
        return [int(row["timestamp"]) for row in asker.get(url + more)["data"]["ohlc"]]

    assert stamps("") == [HOUR - 2 * HOUR_S, HOUR - HOUR_S, HOUR]
    assert stamps(f"&start={HOUR - 9 * HOUR_S}") == [HOUR - n * HOUR_S for n in (9, 8, 7)]
    assert stamps(f"&end={HOUR - 9 * HOUR_S}") == [HOUR - n * HOUR_S for n in (11, 10, 9)]
    assert stamps("&exclude_current_candle=true") == [HOUR - 2 * HOUR_S, HOUR - HOUR_S]


# -- Bitfinex --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("ticker/tNOPE", "symbol: invalid"),
        ("candles/trade:1h:tNOPE/hist", "symbol: invalid"),
        ("candles/trade:7h:tBTCUSD/hist", "time_interval: invalid"),
        ("candles/trade:1h:tBTCUSD/hist?limit=10001", "limit: invalid"),
        ("candles/trade:1h:tBTCUSD/nope", "section: invalid"),
    ],
)
def test_bitfinex_says_what_is_wrong_with_a_500(asker: Asker, path: str, text: str) -> None:
    assert asker.refused(f"{BITFINEX}/{path}") == (500, ["error", 10020, text])


def test_bitfinex_leaves_out_whom_it_does_not_know(asker: Asker) -> None:
    assert asker.get(f"{BITFINEX}/tickers?symbols=tNOPEUSD") == []
    rows = asker.get(f"{BITFINEX}/tickers?symbols=tBTCUSD,tNOPEUSD,tBTCUST")
    assert [row[0] for row in rows] == ["tBTCUSD", "tBTCUST"]


def test_bitfinex_writes_long_names_with_a_colon(asker: Asker) -> None:
    names = [row[0] for row in asker.get(f"{BITFINEX}/tickers?symbols=ALL")]
    traded = [name for name in names if name.startswith("t")]
    assert all(len(name) == 7 for name in traded if ":" not in name)
    parts = [name[1:].split(":") for name in traded if ":" in name]
    assert all({len(part) for part in pair} != {3} for pair in parts)
    assert {"tBTCUSD", "tDOGE:USD"} <= set(names)
    assert {"fUSD", "fBTC"} <= set(names)


def test_bitfinex_candles_close_before_they_are_high(asker: Asker) -> None:
    url = f"{BITFINEX}/candles/trade:1h:tBTCUSD/hist"
    rows = asker.get(url)
    assert [row[0] for row in rows] == [(HOUR - n * HOUR_S) * 1000 for n in range(100)]
    assert all(row[4] <= min(row[1:3]) <= max(row[1:3]) <= row[3] for row in rows)
    upwards = asker.get(f"{url}?sort=1&start={(HOUR - 9 * HOUR_S) * 1000}&limit=2")
    assert [row[0] for row in upwards] == [(HOUR - n * HOUR_S) * 1000 for n in (9, 8)]
    assert asker.get(f"{BITFINEX}/candles/trade:1h:tBTCUSD/last") == rows[0]


# -- KuCoin ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("market/stats", "symbol can not be empty"),
        ("market/candles?symbol=BTC-USDT", "type can not be empty"),
        ("market/candles?symbol=BTC-USDT&type=1h", "Incorrect candlestick type."),
        ("market/candles?symbol=NOPE-USDT&type=1hour", "Unsupported trading pair."),
        ("market/candles?symbol=BTC-USDT&type=1hour&startAt=x", "startAt is invalid"),
    ],
)
def test_kucoin_says_what_is_wrong(asker: Asker, path: str, text: str) -> None:
    assert asker.refused(f"{KUCOIN}/{path}") == (400, {"code": "400100", "msg": text})


def test_an_unknown_pair_of_kucoin_has_figures_of_nothing(asker: Asker) -> None:
    data = asker.get(f"{KUCOIN}/market/stats?symbol=NOPE-USDT")["data"]
    assert data["symbol"] == "NOPE-USDT"
    assert {value for name, value in data.items() if name not in ("time", "symbol")} == {None}
    assert asker.get(f"{KUCOIN}/market/orderbook/level1?symbol=NOPE-USDT")["data"] is None


def test_kucoin_candles_are_newest_first_without_the_end(asker: Asker) -> None:
    url = f"{KUCOIN}/market/candles?symbol=BTC-USDT&type=1hour"
    rows = asker.get(f"{url}&startAt={HOUR - 3 * HOUR_S}&endAt={HOUR}")["data"]
    assert [int(row[0]) for row in rows] == [HOUR - n * HOUR_S for n in (1, 2, 3)]
    assert all(float(row[4]) <= float(row[1]) <= float(row[3]) for row in rows)
    assert len(asker.get(f"{KUCOIN}/market/candles?symbol=BTC-USDT&type=1day")["data"]) == 1500


@pytest.mark.parametrize(
    ("path", "weight"), [("timestamp", 3), ("market/allTickers", 15), ("symbols", 4)]
)
def test_kucoin_tells_what_is_left_by_weight(path: str, weight: int) -> None:
    asker = Asker()
    headers = asker.ask(f"{KUCOIN}/{path}").headers
    assert headers["gw-ratelimit-limit"] == "2000"
    assert headers["gw-ratelimit-remaining"] == str(2000 - weight)
    assert 0 < int(headers["gw-ratelimit-reset"]) <= 30_000


# -- Gate ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "label"),
    [
        ("tickers?currency_pair=NOPE_USDT", "INVALID_CURRENCY_PAIR"),
        ("candlesticks", "MISSING_REQUIRED_PARAM"),
        ("candlesticks?currency_pair=NOPE_USDT", "INVALID_CURRENCY_PAIR"),
        ("candlesticks?currency_pair=BTC_USDT&interval=3h", "INVALID_PARAM_VALUE"),
        ("candlesticks?currency_pair=BTC_USDT&limit=1001", "INVALID_PARAM_VALUE"),
        ("candlesticks?currency_pair=BTC_USDT&limit=5&from=1794000000", "INVALID_PARAM_VALUE"),
        ("candlesticks?currency_pair=BTC_USDT&interval=1m&from=1790000000", "INVALID_PARAM_VALUE"),
        ("candlesticks?currency_pair=BTC_USDT&interval=1m&from=1794880000", "INVALID_PARAM_VALUE"),
    ],
)
def test_gate_says_what_is_wrong(asker: Asker, path: str, label: str) -> None:
    status, error = asker.refused(f"{GATE}/{path}")
    assert (status, set(error), error["label"]) == (400, {"label", "message"}, label)


def test_gate_candles_ascend_and_mark_the_running_one(asker: Asker) -> None:
    rows: list[Any] = asker.get(f"{GATE}/candlesticks?currency_pair=BTC_USDT&interval=1h&limit=3")
    assert [int(row[0]) for row in rows] == [HOUR - n * HOUR_S for n in (2, 1, 0)]
    assert [row[7] for row in rows] == ["true", "true", "false"]
    for row in rows:
        _, worth, close, high, low, opened, volume, _ = row
        assert float(low) <= min(float(close), float(opened)) <= float(high)
        assert float(worth) / float(volume) == pytest.approx(float(close), rel=0.02)
    days = asker.get(
        f"{GATE}/candlesticks?currency_pair=BTC_USDT&interval=1d&from={HOUR - 2 * DAY_S}&to={HOUR}"
    )
    assert len(days) == 2


def test_gate_tells_what_is_left_of_an_endpoint() -> None:
    asker = Asker()
    for _ in range(3):
        headers = asker.ask(f"{GATE}/tickers?currency_pair=BTC_USDT").headers
    assert headers["x-gate-ratelimit-limit"] == "200"
    assert headers["x-gate-ratelimit-requests-remain"] == "197"
    assert headers["x-gate-ratelimit-reset-timestamp"] == str(int(NOW))
    assert asker.ask(f"{GATE}/time").headers["x-gate-ratelimit-requests-remain"] == "199"
