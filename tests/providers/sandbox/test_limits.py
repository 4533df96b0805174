"""Rate limits are enforced when asked for, exactly, and counted in any case."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from providers.sandbox.limits import Budget, Meter
from tests.providers.sandbox.asking import Asker
from tests.providers.sandbox.samples import BINANCE, COINBASE, GECKO, OKX, PAPRIKA
from tests.providers.sandbox.samples_markets import BITFINEX, BITSTAMP, GATE, KUCOIN

BLOCKSCOUT = "https://eth.blockscout.com/api/v2/stats"
KRAKEN = "https://api.kraken.com/0/public/Time"
START = 1_795_000_200.0  # the first second of windows of a second to five minutes


def asker(limits: bool = True) -> Asker:
    found = Asker(limits=limits)
    found.now = START
    return found


def test_a_window_ends_when_the_clock_says_so() -> None:
    now = [100.0]
    meter = Meter(enforced=True, clock=lambda: now[0])
    budget = (Budget("x", 2, 10),)
    assert [meter.spend(budget).wait for _ in range(3)] == [None, None, 10.0]
    now[0] = 104.0
    assert meter.spend(budget).wait == 6.0
    now[0] = 110.0
    assert meter.spend(budget).wait is None


def test_the_longest_of_several_windows_decides_how_long_to_wait() -> None:
    meter = Meter(enforced=True, clock=lambda: 0.0)
    budgets = (Budget("x", 1, 1), Budget("x", 1, 60))
    meter.spend(budgets)
    assert meter.spend(budgets).wait == 60.0


def test_counting_is_exact_among_threads() -> None:
    meter = Meter(enforced=True, clock=lambda: 5.0)
    passed: list[bool] = []

    def spend() -> None:
        for _ in range(200):
            passed.append(meter.spend((Budget("x", 500, 60),)).wait is None)

    threads = [threading.Thread(target=spend) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sum(passed), len(passed)) == (500, 1600)


@pytest.mark.parametrize(
    ("url", "size"),
    [
        (f"{GECKO}/ping", 30),
        (f"{GECKO}/ping?x_cg_demo_api_key=sandbox-1", 100),
        (f"{COINBASE}/time", 15),
        (f"{PAPRIKA}/global", 10),
        (f"{OKX}/market/tickers?instType=SPOT", 20),
        (f"{OKX}/market/candles?instId=BTC-USDT", 40),
        (f"{OKX}/market/history-candles?instId=BTC-USDT", 20),
        (f"{BITSTAMP}/ticker/btcusd/", 400),
        (f"{BITFINEX}/ticker/tBTCUSD", 90),
        (f"{BITFINEX}/candles/trade:1h:tBTCUSD/last", 30),
        (f"{KUCOIN}/timestamp", 666),
        (f"{GATE}/time", 200),
        (BLOCKSCOUT, 5),
        (f"{BLOCKSCOUT}?apikey=sandbox-1", 10),
    ],
)
def test_the_documented_number_passes_and_the_next_is_a_429(url: str, size: int) -> None:
    found = asker()
    statuses = [found.ask(url).status for _ in range(size + 2)]
    assert statuses == [200] * size + [429, 429]
    found.now += 61
    assert found.ask(url).status == 200


def test_kraken_says_it_in_a_200() -> None:
    found = asker()
    answers: list[Any] = [found.get(KRAKEN) for _ in range(16)]
    assert [answer["error"] for answer in answers[-2:]] == [[], ["EGeneral:Too many requests"]]


def test_every_key_has_a_window_of_its_own() -> None:
    found = asker()
    for _ in range(31):
        found.ask(f"{GECKO}/ping")
    assert found.ask(f"{GECKO}/ping").status == 429
    assert found.ask(f"{GECKO}/ping?x_cg_demo_api_key=sandbox-1").status == 200


def test_coingecko_and_binance_say_how_long_to_wait() -> None:
    found = asker()
    found.now += 20
    gecko = [found.ask(f"{GECKO}/ping") for _ in range(31)][-1]
    assert int(gecko.headers["retry-after"]) in (40, 41)
    binance = [found.ask(f"{BINANCE}/ticker/24hr") for _ in range(76)][-1]
    assert binance.status == 418 or int(binance.headers["retry-after"]) in (40, 41)


@pytest.mark.parametrize(
    ("path", "weight"),
    [
        ("ping", 1),
        ("exchangeInfo", 20),
        ("klines?symbol=BTCUSDT&interval=1h", 2),
        ("ticker/24hr?symbol=BTCUSDT", 2),
        ("ticker/24hr?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D", 2),
        ("ticker/24hr", 80),
        ("ticker/price?symbol=BTCUSDT", 2),
        ("ticker/price", 4),
    ],
)
def test_binance_counts_weights_in_a_header_on_every_answer(path: str, weight: int) -> None:
    found = asker(limits=False)
    found.ask(f"{BINANCE}/ping")
    reply = found.ask(f"{BINANCE}/{path}")
    assert reply.status == 200
    assert reply.headers["x-mbx-used-weight-1m"] == str(1 + weight)


def test_binance_bans_whom_a_429_does_not_stop() -> None:
    found = asker()
    statuses = [found.ask(f"{BINANCE}/ping").status for _ in range(6051)]
    assert statuses == [200] * 6000 + [429] * 50 + [418]
    banned = found.ask(f"{BINANCE}/ping")
    assert int(banned.headers["retry-after"]) > 60


def test_a_skewed_answer_does_not_reset_the_count() -> None:
    found = asker(limits=False)
    for fault in ("", "skew=-7200", ""):
        reply = found.ask(f"{BINANCE}/ping", headers={"x-sandbox-fault": fault} if fault else {})
    assert reply.headers["x-mbx-used-weight-1m"] == "3"


def test_blockscout_says_in_headers_what_is_left() -> None:
    found = asker(limits=False)
    found.now += 0.25
    headers = [found.ask(BLOCKSCOUT).headers for _ in range(7)]
    assert [h["x-ratelimit-remaining"] for h in headers] == ["4", "3", "2", "1", "0", "0", "0"]
    assert {h["x-ratelimit-limit"] for h in headers} == {"5"}
    assert {h["x-ratelimit-reset"] for h in headers} == {"750"}


def test_without_limits_nothing_is_refused() -> None:
    found = asker(limits=False)
    assert {found.ask(f"{COINBASE}/time").status for _ in range(100)} == {200}
