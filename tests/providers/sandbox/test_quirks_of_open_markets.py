"""CoinLore, DefiLlama and the two proxies: no keys, but oddities."""

from __future__ import annotations

import re

import pytest

from providers.sandbox.coins import load
from providers.sandbox.market import DAY_S
from tests.providers.sandbox.asking import NOW, Asker
from tests.providers.sandbox.samples_markets import CLEAN, COINLORE, DT_SOURCE, LLAMA
from tests.providers.sandbox.samples_world import TVL

# -- CoinLore --------------------------------------------------------------------------------


def test_the_slash_belongs_to_the_path_of_coinlore(asker: Asker) -> None:
    reply = asker.ask(f"{COINLORE}/ticker?id=90")
    assert (reply.status, reply.headers["location"]) == (301, "/api/ticker/?id=90")


def test_coinlore_mixes_types_and_leaves_supplies_empty(asker: Asker) -> None:
    rows = asker.get(f"{COINLORE}/tickers/")["data"]
    assert {type(row["price_usd"]) for row in rows} == {str}
    assert {type(row["volume24"]) for row in rows} == {float}
    assert {"", "21000000"} <= {row["msupply"] for row in rows}
    assert None in {row["tsupply"] for row in rows}
    assert [row["rank"] for row in rows] == list(range(1, 101))


def test_coinlore_pages_and_leaves_out_whom_it_does_not_know(asker: Asker) -> None:
    every = [row["id"] for row in asker.get(f"{COINLORE}/tickers/?limit=500")["data"]]
    assert len(set(every)) == 100
    some = asker.get(f"{COINLORE}/tickers/?start=95&limit=10")["data"]
    assert [row["id"] for row in some] == every[95:]
    found = asker.get(f"{COINLORE}/ticker/?id=80,90,1")
    assert {row["symbol"] for row in found} == {"BTC", "ETH"}
    assert asker.get(f"{COINLORE}/ticker/?id=1") == []


# -- DefiLlama -------------------------------------------------------------------------------


def test_defillama_leaves_out_whom_it_does_not_know(asker: Asker) -> None:
    assert asker.get(f"{LLAMA}/prices/current/coingecko:nope") == {"coins": {}}
    found = asker.get(f"{LLAMA}/prices/current/coingecko:bitcoin,coingecko:nope")["coins"]
    assert list(found) == ["coingecko:bitcoin"]
    token = next(coin for coin in load() if coin.contract)
    named = asker.get(f"{LLAMA}/prices/current/ethereum:{token.contract}")["coins"]
    assert [row["symbol"] for row in named.values()] == [token.symbol]


def test_defillama_is_not_sure_of_every_price(asker: Asker) -> None:
    names = ",".join(f"coingecko:{coin.coingecko}" for coin in load())
    coins = asker.get(f"{LLAMA}/prices/current/{names}")["coins"]
    assert len(coins) == 100
    assert sum(row["confidence"] < 0.9 for row in coins.values()) == 4
    assert all(0 <= NOW - row["timestamp"] < 400 for row in coins.values())


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("prices/historical/x/coingecko:bitcoin", 400),
        ("chart/coingecko:bitcoin?start=1&end=2", 400),
        ("chart/coingecko:bitcoin?span=501", 400),
        ("chart/coingecko:bitcoin?period=1y", 400),
        ("batchHistorical?coins=x", 400),
        ("batchHistorical?coins=%7B%22coingecko:bitcoin%22:1%7D", 400),
        ("percentage/coingecko:bitcoin?period=x", 400),
    ],
)
def test_defillama_says_what_is_wrong_in_plain_text(asker: Asker, path: str, status: int) -> None:
    reply = asker.ask(f"{LLAMA}/{path}")
    assert (reply.status, reply.content_type) == (status, "text/plain; charset=utf-8")


def test_defillama_charts_from_a_start_or_to_an_end(asker: Asker) -> None:
    def stamps(query: str) -> list[int]:
        coins = asker.get(f"{LLAMA}/chart/coingecko:bitcoin?{query}")["coins"]
        return [round(row["timestamp"], -2) for row in coins["coingecko:bitcoin"]["prices"]]

    start = 1_790_000_000
    for query, first in ((f"start={start}", start), (f"end={start}", start - 2 * DAY_S)):
        found = stamps(f"{query}&span=3&period=1d")
        assert found == pytest.approx([first + n * DAY_S for n in range(3)], abs=100)
    assert len(stamps("span=2")) == 2


