"""The sandbox's answers field by field against real ones, where a folder of recordings is there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.providers.sandbox.asking import Asker
from tests.providers.sandbox.shapes import Kinds, assert_same, kinds, merged

ROOT = Path(__file__).resolve().parents[3]
RECORDED = ROOT.parent / "shared" / "recorded"

pytestmark = pytest.mark.skipif(not RECORDED.is_dir(), reason="there are no recordings here")

GECKO = "https://api.coingecko.com/api/v3"
BINANCE = "https://api.binance.com/api/v3"
KRAKEN = "https://api.kraken.com/0/public"
LEAN = (
    "?localization=false&tickers=false&market_data=false&community_data=false"
    "&developer_data=false&sparkline=false"
)


def read(name: str) -> Any:
    return json.loads((RECORDED / name).read_bytes())


@pytest.mark.parametrize(
    "file", sorted(path.name for path in (RECORDED / "coingecko").glob("simple_price_*.json"))
)
def test_coingecko_simple_prices(asker: Asker, file: str) -> None:
    theirs = read(f"coingecko/{file}")
    quotes = {quote for row in theirs.values() for quote in row}
    ours = asker.get(f"{GECKO}/simple/price/?ids=bitcoin,tether&vs_currencies={','.join(quotes)}")
    assert_same(kinds(ours, "", "*"), kinds(theirs, "", "*"))
    assert list(theirs) == sorted(theirs)
    assert list(ours) == ["bitcoin", "tether"]


def coin_kinds(document: Any) -> Kinds:
    return kinds(document, "platforms", "detail_platforms")


def test_coingecko_coins(asker: Asker) -> None:
    theirs = merged(
        coin_kinds(read("coingecko/coin_yearn-finance.json")),
        coin_kinds(read("coingecko/pro_coin_zksync.json")),
        {place: {"null", "text", "digits"} for place in ("hashing_algorithm", "genesis_date")},
        {place: {"null"} for place in ("asset_platform_id", "detail_platforms.*.decimal_place")},
        {f"sentiment_votes_{way}_percentage": {"null"} for way in ("up", "down")},
    )
    ids = [row["id"] for row in asker.get(f"{GECKO}/coins/markets?vs_currency=usd")]
    ours = merged(*(coin_kinds(asker.get(f"{GECKO}/coins/{key}{LEAN}")) for key in ids))
    assert_same(ours, theirs, new={"links.snapshot_url"})


PER_CURRENCY = re.compile(r"^(market_data\.[a-z0-9_]+|tickers\[\]\.converted_[a-z]+)\.[a-z]{3,4}$")


def full_kinds(document: Any) -> Kinds:
    found = kinds(document, "platforms", "detail_platforms", "localization", "description")
    return merged(*({PER_CURRENCY.sub(r"\1.*", k): v} for k, v in found.items()))


def test_a_whole_coin_of_coingecko(asker: Asker) -> None:
    theirs = full_kinds(read("coingecko/jk_GetAssetDetails.json"))
    ours = full_kinds(asker.get(f"{GECKO}/coins/bitcoin"))
    assert_same(ours, theirs, new={"market_data.max_supply_infinite"})


def test_coingecko_coins_of_the_past(asker: Asker) -> None:
    def past(document: Any) -> Kinds:
        parts = ("current_price", "market_cap", "total_volume")
        return kinds(document, *(f"market_data.{part}" for part in parts))

    newer = past(read("coingecko/coins_history_binancecoin_29-10-2025.json"))
    older = past(read("coingecko/coins_history_ethereum_01-01-2024.json"))
    theirs = merged(newer, {place: older[place] for place in older if place in newer})
    for place, seen in theirs.items():
        if place.startswith(("developer_data", "community_data")):
            seen |= {"number", "null"}
    url = f"{GECKO}/coins/binancecoin/history?date=29-10-2026&localization=false"
    assert_same(past(asker.get(url)), theirs)


def test_coingecko_global(asker: Asker) -> None:
    maps = ("data.total_market_cap", "data.total_volume", "data.market_cap_percentage")
    theirs, ours = read("coingecko/jk_GetGlobalData.json"), asker.get(f"{GECKO}/global")
    new = {"data.volume_change_percentage_24h_usd"}
    assert_same(kinds(ours, *maps), kinds(theirs, *maps), new=new)
    assert len(ours["data"]["market_cap_percentage"]) == 10


def test_coingecko_markets(asker: Asker) -> None:
    theirs = kinds(read("coingecko/jk_GetMarkets.json"))
    theirs["[].max_supply"].add("null")
    ours = asker.get(f"{GECKO}/coins/markets?vs_currency=usd&per_page=250")
    assert_same(kinds(ours), theirs)
    assert list(ours[0]) == list(read("coingecko/jk_GetMarkets.json")[0])


def test_coingecko_candles_and_charts(asker: Asker) -> None:
    ours = asker.get(f"{GECKO}/coins/ethereum/ohlc?vs_currency=usd&days=30")
    theirs = read("coingecko/jk_GetOhlc.json")
    assert_same(kinds(ours, rows=("[]",)), kinds(theirs, rows=("[]",)))
    assert {row[0] % (4 * 3_600_000) for row in (*ours, *theirs)} == {0}
    rows = ("prices[]", "market_caps[]", "total_volumes[]")
    ours = asker.get(f"{GECKO}/coins/ethereum/market_chart?vs_currency=usd&days=180")
    assert_same(kinds(ours, rows=rows), kinds(read("coingecko/jk_GetMarketChart.json"), rows=rows))
    assert {stamp % 86_400_000 for stamp, _ in ours["prices"][:-1]} == {0}


def test_coingecko_headers(asker: Asker) -> None:
    recorded = {
        entry["file"]: entry["headers"]
        for entry in read("manifest.json")
        if "/simple_price_" in entry["file"]
    }
    reply = asker.ask(f"{GECKO}/simple/price/?ids=bitcoin&vs_currencies=usd")
    assert recorded
    for headers in recorded.values():
        assert reply.content_type == headers["content-type"]
        assert reply.headers["cache-control"] == headers["cache-control"]
        assert reply.headers["vary"] == headers["vary"]
        assert reply.headers["etag"][:3] == headers["etag"][:3]


@pytest.mark.parametrize("file", ["klines_BTCUSDT_1d_last1000", "klines_ETHUSDT_1d_last500"])
def test_binance_klines(asker: Asker, file: str) -> None:
    theirs = read(f"binance/{file}.json")
    ours = asker.get(f"{BINANCE}/klines?symbol=BTCUSDT&interval=1d&limit=1000")
    assert_same(kinds(ours, rows=("[]",)), kinds(theirs, rows=("[]",)))
    for rows in (ours, theirs):
        assert all(row[6] == row[0] + 86_399_999 for row in rows)
        assert [row[0] for row in rows] == sorted(row[0] for row in rows)
        assert all(re.fullmatch(r"\d+\.\d{8}", row[at]) for row in rows for at in (1, 2, 5, 7))


@pytest.mark.parametrize(
    ("file", "path"),
    [
        ("jk_GetTicker", "ticker/24hr?symbol=BNBUSDT"),
        ("jk_GetPrice", "ticker/price?symbol=LTCUSDT"),
        ("jk_GetBookPrice", "ticker/bookTicker?symbol=LTCUSDT"),
        ("jk_GetAvgPrice", "avgPrice?symbol=LTCUSDT"),
    ],
)
def test_binance_tickers(asker: Asker, file: str, path: str) -> None:
    theirs, ours = read(f"binance/{file}.json"), asker.get(f"{BINANCE}/{path}")
    assert_same(kinds(ours), kinds(theirs))
    assert list(ours) == list(theirs)


@pytest.mark.parametrize(("status", "file"), [(429, "429_too_many"), (451, "451_restricted")])
def test_binance_errors(asker: Asker, status: int, file: str) -> None:
    theirs = read(f"binance/issue_quote_http{file}.json")
    found, ours = asker.refused(f"{BINANCE}/ping", x_sandbox_fault=f"status={status}")
    assert found == status
    assert ours["code"] == theirs["code"]
    assert ours["msg"][:17] == theirs["msg"][:17]


def test_kraken_tickers(asker: Asker) -> None:
    sides = tuple(f"result.*.{side}" for side in "abcvptlh")

    def rows(document: Any) -> Kinds:
        return kinds(document, "result", rows=sides)

    theirs = read("kraken/Ticker_all_assetVersion1_sample2.json")
    ours = asker.get(f"{KRAKEN}/Ticker?assetVersion=1")
    assert_same(rows(ours), rows(theirs))
    assert set(ours["result"]) <= set(theirs["result"]) | {"USDT/USD", "USDC/USD"}
    assert_same(
        rows(asker.get(f"{KRAKEN}/Ticker?pair=XBTUSD")), rows(read("kraken/jk_GetTicker.json"))
    )


def test_kraken_pairs(asker: Asker) -> None:
    recorded = read("kraken/cf_0_public_AssetPairs.json")["result"]
    theirs = {key: pair for key, pair in recorded.items() if "wsname" in pair}
    ours = asker.get(f"{KRAKEN}/AssetPairs")["result"]
    rows = ("*.fees[]", "*.fees_maker[]")
    assert_same(kinds(ours, "", rows=rows), kinds(theirs, "", rows=rows))
    both = set(ours) & set(theirs)
    assert {"XXBTZUSD", "XETHXXBT", "XDGUSD", "ADAXBT", "USDTZUSD"} <= both
    for key in both:
        names = ("altname", "wsname", "base", "quote")
        assert [ours[key][n] for n in names] == [theirs[key][n] for n in names]


@pytest.mark.parametrize("word", ["SystemStatus", "Time", "Assets"])
def test_other_answers_of_kraken(asker: Asker, word: str) -> None:
    file = {"Time": "xchange_servertime", "Assets": "xchange_assets"}.get(word, f"jk_Get{word}")
    maps = ("result",) if word == "Assets" else ()
    theirs, ours = read(f"kraken/{file}.json"), asker.get(f"{KRAKEN}/{word}")
    assert_same(kinds(ours, *maps), kinds(theirs, *maps))


def test_coinbase(asker: Asker) -> None:
    base = "https://api.exchange.coinbase.com/products"
    theirs, ours = kinds(read("coinbase/cf_products.json")), kinds(asker.get(base))
    # The list has gained and lost fields since; what both have must be alike.
    both = set(ours) & set(theirs)
    assert {"[].id", "[].base_currency", "[].quote_currency", "[].status"} <= both
    assert_same({place: ours[place] for place in both}, {place: theirs[place] for place in both})
    candles = asker.get(f"{base}/BTC-USD/candles?granularity=60")
    recorded = read("coinbase/xchange_exchange_candles.json")
    assert_same(kinds(candles, rows=("[]",)), kinds(recorded, rows=("[]",)))
    for rows in (candles, recorded):
        assert [row[0] for row in rows] == sorted((row[0] for row in rows), reverse=True)
        assert all(row[1] <= min(row[3:5]) <= max(row[3:5]) <= row[2] for row in rows)


def test_okx(asker: Asker) -> None:
    base = "https://www.okx.com/api/v5"
    theirs = read("okx/cf_api_v5_public_instruments_instType_SPOT.json")
    ours = asker.get(f"{base}/public/instruments?instType=SPOT")
    assert list(ours["data"][0]) == list(theirs["data"][0])
    assert_same(kinds(ours), kinds(theirs))
    tickers = read("okx/jk_GetTickers.json")
    ours = asker.get(f"{base}/market/tickers?instType=SPOT")
    assert list(ours["data"][0]) == list(tickers["data"][0])
    assert_same(kinds(ours), kinds(tickers))
    ours = asker.get(f"{base}/market/candles?instId=BTC-USDT&bar=1H")
    rows = ("data[]",)
    assert_same(kinds(ours, rows=rows), kinds(read("okx/jk_GetKlines.json"), rows=rows))


def test_mempool_fees(asker: Asker) -> None:
    ours = asker.get("https://mempool.space/api/v1/fees/recommended")
    assert_same(kinds(ours), kinds(read("mempool_space/fees_recommended.json")))


@pytest.mark.parametrize(
    ("file", "query"), [("30", "limit=30"), ("full_history", "limit=0&format=json")]
)
def test_fear_and_greed(asker: Asker, file: str, query: str) -> None:
    theirs = read(f"alternative_me/fng_data_array_{file}.json")
    ours = asker.get(f"https://api.alternative.me/fng/?{query}")["data"]
    assert_same(kinds(ours), kinds(theirs))
    assert list(ours[0]) == list(theirs[0])
    assert ["time_until_update" in row for row in ours[:3]] == [True, False, False]
    values = {row["timestamp"]: row["value_classification"] for row in theirs}
    days = {row["timestamp"] for row in ours if row["timestamp"] <= max(values)}
    if file == "full_history":
        assert days == set(values)


def test_fear_and_greed_classes_begin_where_the_real_ones_do(asker: Asker) -> None:
    def bounds(rows: list[dict[str, str]]) -> dict[str, tuple[int, int]]:
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row["value_classification"], []).append(int(row["value"]))
        return {name: (min(values), max(values)) for name, values in found.items()}

    theirs = bounds(read("alternative_me/fng_data_array_full_history.json"))
    ours = bounds(asker.get("https://api.alternative.me/fng/?limit=0")["data"])
    assert set(ours) == set(theirs)
    assert all(theirs[name][0] <= low for name, (low, _) in ours.items() if name != "Extreme Fear")
    assert all(high <= theirs[name][1] for name, (_, high) in ours.items())


def test_blockscout_tells_its_limit_in_the_same_headers(asker: Asker) -> None:
    entries = [entry for entry in read("manifest.json") if entry["provider"] == "blockscout"]
    theirs = {n for entry in entries for n in entry["headers"] if n.startswith("x-ratelimit")}
    ours = asker.ask("https://eth.blockscout.com/api/v2/stats").headers
    assert theirs
    assert theirs <= set(ours)
    assert all(ours[name].isdigit() for name in theirs)