def test_what_is_locked_begins_with_nothing_in_2017(asker: Asker) -> None:
    rows = asker.get(f"{TVL}/historicalChainTvl/Ethereum")
    assert rows[0] == {"date": 1_506_470_400, "tvl": 0}
    assert {later["date"] - row["date"] for row, later in zip(rows, rows[1:], strict=False)} == {
        DAY_S
    }
    chains = {row["name"]: row["tvl"] for row in asker.get(f"{TVL}/chains")}
    assert rows[-1]["tvl"] == chains["Ethereum"] == max(chains.values())
    total = asker.get(f"{TVL}/historicalChainTvl")[-1]["tvl"]
    assert total == pytest.approx(sum(chains.values()))
    assert list(chains.values()) != sorted(chains.values(), reverse=True)
    assert asker.refused(f"{TVL}/historicalChainTvl/nope")[0] == 400
    assert asker.refused("https://api.llama.fi/summary/derivatives/gmx")[0] == 402


# -- The proxies -----------------------------------------------------------------------------


def test_the_clean_proxy_mixes_times_with_and_without_a_zone(asker: Asker) -> None:
    stamps = [
        asker.get(f"{CLEAN}{path}")["timestamp"]
        for path in ("/api/coins/top", "/api/market", "/api/trending", "/health")
    ]
    assert [stamp.endswith("Z") for stamp in stamps] == [True, True, False, False]
    assert all(re.match(r"2026-11-18T11:06:40\.5", stamp) for stamp in stamps)


def test_the_clean_proxy_serves_coingecko_again(asker: Asker) -> None:
    rows = asker.get(f"{CLEAN}/api/coins/top?limit=3")["coins"]
    real = asker.get("https://api.coingecko.com/api/v3/coins/markets?vs_currency=usd&per_page=3")
    assert [{name: row[name] for name in rows[0]} for row in real] == rows
    assert asker.refused(f"{CLEAN}/api/coins/top?limit=251")[0] == 422
    constant = [asker.get(f"{CLEAN}/api/sentiment/asset/{s}")["score"] for s in ("BTC", "ETH")]
    assert constant == [50, 50]


def test_a_sleeping_space_is_a_page(asker: Asker) -> None:
    reply = asker.ask(f"{CLEAN}/health", headers={"x-sandbox-fault": "status=503"})
    assert (reply.status, reply.content_type) == (503, "text/html; charset=utf-8")


def test_the_source_ignores_what_its_own_client_sends(asker: Asker) -> None:
    usual = asker.get(f"{DT_SOURCE}/coingecko/price?limit=3")["data"]
    asked = asker.get(f"{DT_SOURCE}/coingecko/price?ids=solana&vs_currencies=usd&limit=3")["data"]
    assert [row["symbol"] for row in asked] == [row["symbol"] for row in usual]
    candles = asker.get(f"{DT_SOURCE}/binance/klines?symbol=BTCUSDT&interval=1d")
    assert (candles["timeframe"], candles["count"]) == ("1h", 100)


@pytest.mark.parametrize(
    "path",
    [
        "coingecko/price?symbols=NOPE",
        "binance/klines?symbol=NOPE",
        "binance/klines?symbol=BTC&timeframe=7h",
        "rss/feed?feed_name=nope",
        "reddit/top?subreddit=bitcoin",
    ],
)
def test_the_source_fails_in_a_200(asker: Asker, path: str) -> None:
    answer = asker.get(f"{DT_SOURCE}/{path}")
    assert (answer["success"], set(answer)) == (False, {"success", "error", "message"})


def test_the_source_has_five_feeds(asker: Asker) -> None:
    for name in ("coindesk", "cointelegraph", "bitcoinmagazine", "decrypt", "theblock"):
        answer = asker.get(f"{DT_SOURCE}/rss/feed?feed_name={name}&limit=5")
        assert (answer["count"], len(answer["data"])) == (5, 5)
    down = asker.refused(f"{DT_SOURCE}/status", x_sandbox_fault="status=503")
    assert down == (503, {"detail": "Service temporarily unavailable"})
